"""BEGAN: an autoencoder as in EBGAN, and a weight k that balances the two players.

    L(v) = mean |v - D(v)|
    discriminator   L(x) - k L(G(z_D))
    generator       L(G(z_G))
    k <- clip(k + lambda_k (gamma L(x) - L(G(z_G))), 0, 1),    k = 0 at first

z_D and z_G are separate draws. The generator minimises `began_reconstruction_error`.

Paper: Berthelot et al. (2017), BEGAN, Sec. 3.3, 3.4.
"""

from keras import ops

from improved_gan_tf.losses.shapes import require_reconstructions
from improved_gan_tf.precision import in_float32, mean


def began_reconstruction_error(examples, reconstructions):
    """`L(v) = mean |v - D(v)|` over elements and examples, a scalar >= 0.

    Args:
        examples: (N, ...).
        reconstructions: the same shape.

    Raises:
        ValueError: they have different shapes.
    """
    examples, reconstructions = in_float32(examples), in_float32(reconstructions)
    require_reconstructions(examples, reconstructions)
    return mean(ops.abs(ops.subtract(examples, reconstructions)))


def began_discriminator_loss(error_real, error_generated, k):
    """`L(x) - k L(G(z_D))`, a scalar.

    Args:
        error_real: scalar, L(x).
        error_generated: scalar, L(G(z_D)).
        k: scalar in [0, 1], from `began_next_k`.
    """
    return error_real - k * error_generated


def began_next_k(k, error_real, error_generated, gamma=0.5, rate=0.001):
    """The next k, after a step: `clip(k + rate (gamma L(x) - L(G(z_G))), 0, 1)`.

    Args:
        k: scalar in [0, 1].
        error_real: scalar, L(x).
        error_generated: scalar, L(G(z_G)), the generator's loss.
        gamma: float in [0, 1], the diversity ratio, E L(G) / E L(x) at the balance; 0.5.
        rate: float, the paper's lambda_k, 0.001.

    Returns:
        Scalar in [0, 1].
    """
    moved = ops.convert_to_tensor(k + rate * (gamma * error_real - error_generated))
    return ops.clip(moved, 0.0, 1.0)


def began_convergence(error_real, error_generated, gamma=0.5):
    """`M = L(x) + |gamma L(x) - L(G(z_G))|`, a scalar >= 0 that falls as training converges.

    Arguments as for `began_next_k`.
    """
    return error_real + ops.abs(ops.convert_to_tensor(gamma * error_real - error_generated))
