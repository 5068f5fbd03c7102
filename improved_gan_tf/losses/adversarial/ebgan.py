"""EBGAN: the discriminator is an autoencoder, its reconstruction error an energy.

    discriminator   mean(E(x)) + mean(max(0, m - E(G(z))))
    generator       mean(E(G(z))) + 0.1 PT

Paper: Zhao et al. (2017), Energy-based Generative Adversarial Networks, Sec. 2.1, 2.4, Eq. 1 to 4.
"""

from keras import ops

from improved_gan_tf import distribution
from improved_gan_tf.losses.adversarial.norms import euclidean_norms
from improved_gan_tf.losses.shapes import require_reconstructions
from improved_gan_tf.precision import in_float32, matmul, mean


def euclidean_energy(examples, reconstructions):
    """`||Dec(Enc(x)) - x||`, the paper's energy: (N,), >= 0, of two arrays (N, ...).

    Raises:
        ValueError: they have different shapes.
    """
    return euclidean_norms(_difference(examples, reconstructions))


def mean_squared_energy(examples, reconstructions):
    """`mean((Dec(Enc(x)) - x)^2)` over an example's elements: (N,), >= 0.

    Arguments and errors as for `euclidean_energy`; the margin must be chosen for it.
    """
    difference = _difference(examples, reconstructions)
    return mean(ops.square(difference), axis=tuple(range(1, len(difference.shape))))


def ebgan_discriminator_loss(energies_real, energies_generated, margin=10.0):
    """`mean(E(x)) + mean(max(0, m - E(G(z))))`, with the hinge applied to each example.

    Args:
        energies_real: (N,).
        energies_generated: (M,).
        margin: float > 0, m; 10 for the paper's MNIST.

    Returns:
        Scalar >= 0.
    """
    return mean(energies_real) + mean(ops.relu(margin - in_float32(energies_generated)))


def ebgan_generator_loss(energies_generated, encodings=None, pull_away_weight=0.1):
    """`mean(E(G(z)))`, plus `pull_away_weight * pull_away_term(encodings)` if encodings are given.

    Args:
        energies_generated: (M,).
        encodings: (M, A), outputs of the discriminator's encoder for the same examples, or None.
        pull_away_weight: float, 0.1 in the paper.

    Returns:
        Scalar >= 0.
    """
    loss = mean(energies_generated)
    return loss if encodings is None else loss + pull_away_weight * pull_away_term(encodings)


def pull_away_term(encodings, cross_replica="global"):
    """Mean squared cosine between two different examples of a batch.

        PT = 1 / (N (N - 1)) sum_{i != j} cos(S_i, S_j)^2

    Args:
        encodings: (N, A), N >= 2 over all replicas ("global") or on each ("local"). A row of zeros
            has a cosine of 0 with every other.
        cross_replica: "global" for pairs over all replicas, "local" for pairs within this replica;
            the same on one device.

    Returns:
        Scalar in [0, 1].

    Raises:
        ValueError: there is only one example (NaN where a graph learns their number late),
            `encodings` have another rank, or `cross_replica` is unknown.
    """
    distribution.check_cross_replica(cross_replica)
    encodings = in_float32(encodings)
    is_whole_batch = cross_replica == "local" or distribution.replica_count() == 1
    if len(encodings.shape) != 2 or (is_whole_batch and encodings.shape[0] == 1):
        raise ValueError(
            "`encodings` must be (N, A) with at least two examples. "
            f"Received: encodings.shape={tuple(encodings.shape)}"
        )
    norms = ops.expand_dims(euclidean_norms(encodings), 1)
    directions = encodings / ops.where(norms > 0.0, norms, ops.ones_like(norms))
    others = distribution.gather_rows(directions)[0] if cross_replica == "global" else directions
    squares = ops.square(matmul(directions, ops.transpose(others)))  # (n, N)
    own = ops.square(ops.sum(ops.square(directions), axis=1))  # (n,), cos(S_i, S_i)^2
    count = ops.cast(ops.shape(others)[0] - 1, encodings.dtype)
    return mean((ops.sum(squares, axis=1) - own) / count)


def _difference(examples, reconstructions):
    examples, reconstructions = in_float32(examples), in_float32(reconstructions)
    require_reconstructions(examples, reconstructions)
    return ops.subtract(reconstructions, examples)
