"""From a command's flags to code that trains on its devices."""

import contextlib

from improved_gan_tf.distribution.devices import strategy_from
from improved_gan_tf.distribution.strategy import is_tpu, spans_workers, using
from improved_gan_tf.distribution.workers import is_chief, lost_workers, only_the_chief_writes


@contextlib.contextmanager
def training_on(kind, num_devices, tpu, batch_size):
    """Lets what is in `scope()` inside the `with` block train on the devices of a command.

    On several workers the chief alone prints, and an error in an exchange between them becomes a
    `WorkerLostError`.

    Args, Raises: as for `strategy_from`.
    """
    strategy = strategy_from(kind, num_devices, tpu, batch_size)
    replicas = strategy.num_replicas_in_sync
    # A TPU of one core is not TensorFlow's default device either.
    if replicas == 1 and not (spans_workers(strategy) or is_tpu(strategy)):
        yield
        return
    with using(strategy), lost_workers():
        print(f"{replicas} replicas, {batch_size // replicas} of every {batch_size} images on each")
        if not is_chief():
            print("worker 0 prints and writes the results", flush=True)
        with only_the_chief_writes():
            yield
