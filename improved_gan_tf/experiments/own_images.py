"""The paper's method on images of one's own, which are found and looked at before all else."""

import sys

from improved_gan_tf.errors import UserError
from improved_gan_tf.experiments import semi_supervised
from improved_gan_tf.machine import environment
from improved_gan_tf.runs import resuming
from improved_gan_tf.settings import images


def run(command):
    """Trains what is not finished; returns the exit code.

    Prints what was left out of the images, and what is too small. `command` is a
    `settings.flags.Command`.
    """
    config = command.config
    images.check_sources(config)
    if config.tfds is not None:
        environment.start_tensorflow()
    from improved_gan_tf.data import run_data, small_data

    loaded = run_data.load_own(vars(config), download=not config.dry_run)
    dataset = loaded.dataset
    for note in loaded.notes:
        print(f"note: {note}", file=sys.stderr)
    for labels_per_class in command.repetitions.labels_per_class:
        for warning in small_data.warnings(dataset, labels_per_class):
            print(f"warning: {warning}", file=sys.stderr)
    found = (
        dataset.train_images.shape[1:],
        dataset.class_names,
        len(dataset.train_labels),
        int((dataset.train_labels >= 0).sum()),
    )
    config, published = (images.resolved(c, *found) for c in (config, command.published))
    command = command._replace(config=config, published=published)
    if not loaded.is_held_out:
        _refuse_test_fraction(command, dataset)
    return semi_supervised.run(command, dataset)


def _refuse_test_fraction(command, dataset):
    """Raises `UserError` for a part to hold out of images that have test images.

    A run that an earlier version began with it goes on.
    """
    config, fraction = command.config, command.config.test_fraction
    folder = semi_supervised.folder_of(command)
    is_begun = resuming.was_begun_with(folder, "test_fraction", fraction) and not config.overwrite
    if fraction != command.published.test_fraction and not is_begun:
        raise UserError(
            "--test_fraction holds images out for testing where there are no test images. "
            f"Received: test_fraction={fraction}, {len(dataset.test_labels):,} test images."
        )
