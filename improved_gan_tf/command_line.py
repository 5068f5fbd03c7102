"""The main program of every run script: flags, then the experiment that they ask for."""

import sys

from absl import app, logging

from improved_gan_tf.experiments import biggan, dcgan, imagenet, own_images, semi_supervised
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.settings import flags
from improved_gan_tf.settings.biggan import BigganConfig
from improved_gan_tf.settings.dcgan import DcganConfig
from improved_gan_tf.settings.imagenet import ImagenetConfig
from improved_gan_tf.settings.images import ImagesConfig
from improved_gan_tf.settings.semi_supervised import ExperimentConfig


def main(experiment, variants, ablations=None):
    """Runs a script's experiment with the flags of the command line; exits the process.

    Args:
        experiment: the script's literal, a `RunConfig`.
        variants: `{model: {recipe: {setting: value}}}`, see `settings.flags.define_flags`.
        ablations: `{name: {setting: value}}` or None, see there.
    """
    flags.define_flags(experiment, variants, ablations=ablations)
    # A run that trains stops and saves on SIGTERM; one that does not has nothing to clean up.
    with exits.exit_codes("nothing was saved since the last checkpoint", catches_sigterm=False):
        app.run(
            lambda argv: _run(experiment, variants, ablations),
            flags_parser=flags.parse_flags,
        )


def _run(experiment, variants, ablations):
    logging.set_verbosity(logging.WARNING)  # otherwise TFDS reports every step
    command = flags.command_from_flags(experiment, variants, ablations=ablations)
    environment.set_defaults()
    sys.exit(run(command))


_EXPERIMENTS = {
    ExperimentConfig: semi_supervised,
    ImagesConfig: own_images,
    ImagenetConfig: imagenet,
    DcganConfig: dcgan,
    BigganConfig: biggan,
}


def run(command):
    """Runs the experiment whose settings `command` (`settings.flags.Command`) holds.

    Returns:
        The exit code.

    Raises:
        UserError: it cannot be run; nothing has been trained or written.
    """
    return _EXPERIMENTS[type(command.config)].run(command)
