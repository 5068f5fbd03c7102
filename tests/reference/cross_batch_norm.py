"""Cross batch normalization as plain NumPy loops; imports nothing of the package.

Definition: openai/improved-gan@4f5d1ec, imagenet/ops.py, `batch_norm_cross`.
"""

import math

import numpy as np


def cross_batch_norm(x, gamma, beta, epsilon):
    """(N, ..., C), the first N / 2 rows real -> the same, normalised."""
    out = np.zeros_like(x)
    half, channels = len(x) // 2, x.shape[-1]
    for c in range(channels):
        rows = x[:half] if c < channels // 2 else x[half:]
        values = [float(v) for v in np.ravel(rows[..., c])]
        mean = sum(values) / len(values)
        variance = sum((v - mean) ** 2 for v in values) / len(values)
        for row in range(len(x)):
            out[row, ..., c] = (
                gamma[c] * (x[row, ..., c] - mean) / math.sqrt(variance + epsilon) + beta[c]
            )
    return out
