"""Value functions of other games: closed forms, batches of several replicas, refusals."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from improved_gan_tf import losses
from improved_gan_tf.losses import adversarial
from tests.support.numerics import gradients, to_numpy


def value(loss):
    return float(to_numpy(loss))


def logits(seed, count=8):
    return np.random.default_rng(seed).normal(size=count).astype("float32")


# --- two players ---------------------------------------------------------------------------


def test_a_discriminator_that_knows_nothing_loses_twice_log_two():
    zeros = np.zeros(5, "float32")
    expected = pytest.approx(2.0 * math.log(2.0), rel=1e-6)
    assert value(adversarial.minimax_discriminator_loss(zeros, zeros)) == expected
    assert value(adversarial.preference_discriminator_loss(zeros, zeros)) == expected


def test_real_and_generated_batches_may_differ_in_size():
    loss = value(adversarial.minimax_discriminator_loss(np.zeros(3, "float32"), logits(1, 7)))
    halves = math.log(2.0) + value(losses.binary_cross_entropy(logits(1, 7), 0.0))
    assert loss == pytest.approx(halves, rel=1e-6)


def test_the_discriminators_loss_is_twice_the_papers_of_one_class():
    real, generated = logits(1), logits(2)
    paper = losses.unsupervised_loss(real[:, None], generated[:, None])
    ours = adversarial.minimax_discriminator_loss(real, generated)
    assert value(ours) == pytest.approx(2.0 * value(paper), rel=1e-6)


def test_the_blended_loss_is_the_sum_of_the_two_generators_losses():
    generated = logits(3)
    both = adversarial.minimax_generator_loss(
        generated
    ) + adversarial.non_saturating_generator_loss(generated)
    assert value(adversarial.blended_generator_loss(generated)) == pytest.approx(
        value(both), rel=1e-5
    )


def test_the_minimax_generator_learns_nothing_from_examples_that_are_surely_generated():
    sure = np.array([-20.0], "float32")
    (saturated,) = gradients(adversarial.minimax_generator_loss, sure)
    (alive,) = gradients(adversarial.non_saturating_generator_loss, sure)
    assert abs(saturated[0]) < 1e-8
    assert alive[0] == pytest.approx(-1.0, abs=1e-6)


def test_one_target_for_each_example_equals_the_same_number_for_all():
    real = logits(4)
    each = losses.binary_cross_entropy(real, np.full(8, 0.9, "float32"))
    assert value(each) == pytest.approx(value(losses.binary_cross_entropy(real, 0.9)), rel=1e-6)


@pytest.mark.parametrize("shape", [(8, 1), (4,)])
def test_targets_of_another_shape_than_the_logits_are_refused(shape):
    with pytest.raises(ValueError, match=r"one for each example\. Received: target.shape="):
        losses.binary_cross_entropy(logits(4), np.ones(shape, "float32"))


def test_soft_targets_fill_their_interval():
    uniform = np.array([0.0, 0.5, 0.999], "float32")
    targets = to_numpy(adversarial.soft_targets(uniform, 0.7, 1.2))
    np.testing.assert_allclose(targets, [0.7, 0.95, 1.1995], rtol=1e-6)


def test_soft_targets_of_an_empty_interval_are_refused():
    with pytest.raises(ValueError, match=r"Received: low=1.0, high=0.5"):
        adversarial.soft_targets(np.zeros(3), 1.0, 0.5)


def test_flips_exchange_the_targets_of_the_same_place():
    real, generated = adversarial.flipped_targets(
        np.array([0.9, 0.8, 1.0]), np.array([0.1, 0.2, 0.3]), [True, False, True]
    )
    np.testing.assert_allclose(to_numpy(real), [0.1, 0.8, 0.3], rtol=1e-6)
    np.testing.assert_allclose(to_numpy(generated), [0.9, 0.2, 1.0], rtol=1e-6)


def test_the_two_triples_of_least_squares_are_the_papers():
    assert adversarial.ZERO_ONE == (0.0, 1.0, 1.0)
    assert adversarial.PEARSON == (-1.0, 1.0, 0.0)


# --- classes and codes ---------------------------------------------------------------------


def test_codes_of_another_shape_than_their_means_are_refused():
    with pytest.raises(ValueError, match=r"of one shape, \(M, C\)\. Received: shapes"):
        adversarial.infogan_gaussian_loss(np.zeros((4, 2)), np.zeros((4, 1)))


def test_the_entropy_of_uniform_codes_is_the_log_of_their_volume():
    assert adversarial.uniform_code_entropy(3) == pytest.approx(3 * math.log(2.0))
    assert adversarial.uniform_code_entropy(2, low=0.0, high=0.5) == pytest.approx(
        -2 * math.log(2.0)
    )


# --- autoencoders --------------------------------------------------------------------------


def test_one_example_alone_has_no_pull_away_term():
    with pytest.raises(ValueError, match=r"two examples. Received: encodings.shape=\(1, 4\)"):
        adversarial.pull_away_term(np.ones((1, 4), "float32"))


def test_the_pull_away_term_of_orthogonal_encodings_is_zero_and_of_equal_ones_one():
    assert value(adversarial.pull_away_term(np.eye(4, dtype="float32"))) == 0.0
    equal = np.tile(np.float32([1.0, 2.0]), (5, 1))
    assert value(adversarial.pull_away_term(equal)) == pytest.approx(1.0, abs=1e-6)


def test_an_encoding_of_zeros_pulls_nothing_and_has_a_finite_gradient():
    encodings = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], "float32")
    assert value(adversarial.pull_away_term(encodings)) == pytest.approx(1.0 / 3.0, abs=1e-6)
    (gradient,) = gradients(adversarial.pull_away_term, encodings)
    assert np.isfinite(gradient).all()


def test_squares_fit_half_precision():
    large = ops.cast(np.full((2, 600), 300.0), "float16")  # 300^2 is beyond float16
    assert value(adversarial.pull_away_term(large)) == pytest.approx(1.0, abs=1e-5)
    assert value(adversarial.mean_squared_energy(large, 0.0 * large)[0]) == 300.0**2
    length = 300.0 * math.sqrt(600.0)
    assert value(adversarial.euclidean_energy(large, 0.0 * large)[0]) == pytest.approx(length)
    assert value(adversarial.gradient_penalty(large)) == pytest.approx((length - 1.0) ** 2)
    assert value(adversarial.r1_penalty(large)) == pytest.approx(length**2)


# Arguments of each loss that computes with its inputs before it takes a mean.
SCORES, ROWS = (8,), (4, 6)
IN_FLOAT32 = {
    "minimax_discriminator_loss": (SCORES, SCORES),
    "minimax_generator_loss": (SCORES,),
    "non_saturating_generator_loss": (SCORES,),
    "blended_generator_loss": (SCORES,),
    "least_squares_discriminator_loss": (SCORES, SCORES),
    "least_squares_generator_loss": (SCORES,),
    "hinge_discriminator_loss": (SCORES, SCORES),
    "hinge_generator_loss": (SCORES,),
    "wasserstein_discriminator_loss": (SCORES, SCORES),
    "wasserstein_generator_loss": (SCORES,),
    "preference_discriminator_loss": (SCORES, SCORES),
    "preference_generator_loss": (SCORES, SCORES),
    "preference_blended_generator_loss": (SCORES, SCORES),
    "ebgan_discriminator_loss": (SCORES, SCORES),
    "ebgan_generator_loss": (SCORES, ROWS),
    "euclidean_energy": (ROWS, ROWS),
    "mean_squared_energy": (ROWS, ROWS),
    "pull_away_term": (ROWS,),
    "began_reconstruction_error": (ROWS, ROWS),
    "infogan_gaussian_loss": (ROWS, ROWS, ROWS),
    "gradient_penalty": (ROWS,),
    "r1_penalty": (ROWS,),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", IN_FLOAT32)
def test_a_loss_of_half_precision_inputs_is_computed_in_float32(name, dtype):
    random = np.random.default_rng(3)
    half = [ops.cast(3.0 * random.normal(size=shape), dtype) for shape in IN_FLOAT32[name]]
    loss = getattr(adversarial, name)
    found = loss(*half)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    expected = to_numpy(loss(*(ops.cast(x, "float32") for x in half)))
    np.testing.assert_array_equal(to_numpy(found), expected)


def test_the_square_of_a_large_score_fits_in_half_precision():
    scores = ops.cast(np.full(4, 300.0), "float16")
    expected = pytest.approx(0.5 * 299.0**2)
    assert value(adversarial.least_squares_generator_loss(scores)) == expected


def test_began_holds_k_between_zero_and_one():
    assert value(adversarial.began_next_k(0.0, 1.0, 2.0, rate=1.0)) == 0.0
    assert value(adversarial.began_next_k(0.9, 2.0, 0.0, rate=1.0)) == 1.0
    assert value(adversarial.began_next_k(0.5, 1.0, 0.3)) == pytest.approx(0.5002, abs=1e-6)


# --- gradient penalties --------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (8, 3), (8, 1, 3), (8, 1)])
@pytest.mark.parametrize("points", ["interpolated_points", "dragan_points"])
def test_an_alpha_for_each_pixel_is_refused(points, shape):
    images = np.zeros((8, 2, 3), "float32")
    with pytest.raises(ValueError, match=r"one number for each example, \(N,\)"):
        getattr(adversarial, points)(images, alpha=np.zeros(shape), **second(points, images))


def second(points, images):
    return {"generated": images} if points == "interpolated_points" else {"noise": images}


@pytest.mark.parametrize("points", ["interpolated_points", "dragan_points"])
def test_points_of_other_shapes_are_refused(points):
    images, alpha = np.zeros((5, 3), "float32"), np.zeros(5, "float32")
    of_points = getattr(adversarial, points)
    for few in (np.zeros(1, "float32"), np.zeros((2, 1), "float32")):
        with pytest.raises(ValueError, match=r"one number for each example, \(N,\)"):
            of_points(images, alpha=few, **second(points, images))
    for other in (images[:1], np.zeros(5, "float32")):
        with pytest.raises(ValueError, match=r"must have the shape of `real`. Received: real"):
            of_points(images, alpha=alpha, **second(points, other))


def test_dragans_points_keep_half_precision():
    real = np.linspace(0, 200, 10, dtype="float16").reshape(5, 2)  # squares do not fit float16
    half, wide = (
        to_numpy(
            adversarial.dragan_points(real.astype(dtype), np.ones(5, dtype), np.ones((5, 2), dtype))
        )
        for dtype in ("float16", "float32")
    )
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, wide, rtol=2e-3)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
@pytest.mark.parametrize("points", ["interpolated_points", "dragan_points"])
def test_points_are_of_the_examples_type_whatever_the_random_numbers_are(points, dtype):
    images = np.arange(30).reshape(5, 2, 3)
    alpha = np.random.RandomState(0).uniform(size=5)  # float64, as NumPy draws
    of_points = getattr(adversarial, points)
    expected = to_numpy(of_points(images.astype("float32"), alpha=alpha, **second(points, images)))
    found = of_points(images.astype(dtype), alpha=alpha, **second(points, images))
    assert keras.backend.standardize_dtype(found.dtype) == dtype.replace("uint8", "float32")
    np.testing.assert_allclose(to_numpy(found), expected, rtol=3e-3)
    assert np.abs(expected).max() > 1.0


def test_reconstructions_of_another_shape_are_refused_instead_of_broadcast():
    images = np.zeros((16, 8, 1), "float32")
    energies = (adversarial.euclidean_energy, adversarial.mean_squared_energy)
    for error in (*energies, adversarial.began_reconstruction_error):
        for other in (images[:, :1], images[..., 0], images[:1]):
            with pytest.raises(
                ValueError, match=r"the shape of `examples`\. Received: .*\(16, 8, 1"
            ):
                error(images, other)


def test_reconstruction_errors_of_bytes_do_not_wrap_around():
    a, b = np.full((1, 2), 3, "uint8"), np.full((1, 2), 250, "uint8")
    assert to_numpy(adversarial.mean_squared_energy(a, b)) == [247.0**2]
    assert value(adversarial.began_reconstruction_error(a, b)) == 247.0
    assert to_numpy(adversarial.euclidean_energy(a, b)) == pytest.approx([247.0 * 2**0.5])


def test_one_alpha_moves_all_pixels_of_its_example():
    real, generated = np.ones((2, 2, 3), "float32"), np.zeros((2, 2, 3), "float32")
    alpha = np.array([0.25, 1.0], "float32")
    points = to_numpy(adversarial.interpolated_points(real, generated, alpha))
    np.testing.assert_allclose(points[0], 0.25)
    np.testing.assert_allclose(points[1], 1.0)


def test_a_critic_without_a_slope_has_the_penalty_one_and_no_gradient_of_it():
    flat = np.zeros((4, 2, 3), "float32")
    assert value(adversarial.gradient_penalty(flat)) == 1.0
    np.testing.assert_array_equal(gradients(adversarial.gradient_penalty, flat)[0], 0.0)


def test_the_one_sided_penalty_leaves_small_slopes_alone():
    slopes = np.array([[0.6, 0.0], [0.0, 3.0]], "float32")
    assert value(adversarial.gradient_penalty(slopes)) == pytest.approx((0.16 + 4.0) / 2)
    assert value(adversarial.gradient_penalty(slopes, one_sided=True)) == pytest.approx(2.0)


def test_a_slope_that_is_too_large_is_paid_for():
    """Added to a value that is *maximised*, as tables have it, the penalty would be a reward."""
    x = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")

    def loss(slope):
        critic = lambda v: slope * v[:, 0]  # noqa: E731
        penalty = adversarial.gradient_penalty(adversarial.input_gradients(critic, x))
        return adversarial.wasserstein_discriminator_loss(critic(x), critic(x)) + 10.0 * penalty

    values = [value(loss(slope)) for slope in (1.0, 2.0, 3.0)]
    assert values == pytest.approx([0.0, 10.0, 40.0], abs=1e-5)


def test_r1_is_the_mean_squared_norm_of_whole_images():
    gradients_of_images = np.full((2, 2, 3), 2.0, "float32")
    assert value(adversarial.r1_penalty(gradients_of_images)) == pytest.approx(24.0)


def test_input_gradients_are_each_examples_own():
    x = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")
    result = adversarial.input_gradients(lambda v: ops.sum(v**3, axis=1, keepdims=True), x)
    np.testing.assert_allclose(to_numpy(result), 3.0 * x**2, rtol=1e-6)


def test_a_critic_that_ignores_its_input_has_no_slope():
    result = adversarial.input_gradients(lambda v: ops.ones((2,)), np.ones((2, 3), "float32"))
    np.testing.assert_array_equal(to_numpy(result), np.zeros((2, 3)))


def test_input_gradients_of_a_keras_model_train_it():
    """The slope of a linear critic is its kernel: the penalty's minimum is a kernel of length 1."""
    critic = keras.layers.Dense(1, use_bias=False)
    critic.build((None, 3))
    points = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")

    def penalty(kernel):
        return adversarial.gradient_penalty(
            adversarial.input_gradients(lambda x: critic.stateless_call([kernel], [], x)[0], points)
        )

    kernel = np.array([[3.0], [0.0], [4.0]], "float32")
    assert value(penalty(ops.convert_to_tensor(kernel))) == pytest.approx(16.0)
    np.testing.assert_allclose(gradients(penalty, kernel)[0], 8.0 * kernel / 5.0, rtol=1e-5)


# --- ordered pairs -------------------------------------------------------------------------


def test_a_preference_is_undone_by_exchanging_the_labels():
    first, second_ = logits(5), logits(6)
    exchanged = adversarial.preference_discriminator_loss(second_, first)
    generator = adversarial.preference_generator_loss(first, second_)
    assert value(generator) == pytest.approx(value(exchanged), rel=1e-6)


def test_the_gradient_at_images_of_bytes_is_that_at_their_values():
    x = np.arange(12, dtype="uint8").reshape(3, 4)
    found = adversarial.input_gradients(lambda x: ops.sum(ops.square(x), axis=1), x)
    np.testing.assert_array_equal(to_numpy(found), 2.0 * x)
