"""A run of any game: epochs, checkpoints, interruption, divergence, result."""

import math
import time

from improved_gan_tf import distribution
from improved_gan_tf.errors import CollapsedError, DivergedError, UserError
from improved_gan_tf.machine import standard_streams
from improved_gan_tf.machine.files import name_of
from improved_gan_tf.machine.progress_bar import progress_bar
from improved_gan_tf.runs import checkpoints, resuming
from improved_gan_tf.runs.call_length import CallLength
from improved_gan_tf.runs.epoch_table import EpochTable
from improved_gan_tf.runs.progress import Progress
from improved_gan_tf.runs.record import RunRecord
from improved_gan_tf.settings.intervals import Due, parse_interval

# Ctrl-C waits for a call of the training loop.
ITERATIONS_PER_CALL = 50
SECONDS_PER_CALL = 4.0


class TrainingRun:
    """A game, trained from its beginning or from a folder's newest checkpoint.

    The constructor only checks. `start()` takes the folder; then call `train(stop_requested)`,
    `write_result(status)` and, in any case, `close()`, as `execution.run_to_the_end` does.

    Args:
        config: `settings.every_run.RunConfig`.
        game: `runs.game.Game` of the same settings.
        run_dir: folder to write.
        differences: list of str, what keeps the run's numbers out of the paper's column.

    Raises:
        UserError: the folder holds a finished run, or one that cannot be continued; or the step
            cannot be compiled on these devices.
    """

    def __init__(self, config, game, run_dir, differences):
        self.config, self.game = config, game
        self.run_dir, self._differences = run_dir, differences
        self.progress = Progress()
        self.record = None  # from `start` on
        self._is_unread = False  # whether nobody reads what is printed any more
        # With several workers the chief writes the folder; the others read its checkpoints.
        self._is_chief = distribution.is_chief()
        replicas = distribution.num_replicas()
        self._jit_compile = distribution.compiles_step(config.jit_compile, replicas)
        self._refuse_finished()

    def _refuse_finished(self):
        if self._is_chief:
            resuming.refuse_finished(resuming.look(self.config, self.run_dir), self.run_dir)

    # --- before training -------------------------------------------------------------------

    def start(self):
        """Takes the folder and restores the game from it.

        Raises:
            UserError: the folder cannot be used.
        """
        # The folder: it is this process's own until `close`. An older run in it is moved aside if
        # the command says so. It is checked again, now that no other process can change it.
        self.record = RunRecord(self.config, self.game, self.run_dir, self._differences)
        try:
            self._refuse_finished()

            # The game: networks, optimizers and data as at the first iteration.
            self.game.prepare()
            self.game.trainer.jit_compile = self._jit_compile

            # The state: from the newest checkpoint, if there is one.
            self.progress = Progress(sums=[0.0] * len(self.game.trainer.Losses._fields))
            self._restore(self.record.checkpoints.newest())

            # The files: reset to that state.
            self.record.begin(self.progress.history)
        except BaseException:
            self.close()
            raise
        self._checkpoint_due = Due(parse_interval(self.config.checkpoint_every))
        self._length = CallLength(ITERATIONS_PER_CALL, SECONDS_PER_CALL)

    def _restore(self, checkpoint):
        """Restores the state of a checkpoint; None is the beginning."""
        progress = checkpoint and Progress.from_dict(checkpoint.header["progress"])
        # Iterations, not epochs: workers may see different checkpoints of the same epoch.
        distribution.require_same(
            0 if progress is None else progress.iterations_done(self.game.epochs.iterations),
            f"every worker must see the checkpoints of the first one: --run_dir={self.record.path} "
            "must be in a folder that all of them read",
        )
        if progress is None:
            return
        reached = progress.epoch + (progress.iteration > 0)
        if reached > self.config.epochs:
            raise UserError(
                f"--epochs={self.config.epochs} is less than the run in {self.record.path} has "
                f"done: it is in epoch {reached}."
            )
        resuming.require_same_circumstances(checkpoint, self.game.circumstances())
        checkpoints.assign(checkpoint, self.game.trainer.state())
        self.progress = progress
        self.record.goes_on_from(checkpoint)
        print(
            f"continuing after epoch {progress.epoch}, iteration {progress.iteration} of the next "
            f"({checkpoint.path})"
        )
        resuming.warn_of_other_versions(checkpoint, self.record.versions)

    # --- training --------------------------------------------------------------------------

    def train(self, stop_requested):
        """Runs all remaining epochs, and writes checkpoints.

        Args:
            stop_requested: function without arguments; training stops when it returns True.

        Returns:
            "finished" or "interrupted".

        Raises:
            DivergedError: a loss or a parameter was not finite.
            CollapsedError: the game collapsed, and the settings say that it stops then.
            StorageError: the folder could not be written.
        """
        progress, epochs = self.progress, self.config.epochs
        iterations = self.game.epochs.iterations
        before = progress.iterations_done(iterations)
        table = EpochTable(self.game.columns(), progress.history)
        if progress.epoch == epochs:
            # A smaller --epochs ends the run at a checkpoint; the folder's files may be later ones.
            evaluation = self._evaluate()
            progress.history[-1] |= self.game.measured(progress.history, evaluation.numbers)
            self.record.begin(progress.history)
            self.record.save(progress, evaluation)
            self.record.write_checkpoint(progress)
        elif self._stops_collapsed():  # it did before, and could not write its result
            raise self._collapsed_error()
        with progress_bar(
            epochs * iterations, "it", name_of(self.record.path), before, shown=self._is_chief
        ) as bar:
            while progress.epoch < epochs:
                # A few seconds of the current epoch, or up to the next checkpoint.
                self._show(bar.update, self._run_iterations())

                # The epoch's end: measure, record, save, print.
                if progress.iteration == iterations:
                    metrics = self._finish_epoch()
                    self._show(bar.write, table.lines(metrics, self.game.remarks(metrics)))

                # A checkpoint: when due, before stopping, and at the end.
                is_last = progress.epoch == epochs
                collapsed = not is_last and self._stops_collapsed()
                stop = stop_requested() or self._is_unread
                where = (progress.epoch, progress.iteration, iterations)
                if stop or is_last or collapsed or self._checkpoint_due.now(*where):
                    self.record.write_checkpoint(progress)
                    self._checkpoint_due.happened()

                # A collapse: the folder keeps what can be looked at.
                if collapsed:
                    raise self._collapsed_error()

                # Interruption: the files let the same command continue.
                if stop and not is_last:
                    moment = f"in epoch {progress.epoch + 1}"
                    if progress.iteration == 0:
                        moment = f"after epoch {progress.epoch}"
                    self._show(bar.write, f"stopping {moment}, as asked")
                    return "interrupted"
        return "finished"

    def _show(self, write, shown):
        """Calls a method of the bar; where its reader has gone, the run is to save and to end.

        Of several workers it goes on: the others do not hear of it.
        """
        try:
            write(shown)
        except BrokenPipeError:
            standard_streams.drop_unread()
            strategy = distribution.current_strategy()
            self._is_unread = not distribution.spans_workers(strategy)

    def raise_if_unread(self):
        """Raises `BrokenPipeError` if the run ended for want of a reader, once all is written."""
        if self._is_unread:
            raise BrokenPipeError

    def _stops_collapsed(self):
        """Whether the last epoch has just ended with a collapse at which the run is to stop.

        Files of that epoch are written if they are not yet.
        """
        progress = self.progress
        at_epochs_end = progress.iteration == 0 and progress.history
        if not (self.config.stop_on_collapse and at_epochs_end):
            return False
        if not progress.history[-1].get("collapsed"):
            return False
        if progress.saved_epochs != progress.epoch:
            self.record.save(progress, self._evaluate())
        return True

    def _collapsed_error(self):
        return CollapsedError(
            f"The run has collapsed (docs/running.md has the criterion). Training stopped after "
            f"epoch {self.progress.epoch}; {self.record.kept(self.progress)}. "
            "--nostop_on_collapse trains on."
        )

    def _run_iterations(self):
        """Runs the next iterations of the current epoch; returns how many."""
        progress, trainer, epochs = self.progress, self.game.trainer, self.game.epochs
        start = progress.iteration
        left = self._checkpoint_due.iterations_left(progress.epoch, start, epochs.iterations)
        # Workers measure different times but must run the same iterations.
        stop = start + int(min(distribution.of_chief(self._length.iterations), left))
        rows = [r[start:stop] for r in epochs(progress.epoch)]
        rate = self.config.learning_rate_at(progress.epoch)
        begin = time.monotonic()
        sums, done = trainer.train(rows, rate, trainer.Losses(*progress.sums))
        seconds = time.monotonic() - begin
        progress.iteration += done
        progress.sums = list(sums)
        progress.epoch_seconds += seconds
        self._require_finite(start)
        self._length.measured(done, seconds)
        return done

    def _require_finite(self, start):
        """Raises `DivergedError` for a call that began after iteration `start`."""
        progress, trainer = self.progress, self.game.trainer
        sums = zip(trainer.Losses._fields, progress.sums, strict=True)
        wrong = [f"{name} loss" for name, value in sums if not math.isfinite(value)]
        when = f"iteration {progress.iteration}"
        if not wrong:
            wrong = trainer.not_finite()
            when = f"iteration {start + 1} to {progress.iteration}"
        if wrong:
            names = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if wrong[3:] else "")
            raise DivergedError(
                f"The {names} became NaN or infinite in epoch {progress.epoch + 1}, {when}. "
                f"Training stopped there; {self.record.kept(progress)}. Try a smaller "
                f"--learning_rate (received {self.config.learning_rate}) or another --seed."
            )

    def _finish_epoch(self):
        """Measures and records the finished epoch; returns its metrics."""
        config, progress = self.config, self.progress
        epoch = progress.epoch
        metrics = {"epoch": epoch, "learning_rate": config.learning_rate_at(epoch)}
        trainer = self.game.trainer
        for name, value in zip(trainer.Losses._fields, progress.sums, strict=True):
            mean = value / self.game.epochs.iterations
            metrics[name if name in trainer.measures else f"loss_{name}"] = mean
        metrics["seconds"] = progress.epoch_seconds
        progress.begin_epoch(metrics)
        is_evaluated = (epoch + 1) % config.evaluate_every == 0 or epoch + 1 == config.epochs
        evaluation = self._evaluate() if is_evaluated else None
        metrics |= self.game.measured(progress.history, evaluation and evaluation.numbers)
        self.record.folder.append_metrics(metrics)
        if is_evaluated:
            self.record.save(progress, evaluation)
        return metrics

    def _evaluate(self):
        evaluation = self.game.evaluate()
        self.progress.numbers = evaluation.numbers
        return evaluation

    # --- after training --------------------------------------------------------------------

    def save_interrupted(self):
        """Writes the files of a run that was stopped, unless an epoch's end has just done so."""
        progress = self.progress
        if progress.iteration > 0 or progress.saved_epochs != progress.epoch:
            self.record.save(progress, self._evaluate(), interrupted=True)
            # Once more: it says which models the folder has. The run may go on and diverge.
            self.record.write_checkpoint(progress)

    def write_result(self, status):
        """Writes result.json and returns its content.

        `status` is "finished", "interrupted", "collapsed" or "diverged".
        """
        return self.record.write_result(self.progress, status)

    def where(self):
        """Where training stopped and what the folder keeps, for a message."""
        epoch = min(self.progress.epoch + 1, self.config.epochs)
        return f"Training stopped in epoch {epoch}; {self.record.kept(self.progress)}."

    def close(self):
        """Lets other processes use the folder."""
        self.record.folder.close()
