"""The rest of the batch and a replica's share of it: for layers, losses and training steps."""

import contextlib
import contextvars

import keras
from keras import ops

from improved_gan_tf import precision

# "global": the batch is that of all replicas together, exactly as on one device.
# "local": each replica's share is a batch of its own, another algorithm and a cheaper one.
CROSS_REPLICA = ("global", "local")


def check_cross_replica(value):
    """Returns `value` if it is one of `CROSS_REPLICA`; layers call it in their constructor."""
    if value not in CROSS_REPLICA:
        raise ValueError(
            f"`cross_replica` must be one of {CROSS_REPLICA}. Received: cross_replica={value!r}"
        )
    return value


def _replicas():
    """The `tf.distribute` context of this replica if it is one of several, else None."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    several = context is not None and context.num_replicas_in_sync > 1
    return context if several else None


def replica_count():
    """Number of replicas that run this code side by side (int); 1 outside `strategy.run`."""
    context = _replicas()
    return 1 if context is None else context.num_replicas_in_sync


def gather_rows(x):
    """The rows of every replica, in the replicas' order; differentiable.

    Args:
        x: (n, ...), this replica's rows, all but n known. Shares may differ in size and be empty;
            between workers an n that is known while the graph is traced must be every replica's.

    Returns:
        `(rows, first)`: (N, ...), and the number of this replica's first row in it.
    """
    context = _replicas()
    if context is None:
        return x, 0
    import tensorflow as tf

    first, total = _place_in_batch(context, ops.shape(x)[0])
    rows = context.all_gather(x, axis=0)
    # `all_gather` forgets the shape where shares are of unknown size, or on other workers.
    return tf.ensure_shape(rows, (tf.get_static_value(total), *x.shape[1:])), first


def _place_in_batch(context, rows):
    """Where a replica's rows are in the batch of all: `(first, total)`, ints where known.

    Args:
        context: `tf.distribute.ReplicaContext`.
        rows: int or scalar tensor, how many this replica has.
    """
    import tensorflow as tf

    counts = _known_counts(context, rows if isinstance(rows, int) else None)
    replica = context.replica_id_in_sync_group
    if counts is None:
        counts = context.all_gather(tf.reshape(rows, (1,)), axis=0)  # (replicas,)
        return tf.reduce_sum(counts[:replica]), tf.reduce_sum(counts)
    if len(set(counts)) == 1:  # among them TPUs, which do not know their number yet
        return replica * counts[0], sum(counts)
    return sum(counts[: tf.get_static_value(replica)]), sum(counts)


def _known_counts(context, rows):
    """How many rows each replica has, a list of ints; None where one does not know it yet.

    Args:
        context: `tf.distribute.ReplicaContext`.
        rows: int or None, how many this replica knows to have.
    """
    replicas = context.num_replicas_in_sync
    try:
        counts = context.merge_call(
            lambda strategy, rows: list(strategy.experimental_local_results(rows)), args=(rows,)
        )
    except RuntimeError:  # in a graph inside this one: a loop, a compiled function
        counts = [rows]
    if None in counts:
        return None
    # A number that is the same for all comes once. Other workers are not asked.
    return counts if len(counts) == replicas else replicas * counts[:1]


def mean_over_batch(x, axis):
    """`precision.mean(x, axis, keepdims=True)` over the rows of all replicas; differentiable.

    Args:
        x: (n, ...), this replica's rows; shares may differ in size.
        axis: tuple of ints, 0 among them.

    Returns:
        Means, the same on every replica.
    """
    context = _replicas()
    if context is None:
        return precision.mean(x, axis, keepdims=True)
    total = ops.sum(x, axis=axis, keepdims=True)
    count = ops.cast(ops.size(x) / ops.size(total), x.dtype)
    total, count = context.all_reduce("SUM", [total, count])
    return total / count


def mean_over_replicas(values):
    """The mean of a tensor, or of each of a list, over replicas whose shares are of equal size.

    Args:
        values: tensor or nested structure of tensors; differentiable.

    Returns:
        The same structure, the same on every replica.
    """
    context = _replicas()
    return values if context is None else context.all_reduce("MEAN", values)


def sum_over_replicas(x):
    """The sum of a tensor over replicas; on one device the tensor itself.

    Args:
        x: tensor, of the same shape on every replica; differentiable.

    Returns:
        The same shape, the same on every replica.
    """
    context = _replicas()
    return x if context is None else context.all_reduce("SUM", x)


# What random layers have to know of the batch.
# Not an argument of `call`: a Keras model passes its layers no arguments but its own few.
_joint_minibatches = contextvars.ContextVar("improved_gan_tf_joint_minibatches", default=1)


@contextlib.contextmanager
def joint_minibatches(count):
    """Says that batches inside the `with` block are `count` minibatches, one after the other.

    A replica that passes its shares of several minibatches as one batch does not hold one
    stretch of rows of the joint batch but `count` stretches. `draw_for_batch` has to know.
    """
    token = _joint_minibatches.set(count)
    try:
        yield
    finally:
        _joint_minibatches.reset(token)


def draw_for_batch(draw, shape, seed, cross_replica="global"):
    """Draws the random numbers of a batch and returns this replica's rows.

    "global": every replica makes the same draw, as large as that of one device with the whole
    batch, and keeps its rows of it: the numbers of one device, at the cost of a draw that does
    not shrink with more replicas. "local": each replica draws for its own share, other numbers
    than any other replica. On one replica both are `draw(shape, seed)`.

    Keras's own noise and dropout layers draw the *same* numbers on every replica.

    Args:
        draw: function of (shape, seed).
        shape: (n, ...), shape of this replica's share. Shares may differ in size and be empty;
            an n that is known while the graph is traced must be every replica's between workers
            and inside loops and compiled functions.
        seed: `keras.random.SeedGenerator`, whose state is the same on every replica.
        cross_replica: "global" or "local".

    Returns:
        Tensor of `shape`.
    """
    context = _replicas()
    if context is None:
        return draw(shape, seed)
    if cross_replica == "local":
        return draw(shape, _SeedOfReplica(seed, context))
    minibatches = _joint_minibatches.get()
    rows, *example_shape = shape
    first, total = _place_in_batch(context, rows)
    drawn = draw((total, *example_shape), seed)
    drawn = ops.reshape(drawn, (minibatches, total // minibatches, *example_shape))
    first, rows = first // minibatches, rows // minibatches  # of each minibatch
    return ops.reshape(drawn[:, first : first + rows], shape)


class _SeedOfReplica(keras.random.SeedGenerator):
    """The seeds of another generator with the replica's number folded in."""

    def __init__(self, seed, context):
        # Not the base's constructor, which would make a second state.
        self._seed, self._replica = seed, context.replica_id_in_sync_group

    def next(self, ordered=True):
        import tensorflow as tf

        return tf.random.experimental.stateless_fold_in(self._seed.next(ordered), self._replica)


def own_rows(x):
    """Returns this replica's share of a batch that every replica was given whole.

    Args:
        x: (N, ...), N known and divisible by the number of replicas.

    Returns:
        (N / replicas, ...).
    """
    context = _replicas()
    if context is None:
        return x
    replicas = context.num_replicas_in_sync
    shares = ops.reshape(x, (replicas, x.shape[0] // replicas, *x.shape[1:]))
    return shares[context.replica_id_in_sync_group]


def share_of_loss(loss):
    """What a replica differentiates, so that the replicas' gradients add up to the batch's.

    Args:
        loss: scalar: a mean over this replica's rows, or a number that is the same on every
            replica (made with `mean_over_replicas`, or of parameters alone).

    Returns:
        `loss / replicas`.
    """
    replicas = replica_count()
    return loss if replicas == 1 else loss / replicas
