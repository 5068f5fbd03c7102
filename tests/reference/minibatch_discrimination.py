"""Minibatch discrimination as plain NumPy loops; imports nothing of the package.

Definitions: Salimans et al. (2016), Sec. 3.2; the ImageNet code's division and two halves.
"""

import math

import numpy as np


def normalized_tensor(theta, log_weight_scale):
    """T: theta divided by its length over the input axis, times exp(log_weight_scale)."""
    result = np.zeros_like(theta)
    for b in range(theta.shape[1]):
        for c in range(theta.shape[2]):
            length = math.sqrt(sum(float(v) ** 2 for v in theta[:, b, c]))
            result[:, b, c] = theta[:, b, c] * math.exp(log_weight_scale[b, c]) / length
    return result


def projection(x, tensor):
    """M_i = f(x_i) T, (N, B, C)."""
    m = np.zeros((len(x), *tensor.shape[1:]))
    for i, row in enumerate(x):
        for a, value in enumerate(row):
            m[i] += value * tensor[a]
    return m


def distance(m, i, j, b):
    """The L1 distance of rows i and j in kernel b."""
    return sum(abs(float(p) - float(q)) for p, q in zip(m[i, b], m[j, b], strict=True))


def features(m, reduction="sum", num_parts=1, present=None):
    """o, (N, P * B): every row against the other rows of each part."""
    n, num_kernels, _ = m.shape
    present = [True] * n if present is None else present
    size = n // num_parts
    o = np.zeros((n, num_parts * num_kernels))
    for part in range(num_parts):
        pairs = [
            (i, j)
            for i in range(n)
            for j in range(part * size, (part + 1) * size)
            if i != j and present[i] and present[j]
        ]
        for i in range(n):
            neighbours = [j for first, j in pairs if first == i]
            count = {"sum": 1, "mean": len(neighbours), "mean_over_pairs": len(pairs)}[reduction]
            for b in range(num_kernels):
                total = sum(math.exp(-distance(m, i, j, b)) for j in neighbours)
                o[i, part * num_kernels + b] = total / max(count, 1)
    return o


def initialization_scale(m):
    """s_b: half the mean distance to the nearest other row, (B,)."""
    n, num_kernels, _ = m.shape
    s = np.zeros(num_kernels)
    for b in range(num_kernels):
        nearest = [min(distance(m, i, j, b) for j in range(n) if j != i) for i in range(n)]
        s[b] = 0.5 * sum(nearest) / n
    return s
