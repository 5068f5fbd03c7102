"""Several workers: who writes, what they tell each other, and what happens when one is gone."""

import contextlib
import contextvars
import functools
import os
import pathlib
import tempfile

from improved_gan_tf.distribution.strategy import current_strategy, run_step, spans_workers
from improved_gan_tf.errors import UserError, WorkerLostError, reason

# The folder in which a worker that is not chief writes; removed in the end. Known all over the
# process, like the strategy.
_scratch = contextvars.ContextVar("improved_gan_tf_scratch", default=None)


def is_chief():
    """Whether this process writes the results: the first worker, or the only one."""
    strategy = current_strategy()
    return not spans_workers(strategy) or strategy.cluster_resolver.task_id == 0


def own_folder(run_dir):
    """The folder that this process writes: `run_dir`, or where it is not chief a temporary one."""
    if is_chief():
        return run_dir
    return pathlib.Path(_scratch.get()) / pathlib.Path(run_dir).name


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
        expected: str, what must be the same, as the rest of a sentence.
    """
    chiefs = of_chief(number)
    if on_any_worker(chiefs != number):
        raise UserError(f"On several workers {expected}. Received: {number}, the first {chiefs:g}.")


def _sum_over_workers(number):
    strategy = current_strategy()
    if not spans_workers(strategy):
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
def only_the_chief_writes():
    """Inside the `with` block a worker that is not chief prints nothing.

    Its `own_folder` is a temporary one, removed in the end.
    """
    if is_chief():
        yield
        return
    with (
        tempfile.TemporaryDirectory() as scratch,
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
    ):
        token = _scratch.set(scratch)
        try:
            yield
        finally:
            _scratch.reset(token)


@contextlib.contextmanager
def lost_workers():
    """Raises `WorkerLostError` where an exchange with the other workers fails in the `with` block.

    TensorFlow notices a worker that has ended at once, by its closed connection, and one that has
    frozen by its missing heartbeats, after about 10 seconds.
    """
    import tensorflow as tf

    own = (  # what another worker's end does not look like
        tf.errors.InvalidArgumentError,
        tf.errors.PermissionDeniedError,
        tf.errors.ResourceExhaustedError,
        tf.errors.UnimplementedError,
    )
    try:
        yield
    except tf.errors.OpError as error:
        # An exchange passes a worker's own error on to the others with these words in it.
        is_own = isinstance(error, own) and "ollective ops is aborted" not in str(error)
        if is_own or not spans_workers(current_strategy()):
            raise
        raise WorkerLostError(
            "Another worker has ended or does not answer, so this one has stopped too; the output "
            "of the other says why. The same command on all workers continues. TensorFlow says: "
            + reason(error)
        ) from error
