"""Every loss against literals, closed forms and the formulas of its docstring."""

import math

import numpy as np
import pytest
from keras import ops

from improved_gan_tf import losses
from tests.support.numerics import BACKEND, gradients, to_numpy


def tensor(values):
    return np.asarray(values, "float32")


def value(loss):
    return float(to_numpy(loss))


def random_logits(seed, scale=2.0):
    return tensor(scale * np.random.RandomState(seed).normal(size=(8, 10)))


def log_sum_exp(logits):
    return np.log(np.sum(np.exp(logits.astype("float64")), axis=1))


def softplus(x):
    return np.log1p(np.exp(x))


# --- supervised ----------------------------------------------------------------------------


def test_supervised_loss_of_equal_logits_is_the_log_of_the_number_of_classes():
    assert value(losses.supervised_loss(np.zeros((4, 10), "float32"), [0, 3, 5, 9])) == (
        pytest.approx(math.log(10), rel=1e-6)
    )


def test_supervised_loss_of_two_examples_by_hand():
    logits = tensor([[math.log(3.0), 0.0], [0.0, math.log(7.0)]])
    # probabilities of the labels: 3/4 and 1/8
    expected = -0.5 * (math.log(3 / 4) + math.log(1 / 8))
    assert value(losses.supervised_loss(logits, [0, 0])) == pytest.approx(expected, rel=1e-6)


def test_supervised_loss_is_its_docstrings_formula():
    logits, labels = random_logits(1), np.arange(8)
    expected = -np.mean(logits[np.arange(8), labels]) + np.mean(log_sum_exp(logits))
    assert value(losses.supervised_loss(logits, labels)) == pytest.approx(expected, rel=1e-5)


def test_supervised_loss_ignores_a_constant_added_to_all_logits():
    logits, labels = random_logits(2), np.arange(8)
    shifted = value(losses.supervised_loss(logits + 5.0, labels))
    assert shifted == pytest.approx(value(losses.supervised_loss(logits, labels)), rel=1e-5)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_labels_of_any_integer_type_are_accepted(dtype):
    logits = random_logits(3)
    labels = np.arange(8, dtype=dtype)
    expected = value(losses.supervised_loss(logits, np.arange(8)))
    assert value(losses.supervised_loss(logits, labels)) == expected


def compiled(function):
    """The function under `tf.function` with XLA, or under `jax.jit`."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True)
    import jax

    return jax.jit(function)


@pytest.mark.parametrize("loss", [losses.supervised_loss, losses.error_rate])
@pytest.mark.parametrize("label", [-1, 10, 2**20])
def test_a_label_that_no_logit_stands_for_is_refused(loss, label):
    with pytest.raises(ValueError, match=rf"integers from 0 to 9.* Received: label {label}"):
        loss(random_logits(3), [0, 1, 2, 3, 4, 5, 6, label])


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch is eager")
@pytest.mark.parametrize("loss", [losses.supervised_loss, losses.error_rate])
@pytest.mark.parametrize("label", [-1, 10, 2**20])
def test_a_label_that_no_logit_stands_for_makes_a_compiled_loss_nan(loss, label):
    labels = np.array([0, 1, 2, 3, 4, 5, 6, label], "int32")
    assert np.isnan(value(compiled(loss)(random_logits(3), labels)))
    labels[-1] = 7
    expected = value(loss(random_logits(3), labels))
    assert value(compiled(loss)(random_logits(3), labels)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch is eager")
@pytest.mark.parametrize("loss", [losses.supervised_loss, losses.error_rate])
def test_a_label_between_two_makes_a_compiled_loss_nan(loss):
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 1.5], "float32")
    assert np.isnan(value(compiled(loss)(random_logits(3), labels)))
    labels[-1] = 1.0
    assert np.isfinite(value(compiled(loss)(random_logits(3), labels)))


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch is eager")
def test_the_gradient_of_a_compiled_loss_with_a_wrong_label_is_nan_too():
    labels = np.array([0, 1, 2, 3, 4, 5, 6, -1], "int32")
    loss = compiled(losses.supervised_loss)
    (gradient,) = gradients(lambda logits: loss(logits, labels), random_logits(3))
    assert np.isnan(gradient[-1]).any()
    assert np.isfinite(gradient[:-1]).all()


# --- unsupervised --------------------------------------------------------------------------


def test_unsupervised_loss_is_log_two_when_the_discriminator_knows_nothing():
    logits = np.full((5, 10), -math.log(10.0), "float32")  # Z = 1, D = 1/2
    assert value(losses.unsupervised_loss(logits, logits)) == pytest.approx(math.log(2), rel=1e-6)


def test_unsupervised_loss_of_equal_logits_zero():
    logits = np.zeros((5, 10), "float32")  # Z = 10, D = 10/11
    expected = -0.5 * math.log(10 / 11) - 0.5 * math.log(1 / 11)
    assert value(losses.unsupervised_loss(logits, logits)) == pytest.approx(expected, rel=1e-6)


def test_unsupervised_loss_is_its_docstrings_formula():
    unlabeled, generated = random_logits(4), random_logits(5)
    lse_unlabeled, lse_generated = log_sum_exp(unlabeled), log_sum_exp(generated)
    expected = (
        -0.5 * np.mean(lse_unlabeled)
        + 0.5 * np.mean(softplus(lse_unlabeled))
        + 0.5 * np.mean(softplus(lse_generated))
    )
    actual = value(losses.unsupervised_loss(unlabeled, generated))
    assert actual == pytest.approx(expected, rel=1e-5)


def test_unsupervised_loss_is_the_papers_log_d_and_log_one_minus_d():
    unlabeled, generated = random_logits(6), random_logits(7)
    real = np.exp(log_sum_exp(unlabeled))
    real = real / (real + 1.0)
    fake = np.exp(log_sum_exp(generated))
    fake = fake / (fake + 1.0)
    expected = -0.5 * np.mean(np.log(real)) - 0.5 * np.mean(np.log(1.0 - fake))
    actual = value(losses.unsupervised_loss(unlabeled, generated))
    assert actual == pytest.approx(expected, rel=1e-5)


def test_unsupervised_loss_takes_batches_of_different_sizes_with_equal_weight():
    one, many = random_logits(8)[:1], random_logits(9)
    expected = 0.5 * np.mean(softplus(-log_sum_exp(one))) + 0.5 * np.mean(
        softplus(log_sum_exp(many))
    )
    assert value(losses.unsupervised_loss(one, many)) == pytest.approx(expected, rel=1e-5)


def test_unsupervised_loss_keeps_its_digits_when_the_discriminator_is_nearly_right():
    sure = np.full((3, 1), 30.0, "float32")
    # softplus(30) - 30 would be 0 in float32.
    expected = 0.5 * math.log1p(math.exp(-30.0)) * 2
    assert value(losses.unsupervised_loss(sure, -sure)) == pytest.approx(expected, rel=1e-4)


# --- label smoothing -----------------------------------------------------------------------

TARGETS = pytest.mark.parametrize("alpha", [0.51, 0.75, 0.9, 0.999, 1.0])


@TARGETS
def test_smoothed_loss_is_its_docstrings_formula(alpha):
    unlabeled, generated = random_logits(4), random_logits(5)
    lse_unlabeled, lse_generated = log_sum_exp(unlabeled), log_sum_exp(generated)
    expected = 0.5 * np.mean(softplus(lse_unlabeled) - alpha * lse_unlabeled) + 0.5 * np.mean(
        softplus(lse_generated)
    )
    actual = value(losses.unsupervised_loss(unlabeled, generated, real_target=alpha))
    assert actual == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("alpha", "beta"), [(0.9, 0.0), (1.0, 0.2), (0.75, 0.1)])
def test_smoothed_loss_is_the_cross_entropy_with_both_targets(alpha, beta):
    unlabeled, generated = random_logits(6), random_logits(7)
    z_real, z_fake = np.exp(log_sum_exp(unlabeled)), np.exp(log_sum_exp(generated))
    real, fake = z_real / (z_real + 1), z_fake / (z_fake + 1)
    expected = -0.5 * np.mean(alpha * np.log(real) + (1 - alpha) * np.log(1 - real))
    expected -= 0.5 * np.mean(beta * np.log(fake) + (1 - beta) * np.log(1 - fake))
    actual = value(losses.unsupervised_loss(unlabeled, generated, alpha, beta))
    assert actual == pytest.approx(expected, rel=1e-5)


def test_targets_of_one_and_zero_change_no_bit():
    unlabeled, generated = random_logits(8, scale=5.0), random_logits(9, scale=5.0)
    lse = [ops.logsumexp(x, axis=1) for x in (unlabeled, generated)]
    expected = 0.5 * ops.mean(ops.softplus(-lse[0])) + 0.5 * ops.mean(ops.softplus(lse[1]))
    assert value(losses.unsupervised_loss(unlabeled, generated)) == value(expected)
    assert value(losses.unsupervised_loss(unlabeled, generated, 1.0, 0.0)) == value(expected)


@TARGETS
def test_one_sided_smoothing_leaves_the_generated_side_alone(alpha):
    unlabeled, generated = random_logits(10), random_logits(11)

    def smoothed(unlabeled, generated):
        return losses.unsupervised_loss(unlabeled, generated, real_target=alpha)

    plain = gradients(losses.unsupervised_loss, unlabeled, generated)
    actual = gradients(smoothed, unlabeled, generated)
    np.testing.assert_array_equal(actual[1], plain[1])
    assert np.array_equal(actual[0], plain[0]) == (alpha == 1.0)


@TARGETS
def test_smoothed_losses_and_gradients_are_exact_at_logits_of_ten_thousand(alpha):
    for sign in (1.0, -1.0):
        logits = np.full((2, 1), sign * 1e4, "float32")
        certain = np.full((2, 1), -1e4, "float32")  # generated: loss 0
        # softplus(l) - alpha l: (1 - alpha) l above, -alpha l below
        expected = 0.5 * 1e4 * ((1 - alpha) if sign > 0 else alpha)
        actual = value(losses.unsupervised_loss(logits, certain, real_target=alpha))
        assert actual == pytest.approx(expected, rel=1e-5, abs=1e-30)
        (gradient, _) = gradients(
            lambda real, generated: losses.unsupervised_loss(real, generated, real_target=alpha),
            logits,
            certain,
        )
        expected = 0.5 * ((1 - alpha) if sign > 0 else -alpha) / 2
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-30)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.9, 0.0), (0.75, 0.0), (0.9, 0.1)])
def test_the_best_discriminator_of_two_gaussians_is_the_papers(alpha, beta):
    """One free logit at each of 81 points, moved down the loss until it rests."""
    x = np.linspace(-4.0, 4.0, 81)
    p_data = np.exp(-0.5 * (x + 1.0) ** 2)
    p_model = np.exp(-0.5 * ((x - 1.0) / 0.7) ** 2) / 0.7

    def loss(real, generated):
        return losses.unsupervised_loss(real, generated, alpha, beta)

    logits = np.zeros((81, 1))
    for _ in range(100):
        # Row i of both batches is point i: its share of the expected loss weighs each by a density.
        as_real, as_generated = gradients(loss, tensor(logits), tensor(logits))
        slope = p_data * as_real[:, 0] + p_model * as_generated[:, 0]
        d = 1.0 / (1.0 + np.exp(-logits[:, 0]))
        curvature = 0.5 * (p_data + p_model) * d * (1.0 - d) / 81
        logits -= np.clip(slope / curvature, -1.0, 1.0)[:, None]
    d = 1.0 / (1.0 + np.exp(-logits[:, 0]))
    best = (alpha * p_data + beta * p_model) / (p_data + p_model)
    np.testing.assert_allclose(d, best, rtol=1e-5)


def test_the_smallest_loss_is_that_of_the_best_discriminator_of_disjoint_data():
    def log_odds(p):
        return np.full((1, 1), math.log(p / (1 - p)), "float32")

    expected = value(losses.unsupervised_loss(log_odds(0.9), log_odds(0.2), 0.9, 0.2))
    assert losses.smallest_unsupervised_loss(0.9, 0.2) == pytest.approx(expected, rel=1e-6)
    assert losses.smallest_unsupervised_loss(1.0, 0.0) == 0.0
    assert losses.smallest_unsupervised_loss(0.9) == pytest.approx(0.1625415, rel=1e-6)


# --- extreme logits ------------------------------------------------------------------------


def test_losses_of_right_answers_are_zero_at_logits_of_ten_thousand():
    right = tensor([[1e4, -1e4], [-1e4, 1e4]])
    assert value(losses.supervised_loss(right, [0, 1])) == 0.0
    assert value(losses.unsupervised_loss(right, np.full((2, 2), -1e4, "float32"))) == 0.0


def test_losses_of_wrong_answers_are_linear_at_logits_of_ten_thousand():
    wrong = tensor([[1e4, -1e4], [-1e4, 1e4]])
    assert value(losses.supervised_loss(wrong, [1, 0])) == pytest.approx(2e4, rel=1e-6)
    real_as_fake = np.full((2, 2), -1e4, "float32")
    assert value(losses.unsupervised_loss(real_as_fake, wrong)) == pytest.approx(1e4, rel=1e-4)


def test_gradients_are_finite_and_bounded_at_logits_of_ten_thousand():
    logits = tensor([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4], [-1e4, -1e4]])
    labels = np.array([0, 0, 1, 1])

    def loss(labeled, unlabeled, generated):
        supervised = losses.supervised_loss(labeled, labels)
        return supervised + losses.unsupervised_loss(unlabeled, generated)

    for gradient in gradients(loss, logits, logits, logits):
        assert np.all(np.isfinite(gradient))
        assert np.max(np.abs(gradient)) <= 0.25  # 1 / N each, at most
        assert np.max(np.abs(gradient)) > 0.05


# --- feature matching ----------------------------------------------------------------------

BOTH = pytest.mark.parametrize(
    "loss", [losses.feature_matching_l2, losses.feature_matching_l1], ids=["l2", "l1"]
)


@BOTH
def test_feature_matching_compares_means_not_examples(loss):
    real = tensor([[0.0, 4.0], [2.0, 0.0]])
    generated = tensor([[1.0, 2.0], [1.0, 2.0]])  # the same means, no equal row
    assert value(loss(real, generated)) == 0.0


def test_feature_matching_l2_averages_squares_over_the_features():
    real, generated = tensor([[1.0, 2.0], [3.0, 6.0]]), tensor([[5.0, 1.0]])
    # means (2, 4) and (5, 1): squares 9 and 9
    assert value(losses.feature_matching_l2(real, generated)) == 9.0
    assert value(losses.feature_matching_l2(real, tensor([[2.0, 0.0]]))) == 8.0


def test_feature_matching_l1_averages_absolute_differences_over_the_features():
    real, generated = tensor([[1.0, 2.0], [3.0, 6.0]]), tensor([[5.0, 3.0]])
    # means (2, 4) and (5, 3): 3 and 1
    assert value(losses.feature_matching_l1(real, generated)) == 2.0


@BOTH
def test_feature_matching_is_symmetric_and_takes_batches_of_different_sizes(loss):
    real, generated = random_logits(10), random_logits(11)[:3]
    forward = value(loss(real, generated))
    assert forward > 0.0
    assert value(loss(generated, real)) == pytest.approx(forward, rel=1e-6)


def test_the_gradient_of_feature_matching_is_the_same_for_every_example():
    real, generated = random_logits(12), random_logits(13)
    (gradient,) = gradients(lambda g: losses.feature_matching_l2(real, g), generated)
    difference = np.mean(generated, axis=0) - np.mean(real, axis=0)
    expected = np.tile(2.0 * difference / (10 * 8), (8, 1))
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-7)


# --- error rate ----------------------------------------------------------------------------


def test_error_rate_counts_wrong_rows():
    logits = tensor([[1, 2, 3], [3, 2, 1], [1, 3, 2], [5, 1, 0]])
    assert value(losses.error_rate(logits, np.array([2, 0, 0, 1]))) == 0.5


def test_error_rate_is_zero_and_one_at_its_ends():
    logits = tensor([[1, 2], [2, 1]])
    assert value(losses.error_rate(logits, np.array([1, 0]))) == 0.0
    assert value(losses.error_rate(logits, np.array([0, 1]))) == 1.0


def test_error_rate_takes_64_bit_labels():
    assert value(losses.error_rate(tensor([[1, 2]]), np.array([1], "int64"))) == 0.0


def test_the_entropy_of_a_coin():
    assert losses.binary_entropy(0.0) == losses.binary_entropy(1.0) == 0.0
    assert losses.binary_entropy(0.5) == pytest.approx(math.log(2.0))
    assert losses.binary_entropy(0.25) == pytest.approx(
        0.25 * math.log(4.0) + 0.75 * math.log(4.0 / 3.0)
    )


@pytest.mark.parametrize("function", [losses.error_rate, losses.supervised_loss])
def test_labels_in_a_column_are_refused(function):
    with pytest.raises(ValueError, match=r"of shape \(N,\)\. Received: labels\.shape=\(4, 1\)"):
        function(np.zeros((4, 3), "float32"), np.zeros((4, 1), "int32"))


@pytest.mark.parametrize("function", [losses.feature_matching_l1, losses.feature_matching_l2])
def test_features_of_different_layers_are_refused(function):
    with pytest.raises(ValueError, match=r"Received: features of shape \(6,\) and \(1,\)"):
        function(np.zeros((8, 6), "float32"), np.zeros((8, 1), "float32"))
    with pytest.raises(ValueError, match="Received: cross_replica='glob'"):
        function(np.zeros((8, 6), "float32"), np.zeros((8, 6), "float32"), "glob")


@pytest.mark.parametrize("targets", [(1.5, 0.0), (0.0, 0.0), (1.0, 1.0), (1.0, -0.1)])
def test_targets_out_of_their_range_are_refused(targets):
    with pytest.raises(ValueError, match=r"`real_target` must lie in \(0, 1\]"):
        losses.unsupervised_loss(np.zeros((2, 3)), np.zeros((2, 3)), *targets)
    with pytest.raises(ValueError, match=r"`real_target` must lie in \(0, 1\]"):
        losses.smallest_unsupervised_loss(*targets)


@pytest.mark.parametrize("function", [losses.supervised_loss, losses.error_rate])
@pytest.mark.parametrize(
    ("labels", "received"),
    [
        (np.array([3]), r"labels.shape=\(1,\), logits.shape=\(8, 10\)"),
        (np.array([0.5, 1, 2, 3, 4, 5, 6, 7], "float32"), "label 0.5"),
    ],
)
def test_labels_of_another_length_and_fractions_are_refused(function, labels, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        function(random_logits(3), labels)


@pytest.mark.parametrize("function", [losses.supervised_loss, losses.error_rate])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32"])
@pytest.mark.parametrize("in_a_graph", [False, True])
def test_the_number_of_classes_need_not_fit_the_type_of_the_labels(function, dtype, in_a_graph):
    logits = np.random.RandomState(0).normal(size=(3, 256)).astype("float32")
    labels = np.array([5, 100, 127])
    expected = value(function(logits, labels))
    called = compiled(function) if in_a_graph else function
    assert value(called(logits, labels.astype(dtype))) == pytest.approx(expected, rel=1e-6)
