"""Many devices: the one place that knows `tf.distribute`.

N replicas with a share of the batch each compute the update of one device with the whole batch.
Three kinds of functions serve that:

- layers and losses ask for the rest of the batch: `gather_rows`, `mean_over_batch`,
  `mean_over_replicas`, `draw_for_batch`;
- the training step asks for its share: `own_rows`, `share_of_loss`, `on_each_device`, `run_step`;
- the command asks for the devices: `strategy_from` and what follows it.

Outside a replica of several - on one device, in cross-replica context, on JAX and PyTorch - the
first kind are identities: the batch at hand is the whole batch.

How the gradients come out right: every replica differentiates its own share of the loss,
`share_of_loss`, and the optimizer adds the gradients of all replicas. What crosses replicas is
differentiable: the gradient of a gathered row is the sum of what every replica made of it.
"""

import contextlib
import contextvars
import functools
import json
import os
import pathlib
import re
import tempfile

import keras
from keras import ops

from improved_gan_tf.errors import UserError, WorkerLostError

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


# --- the rest of the batch: for layers and losses --------------------------------------------


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
    """The rows of every replica, in the replicas' order.

    Args:
        x: (n, ...), this replica's rows. Shares may differ in size where n is unknown while
            the graph is traced; a known n must be every replica's.

    Returns:
        `(rows, first)`: (N, ...), and the number of this replica's first row in it.
    """
    context = _replicas()
    if context is None:
        return x, 0
    import tensorflow as tf

    rows = context.all_gather(x, axis=0)
    if x.shape[0] is None:
        counts = context.all_gather(tf.shape(x)[:1], axis=0)
        return rows, tf.reduce_sum(counts[: context.replica_id_in_sync_group])
    # Between workers `all_gather` forgets the shape; shares of other sizes fail here.
    rows = tf.ensure_shape(rows, (context.num_replicas_in_sync * x.shape[0], *x.shape[1:]))
    return rows, context.replica_id_in_sync_group * x.shape[0]


def mean_over_batch(x, axis):
    """`keras.ops.mean(x, axis, keepdims=True)` over the rows of all replicas; differentiable.

    Args:
        x: (n, ...), this replica's rows; shares may differ in size.
        axis: tuple of ints, 0 among them.

    Returns:
        Means, the same on every replica.
    """
    context = _replicas()
    if context is None:
        return ops.mean(x, axis=axis, keepdims=True)
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
        shape: (n, ...), shape of this replica's share; with "global" shares are of equal size.
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
    replicas, minibatches = context.num_replicas_in_sync, _joint_minibatches.get()
    rows, *example_shape = shape
    drawn = draw((replicas * rows, *example_shape), seed)
    drawn = ops.reshape(drawn, (minibatches, replicas, rows // minibatches, *example_shape))
    return ops.reshape(drawn[:, context.replica_id_in_sync_group], shape)


class _SeedOfReplica(keras.random.SeedGenerator):
    """The seeds of another generator with the replica's number folded in."""

    def __init__(self, seed, context):
        # Not the base's constructor, which would make a second state.
        self._seed, self._replica = seed, context.replica_id_in_sync_group

    def next(self, ordered=True):
        import tensorflow as tf

        return tf.random.experimental.stateless_fold_in(self._seed.next(ordered), self._replica)


# --- this replica's share: for the training step ---------------------------------------------


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


class DeviceCopies:
    """A constant array on every device of this process, for steps that gather rows from it.

    Args:
        array: NumPy array.
        name: str.
    """

    def __init__(self, array, name):
        import tensorflow as tf

        strategy = current_strategy()
        # Within a process a variable, of which the strategy puts a copy on each device. Between
        # workers it would be sent around, which TensorFlow cannot do with bytes and nobody needs:
        # each worker has loaded the data.
        self._variable = self._tensors = None
        if not _spans_workers(strategy):
            self._variable = tf.Variable(array, trainable=False, name=name)
            return
        self._tensors = []
        for device in strategy.extended.worker_devices:  # of this worker
            with tf.device(device):
                self._tensors.append(tf.identity(array))

    @property
    def here(self):
        """The copy of the device that asks (a variable or tensor)."""
        if self._variable is not None:
            return self._variable
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        replica = 0 if context is None else tf.get_static_value(context.replica_id_in_sync_group)
        # Replicas are numbered worker by worker, each with as many devices.
        return self._tensors[replica % len(self._tensors)]


# The strategy of `training_on`.
_chosen = contextvars.ContextVar("improved_gan_tf_strategy", default=None)
# Where a worker that is not chief writes; removed in the end.
_scratch = contextvars.ContextVar("improved_gan_tf_scratch", default=None)


def current_strategy():
    """The `tf.distribute.Strategy` of `training_on`, or in whose scope this is called."""
    import tensorflow as tf

    return _chosen.get() or tf.distribute.get_strategy()


def scope():
    """The context in which variables are made for every device of `training_on`."""
    strategy = _chosen.get()
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def run_step(strategy, step, *args):
    """Runs `step(*args)` on every replica at once.

    Call it from loops, not the other way round: `tf.distribute` refuses to cross replicas
    inside a loop that a replica runs.

    Args:
        strategy: `tf.distribute.Strategy`, the one that was in scope when the variables were made.
        step: function that returns tensors which are the same on every replica.
        args: tensors, given whole to every replica.

    Returns:
        What `step` returned.
    """
    import tensorflow as tf

    results = strategy.run(step, args=args)
    return tf.nest.map_structure(lambda r: strategy.experimental_local_results(r)[0], results)


def _spans_workers(strategy):
    import tensorflow as tf

    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


# --- the devices: for the command ------------------------------------------------------------


def strategy_from(kind, num_devices, tpu, batch_size):
    """Makes the strategy that a command asks for. Call it before TensorFlow does anything.

    Args:
        kind: one of `config.STRATEGIES`.
        num_devices: int or None, devices of this machine that "mirrored" uses: GPUs, or where there
            are none logical CPUs.
        tpu: address of the TPU, "local", or None.
        batch_size: int, the global batch, which the replicas share in equal parts.

    Returns:
        `tf.distribute.Strategy`; TensorFlow's default for one device.

    Raises:
        UserError: the machine does not have what is asked for, or the batch does not divide.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if kind == "auto":
        kind, num_devices = _what_is_there(len(gpus), num_devices, tpu, batch_size)
    if num_devices is not None and kind != "mirrored":
        raise UserError(
            "--num_devices goes with --strategy=mirrored; the other strategies use what there is. "
            f"Received: num_devices={num_devices}, strategy={kind}."
        )
    if kind == "one_device":
        strategy = tf.distribute.get_strategy()
    elif kind == "mirrored":
        strategy = _mirrored_strategy(_local_devices(gpus, num_devices))
    elif kind == "multi_worker":
        strategy = _multi_worker_strategy(batch_size, max(1, len(gpus)))
    else:
        strategy = _tpu_strategy(tpu)
    _require_equal_shares(batch_size, strategy.num_replicas_in_sync)
    return strategy


def _what_is_there(num_gpus, num_devices, tpu, batch_size):
    """What "auto" stands for on this machine: `(kind, num_devices)`."""
    cluster = _tf_config()
    if cluster is not None and len(cluster[0]) > 1:
        return "multi_worker", num_devices
    if tpu is not None:
        return "tpu", num_devices
    if num_devices is not None:
        return "mirrored", num_devices
    # The most GPUs that share the batch equally: 100 images on 8 GPUs use 5.
    used = max((n for n in range(1, num_gpus + 1) if batch_size % n == 0), default=1)
    return ("mirrored", used) if used > 1 else ("one_device", None)


def _require_equal_shares(batch_size, replicas):
    if batch_size % replicas:
        below = batch_size // replicas * replicas
        sizes = f"{below} or {below + replicas}" if below else f"{replicas}"
        raise UserError(
            f"--batch_size is shared in equal parts by {replicas} replicas and has to be a "
            f"multiple of {replicas}: {sizes}, for instance. Received: {batch_size}."
        )


def _mirrored_strategy(devices):
    import tensorflow as tf

    if devices[0].startswith("GPU"):
        return tf.distribute.MirroredStrategy(devices)
    # Parts of one processor share its memory: sums in place of messages. The collectives that
    # TensorFlow would take also confuse two strategies of one process with each other.
    return tf.distribute.MirroredStrategy(devices, tf.distribute.ReductionToOneDevice())


def _local_devices(gpus, num_devices):
    """Names of `num_devices` GPUs, or of logical CPUs on a machine without."""
    if gpus:
        if num_devices is not None and num_devices > len(gpus):
            raise UserError(
                f"--num_devices must not exceed the {len(gpus)} GPUs of this machine. "
                f"Received: {num_devices}."
            )
        return [f"GPU:{i}" for i in range(num_devices or len(gpus))]
    if num_devices is None:
        raise UserError(
            "--strategy=mirrored found no GPU. To try it out without one, say how many parts the "
            "processor shall be taken as: --num_devices=2."
        )
    import tensorflow as tf

    try:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * num_devices,
        )
    except RuntimeError as error:  # TensorFlow has started; it may have started with enough
        there = len(tf.config.list_logical_devices("CPU"))
        if there < num_devices:
            raise UserError(
                f"The processor has been divided into {there} already. "
                f"Received: num_devices={num_devices}."
            ) from error
    return [f"CPU:{i}" for i in range(num_devices)]


def _tpu_strategy(tpu):
    import tensorflow as tf

    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu or "local")
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise UserError(
            "--strategy=tpu found no TPU. Give its address with --tpu=NAME, or run on the machine "
            "that holds it (--tpu=local), with a TensorFlow that knows TPUs. Received: "
            f"tpu={tpu}; TensorFlow says: {_reason(error)}"
        ) from error


# --- several workers ---------------------------------------------------------------------------

# How long a worker waits for the others in one exchange. They may take long to come: the chief
# writes models while they wait. A worker that is gone is noticed earlier, see `lost_workers`.
EXCHANGE_TIMEOUT = 600.0  # seconds


def _tf_config():
    """The cluster of the environment variable TF_CONFIG as `(workers, index)`; or None."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        values = json.loads(text)
        workers = values["cluster"]["worker"]
        kind, index = values["task"]["type"], int(values["task"]["index"])
        assert isinstance(workers, list)
        assert kind == "worker"
        assert 0 <= index < len(workers)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise UserError(
            "The environment variable TF_CONFIG must name every worker and say which one this is: "
            '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", '
            f'"index": 0}}}}. Received: {text}'
        ) from error
    return workers, index


def _multi_worker_strategy(batch_size, devices):
    import tensorflow as tf

    cluster = _tf_config()
    if cluster is None:
        raise UserError(
            "--strategy=multi_worker needs the environment variable TF_CONFIG on every worker: "
            '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", '
            '"index": 0}}, with another index on each. Received: no TF_CONFIG.'
        )
    workers, index = cluster
    _require_equal_shares(batch_size, len(workers) * devices)  # before waiting for the others
    print(f"worker {index} of {len(workers)}: waiting until all are there", flush=True)
    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=EXCHANGE_TIMEOUT)
    return tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)


def is_chief():
    """Whether this process writes the results: the first worker, or the only one."""
    strategy = current_strategy()
    return not _spans_workers(strategy) or strategy.cluster_resolver.task_id == 0


def num_replicas():
    """Number of replicas of the strategy in scope (int)."""
    return current_strategy().num_replicas_in_sync


@contextlib.contextmanager
def training_on(kind, num_devices, tpu, batch_size):
    """Lets what is in `scope()` inside the `with` block train on the devices of a command.

    On several workers the chief alone prints, and an error in an exchange between them becomes a
    `WorkerLostError`.

    Args, Raises: as for `strategy_from`.
    """
    strategy = strategy_from(kind, num_devices, tpu, batch_size)
    replicas = strategy.num_replicas_in_sync
    if replicas == 1 and not _spans_workers(strategy):
        yield
        return
    with contextlib.ExitStack() as contexts:
        contexts.callback(_chosen.reset, _chosen.set(strategy))
        contexts.enter_context(lost_workers())
        print(f"{replicas} replicas, {batch_size // replicas} of every {batch_size} images on each")
        if not is_chief():
            print("worker 0 prints and writes the results", flush=True)
            contexts.callback(
                _scratch.reset,
                _scratch.set(contexts.enter_context(tempfile.TemporaryDirectory())),
            )
            nowhere = contexts.enter_context(open(os.devnull, "w"))
            contexts.enter_context(contextlib.redirect_stdout(nowhere))
        yield


def own_folder(run_dir):
    """The folder that this process writes: `run_dir`, or where it is not chief a temporary one."""
    if is_chief():
        return run_dir
    return pathlib.Path(_scratch.get()) / pathlib.Path(run_dir).name


def require_one_process(what):
    """Raises `UserError` on several workers, for `what` works on one only."""
    if _spans_workers(current_strategy()):
        raise UserError(
            f"--strategy=multi_worker trains one run. Received: {what}; start the runs one by one."
        )


def on_any_worker(asked):
    """Whether `asked` is true on any worker (bool); every worker has to call it as often."""
    return _sum_over_workers(float(asked)) > 0.0


def of_chief(number):
    """The chief's `number`, on every worker (float); every worker has to call it as often."""
    return _sum_over_workers(float(number) if is_chief() else 0.0)


def require_same(number, expected):
    """Raises `UserError` where a worker's `number` is not the chief's.

    Args:
        number: int.
        expected: str, what the user has to mend.
    """
    chiefs = of_chief(number)
    if on_any_worker(chiefs != number):
        raise UserError(f"On several workers {expected}. Received: {number}, the first {chiefs:g}.")


def _sum_over_workers(number):
    strategy = current_strategy()
    if not _spans_workers(strategy):
        return number
    total = _all_reduce(strategy)(number)
    return float(total) / (strategy.num_replicas_in_sync / _num_workers(strategy))


def _num_workers(strategy):
    return strategy.cluster_resolver.cluster_spec().num_tasks("worker")


@functools.cache
def _all_reduce(strategy):
    import tensorflow as tf

    def step(value):
        # The copy is on this replica's device; an argument is on none.
        return tf.distribute.get_replica_context().all_reduce("SUM", tf.identity(value))

    return tf.function(
        lambda value: run_step(strategy, step, value),
        input_signature=[tf.TensorSpec((), tf.float32)],
    )


@contextlib.contextmanager
def lost_workers():
    """Raises `WorkerLostError` where an exchange with the other workers fails in the `with` block.

    TensorFlow notices a worker that has ended at once, by its closed connection, and one that has
    frozen by its missing heartbeats, after about 10 seconds.
    """
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        if not _spans_workers(current_strategy()):
            raise
        raise WorkerLostError(
            "Another worker has ended or does not answer, so this one has stopped too; the output "
            "of the other says why. The same command on all workers continues. TensorFlow says: "
            + _reason(error)
        ) from error


def _reason(error):
    """The line of a long TensorFlow error that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "ollective" in line and "aborted" in line]
    line = (telling or lines or [type(error).__name__])[0]
    return re.sub(r"^\{\{.*?\}\}\s*", "", line)[:300].rstrip(" :.") + "."
