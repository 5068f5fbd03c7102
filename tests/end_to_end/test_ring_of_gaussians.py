"""The example of the techniques one by one: GANs side by side, the table, the picture, refusals."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from examples import mode_coverage
from examples import ring_of_gaussians as example
from improved_gan_tf.layers import MinibatchDiscrimination

STEPS, GANS = 3, 2


@pytest.fixture(scope="module")
def samples():
    """Samples of every row after a few steps."""
    ring = mode_coverage.Ring()
    return {
        title: example.train(ring, technique, GANS, STEPS, seed=1)
        for title, technique in example.TECHNIQUES.items()
    }


# --- networks side by side -----------------------------------------------------------------


def test_dense_layers_side_by_side_are_glorot_uniform_and_separate():
    layer = example.dense(3, 10, 50)
    x = np.random.default_rng(1).normal(size=(7, 3, 10)).astype("float32")
    outputs = layer(x).numpy()
    kernel, bias = (w.numpy() for w in layer.weights)
    limit = np.sqrt(6.0 / (10 + 50))
    assert 0.98 * limit < np.abs(kernel).max() <= limit
    assert kernel.shape == (3, 10, 50)
    for s in range(3):
        np.testing.assert_allclose(outputs[:, s], x[:, s] @ kernel[s] + bias[s], atol=1e-5)


def test_minibatch_discrimination_side_by_side_is_the_layer_of_the_package_for_each():
    together = example.MinibatchDiscriminationSideBySide()
    x = np.random.default_rng(1).normal(size=(example.BATCH_SIZE, 3, 6)).astype("float32")
    outputs = together(x).numpy()
    for s in range(3):
        alone = MinibatchDiscrimination(
            example.NUM_KERNELS,
            example.KERNEL_DIM,
            weight_normalization=False,
            reduction="mean",
            use_bias=False,
        )
        alone.build((None, 6))
        alone.theta.assign(
            tf.reshape(together.theta[s], (6, example.NUM_KERNELS, example.KERNEL_DIM))
        )
        np.testing.assert_allclose(outputs[:, s], alone(x[:, s]).numpy(), atol=1e-6)


def test_a_discriminators_logits_move_its_own_weights_only():
    discriminators = example.build_discriminators(3, minibatch_discrimination=True)
    x = np.random.default_rng(1).normal(size=(example.BATCH_SIZE, 3, 2)).astype("float32")
    with tf.GradientTape() as tape:
        logits, features = discriminators(x)
        total = tf.reduce_sum(logits[:, 1]) + tf.reduce_sum(features[:, 1])
    for variable, gradient in zip(
        discriminators.trainable_variables,
        tape.gradient(total, discriminators.trainable_variables),
        strict=True,
    ):
        moved = [bool(np.any(g)) for g in gradient.numpy()]
        assert moved == [False, True, False], variable.path


# --- rows ----------------------------------------------------------------------------------


def test_every_technique_changes_the_training(samples):
    rows = [np.array(by_gan) for by_gan in samples.values()]
    for i, row in enumerate(rows):
        assert row.shape == (GANS, mode_coverage.NUM_SAMPLES, 2)
        assert np.isfinite(row).all()
        for other in rows[:i]:
            assert np.abs(row - other).max() > 0.0


def test_a_row_is_the_same_whatever_was_trained_before_it(samples):
    again = example.train(mode_coverage.Ring(), example.TECHNIQUES["plain"], GANS, STEPS, seed=1)
    np.testing.assert_allclose(again, samples["plain"], atol=1e-6)


def test_the_gans_of_a_row_differ(samples):
    first, second = samples["plain"]
    assert np.abs(first.mean(axis=0) - second.mean(axis=0)).max() > 1e-3


def test_historical_averaging_pulls_towards_the_past():
    keras.utils.set_random_seed(1)
    player = example.Player(example.build_generators(1), historical_averaging=5.0)
    assert len(player.history.variables) == len(player.variables)
    weight = player.variables[0]
    before = weight.numpy()
    player.minimise(lambda: 0.0 * tf.reduce_sum(weight))  # takes the first value into the mean
    weight.assign(before + 1.0)
    player.minimise(lambda: 0.0 * tf.reduce_sum(weight))
    np.testing.assert_allclose(player.history.means[0].numpy(), before + 0.5, atol=1e-6)
    assert (weight.numpy() < before + 1.0).all()


# --- the grid ------------------------------------------------------------------------------


def test_the_grid_has_twenty_five_modes_two_apart():
    grid = example.Grid()
    assert sorted(map(tuple, grid.centres.tolist())) == [
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    ]
    covered, good = grid.measure(grid.real(mode_coverage.NUM_SAMPLES).numpy())
    assert covered == 25
    assert good == pytest.approx(100.0 * (1.0 - np.exp(-4.5)), abs=1.0)  # three deviations


def test_a_sample_between_the_modes_of_the_grid_is_in_none():
    grid = example.Grid()
    at = np.array([[0.0, 0.29], [0.0, 0.31], [1.0, 1.0], [4.0, -4.2]], "float32")
    covered, good = grid.measure(at)
    assert covered == 2
    assert good == 50.0


# --- the command ---------------------------------------------------------------------------


def cells(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_report_has_a_row_for_each_technique_and_one_of_real_data(samples, tmp_path, capsys):
    ring = mode_coverage.Ring()
    example.report(ring, samples, tmp_path / "ring.png")
    head, _, *rows = cells(capsys.readouterr().out)
    assert head == ["technique", *ring.measures]
    assert [row[0] for row in rows] == [*example.TECHNIQUES, "real data"]
    measured = [ring.measure(s) for s in samples["plain"]]
    for cell, values in zip(rows[0][1:], zip(*measured, strict=True), strict=True):
        assert cell == f"{np.mean(values):.2f} +- {np.std(values):.2f}"
    with Image.open(tmp_path / "ring.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 10.0  # something is drawn


def test_the_command_trains_prints_and_draws(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(example, "TECHNIQUES", {"plain": example.Technique()})
    picture = tmp_path / "grid.png"
    example.main(["--problem=grid", "--steps=1", "--num_gans=1", f"--output={picture}"])
    printed = capsys.readouterr().out
    assert printed.startswith("grid: 1 GANs a row, 1 steps each\n")
    assert [row[0] for row in cells(printed)[2:]] == ["plain", "real data"]
    assert list(tmp_path.iterdir()) == [picture]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--num_gans=0", "--num_gans must be from 1 to 100. Received: 0"),
        ("--steps=0", "--steps must be from 1 to 10000000. Received: 0"),
        ("--seed=-1", "--seed must be from 0 to 4294967295. Received: -1"),
        ("--output=absent/a.png", "that exists. Received: absent/a.png"),
        ("--output=a.pdf", "the name of a .png file"),
        ("--problem=circle", "invalid choice: 'circle'"),
    ],
)
def test_an_argument_out_of_range_is_refused_before_training(argument, message, capsys):
    with pytest.raises(SystemExit) as refused:
        example.main([argument])
    assert refused.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "\n\n" not in error  # one paragraph
