"""The sums of `kernel_sums` without a loop over pairs, for small batches and few kernels.

All N x N pairs at once, one kernel component after the other: what is held is B x N x N numbers, a
few times over. Every pair is computed twice, which costs less than the steps of a loop while these
numbers are few. Derivatives are as in `kernel_sums`: the pairs are not remembered.

Paper: Salimans et al. (2016), Sec. 3.2.
"""

from keras import ops

from improved_gan_tf.layers.minibatch_discrimination.kernel_sums import with_derivatives

# The paper's networks, N = 100 with 100 kernels of 5, have B C = 500 and 5,000,000 elements.
MOST_ELEMENTS = 2**20


def is_faster(shape):
    """Whether this way is taken for an M of a static shape; measured in docs/benchmarks.md.

    Args:
        shape: (N, B, C); N may be None.

    Returns:
        bool: `B C <= N` and `N N B C <= MOST_ELEMENTS`; False where N is unknown.
    """
    rows, num_kernels, kernel_dim = shape
    if not isinstance(rows, int):  # None or, where JAX exports a model, a symbol
        return False
    numbers = num_kernels * kernel_dim  # of a row
    return numbers <= rows and rows * rows * numbers <= MOST_ELEMENTS


def kernel_sums(m, weights):
    """Returns what `kernel_sums.kernel_sums` does, up to the order of additions.

    Args:
        m: `M` of the paper, (N, B, C), float32 or float64.
        weights: (P, N), how much row j counts in sum p.

    Returns:
        `o`, (P, N, B), dtype of `m`.
    """
    return with_derivatives(_sum_over_pairs, _gradient_over_pairs)(m, weights)


def _sum_over_pairs(m, weights, direction=None):
    """Returns o (P, N, B), or its derivative along `direction` (N, B, C)."""
    c = _kernels(m, direction)  # (B, N, N)
    sums = ops.sum(c[None] * weights[:, None, None, :], axis=-1)  # (P, B, N)
    return ops.transpose(sums, (0, 2, 1))


def _gradient_over_pairs(m, weights, upstream, direction=None):
    """Returns d(sum upstream * o)/dm (N, B, C), or its derivative along `direction`.

    dm[i, b, c] = -sum_j g_ij exp(-d_ij) sign(m_i - m_j), where the pair's share of the upstream
    gradient, g_ij = sum_p (upstream_i weight_j + upstream_j weight_i), is symmetric.
    """
    upstream = ops.transpose(upstream, (0, 2, 1))  # (P, B, N)
    pair_upstream = ops.sum(
        upstream[..., :, None] * weights[:, None, None, :]
        + upstream[..., None, :] * weights[:, None, :, None],
        axis=0,
    )
    c = _kernels(m, direction) * pair_upstream  # (B, N, N)
    pulls = [ops.sum(c * ops.sign(difference), axis=-1) for difference in _differences(m)]
    return -ops.transpose(ops.stack(pulls, axis=-1), (1, 0, 2))


def _differences(m):
    """Returns m_i - m_j for each component, a list of C tensors (B, N, N)."""
    m = ops.transpose(m, (2, 1, 0))  # (C, B, N)
    return [m[c, :, :, None] - m[c, :, None, :] for c in range(m.shape[0])]


def _kernels(m, direction=None):
    """Returns exp(-sum_c |m_i - m_j|) with 0 for i = j, or its derivative along a direction."""
    differences = _differences(m)
    distances = _total(ops.abs(difference) for difference in differences)  # (B, N, N)
    # D23: no row is its own neighbour; the paper's sum counts it, its text does not.
    c = ops.exp(-distances) * (1.0 - ops.eye(m.shape[0], dtype=m.dtype))
    if direction is None:
        return c
    changes = zip(differences, _differences(direction), strict=True)
    return -c * _total(ops.sign(difference) * change for difference, change in changes)


def _total(terms):
    terms = iter(terms)
    total = next(terms)
    for term in terms:
        total = total + term
    return total
