"""WGAN: the critic's mean score on generated examples less that on real ones.

Both functions are minimised. The critic has to be kept Lipschitz by other means: every one of its
variables is clipped to [-0.01, 0.01] (WGAN; the authors' code does it before each of five
critic steps), or a `gradient_penalty` is *added* to its loss (WGAN-GP).

Paper:    Arjovsky et al. (2017), Wasserstein GAN, Algorithm 1; Gulrajani et al. (2017), Eq. 3.
Original: martinarjovsky/WassersteinGAN, main.py, where the critic's sign is the other one.
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
    """`-mean(s_g)`.

    Args:
        scores_generated: (M,), s_g.

    Returns:
        Scalar.
    """
    return -mean(scores_generated)
