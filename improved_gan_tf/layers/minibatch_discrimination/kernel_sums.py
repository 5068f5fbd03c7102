"""Sums over all pairs of rows of exp(-L1 distance), at a cost that stays small.

The obvious implementation subtracts every row from every other and holds N x N x B x C
numbers, several times over. Here the pairs are visited by their distance in the batch, row i
with row i + k (mod N), so that what is held is of the size of the input, N x B x C:

    k = 1, 2, ..., N // 2         each unordered pair once (k = N / 2 meets a pair twice: half)
    o_i     gains c(i, i + k)
    o_(i+k) gains c(i, i + k)

No row meets itself, so the self pair is left out by construction. The backward pass visits
the pairs again instead of remembering them. A loop over k is also what can be shared out: any
subset of the offsets gives a partial sum for every row, and partial sums add up.

Paper:    Salimans et al. (2016), Sec. 3.2.
Original: openai/improved-gan@4f5d1ec, mnist_svhn_cifar10/nn.py, `MinibatchLayer`, and
          imagenet/discriminator.py (sums over one part of the batch).
"""

import math

from keras import ops

# Elements per array in one loop step: small enough to stay in a core's cache, large enough to
# be worth an operation. Offsets are grouped, or the C components split, to come near it.
_STEP_ELEMENTS = 2**18
_MAX_OFFSETS_PER_STEP = 16
_ROWS_IF_UNKNOWN = 128


def kernel_sums(m, weights):
    """Returns for each row the weighted sum of its kernels with every *other* row.

        o[p, i, b] = sum_{j != i} weights[p, j] * exp(-sum_c |m[i, b, c] - m[j, b, c]|)

    It has first and second derivatives with respect to `m` (with sign(0) = 0), both at the
    cost described above; `weights` is a constant. Derivatives beyond the second are left to
    the backend: TensorFlow has them, at a memory that grows with N x N, JAX refuses.

    Args:
        m: `M` of the paper, (N, B, C), float32 or float64. N may be unknown, B and C not.
        weights: (P, N), how much row j counts in sum p; ones((1, N)) is the original's (D23). A
            weight of 0 does not stop a NaN: 0 * NaN is NaN.

    Returns:
        `o`, (P, N, B), dtype of `m`, in [0, sum_j weights[p, j]].
    """
    return with_derivatives(_sum_over_pairs, _gradient_over_pairs)(m, weights)


def with_derivatives(sums, gradient_of_sums):
    """Gives `sums` its first and second derivative without remembering the pairs.

    Args:
        sums: function of (m, weights, direction=None): o, or its derivative along a direction.
        gradient_of_sums: function of (m, weights, upstream, direction=None): d(sum upstream * o)
            / dm, or its derivative along a direction.

    Returns:
        A function of (m, weights).
    """

    def kernel_sums(m, weights):
        return twice(m, ops.stop_gradient(ops.cast(weights, m.dtype)))

    @ops.custom_gradient
    def twice(m, weights):
        # For a second derivative JAX differentiates this forward pass too, hence not the loop
        # itself.
        return once(m, weights), gradient_function(m, weights)

    @ops.custom_gradient
    def once(m, weights):
        return sums(*_constant(m, weights)), gradient_function(m, weights)

    def gradient_function(m, weights):
        def gradient(*args, upstream=None):
            return pulled_back(m, weights, _upstream(args, upstream)), ops.zeros_like(weights)

        return gradient

    @ops.custom_gradient
    def pulled_back(m, weights, upstream_sums):
        def gradient(*args, upstream=None):
            direction = _upstream(args, upstream)
            return (
                gradient_of_sums(m, weights, upstream_sums, direction),
                ops.zeros_like(weights),
                sums(m, weights, direction),
            )

        return gradient_of_sums(*_constant(m, weights, upstream_sums)), gradient

    return kernel_sums


def _constant(*tensors):
    # Without it an eager GradientTape would remember every step of the loop.
    return [ops.stop_gradient(tensor) for tensor in tensors]


def _upstream(args, upstream):
    # TensorFlow and JAX give the upstream gradient alone; PyTorch the inputs, and it by name.
    return args[0] if upstream is None else upstream


def _sum_over_pairs(m, weights, direction=None):
    """Returns o (P, N, B), or its derivative along `direction` (N, B, C)."""
    kernels, offsets_per_step, _ = pair_kernels(m, direction)
    own_weights = repeat_rows(weights[..., None], offsets_per_step)  # (P, K, N, 1)

    def step(rows, back, share, total):
        _, c = kernels(rows)  # (K, N, B)
        c = c * share
        to_row = c * ops.take(weights[..., None], rows, axis=1)
        to_neighbour = _at_neighbour(c * own_weights, back)
        # Two additions apart, not a chain of them: see `_minus_sum`.
        return (total + ops.sum(to_row + to_neighbour, axis=1),)

    zeros = ops.zeros_like(weights[..., None] * m[None, :, :, 0])  # (P, N, B)
    return _over_offsets(m, offsets_per_step, step, (zeros,))[0]


def _gradient_over_pairs(m, weights, upstream, direction=None):
    """Returns d(sum upstream * o)/dm (N, B, C), or its derivative along `direction`.

    dm[i, b, c] = -sum_j g_ij exp(-d_ij) sign(m_i - m_j), where the pair's share of the upstream
    gradient, g_ij = sum_p (upstream_i weight_j + upstream_j weight_i), is symmetric.
    """
    kernels, offsets_per_step, slices = pair_kernels(m, direction)
    own_upstream = repeat_rows(upstream, offsets_per_step)  # (P, K, N, B)
    own_weights = repeat_rows(weights[..., None], offsets_per_step)  # (P, K, N, 1)

    def step(rows, back, share, *totals):
        differences, c = kernels(rows)
        pair_upstream = ops.sum(
            own_upstream * ops.take(weights[..., None], rows, axis=1)
            + ops.take(upstream, rows, axis=1) * own_weights,
            axis=0,
        )
        c = c * share * pair_upstream  # (K, N, B)
        new_totals = []
        for total, difference in zip(totals, differences, strict=True):
            pull = c[None] * ops.sign(difference)  # (c, K, N, B)
            new_totals.append(total + ops.sum(_at_neighbour(pull, back) - pull, axis=1))
        return new_totals

    totals = _over_offsets(m, offsets_per_step, step, [ops.zeros_like(s) for s in slices])
    return ops.transpose(ops.concatenate(totals, axis=0), (1, 2, 0))


def nearest_distances(m, present):
    """Returns `min_{j != i} sum_c |m[i, b, c] - m[j, b, c]|` over the rows present, (N, B).

    Args:
        m: (N, B, C).
        present: (N,), 1 for a row that counts as a neighbour, 0 for one that does not.

    Returns:
        (N, B), dtype of `m`; infinity where a row has no neighbour.
    """
    n = ops.shape(m)[0]
    slices, offsets_per_step = _component_slices(m)
    own = [repeat_rows(s, offsets_per_step) for s in slices]
    absent = ops.equal(present, 0)[:, None]  # (N, 1)

    def step(rows, back, share, nearest):
        differences = (o - ops.take(s, rows, axis=1) for o, s in zip(own, slices, strict=True))
        distance = -_minus_sum(ops.sum(ops.abs(d), axis=0) for d in differences)  # (K, N, B)
        # The offset N, in the last group, would bring a row to itself.
        is_self = ops.equal(rows, ops.arange(n, dtype="int32"))[..., None]
        left_out = ops.logical_or(is_self, ops.take(absent, rows, axis=0))
        distance = ops.where(left_out, ops.full_like(distance, math.inf), distance)
        return (ops.min(ops.concatenate([nearest[None], distance], axis=0), axis=0),)

    start = ops.full_like(m[:, :, 0], math.inf)
    # Every offset up to N - 1, one-sided: a minimum does not mind the pairs met twice.
    return _over_offsets(m, offsets_per_step, step, (start,), last=n - 1)[0]


def pair_kernels(m, direction=None, own_rows=lambda x: x):
    """Returns a function of the neighbours' indices (K, n), K, and the slices of `m`.

    The function returns the differences m_i - m_j, a list of (c, K, n, B), and the kernels
    exp(-sum_c |m_i - m_j|), (K, n, B): or, with a direction u, the kernels' derivative
    along it, -exp(-d) sum_c sign(m_i - m_j) (u_i - u_j). Rows i are those that
    `own_rows` takes of an (a, N, B), all of them unless it says otherwise.
    """
    slices, offsets_per_step = _component_slices(m)
    own = [repeat_rows(own_rows(s), offsets_per_step) for s in slices]
    if direction is not None:
        direction_slices, _ = _component_slices(direction)
        own_direction = [repeat_rows(own_rows(s), offsets_per_step) for s in direction_slices]

    def kernels(rows):
        differences = [o - ops.take(s, rows, axis=1) for o, s in zip(own, slices, strict=True)]
        c = ops.exp(_minus_sum(ops.sum(ops.abs(difference), axis=0) for difference in differences))
        if direction is not None:
            c = c * _minus_sum(
                ops.sum(ops.sign(difference) * (o - ops.take(s, rows, axis=1)), axis=0)
                for difference, o, s in zip(
                    differences, own_direction, direction_slices, strict=True
                )
            )
        return differences, c

    return kernels, offsets_per_step, slices


def _component_slices(m):
    """Returns `m` as slices of its C components, [(c, N, B)], and the offsets per step K."""
    rows, num_kernels, kernel_dim = m.shape
    is_known = isinstance(rows, int)  # else None or, where JAX exports a model, a symbol
    row_elements = (max(rows, 1) if is_known else _ROWS_IF_UNKNOWN) * num_kernels
    components = min(kernel_dim, max(1, _STEP_ELEMENTS // row_elements))
    offsets = max(1, _STEP_ELEMENTS // (row_elements * kernel_dim))
    if is_known:
        offsets = min(offsets, max(1, rows // 2))
    m = ops.transpose(m, (2, 0, 1))
    slices = [m[start : start + components] for start in range(0, kernel_dim, components)]
    return slices, min(offsets, _MAX_OFFSETS_PER_STEP)


def repeat_rows(x, times):
    """Returns (a, N, B) as (a, times, N, B)."""
    # Not `ops.tile`, whose result had no static shape in an early Keras 3.
    return x[:, None] * ops.ones((1, times, 1, 1), dtype=x.dtype)


def _minus_sum(terms):
    """Returns `- sum terms`, one subtraction after the other.

    Not a chain of additions: TensorFlow makes one operation of that, and where memory is short
    replaces it by temporary variables, which in a loop inside a loop fail with "already exists".
    """
    terms = iter(terms)
    total = -next(terms)
    for term in terms:
        total = total - term
    return total


def _at_neighbour(x, back):
    """Returns (a, K, N, B) with each value at its pair's second row."""
    x = ops.reshape(x, (ops.shape(x)[0], -1, x.shape[-1]))  # (a, K * N, B)
    return ops.take(x, back, axis=1)


def _over_offsets(m, offsets_per_step, step, totals, last=None):
    """Runs `step(rows, back, share, *totals)` over groups of K offsets up to N // 2.

    `rows` (K, N) are the neighbours i + k; `back` (K, N) says where in a flattened (K * N) the
    pair is whose second row is i; `share` (K, 1, 1) is 1, 1/2 for k = N / 2, 0 beyond.
    """
    n = ops.shape(m)[0]
    last = n // 2 if last is None else last
    i = ops.arange(n, dtype="int32")[None]
    in_group = ops.arange(offsets_per_step, dtype="int32")[:, None]

    def body(first, *totals):
        k = first + in_group  # (K, 1)
        rows = (i + k) % n
        back = in_group * n + (i - k) % n
        share = ops.where(2 * k < n, 1.0, ops.where(2 * k == n, 0.5, 0.0))
        share = ops.cast(share, m.dtype)[..., None]
        return (first + offsets_per_step, *step(rows, back, share, *totals))

    first = ops.convert_to_tensor(1, dtype="int32")
    return ops.while_loop(lambda first, *totals: first <= last, body, (first, *totals))[1:]
