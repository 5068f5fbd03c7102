"""The hinge game: the discriminator's loss is zero beyond a margin of 1 on either side.

Paper:    Lim and Ye (2017), Geometric GAN; Tran et al. (2017); Miyato et al. (2018), Eq. 16, 17.
Original: ajbrock/BigGAN-PyTorch@9845943, losses.py, `loss_hinge_dis`, `loss_hinge_gen`.
"""

from keras import ops

from improved_gan_tf.precision import in_float32, mean


def hinge_discriminator_loss(scores_real, scores_generated):
    """`mean(max(0, 1 - s_r)) + mean(max(0, 1 + s_g))`, a scalar >= 0.

    Args:
        scores_real: (N,), s_r, without a sigmoid.
        scores_generated: (M,), s_g.
    """
    scores_real, scores_generated = in_float32(scores_real), in_float32(scores_generated)
    return mean(ops.relu(1.0 - scores_real)) + mean(ops.relu(1.0 + scores_generated))


def hinge_generator_loss(scores_generated):
    """`-mean(s_g)`, without a margin, of scores (M,): a scalar."""
    return -mean(scores_generated)
