"""Virtual batch normalization as plain NumPy loops; imports nothing of the package.

Definition: Salimans et al. (2016), Sec. 3.5, with the weights of the original code: an example
weighs 1 / (R + 1) beside a reference batch of R.
"""

import math

import numpy as np


def virtual_batch_norm(reference, live, gamma, beta, epsilon):
    """(R, ..., C) and (N, ..., C) -> the two normalised."""
    reference_out, live_out = np.zeros_like(reference), np.zeros_like(live)
    weight = 1.0 / (len(reference) + 1.0)
    for c in range(reference.shape[-1]):
        mean_reference, square_reference = _moments(reference[..., c])
        for out, batch, w in ((reference_out, reference, 0.0), (live_out, live, weight)):
            for row in range(len(batch)):
                mean_row, square_row = _moments(batch[row, ..., c])
                mean = w * mean_row + (1.0 - w) * mean_reference
                mean_square = w * square_row + (1.0 - w) * square_reference
                deviation = math.sqrt(epsilon + mean_square - mean**2)
                out[row, ..., c] = gamma[c] * (batch[row, ..., c] - mean) / deviation + beta[c]
    return reference_out, live_out


def _moments(values):
    values = [float(v) for v in np.ravel(values)]
    return sum(values) / len(values), sum(v**2 for v in values) / len(values)
