"""The devices on which an experiment trains."""

import contextlib
import sys

from improved_gan_tf.machine import environment, half_precision


def training_devices(config):
    """The context in which a command uses TensorFlow; enter it before any other use."""
    environment.start_tensorflow()
    from improved_gan_tf import distribution

    if config.dry_run:  # no waiting for workers, no devices
        _check_request(config)
        return contextlib.nullcontext()
    return distribution.training_on(
        config.strategy, config.num_devices, config.tpu, config.batch_size
    )


def leave_devices_to_runs(config):
    """Starts TensorFlow in a command whose runs train in processes of their own.

    Raises:
        UserError: no machine could do what is asked for, or it is asked of several workers.
    """
    environment.start_tensorflow()
    from improved_gan_tf import distribution

    _check_request(config)
    distribution.require_one_process(config.strategy, "a command that trains several runs")
    if not config.dry_run:
        distribution.use_no_gpu()


def warn_of_precision(config):
    """Says on stderr if the precision is slow here; starts TensorFlow if it is a half one."""
    if config.precision.startswith("mixed_"):
        environment.start_tensorflow()
    warning = half_precision.warning(config.precision)
    if warning is not None:
        print(f"warning: {warning}", file=sys.stderr)


def _check_request(config):
    from improved_gan_tf import distribution

    distribution.check_request(config.strategy, config.num_devices, config.batch_size, config.tpu)
