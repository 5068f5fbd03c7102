"""The sums of `pairwise_l1` for a batch whose rows are shared out over several replicas.

Each replica holds n of the N rows and computes their sums over all N. What it needs from the
others is their M, B C numbers a row, in the forward pass, and their upstream gradient, B
numbers a row, in the backward pass: with g_ij the pair's share of the upstream gradients of
*both* rows, the gradient of an own row is

    dm_i = -sum_j g_ij exp(-d_ij) sign(m_i - m_j)           j over all N rows

so no replica computes gradients for rows of others, and none have to be sent and added up.
A pair of rows on two replicas is computed by both: n (N - 1) pairs a replica, where one device
that visits each pair once computes N (N - 1) / 2.
"""

from keras import ops

from improved_gan_tf.layers.minibatch_discrimination.kernel_sums import (
    pair_kernels,
    repeat_rows,
    with_derivatives,
)


def kernel_sums(m, weights, gather_rows):
    """`kernel_sums.kernel_sums` of this replica's rows with every *other* row of all replicas.

    Args:
        m: (n, B, C), this replica's rows.
        weights: (P, N), how much each row of all replicas counts.
        gather_rows: function that returns `(rows, first)` for rows of this replica, as
            `distribution.gather_rows`.

    Returns:
        `o`, (P, n, B). Its derivatives are those of the losses of all replicas together.
    """
    # Once for the passes forward and back, which say themselves what the derivatives are.
    all_m, first = gather_rows(ops.stop_gradient(m))
    own = first + ops.arange(ops.shape(m)[0], dtype="int32")

    def own_rows(x):  # of an (a, N, B)
        return ops.take(x, own, axis=1)

    def sums(own_m, weights, direction=None):
        if direction is not None:
            direction, _ = gather_rows(direction)
        kernels, offsets_per_step, _ = pair_kernels(all_m, direction, own_rows)

        def step(rows, share, total):
            _, c = kernels(rows)  # (K, n, B)
            return (total + ops.sum(c * share * ops.take(weights[..., None], rows, axis=1), 1),)

        start = ops.zeros_like(weights[:, :1, None] * own_m[None, :, :, 0])  # (P, n, B)
        return _over_neighbours(all_m, own, offsets_per_step, step, (start,))[0]

    def gradient_of_sums(own_m, weights, own_upstream, direction=None):
        upstream, _ = gather_rows(ops.transpose(own_upstream, (1, 0, 2)))
        upstream = ops.transpose(upstream, (1, 0, 2))  # (P, N, B)
        if direction is not None:
            direction, _ = gather_rows(direction)
        kernels, offsets_per_step, slices = pair_kernels(all_m, direction, own_rows)
        own_upstream = repeat_rows(own_upstream, offsets_per_step)  # (P, K, n, B)
        own_weights = repeat_rows(own_rows(weights[..., None]), offsets_per_step)

        def step(rows, share, *totals):
            differences, c = kernels(rows)
            pair_upstream = ops.sum(
                own_upstream * ops.take(weights[..., None], rows, axis=1)
                + ops.take(upstream, rows, axis=1) * own_weights,
                axis=0,
            )
            c = c * share * pair_upstream  # (K, n, B)
            return [
                total - ops.sum(c[None] * ops.sign(difference), axis=1)
                for total, difference in zip(totals, differences, strict=True)
            ]

        start = [ops.zeros_like(own_rows(s)) for s in slices]  # (c, n, B)
        totals = _over_neighbours(all_m, own, offsets_per_step, step, start)
        return ops.transpose(ops.concatenate(totals, axis=0), (1, 2, 0))

    return with_derivatives(sums, gradient_of_sums)(m, weights)


def _over_neighbours(m, own, offsets_per_step, step, totals):
    """Runs `step(rows, share, *totals)` over groups of K offsets from 1 to N - 1.

    `rows` (K, n) are the neighbours i + k of the rows i in `own` (n,); `share` (K, 1, 1) is 0 where
    k goes past N - 1, else 1.
    """
    n = ops.shape(m)[0]
    in_group = ops.arange(offsets_per_step, dtype="int32")[:, None]

    def body(first, *totals):
        k = first + in_group  # (K, 1)
        share = ops.cast(k < n, m.dtype)[..., None]
        return (first + offsets_per_step, *step((own + k) % n, share, *totals))

    first = ops.convert_to_tensor(1, dtype="int32")
    return ops.while_loop(lambda first, *totals: first < n, body, (first, *totals))[1:]
