"""The paper's method on images of one's own, which are found and looked at before all else."""

import sys

from improved_gan_tf.experiments import one_run, semi_supervised
from improved_gan_tf.machine import environment
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
    counts = command.repetitions.labels_per_class
    warnings = [text for count in counts for text in small_data.warnings(dataset, count)]
    for warning in dict.fromkeys(warnings):  # some are the same for every count
        print(f"warning: {warning}", file=sys.stderr)
    found = (
        dataset.train_images.shape[1:],
        dataset.class_names,
        len(dataset.train_labels),
        int((dataset.train_labels >= 0).sum()),
    )
    config, published = (images.resolved(c, *found) for c in (config, command.published))
    command = command._replace(config=config, published=published)
    by_data = {}
    if not loaded.is_held_out:
        by_data["test_fraction"] = (
            "--test_fraction holds images out for testing where there are no test images; here are "
            f"{len(dataset.test_labels):,}."
        )
    folder = semi_supervised.folder_of(command)
    one_run.refuse_settings_not_read(config, published, folder, by_data)
    return semi_supervised.run(command, dataset)
