"""Power iteration: the largest singular values of a kernel, a step at a time.

    v = n(W u),    u' = n(W^T v),    sigma = v^T W u'          n(x) = x / max(||x||, epsilon)

W is (A, K), a column for each output. u and v are constants in the gradient, so that

    d sigma / d W = v u'^T

Paper:    Miyato et al. (2018), Sec. 2.1 and Algorithm 1; Brock et al. (2019), Sec. 3 and 4.
Original: ajbrock/BigGAN-PyTorch@9845943, layers.py, `power_iteration`, `gram_schmidt`, `SN`.
"""

from keras import ops

from improved_gan_tf.precision import at_least, matmul


def normalized(x, epsilon):
    """Returns `x / max(||x||, epsilon)`; x is (A,)."""
    return x / at_least(ops.sqrt(ops.sum(ops.square(x))), epsilon)


def orthonormal_to(x, others, epsilon):
    """Returns x (A,) without its components along `others`, orthonormal, at length 1."""
    # The second pass is for what rounding leaves of a vector that lay among the others: where the
    # kernel's rank is used up, that is all there is of it.
    for _ in range(2 if others else 1):
        for other in others:  # Gram-Schmidt
            x = x - ops.sum(other * x) * other
        x = normalized(x, epsilon)
    return x


def singular_vectors(matrix, u, num_iterations, epsilon):
    """Returns u and v after some power iterations, as constants.

    Args:
        matrix: W, (A, K), at least float32.
        u: (S, K), the right vectors so far, one for each singular value that is followed; any
            length above 0.
        num_iterations: int > 0.
        epsilon: float >= 0, smallest length that is divided by.

    Returns:
        `(u, v)`, (S, K) and (S, A); of length 1 and, within each, orthogonal. Where W maps to 0,
        as a kernel of zeros does everything, u stays and v is 0.
    """
    matrix, u = ops.stop_gradient(matrix), ops.stop_gradient(u)
    rights = [u[i] for i in range(u.shape[0])]
    for _ in range(num_iterations):
        old, rights, lefts = rights, [], []
        for right in old:
            left = orthonormal_to(matmul(matrix, right), lefts, epsilon)  # (A,)
            lefts.append(left)
            new = orthonormal_to(matmul(left, matrix), rights, epsilon)  # (K,)
            # From a u of zeros no later iteration would find a way out.
            rights.append(ops.where(ops.any(new != 0.0), new, right))
    return ops.stop_gradient(ops.stack(rights)), ops.stop_gradient(ops.stack(lefts))


def singular_values(matrix, u, v):
    """Returns `v W u^T` of each pair of vectors; the gradient is that with u and v fixed.

    Args:
        matrix: W, (A, K).
        u: (S, K).
        v: (S, A).

    Returns:
        (S,), the largest first once the vectors have converged.
    """
    return ops.sum(matmul(v, matrix) * u, axis=-1)
