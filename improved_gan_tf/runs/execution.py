"""One run from construction to result: determinism, devices, and the texts of its errors."""

import contextlib

import keras
import tensorflow as tf

from improved_gan_tf import distribution, precision
from improved_gan_tf.errors import CollapsedError, DivergedError, StorageError, WorkerLostError
from improved_gan_tf.machine.determinism import make_operations_deterministic
from improved_gan_tf.runs import resuming


def run_to_the_end(config, make_run, stop_requested):
    """Trains one run, writes its folder and returns the content of result.json.

    Args:
        config: `settings.every_run.RunConfig` of the run.
        make_run: function without arguments that returns a `TrainingRun`, called in the
            strategy's scope, in a fresh Keras session and in the run's precision.
        stop_requested: function without arguments, like `interruption.StopRequest`.

    Raises:
        UserError: the folder cannot be used, or the settings do not fit the data.
        DivergedError: a number was not finite; the folder is complete up to the last evaluation.
        CollapsedError: the game collapsed and was to stop then; the folder is complete.
        StorageError: the folder could not be written; its last checkpoint is whole.
        WorkerLostError: another worker of the run ended; the last checkpoint is whole.
    """
    keras.utils.clear_session()
    with distribution.scope(), computing_as_said(config):
        run = make_run()
        run.start()
        return _train_and_close(run, stop_requested)


@contextlib.contextmanager
def computing_as_said(config):
    """Gives what the `with` block makes the precision and the determinism of `config`."""
    # Else GPUs from compute capability 8.0 on round the factors of float32 products to 10 bits.
    tf.config.experimental.enable_tensor_float_32_execution(config.precision != "float32")
    if config.deterministic:
        make_operations_deterministic()
    with precision.computing_in(config.precision):
        yield


def _train_and_close(run, stop_requested):
    print(f"{run.game.title()} -> {run.record.path}", flush=True)
    try:
        with distribution.lost_workers():
            status = run.train(stop_requested)
        if status == "interrupted":
            run.save_interrupted()
        result = run.write_result(status)
        if status == "interrupted" and not stop_requested():
            run.raise_if_unread()
        return result
    except CollapsedError:
        run.write_result("collapsed")
        raise
    except DivergedError:
        run.write_result("diverged")
        raise
    except WorkerLostError as error:
        raise WorkerLostError(f"{error} {run.where()}") from error
    except StorageError as error:
        raise StorageError(
            f"{error} {run.where()} Make room or make the folder writable, then give "
            f"{resuming.command_to_continue(run.config)}."
        ) from error
    finally:
        run.close()
