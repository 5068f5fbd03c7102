"""The objectives of DCGAN's games as the training step uses them: from outputs to losses.

Each class has the same methods:

- `of_discriminator(real, generated, outputs_real, outputs_generated)` -> `Judged`
- `of_generator(generated, outputs_generated)` -> `Judged`, whose `real` is None
- `finish(real, generated)`, once in an iteration, with the values of both players' last steps
- `state`, `{name: variable}` for checkpoints

`real` and `generated` are images (N, H, W, C), outputs those of the discriminator.
"""

from typing import NamedTuple

import keras
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.losses import adversarial
from improved_gan_tf.losses.adversarial.objectives import LEAST_SQUARES, OBJECTIVES
from improved_gan_tf.precision import mean


class Judged(NamedTuple):
    """A player's loss, and the means of what the discriminator says of either kind: scalars."""

    loss: object
    real: object  # mean score, energy or reconstruction error
    generated: object


class Scores:
    """Objectives of scores: all but EBGAN and BEGAN.

    Args:
        objective: key of `losses.adversarial.objectives.OBJECTIVES`.
        least_squares_targets: key of `LEAST_SQUARES`, or None for another objective.
        draw_targets: function of N that returns targets for real and generated images, each (N,),
            or None for 1 and 0.
    """

    def __init__(self, objective, least_squares_targets=None, draw_targets=None):
        self._losses = OBJECTIVES[objective]
        self._more = ()
        if least_squares_targets is not None:
            self._more = (LEAST_SQUARES[least_squares_targets],)
        self._draw_targets = draw_targets

    def of_discriminator(self, real, generated, outputs_real, outputs_generated):
        """The discriminator's objective, with targets drawn anew."""
        scores = outputs_real["scores"], outputs_generated["scores"]
        targets = () if self._draw_targets is None else self._draw_targets(real.shape[0])
        loss = self._losses.discriminator_loss(*scores, *self._more, *targets)
        return Judged(loss, *map(mean, scores))

    def of_generator(self, generated, outputs_generated):
        """The generator's objective."""
        scores = outputs_generated["scores"]
        return Judged(self._losses.generator_loss(scores, *self._more), None, mean(scores))

    @property
    def state(self):
        """No variable."""
        return {}

    def finish(self, real, generated):
        """Nothing."""
        del real, generated  # AutoGraph wants a statement


class Energies:
    """EBGAN: `losses.adversarial.ebgan`.

    Args:
        margin: float > 0.
        pull_away_weight: float >= 0; 0 leaves the term out.
    """

    def __init__(self, margin, pull_away_weight):
        self._margin, self._pull_away_weight = margin, pull_away_weight

    def of_discriminator(self, real, generated, outputs_real, outputs_generated):
        """Low energy for real images, at least the margin for generated ones."""
        energies = [
            adversarial.euclidean_energy(images, outputs["reconstructions"])
            for images, outputs in ((real, outputs_real), (generated, outputs_generated))
        ]
        loss = adversarial.ebgan_discriminator_loss(*energies, self._margin)
        return Judged(loss, *map(mean, energies))

    def of_generator(self, generated, outputs_generated):
        """Low energy, and encodings that point in different directions."""
        energies = adversarial.euclidean_energy(generated, outputs_generated["reconstructions"])
        encodings = outputs_generated["features"] if self._pull_away_weight else None
        loss = adversarial.ebgan_generator_loss(energies, encodings, self._pull_away_weight)
        return Judged(loss, None, mean(energies))

    @property
    def state(self):
        """No variable."""
        return {}

    def finish(self, real, generated):
        """Nothing."""
        del real, generated  # AutoGraph wants a statement


class Balance:
    """BEGAN: `losses.adversarial.began`. Its k is of the whole batch, the same on every replica.

    Args:
        diversity_ratio: float in [0, 1], gamma.
    """

    def __init__(self, diversity_ratio):
        self._gamma = diversity_ratio
        self.k = tf.Variable(0.0, trainable=False, dtype=keras.config.floatx(), name="k")

    @property
    def state(self):
        """The variable k."""
        return {"k": self.k}

    def of_discriminator(self, real, generated, outputs_real, outputs_generated):
        """Rebuild real images well, and generated ones badly as far as k says."""
        errors = [
            adversarial.began_reconstruction_error(images, outputs["reconstructions"])
            for images, outputs in ((real, outputs_real), (generated, outputs_generated))
        ]
        return Judged(adversarial.began_discriminator_loss(*errors, self.k), *errors)

    def of_generator(self, generated, outputs_generated):
        """Images that are rebuilt well."""
        error = adversarial.began_reconstruction_error(
            generated, outputs_generated["reconstructions"]
        )
        return Judged(error, None, error)

    def finish(self, real, generated):
        """Moves k by the errors of the real and of the generator's images."""
        errors = distribution.mean_over_replicas([real, generated])
        self.k.assign(adversarial.began_next_k(self.k, *errors, self._gamma))
