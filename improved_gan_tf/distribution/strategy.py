"""The strategy in use: what variables, data and steps are made for."""

import contextlib
import contextvars

import keras

from improved_gan_tf.precision import at_least_float32

# The strategy of `using`. Known all over the process, like the scope of `tf.distribute`: the code
# that asks for it is many calls below the command, and is the same on one device.
_chosen = contextvars.ContextVar("improved_gan_tf_strategy", default=None)


@contextlib.contextmanager
def using(strategy):
    """Makes `strategy` the current one inside the `with` block, also outside its scope."""
    token = _chosen.set(strategy)
    try:
        yield
    finally:
        _chosen.reset(token)


def current_strategy():
    """The `tf.distribute.Strategy` of `using`, or in whose scope this is called."""
    import tensorflow as tf

    return _chosen.get() or tf.distribute.get_strategy()


def scope():
    """The context in which variables are made for every device of the current strategy."""
    strategy = _chosen.get()
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def num_replicas():
    """Number of replicas of the strategy in scope (int)."""
    return current_strategy().num_replicas_in_sync


def is_one_copy(variable):
    """Whether a `tf.Variable` stands for one copy here.

    One with a copy on every replica does so on a replica, and outside of them not.
    """
    import tensorflow as tf

    on_a_replica = tf.distribute.has_strategy() and not tf.distribute.in_cross_replica_context()
    return on_a_replica or not hasattr(variable, "values")


def is_tpu(strategy):
    """Whether replicas of `strategy` are cores of a TPU (bool)."""
    import tensorflow as tf

    return isinstance(strategy, tf.distribute.TPUStrategy)


def spans_workers(strategy):
    """Whether replicas of `strategy` are in several processes (bool)."""
    import tensorflow as tf

    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


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


def mean_over_steps(step, count, in_loop):
    """Runs `step()` some times, one after the other, and returns the mean of its results.

    Args:
        step: function that returns a scalar, a float of Keras's precision and float32 for half
            precision; it may change variables.
        count: int >= 1.
        in_loop: bool, whether a graph has the step once, in a loop. With a strategy it has every
            step: replicas cannot cross inside a loop.

    Returns:
        The mean, a scalar. Inside a loop over iterations, as training runs it, results have the
        same bits with and without a loop here.
    """
    import tensorflow as tf

    if count == 1 or not in_loop or tf.distribute.has_strategy():
        return sum(step() for _ in range(count)) / count
    _, total = tf.while_loop(
        lambda i, total: i < count,
        lambda i, total: (i + 1, total + step()),
        (0, tf.zeros((), at_least_float32(keras.config.floatx()))),
        parallel_iterations=1,
    )
    return total / count


class DeviceCopies:
    """A constant array on every device of this process, for steps that gather rows from it.

    Args:
        array: NumPy array.
        name: str.
    """

    def __init__(self, array, name):
        import tensorflow as tf

        strategy = current_strategy()
        # Within a process: a variable; the strategy puts a copy on each device. Between workers
        # TensorFlow would send it around, which it cannot do with bytes. Nobody needs that: each
        # worker has loaded the data.
        self._variable = self._tensors = None
        if not spans_workers(strategy):
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
