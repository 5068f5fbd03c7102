"""A run in progress: iterations, epochs, checkpoints, divergence, result - of any experiment.

A subclass says what is trained on which rows, what is measured and what is saved.
"""

import math
import sys
import time

import keras
from tqdm import tqdm

from improved_gan_tf import distribution
from improved_gan_tf.errors import DivergedError, StorageError, UserError, WorkerLostError
from improved_gan_tf.machine import versions
from improved_gan_tf.machine.determinism import make_operations_deterministic
from improved_gan_tf.runs import checkpoints, resuming, run_folder
from improved_gan_tf.runs.call_length import CallLength
from improved_gan_tf.runs.progress import Progress
from improved_gan_tf.settings.intervals import Due, parse_interval

# A call of the training loop is what Ctrl-C waits for.
ITERATIONS_PER_CALL = 50
SECONDS_PER_CALL = 4.0


class Run:
    """A run in progress, from its beginning or from the newest checkpoint of its folder.

    A subclass checks its settings and data before it calls this constructor, and gives

    - `Losses`: the NamedTuple of one iteration's losses;
    - `circumstances()`: what decides the numbers and is no setting, a dict of JSON types;
    - `streams`: `streams(epoch)`, arrays of rows whose first axis is the iteration, and the number
      of `streams.iterations` in an epoch;
    - `prepare()`, which makes `trainer`, with the methods of `training.semi_supervised.Trainer`;
    - `evaluate()`, and `measured(evaluated)`, what an epoch's metrics hold beside the losses;
    - `save_state(interrupted)`, models and samples; `title()`, `final()`, `epoch_line(metrics)`,
      what is shown and recorded.

    Args:
        config: `settings.every_run.RunConfig`.
        run_dir: folder to write.
        differences: list of str, what keeps the run's numbers out of the paper's column.

    Raises:
        UserError: the folder cannot be used.
    """

    def __init__(self, config, run_dir, differences):
        self.config = config
        self.differences = differences
        # Of several workers the chief writes the folder; the others read its checkpoints.
        self._is_chief = distribution.is_chief()
        # After every check: a mistake must not leave a folder.
        self._refuse_finished(run_dir)
        self.folder = run_folder.RunFolder(distribution.own_folder(run_dir), config.overwrite)
        self.progress = Progress(sums=[0.0] * len(self.Losses._fields))
        self.versions = versions.versions()
        self.earlier_versions = []  # of the processes before this one, where they were others
        self.checkpoints = resuming.checkpoints_of(config, run_dir)
        self._checkpoint_due = Due(parse_interval(config.checkpoint_every))
        self._last_checkpoint = None
        self._length = CallLength(ITERATIONS_PER_CALL, SECONDS_PER_CALL)
        self._counted = time.monotonic()
        try:
            # Again, now that no other process can change it.
            self._refuse_finished(run_dir)
            self.prepare()
            self._restore()
            self.folder.begin(config.to_dict(), self.progress.history)
        except BaseException:
            self.folder.close()
            raise

    def _refuse_finished(self, run_dir):
        if self._is_chief:
            resuming.refuse_finished(resuming.look(self.config, run_dir), run_dir)

    def _restore(self):
        """Goes to where the newest checkpoint was written, if there is one."""
        checkpoint = self.checkpoints.newest()
        distribution.require_same(
            0 if checkpoint is None else Progress.from_dict(checkpoint.header["progress"]).epoch,
            f"every worker must see the checkpoints of the first one: --run_dir={self.folder.path} "
            "must be in a folder that all of them read",
        )
        if checkpoint is None:
            return
        progress = Progress.from_dict(checkpoint.header["progress"])
        reached = progress.epoch + (progress.iteration > 0)
        if reached > self.config.epochs:
            raise UserError(
                f"--epochs={self.config.epochs} is less than the run in {self.folder.path} has "
                f"done: it is in epoch {reached}."
            )
        resuming.require_same_circumstances(checkpoint, self.circumstances())
        checkpoints.assign(checkpoint, self.trainer.state())
        self.progress = progress
        self._last_checkpoint = checkpoint.path
        header = checkpoint.header
        before = [*header.get("earlier_versions", []), header["versions"]]
        self.earlier_versions = [v for v in before if v != self.versions]
        print(
            f"continuing after epoch {progress.epoch}, iteration {progress.iteration} of the next "
            f"({checkpoint.path})"
        )
        resuming.warn_of_other_versions(checkpoint, self.versions)

    def write_checkpoint(self):
        """Writes all that it takes to continue from here.

        Raises:
            StorageError: it could not be written; those before it are whole.
        """
        if not self._is_chief:
            return
        self._count_seconds()
        header = {
            "versions": self.versions,
            "earlier_versions": self.earlier_versions,
            "config": self.config.to_dict(),
            "circumstances": self.circumstances(),
            "progress": self.progress.to_dict(),
        }
        values = checkpoints.values(self.trainer.state())
        self._last_checkpoint = self.checkpoints.save(self.trainer.iterations(), header, values)
        self._checkpoint_due.happened()

    def train(self, stop_requested):
        """Runs all epochs that are left, and writes checkpoints on the way.

        Args:
            stop_requested: function without arguments; training stops when it returns True.

        Returns:
            "finished" or "interrupted".

        Raises:
            DivergedError: a loss or a parameter was not finite.
            StorageError: the folder could not be written.
        """
        progress, iterations = self.progress, self.streams.iterations
        bar = tqdm(
            initial=progress.epoch * iterations + progress.iteration,
            total=self.config.epochs * iterations,
            unit="it",
            desc=self.folder.path.name[:40],
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
            dynamic_ncols=True,
            disable=not self._is_chief,
        )
        with bar:
            while progress.epoch < self.config.epochs:
                self._call(bar)
                if progress.iteration == iterations:
                    self._finish_epoch(bar)
                last = progress.epoch == self.config.epochs
                stop = stop_requested()
                where = (progress.epoch, progress.iteration, iterations)
                if stop or last or self._checkpoint_due.now(*where):
                    self.write_checkpoint()
                if stop and not last:
                    bar.write(f"stopping in epoch {progress.epoch + 1}, as asked")
                    return "interrupted"
        return "finished"

    def _call(self, bar):
        """Runs the next iterations of the epoch under way."""
        progress, iterations = self.progress, self.streams.iterations
        start = progress.iteration
        left = self._checkpoint_due.iterations_left(progress.epoch, start, iterations)
        # Workers measure different times and have to run the same iterations.
        stop = start + int(min(distribution.of_chief(self._length.iterations), left))
        rows = [r[start:stop] for r in self.streams(progress.epoch)]
        rate = self.config.learning_rate_at(progress.epoch)
        begin = time.monotonic()
        sums, done = self.trainer.train(rows, rate, self.Losses(*progress.sums))
        seconds = time.monotonic() - begin
        bar.update(done)
        progress.iteration += done
        progress.sums = list(sums)
        progress.epoch_seconds += seconds
        self._require_finite(start)
        self._length.measured(done, seconds)

    def _require_finite(self, start):
        """Raises `DivergedError` after a call that began behind iteration `start`."""
        progress = self.progress
        sums = self.Losses(*progress.sums)._asdict()
        wrong = [f"{name} loss" for name, value in sums.items() if not math.isfinite(value)]
        when = f"iteration {progress.iteration}"
        if not wrong:
            wrong = self.trainer.not_finite()
            when = f"iteration {start + 1} to {progress.iteration}"
        if wrong:
            names = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if wrong[3:] else "")
            raise DivergedError(
                f"The {names} became NaN or infinite in epoch {progress.epoch + 1}, {when}. "
                f"Training stopped there; {self.kept()}. Try a smaller --learning_rate "
                f"(received {self.config.learning_rate}) or another --seed."
            )

    def kept(self):
        """What the folder holds of the training, for a message."""
        if not self._is_chief:
            return "worker 0 has the run folder"
        models, checkpoint = "no model yet", "no checkpoint"
        if self.progress.saved_epochs is not None:
            models = f"the models of epoch {self.progress.saved_epochs}"
        if self._last_checkpoint is not None:
            checkpoint = f"the checkpoint {self._last_checkpoint.name}"
        return f"{self.folder.path} keeps {models} and {checkpoint}"

    def _finish_epoch(self, bar):
        config, progress = self.config, self.progress
        epoch = progress.epoch
        metrics = {"epoch": epoch, "learning_rate": config.learning_rate_at(epoch)}
        for name, value in zip(self.Losses._fields, progress.sums, strict=True):
            mean = value / self.streams.iterations
            metrics[name if name == "train_error" else f"loss_{name}"] = mean
        metrics["seconds"] = progress.epoch_seconds
        progress.begin_epoch(metrics)
        evaluate = (epoch + 1) % config.evaluate_every == 0 or epoch + 1 == config.epochs
        if evaluate:
            self.evaluate()
        metrics |= self.measured(evaluate)
        self.folder.append_metrics(metrics)
        if evaluate:
            self.save()
        bar.write(self.epoch_line(metrics))

    def save(self, interrupted=False):
        """Writes what the folder shows of the present state.

        Args:
            interrupted: bool, whether the next epoch had begun.
        """
        progress = self.progress
        self.save_state(interrupted)
        if progress.history:
            self.folder.write_curves(progress.history, self.title())
        progress.saved_epochs = progress.epoch
        progress.saved_iterations = self.trainer.iterations()

    def write_result(self, status):
        """Writes result.json and returns its content.

        Args:
            status: "finished", "interrupted" or "diverged".
        """
        progress = self.progress
        self._count_seconds()
        result = {
            "status": status,
            "title": self.title(),
            "differences_from_paper": self.differences,
            "config": self.config.to_dict(),
            "final": {
                "epochs": progress.epoch,
                "models_of_epoch": progress.saved_epochs,
                "models_of_iteration": progress.saved_iterations,
                **self.final(),
                "metrics": progress.history[-1] if progress.history else None,
            },
            "versions": self.versions,
            "earlier_versions": self.earlier_versions,
            "wall_seconds": progress.seconds,
        }
        self.folder.write_json("result.json", result)
        return result

    def _count_seconds(self):
        """Adds the time since it was last called to the run's."""
        now = time.monotonic()
        self.progress.seconds += now - self._counted
        self._counted = now


def run_to_the_end(make_run, stop_requested):
    """Trains one run and writes its folder.

    Args:
        make_run: function without arguments that returns a `Run`.
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
        return _run_to_the_end(make_run(), stop_requested)


def _run_to_the_end(run, stop_requested):
    print(f"{run.title()} -> {run.folder.path}", flush=True)
    try:
        with distribution.lost_workers():
            status = run.train(stop_requested)
        if status == "interrupted":
            run.evaluate()
            run.save(interrupted=True)
        return run.write_result(status)
    except DivergedError:
        run.write_result("diverged")
        raise
    except WorkerLostError as error:
        raise WorkerLostError(
            f"{error} Training stopped in epoch {run.progress.epoch + 1}; {run.kept()}."
        ) from error
    except StorageError as error:
        raise StorageError(
            f"{error} Training stopped in epoch {run.progress.epoch + 1}; {run.kept()}. Make room "
            f"or mend the folder, then give {resuming.command_to_continue(run.config)}."
        ) from error
    finally:
        run.folder.close()
