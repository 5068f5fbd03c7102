"""The two players' optimizers in a Keras model, which knows of one."""

from typing import NamedTuple

import keras

from improved_gan_tf.training.adam import Adam

DEFAULT_LEARNING_RATE = 3e-4  # the original's for CIFAR-10 and SVHN


class Optimizers(NamedTuple):
    """The players' optimizers."""

    generator: keras.optimizers.Optimizer
    discriminator: keras.optimizers.Optimizer


def optimizers_of(learning_rate, discriminator_optimizer, generator_optimizer):
    """The `Optimizers` that the arguments of `compile` ask for."""
    given = (generator_optimizer, discriminator_optimizer)
    if given == (None, None):
        rate = DEFAULT_LEARNING_RATE if learning_rate is None else learning_rate
        return Optimizers(Adam(rate), Adam(rate))
    if None in given:
        raise ValueError(
            "`compile` needs an optimizer for each player, or `learning_rate` for both. Received: "
            f"discriminator_optimizer={discriminator_optimizer}, "
            f"generator_optimizer={generator_optimizer}"
        )
    if learning_rate is not None:
        raise ValueError(
            "`learning_rate` goes with the optimizers of `compile`'s own; give it to your "
            f"optimizers. Received: learning_rate={learning_rate} and two optimizers"
        )
    if generator_optimizer is discriminator_optimizer and not isinstance(generator_optimizer, str):
        raise ValueError(
            "Each player needs an optimizer of its own, with its own moments: make two. Received: "
            f"one object for both, {discriminator_optimizer}"
        )
    optimizers = Optimizers(*map(keras.optimizers.get, given))
    for player, optimizer in optimizers._asdict().items():
        _require_no_scale(optimizer, f"{player}_optimizer")
    return optimizers


def _require_no_scale(optimizer, name):
    is_wrapped = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if is_wrapped or optimizer.loss_scale_factor is not None:
        what = "LossScaleOptimizer" if is_wrapped else f"{optimizer.loss_scale_factor:g}"
        raise ValueError(
            f"`{name}` must not scale the loss: in float16 the game scales its losses itself, and "
            "elsewhere it divides gradients by a factor that no loss has. Received: "
            + (what if is_wrapped else f"loss_scale_factor={what}")
        )


def ratio_of_rates(optimizers):
    """The generator's learning rate over the discriminator's; None if there is no such factor."""
    rates = [optimizer.get_config()["learning_rate"] for optimizer in optimizers]
    if not all(isinstance(rate, int | float) for rate in rates):
        return None
    if rates[0] == rates[1]:  # both 0 too
        return 1.0
    return rates[0] / rates[1] if rates[1] else None


def keep_ratio(optimizers, ratio):
    """Sets the generator's learning rate by the discriminator's, which callbacks set."""
    if ratio is not None:
        rate = float(keras.ops.convert_to_numpy(optimizers.discriminator.learning_rate))
        optimizers.generator.learning_rate = ratio * rate
