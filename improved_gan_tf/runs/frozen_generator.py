"""A run's generator with frozen batch statistics: any z gives its image, whatever its batch."""

from improved_gan_tf import streams
from improved_gan_tf.layers import freeze_batch_statistics
from improved_gan_tf.networks.parts import NOISE_DIM

NUM_BATCHES = 10  # of the training size, behind the frozen statistics


def frozen_generator(generator, seed, batch_size):
    """A copy of a semi-supervised generator with `BatchStatisticsNorm`, its statistics frozen.

    Args:
        generator: model from (N, 100) in [0, 1) to images.
        seed: int, the run's; it decides the z behind the statistics.
        batch_size: int, z in each of the `NUM_BATCHES` batches; that of the training.
    """
    random = streams.frozen_statistics_noise(seed)
    batches = (
        random.uniform(size=(batch_size, NOISE_DIM)).astype("float32") for _ in range(NUM_BATCHES)
    )
    return freeze_batch_statistics(generator, batches)
