"""WGAN: the critic's mean score on generated examples minus that on real ones.

Both functions are minimised. The critic must be kept Lipschitz by other means: clip all its
variables to [-0.01, 0.01] before each critic step (WGAN), or *add* a `gradient_penalty` to its
loss (WGAN-GP).

Paper:    Arjovsky et al. (2017), Wasserstein GAN, Algorithm 1; Gulrajani et al. (2017), Eq. 3.
Original: martinarjovsky/WassersteinGAN, main.py; there the critic's sign is reversed.
"""

from improved_gan_tf.precision import mean


def wasserstein_discriminator_loss(scores_real, scores_generated):
    """`mean(s_g) - mean(s_r)`.

    Args:
        scores_real: (N,), s_r, the critic's unbounded scores.
        scores_generated: (M,), s_g.

    Returns:
        Scalar; its negative estimates the Wasserstein distance, in units of the Lipschitz constant.
    """
    return mean(scores_generated) - mean(scores_real)


def wasserstein_generator_loss(scores_generated):
    """`-mean(s_g)` of scores (M,): a scalar."""
    return -mean(scores_generated)
