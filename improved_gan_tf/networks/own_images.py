"""A generator and a discriminator for images of one's own.

Grey images of 28 pixels may have MNIST's dense players; all may have CIFAR-10's at their size:

    size   the discriminator                       the generator
    28     zeros around the image, then CIFAR's    4 - 8 - 16 - 28
    32     CIFAR-10's                              4 - 8 - 16 - 32
    48     CIFAR-10's on larger maps               6 - 12 - 24 - 48
    64     one convolution of stride 2, CIFAR's    4 - 8 - 16 - 32 - 64
    96     one, then as 48                         6 - 12 - 24 - 48 - 96
    128    two, then CIFAR's                       4 - 8 - 16 - 32 - 64 - 128

Paper:    Salimans et al. (2016), Sec. 6.1 for the dense players, Sec. 6.2 for 32 pixels; the other
          sizes are not the paper's.
"""

import functools
import numbers

from improved_gan_tf.errors import UserError
from improved_gan_tf.networks.cifar10_svhn import UPSAMPLINGS
from improved_gan_tf.networks.mnist import mnist_discriminator, mnist_generator
from improved_gan_tf.networks.players import NetworkSpec, convolutional_spec

IMAGE_SIZES = tuple(UPSAMPLINGS)
# CIFAR-10's widths, and those of the convolutions of stride 2 in front of its network.
WIDTHS = (96, 192)
FIRST_STRIDED_WIDTHS = {64: (48,), 96: (48,), 128: (24, 48)}
MODELS = ("feature_matching", "minibatch_discrimination", "plain")


def own_images_spec(image_shape, num_classes, model="feature_matching", dense=False):
    """The `NetworkSpec` of images of any set, in [-1, 1], or with `dense` in [0, 1].

    Args:
        image_shape: (H, H, C), H 28, 32, 48, 64, 96 or 128 and C 1 or 3.
        num_classes: int >= 2, K.
        model: "feature_matching", "minibatch_discrimination" or "plain", as in the paper's
            CIFAR-10 experiments.
        dense: bool, whether the players are MNIST's; for (28, 28, 1) and feature matching.

    Raises:
        UserError: an argument is out of its range.
    """
    size = _checked_size(image_shape)
    if not (isinstance(num_classes, numbers.Integral) and num_classes >= 2):
        raise UserError(
            f"`num_classes` must be a whole number of 2 or more. Received: {num_classes}."
        )
    if model not in MODELS:
        raise UserError(f"`model` must be one of {', '.join(MODELS)}. Received: {model}.")
    if dense:
        if tuple(image_shape) != (28, 28, 1) or model != "feature_matching":
            raise UserError(
                "`dense` players are for images of (28, 28, 1) and feature matching. Received: "
                f"image_shape={tuple(image_shape)}, model={model}."
            )
        discriminator = functools.partial(mnist_discriminator, num_classes=num_classes)
        return NetworkSpec(mnist_generator, discriminator, False, initializes_generator=False)
    return convolutional_spec(
        f"images_{size}",
        tuple(image_shape),
        num_classes,
        model,
        widths=WIDTHS,
        first_padding=3 if size == 28 else 1,
        first_strided_widths=FIRST_STRIDED_WIDTHS.get(size, ()),
    )


def convolutional(
    image_shape,
    num_classes,
    *,
    width_multiplier=1.0,
    minibatch_discrimination=False,
    reference_size=None,
    seed=1,
    cross_replica="global",
):
    """A generator and a discriminator for images in [-1, 1], CIFAR-10's at the size of the images.

    The discriminator's layer "features" is the one for feature matching. Before training
    `initialize_from_data` has to set scales and biases of both, as `SemiSupervisedGAN.fit` does.

    Args:
        image_shape: (H, H, C), H 28, 32, 48, 64, 96 or 128 and C 1 or 3.
        num_classes: int >= 2, K.
        width_multiplier: float > 0, factor of all channels.
        minibatch_discrimination: bool, whether the discriminator has that layer, and noise on its
            input instead of dropout, as in the paper's CIFAR-10 samples.
        reference_size: int >= 2, examples in the reference batch of virtual batch normalization
            in the generator; None for batch normalization.
        seed: int >= 0, decides initial weights, dropout and noise.
        cross_replica: "global" or "local", the scope of a batch on several devices.

    Returns:
        `(generator, discriminator)`: models from (N, 100) in [0, 1) to (N, H, H, C) in (-1, 1),
        and from (N, H, H, C) to `{"logits": (N, K), "features": (N, 192 * width_multiplier)}`.

    Raises:
        UserError: an argument is out of its range.
    """
    model = "minibatch_discrimination" if minibatch_discrimination else "feature_matching"
    spec = own_images_spec(image_shape, num_classes, model)
    players = spec.build(seed, width_multiplier, reference_size, cross_replica)
    return players.generator, players.discriminator


def _checked_size(image_shape):
    """H of (H, H, C)."""
    try:
        height, width, channels = image_shape
    except (TypeError, ValueError):
        height = width = channels = None
    if height not in IMAGE_SIZES or width != height or channels not in (1, 3):
        sizes = ", ".join(map(str, IMAGE_SIZES))
        raise UserError(
            f"`image_shape` must be (H, H, C), with H one of {sizes} and C 1 or 3. Resize other "
            f"images first. Received: {image_shape}."
        )
    return height
