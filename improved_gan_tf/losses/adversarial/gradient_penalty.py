"""Penalties on the critic's gradient with respect to its input: WGAN-GP, DRAGAN, R1.

First the points (from examples and random numbers that the caller draws), then the gradients there
(`input_gradients`), then the penalty. The penalty is *added* to a minimised loss, times a weight:

    points = interpolated_points(real, generated, alpha)
    penalty = gradient_penalty(input_gradients(critic, points))
    loss = wasserstein_discriminator_loss(...) + 10.0 * penalty

The critic must not have batch normalisation, which makes one example's score depend on others.
"""

import functools

import keras
from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.losses.adversarial.norms import euclidean_norms
from improved_gan_tf.losses.shapes import may_be_equal
from improved_gan_tf.precision import in_float32, mean


def interpolated_points(real, generated, alpha):
    """WGAN-GP's points between real and generated: `alpha x + (1 - alpha) G(z)`.

    Args:
        real: (N, ...).
        generated: the same shape.
        alpha: (N,) or (N, 1, ..., 1), one number for each *example*, U[0, 1).

    Returns:
        The same shape.

    Raises:
        ValueError: there is not one alpha for each example, or the shapes differ.

    References:
        Paper:    Gulrajani et al. (2017), Algorithm 1. Weight 10.
        Original: igul222/improved_wgan_training, gan_64x64.py; there alpha weighs the generated.
    """
    real = _floating(real)
    _require_one_shape(real, generated, "generated")
    alpha = _one_for_each_example(alpha, real)
    return alpha * real + (1.0 - alpha) * ops.cast(generated, real.dtype)


def dragan_points(real, alpha, noise, scale=0.5, cross_replica="global"):
    """DRAGAN's points around real examples: `x + alpha * scale * std * noise`.

    std is the standard deviation over all numbers in the batch.

    Args:
        real: (N, ...).
        alpha: (N,) or (N, 1, ..., 1), one number for each example; U[0, 1) in the authors' code.
        noise: the shape of `real`; U[0, 1) in the authors' code; N(0, 1), with alpha 1, in the
            paper.
        scale: float, 0.5 in the authors' code.
        cross_replica: "global" for the std over all replicas' examples, "local" for this replica's.

    Returns:
        The shape of `real`.

    Raises:
        ValueError: there is not one alpha for each example, the shapes differ, or `cross_replica`
            is unknown.

    References:
        Paper:    Kodali et al. (2017), On Convergence and Stability of GANs. Weight 10, the
                  gradient of the logit.
        Original: kodalinaveen3/DRAGAN, DRAGAN.ipynb.
    """
    distribution.check_cross_replica(cross_replica)
    real = _floating(real)
    _require_one_shape(real, noise, "noise")
    alpha, noise = _one_for_each_example(alpha, real), ops.cast(noise, real.dtype)
    wide = in_float32(real)
    axes = tuple(range(len(real.shape)))
    whole_batch, share = distribution.mean_over_batch, functools.partial(mean, keepdims=True)
    over_batch = whole_batch if cross_replica == "global" else share
    variance = over_batch(ops.square(wide - over_batch(wide, axes)), axes)
    deviation = ops.cast(ops.sqrt(variance), real.dtype)
    return real + alpha * (scale * deviation) * noise


def gradient_penalty(gradients, one_sided=False):
    """`mean((||g|| - 1)^2)`, with the norm over a whole example. No weight, no epsilon.

    Args:
        gradients: (N, ...), the critic's gradient at each point.
        one_sided: bool; True for `mean(max(0, ||g|| - 1)^2)`.

    Returns:
        Scalar >= 0.

    References:
        Paper: Gulrajani et al. (2017), Eq. 3; Kodali et al. (2017).
    """
    excess = euclidean_norms(gradients) - 1.0
    return mean(ops.square(ops.relu(excess) if one_sided else excess))


def r1_penalty(gradients):
    """`mean(||g||^2)` at real examples. No weight: the paper's is gamma / 2, with gamma = 10.

    Args:
        gradients: (N, ...), the discriminator's gradient at real examples.

    Returns:
        Scalar >= 0.

    References:
        Paper: Mescheder et al. (2018), Which Training Methods for GANs do actually Converge?,
               Eq. 9.
    """
    squares = ops.square(in_float32(gradients))
    return mean(ops.sum(squares, axis=tuple(range(1, len(squares.shape)))))


def _require_one_shape(real, other, name):
    if not may_be_equal(real.shape, other.shape):
        raise ValueError(
            f"`{name}` must have the shape of `real`. Received: real.shape={tuple(real.shape)}, "
            f"{name}.shape={tuple(other.shape)}"
        )


def _floating(examples):
    """Returns examples as a floating point tensor, which sets the dtype of the points."""
    examples = ops.convert_to_tensor(examples)
    is_float = keras.backend.is_float_dtype(keras.backend.standardize_dtype(examples.dtype))
    return examples if is_float else ops.cast(examples, keras.config.floatx())


def _one_for_each_example(alpha, examples):
    """Returns alpha as (N, 1, ..., 1), in the dtype of the examples."""
    alpha = ops.convert_to_tensor(alpha)
    shape, rank = tuple(alpha.shape), len(examples.shape)
    is_column = bool(shape) and all(size == 1 for size in shape[1:]) and len(shape) in (1, rank)
    if not is_column or not may_be_equal(shape[:1], examples.shape[:1]):
        raise ValueError(
            "`alpha` must be one number for each example, (N,) or (N, 1, ..., 1). "
            f"Received: alpha.shape={shape}, for examples of shape {tuple(examples.shape)}"
        )
    return ops.cast(ops.reshape(alpha, (-1, *[1] * (rank - 1))), examples.dtype)
