"""One run from its making to its result: determinism, devices, and what its errors say."""

import keras

from improved_gan_tf import distribution
from improved_gan_tf.errors import DivergedError, StorageError, WorkerLostError
from improved_gan_tf.machine.determinism import make_operations_deterministic
from improved_gan_tf.runs import resuming


def run_to_the_end(make_run, stop_requested):
    """Trains one run and writes its folder.

    Args:
        make_run: function without arguments that returns a `TrainingRun`; what it makes has the
            strategy in scope, and Keras's session to itself.
        stop_requested: function without arguments, like `interruption.StopRequest`.

    Returns:
        The content of result.json.

    Raises:
        UserError: the folder cannot be used, or the settings do not fit the data.
        DivergedError: a number was not finite; the folder is complete up to the last evaluation.
        StorageError: the folder could not be written; the last checkpoint in it is whole.
        WorkerLostError: another worker of the run has ended; the last checkpoint is whole.
    """
    make_operations_deterministic()
    keras.utils.clear_session()
    with distribution.scope():
        run = make_run()
        run.start()
        return _train_and_close(run, stop_requested)


def _train_and_close(run, stop_requested):
    print(f"{run.game.title()} -> {run.record.path}", flush=True)
    try:
        with distribution.lost_workers():
            status = run.train(stop_requested)
        if status == "interrupted":
            run.save_interrupted()
        return run.write_result(status)
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
