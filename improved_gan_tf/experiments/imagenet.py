"""A run on ImageNet or another folder of images."""

import pathlib

from improved_gan_tf.experiments import one_run
from improved_gan_tf.runs import folder_names


def run(command):
    """Trains the rest of a `settings.flags.Command`'s run; returns the exit code."""
    from improved_gan_tf.data import encoded_images

    config = command.config
    one_run.refuse_folders_not_read(config)
    encoded_images.require_folder(config.image_folder)
    run_dir = pathlib.Path(config.run_dir or f"runs/{folder_names.imagenet_run_name(config)}")
    one_run.require_unfinished(config, run_dir)
    return one_run.on_devices(config, lambda: _train(config, command.published, run_dir))


def _train(config, published, run_dir):
    from improved_gan_tf.data import encoded_images, shuffled_batches
    from improved_gan_tf.runs import dry_run, imagenet

    source = encoded_images.find(config.image_folder, config.data_dir)
    epochs = shuffled_batches.ShuffledEpochs(source.count, config.batch_size, config.seed)
    if config.dry_run:
        iterations = epochs.iterations
        dry_run.print_imagenet_dry_run(config, published, source, iterations, run_dir)
        return 0

    def execute(folder, stop_requested):
        return imagenet.execute(config, source, folder, published, stop_requested)

    return one_run.to_exit_code(config, run_dir, execute, "not the paper's")
