"""A run's output: checkpoints, the files of an evaluation, its result."""

import time

from improved_gan_tf import distribution
from improved_gan_tf.machine import versions
from improved_gan_tf.runs import checkpoints, resuming
from improved_gan_tf.runs.run_folder import RunFolder


class RunRecord:
    """Writes a run's folder; of several workers only the first may.

    Args:
        config: `settings.every_run.RunConfig`; with `overwrite` an old folder is moved aside.
        game: `runs.game.Game`.
        run_dir: folder to write, locked from here on.
        differences: list of str, what keeps the run's numbers out of the paper's column.

    Raises:
        UserError: the folder cannot be written, or another process is using it.

    Attributes:
        folder: `runs.run_folder.RunFolder`; the caller must close it.
        path: `pathlib.Path` of the folder.
        checkpoints: `runs.checkpoints.Checkpoints`.
        versions: dict, `machine.versions.versions()` of this process, and how it trains.
    """

    def __init__(self, config, game, run_dir, differences):
        self._config, self._game, self._differences = config, game, differences
        self._is_chief = distribution.is_chief()
        replicas = distribution.num_replicas()
        self.versions = {
            **versions.versions(),
            "jit_compile": distribution.compiles_step(config.jit_compile, replicas),
            "deterministic": config.deterministic,
        }
        self._earlier_versions = []  # of earlier processes, where they differ
        self.checkpoints = resuming.checkpoints_of(config, run_dir)
        self._last_checkpoint = None
        self._counted = time.monotonic()
        self.folder = RunFolder(distribution.own_folder(run_dir), config.overwrite)
        self.path = self.folder.path

    def goes_on_from(self, checkpoint):
        """Notes the `Checkpoint` from which the run continues."""
        self._last_checkpoint = checkpoint.path
        header = checkpoint.header
        before = [*header.get("earlier_versions", []), header["versions"]]
        self._earlier_versions = [v for v in before if resuming.with_defaults(v) != self.versions]

    def begin(self, history):
        """Resets the folder to its state after the epochs of `history` (their metrics)."""
        self.folder.begin(self._config.to_dict(), history)

    def save(self, progress, evaluation, interrupted=False):
        """Writes the folder's files for the current state, and notes it in `progress`.

        `interrupted` says whether no evaluation was due: a run that goes on drops those grids.
        """
        game = self._game
        images = game.sample_images()
        if images is not None:
            self.folder.write_samples(images, progress.epoch, interrupted)
        for name, pictures in game.more_pictures().items():
            self.folder.write_samples(pictures, progress.epoch, interrupted, name)
        self.folder.write_models(game.models())
        if evaluation.predictions:
            self.folder.write_predictions(**evaluation.predictions)
        if progress.history:
            self.folder.write_curves(progress.history, game.title())
        progress.saved_epochs = progress.epoch
        progress.saved_iterations = self._iterations_done(progress)

    def write_checkpoint(self, progress):
        """Writes a checkpoint.

        Raises:
            StorageError: it could not be written; earlier ones are whole.
        """
        if not self._is_chief:
            return
        self._count_seconds(progress)
        header = {
            "versions": self.versions,
            "earlier_versions": self._earlier_versions,
            "config": self._config.to_dict(),
            "circumstances": self._game.circumstances(),
            "progress": progress.to_dict(),
        }
        trainer = self._game.trainer
        values = checkpoints.values(trainer.state())
        # Not the optimizers' steps: in half precision some are undone.
        done = self._iterations_done(progress)
        self._last_checkpoint = self.checkpoints.save(done, header, values)

    def _iterations_done(self, progress):
        return progress.iterations_done(self._game.epochs.iterations)

    def write_result(self, progress, status):
        """Writes result.json and returns its content.

        `status` is "finished", "interrupted", "collapsed" or "diverged".
        """
        self._count_seconds(progress)
        result = {
            "status": status,
            "title": self._game.title(),
            "differences_from_paper": self._differences,
            "config": self._config.to_dict(),
            "circumstances": self._game.circumstances(),
            "final": {
                "epochs": progress.epoch,
                "models_of_epoch": progress.saved_epochs,
                "models_of_iteration": progress.saved_iterations,
                **self._game.final(progress.history, progress.numbers),
                "metrics": progress.history[-1] if progress.history else None,
            },
            "versions": self.versions,
            "earlier_versions": self._earlier_versions,
            "wall_seconds": progress.seconds,
        }
        self.folder.write_json("result.json", result)
        return result

    def kept(self, progress):
        """What the folder holds from the training (str, for a message)."""
        if not self._is_chief:
            return "worker 0 has the run folder"
        models, checkpoint = "no model yet", "no checkpoint"
        if progress.saved_epochs is not None:
            models = f"the models of epoch {progress.saved_epochs}"
        if self._last_checkpoint is not None:
            checkpoint = f"the checkpoint {self._last_checkpoint.name}"
        return f"{self.path} keeps {models} and {checkpoint}"

    def _count_seconds(self, progress):
        """Adds the time since the last call to the run's."""
        now = time.monotonic()
        progress.seconds += now - self._counted
        self._counted = now
