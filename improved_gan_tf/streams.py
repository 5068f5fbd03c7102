"""Every stream of random numbers that a run's seed starts: its origin and its use.

| stream | starts from | decides |
| --- | --- | --- |
| `data_order` | RandomState(seed), two draws on | the order of the images, epoch after epoch |
| `label_choice` | RandomState(seed_data), or `data_order` | which training images are labeled |
| `shuffled_epoch` | default_rng((seed, epoch)) | the order of the images in an epoch on ImageNet |
| `held_out_images` | RandomState(0) | which labeled images of one's own are for testing |
| `discriminator_parts` | SeedSequence((seed, 1)) | its initial weights, noise and dropout |
| `generator_parts` | SeedSequence((seed, 2)) | its initial weights; ImageNet's reference batch |
| `reference_batch` | SeedSequence((seed, 3)) | the reference of virtual batch normalization |
| `frozen_statistics_noise` | SeedSequence((seed, 4)) | the noise behind frozen batch statistics |
| `biggan_generator_weights` | SeedSequence((seed, 5)) | its initial weights |
| `biggan_discriminator_weights` | SeedSequence((seed, 6)) | its initial weights |
| `adversarial_tricks` | SeedSequence((seed, 7)) | instance noise and replay in DCGAN's games |
| `step_noise` | SeedGenerator(seed) | the noise of the training steps |
| `shown_noise` | RandomState(seed) | the noise whose images are saved and watched |
| `coupled_test_order` | default_rng(0) | the order in which a test set sorted by class is scored |

With equal seeds `data_order`, `label_choice` and `shown_noise` are the same generator's numbers,
for independent uses. How a stream starts decides a run's numbers: it must not change.
"""

import numpy as np


class Seeds:
    """Independent integer seeds for the parts of one network, in the order of their creation.

    Args:
        entropy: ints >= 0.
    """

    # D3: other streams than Theano's and Lasagne's; runs agree in distribution only.
    def __init__(self, *entropy):
        self._sequence = np.random.SeedSequence(entropy)

    def next(self):
        """Returns the next seed, in [0, 2**31)."""
        child = self._sequence.spawn(1)[0]
        return int(child.generate_state(1)[0] >> 1)  # 31 bits: fits an int32


def data_order(seed):
    """The `RandomState` of the rows of every epoch, the original's."""
    random = np.random.RandomState(seed)
    # The original seeds Theano and Lasagne from the same generator first.
    random.randint(2**15)
    random.randint(2**15)
    return random


def label_choice(seed, seed_data):
    """The `RandomState` of the labeled images; without a `seed_data` of their own, the run's."""
    return data_order(seed) if seed_data is None else np.random.RandomState(seed_data)


def shuffled_epoch(seed, epoch):
    """The `numpy.random.Generator` of the rows of one epoch on ImageNet, counted from 0."""
    return np.random.default_rng((seed, epoch))


def held_out_images():
    """The `RandomState` of the test images in a set without any; the same in every run."""
    return np.random.RandomState(0)


def discriminator_parts(seed):
    """The `Seeds` of a discriminator's initial weights, noise and dropout."""
    return Seeds(seed, 1)


def generator_parts(seed):
    """The `Seeds` of a generator's initial weights and, on ImageNet, of its reference batch."""
    return Seeds(seed, 2)


def reference_batch(seed):
    """The `RandomState` of the noise in the reference batch of virtual batch normalization."""
    return np.random.RandomState(Seeds(seed, 3).next())


def frozen_statistics_noise(seed):
    """The `RandomState` of the noise from which a generator's batch statistics are frozen."""
    return np.random.RandomState(Seeds(seed, 4).next())


def biggan_generator_weights(seed):
    """The `Seeds` of the initial weights of BigGAN's generator."""
    return Seeds(seed, 5)


def biggan_discriminator_weights(seed):
    """The `Seeds` of the initial weights of BigGAN's discriminator."""
    return Seeds(seed, 6)


def adversarial_tricks(seed):
    """The `Seeds` of instance noise and replay in DCGAN's games."""
    return Seeds(seed, 7)


def step_noise(seed):
    """The `keras.random.SeedGenerator` of the noise of the training steps."""
    import keras

    return keras.random.SeedGenerator(seed)


def shown_noise(seed):
    """The `RandomState` of the noise whose images a run saves and watches."""
    return np.random.RandomState(seed)


def coupled_test_order():
    """The generator of the order in which a test set that lies sorted by class is scored."""
    return np.random.default_rng(0)
