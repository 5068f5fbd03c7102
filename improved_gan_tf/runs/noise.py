"""The noise of this project's generators, drawn by a seed for any number of images."""

import keras
import numpy as np

# Each name's noise: (lowest, highest) of a uniform one.
NOISES = {"uniform": (0.0, 1.0), "symmetric": (-1.0, 1.0), "normal": None}
# The noise of this project's generators by data set, and by a DCGAN's `latent` setting.
OWN_NOISE = {"imagenet": "symmetric"}
NOISE_OF_LATENT = {"uniform": "symmetric", "normal": "normal"}


def own_noise(config):
    """The key of `NOISES` that a run of these settings, a dict, trains its generator with."""
    if "latent" in config:
        return NOISE_OF_LATENT[config["latent"]]
    return OWN_NOISE.get(config.get("dataset"), "uniform")


class NoiseStreams:
    """Noise for all inputs of a generator, one stream each.

    An image's noise depends on the seed and on the image's number, not on the size of the draws.

    Args:
        generator: model of one or several inputs (N, ...), all sizes but N known.
        noise: key of `NOISES`.
        seed: int.
        truncation: float in (0, 1], the part of a uniform noise's range, around its middle, that
            is drawn from, or factor of a normal one. Less than 1 gives more typical and less
            varied images.
    """

    def __init__(self, generator, noise, seed, truncation=1.0):
        # A Sequential that was never called has no `input`.
        is_sequential = isinstance(generator, keras.Sequential)
        self._structure = generator.inputs[0] if is_sequential else generator.input
        self._shapes = [tuple(tensor.shape[1:]) for tensor in generator.inputs]
        self._names = [tensor.name for tensor in generator.inputs]
        self._noise, self._truncation = noise, truncation
        self._streams = [
            np.random.RandomState(seed if number == 0 else [seed, number])
            for number in range(len(self._shapes))
        ]

    def draw(self, count):
        """The next `count` rows of noise, as the generator takes them; float32."""
        noise = [
            self._draw(random, name, (count, *shape))
            for random, name, shape in zip(self._streams, self._names, self._shapes, strict=True)
        ]
        return keras.tree.pack_sequence_as(self._structure, noise)

    def _draw(self, random, name, size):
        if name == "classes":  # of a conditional DCGAN: each equally likely
            return np.eye(size[1], dtype="float32")[random.randint(size[1], size=size[0])]
        if name == "codes":
            return random.uniform(-1.0, 1.0, size=size).astype("float32")
        if self._noise == "normal":
            return (self._truncation * random.normal(size=size)).astype("float32")
        low, high = NOISES[self._noise]
        drawn = random.uniform(low, high, size=size)
        if self._truncation != 1.0:
            middle = 0.5 * (low + high)
            drawn = middle + self._truncation * (drawn - middle)
        return drawn.astype("float32")
