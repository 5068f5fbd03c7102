"""InfoGAN: a network Q reads the generator's codes from its images.

    L_I = E log Q(c | G(z, c)) + H(c)     a lower bound of the mutual information of code and image

`lambda L_I` is *subtracted* from the minimised losses of both players, with lambda 1 in the
authors' code. The functions here return `-E log Q`, so they are added; the constant H(c) is left
out. The codes are those given to the generator, never labels of real images.

Paper:    Chen et al. (2016), InfoGAN, Sec. 4 to 6.
Original: openai/InfoGAN@6e41232, infogan/misc/distributions.py. It takes logarithms of `p + 1e-8`;
          here they are exact.
"""

import math

from keras import ops

from improved_gan_tf.losses.semi_supervised import supervised_loss
from improved_gan_tf.losses.shapes import may_be_equal
from improved_gan_tf.precision import in_float32, mean


def infogan_categorical_loss(code_logits, codes):
    """`-E log Q(c | x)` of a categorical code: cross-entropy, nats.

    Args:
        code_logits: (M, K), Q's logits on generated examples.
        codes: (M,), integers in [0, K), what the generator was given.

    Returns:
        Scalar >= 0. `log(K) - loss` is L_I for uniform codes.
    """
    return supervised_loss(code_logits, codes)


def infogan_gaussian_loss(code_means, codes, code_log_variances=None):
    """`-E log N(c; mu, sigma^2)`, summed over the codes of an example.

        1/2 mean(sum_j log(2 pi) + log(sigma_j^2) + (c_j - mu_j)^2 / sigma_j^2)

    Args:
        code_means: (M, C), mu of Q on generated examples.
        codes: (M, C), what the generator was given, U[-1, 1] in the paper.
        code_log_variances: (M, C), log sigma^2, or None for a fixed standard deviation of 1, as in
            the authors' MNIST experiment.

    Returns:
        Scalar, nats. `uniform_code_entropy(C) - loss` is L_I.

    Raises:
        ValueError: means, codes and variances differ in shape.
    """
    shapes = [tuple(x.shape) for x in (code_means, codes, code_log_variances) if x is not None]
    if not may_be_equal(*shapes):
        raise ValueError(
            "Codes, their means and log variances must be of one shape, (M, C). Received: shapes "
            f"{shapes}"
        )
    squares = ops.square(ops.subtract(in_float32(codes), in_float32(code_means)))
    if code_log_variances is not None:
        code_log_variances = in_float32(code_log_variances)
        squares = squares * ops.exp(-code_log_variances) + code_log_variances
    return 0.5 * mean(ops.sum(squares + math.log(2.0 * math.pi), axis=1))


def uniform_code_entropy(num_codes, low=-1.0, high=1.0):
    """H(c) of independent uniform codes: `num_codes log(high - low)`, a float, nats.

    The authors' code scores the prior as a standard normal instead, `infogan_gaussian_loss(0, c)`:
    a constant of another size, without effect on training.
    """
    return num_codes * math.log(high - low)
