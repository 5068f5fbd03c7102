"""The toy games: closed forms, who converges and who orbits, the command's table and picture."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from improved_gan_tf import toy_game
from improved_gan_tf.pages import toy_games as pages
from improved_gan_tf.training import toy_games
from tests.support.places import ROOT

PAPER, BILINEAR = toy_games.GAMES["paper"], toy_games.GAMES["bilinear"]


def value_and_gradient(game, x, y):
    x, y = tf.constant(x, tf.float64), tf.constant(y, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        value = game.value(x, y)
    return [float(v) for v in (value, *tape.gradient(value, [x, y]))]


# --- the games -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "value", "dx", "dy"),
    [
        (3.0, 2.0, 8.0, 6.0, 8.0),  # x^2: (9 - 1)(2 - 1), 2 * 3 * (2 - 1), 9 - 1
        (0.5, -1.0, 1.5, -2.0, -0.75),
        (-2.0, 3.0, -6.0, 2.0, -3.0),  # x: (-2 - 1)(3 - 1), 3 - 1, -2 - 1
        (0.0, 5.0, -4.0, 0.0, -1.0),  # the kink belongs to x^2
        (1.0, 1.0, 0.0, 0.0, 0.0),  # the equilibrium
    ],
)
def test_value_and_gradients_of_the_papers_game_are_those_by_hand(x, y, value, dx, dy):
    assert value_and_gradient(PAPER, x, y) == [value, dx, dy]


def test_the_gradient_of_x_y_is_y_and_x():
    assert value_and_gradient(BILINEAR, 3.0, -4.0) == [-12.0, -4.0, 3.0]


def test_the_equilibrium_is_the_only_point_where_both_gradients_vanish():
    x, y = tf.meshgrid(*2 * [tf.linspace(tf.constant(-3.0, tf.float64), 3.0, 61)])
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        value = PAPER.value(x, y)
    size = tf.add_n([tf.abs(g) for g in tape.gradient(value, [x, y])])
    vanishing = np.argwhere(size.numpy() < 1e-9)
    points = [(x.numpy()[tuple(i)], y.numpy()[tuple(i)]) for i in vanishing]
    np.testing.assert_allclose(points, [PAPER.equilibrium], atol=1e-9)


@pytest.mark.parametrize("game", toy_games.GAMES.values(), ids=toy_games.GAMES)
def test_at_the_equilibrium_no_player_gains_by_leaving_it(game):
    x, y = game.equilibrium
    for other in np.linspace(-5.0, 5.0, 21):
        assert float(game.value(tf.constant(other, tf.float64), y)) == 0.0
        assert float(game.value(tf.constant(x, tf.float64), other)) == 0.0


# --- descent -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("simultaneous", "expected"),
    [
        # x <- x - 0.1 * 2 x (y - 1) = 2 - 0.8; y <- y + 0.1 (x^2 - 1) with x = 1.2, or x = 2
        (False, [1.2, 3.044]),
        (True, [1.2, 3.3]),
    ],
)
def test_one_step_alternates_or_is_simultaneous(simultaneous, expected):
    trajectory = toy_games.play(PAPER, [[2.0, 3.0]], 0.0, 0.1, 1, simultaneous)
    np.testing.assert_allclose(trajectory, [[[2.0, 3.0]], [expected]], rtol=1e-12)


def descent_in_numpy(start, weight, learning_rate, steps):
    """Alternating descent on the paper's game with the mean of an explicit list of the past."""
    (x, y), past = start, []
    trajectory = [start]
    for _ in range(steps):
        past.append((x, y))
        mean_x, mean_y = np.mean(past, axis=0)
        slope = 1.0 if x < 0 else 2.0 * x
        x = x - learning_rate * (slope * (y - 1.0) + 2.0 * weight * (x - mean_x))
        f = x if x < 0 else x * x
        y = y - learning_rate * (-(f - 1.0) + 2.0 * weight * (y - mean_y))
        trajectory.append((x, y))
    return trajectory


def test_a_trajectory_is_that_of_a_loop_with_the_explicit_mean():
    starts = [(-1.0, 2.5), (1.5, 0.0)]
    trajectory = toy_games.play(PAPER, starts, 0.3, 0.05, 200)
    for i, start in enumerate(starts):
        np.testing.assert_allclose(
            trajectory[:, i], descent_in_numpy(start, 0.3, 0.05, 200), rtol=0, atol=1e-10
        )


def test_small_alternating_steps_keep_the_constant_of_the_orbit():
    trajectory = toy_games.play(PAPER, [[2.0, 1.0], [0.5, 2.0]], 0.0, 0.002, 5000)
    x, y = np.moveaxis(trajectory, -1, 0)
    constant = x**2 / 4 - np.log(x) / 2 + (y - 1) ** 2 / 2
    np.testing.assert_allclose(constant, np.broadcast_to(constant[0], x.shape), rtol=0.01)
    assert np.ptp(x, axis=0).min() > 1.0  # they do go round


@pytest.mark.parametrize("game", toy_games.GAMES.values(), ids=toy_games.GAMES)
@pytest.mark.parametrize("simultaneous", [False, True], ids=["alternating", "simultaneous"])
def test_averaging_converges_within_2000_steps_and_plain_descent_never(game, simultaneous):
    starts = toy_games.random_starts(game, 10, seed=1)
    plain, averaged = (
        pages.distances(game, toy_games.play(game, starts, weight, 0.03, 2000, simultaneous))
        for weight in (0.0, 0.1)
    )
    assert sum(pages.converged_at(d) is not None for d in averaged.T) >= 8
    assert [pages.converged_at(d) for d in plain.T] == 10 * [None]
    assert plain.min() > 10 * pages.CONVERGED  # not even in passing


@pytest.mark.parametrize(
    ("game", "weight", "k"), [(PAPER, 0.5, 0.5), (PAPER, 1.0, 1.0), (BILINEAR, 0.5, 1.0)]
)
def test_close_to_the_equilibrium_the_distance_falls_by_the_stated_power_of_time(game, weight, k):
    start = np.add([game.equilibrium], [0.4, 0.3])
    distance = pages.distances(game, toy_games.play(game, start, weight, 0.1, 8000))[:, 0]
    exponent = np.log(distance[8000] / distance[2000]) / np.log(8000 / 2000)
    assert exponent == pytest.approx(-1.0 / (1.0 + k**2), abs=0.01)


# --- measures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "step"),
    [
        ([1.0, 0.04, 0.03], 1),
        ([1.0, 0.04, 0.06, 0.04], 3),  # it has to stay
        ([1.0, 0.04, 0.05], None),
        ([0.01, 0.01], 0),
        ([1.0, np.inf], None),
    ],
)
def test_converged_is_below_a_twentieth_to_the_end(distance, step):
    assert pages.converged_at(np.array(distance)) == step


def test_a_trajectory_that_is_no_number_is_infinitely_far():
    trajectory = np.array([[[4.0, 5.0], [np.nan, 0.0], [0.0, -np.inf]]])
    np.testing.assert_array_equal(pages.distances(PAPER, trajectory), [[5.0, np.inf, np.inf]])


def test_starts_are_within_two_of_the_equilibrium_and_follow_the_seed():
    starts = toy_games.random_starts(PAPER, 1000, seed=7)
    assert np.abs(starts - 1.0).max() <= 2.0
    assert np.ptp(starts, axis=0).min() > 3.9
    np.testing.assert_array_equal(starts, toy_games.random_starts(PAPER, 1000, seed=7))
    assert (starts != toy_games.random_starts(PAPER, 1000, seed=8)).all()


# --- the command ---------------------------------------------------------------------------


def test_the_command_prints_a_row_for_each_start_and_the_counts_and_writes_the_picture(
    tmp_path, capsys
):
    picture = tmp_path / "game.png"
    toy_game.main(["--steps=700", "--num_starts=4", f"--output={picture}"])
    lines = capsys.readouterr().out.splitlines()
    table = [[c.strip() for c in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]
    assert [len(row) for row in table] == 6 * [6]
    never, at_step = [row[3] for row in table[2:]], [row[5] for row in table[2:]]
    assert never == 4 * ["never"]
    converged = sum(cell != "never" for cell in at_step)
    assert "plain gradient descent: 0 of 4 starts converged" in lines
    assert f"historical averaging: {converged} of 4 starts converged" in lines
    assert 0 < converged < 4  # so the failures are in the table too
    with Image.open(picture) as image:
        assert image.size == (1200, 420)
        assert np.asarray(image.convert("L")).std() > 10.0  # something is drawn


def test_a_start_that_diverges_is_said_to_and_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    output = "--output=~/game.png"  # where a shell leaves the ~
    toy_game.main(["--learning_rate=3", "--steps=200", "--num_starts=2", output])
    assert "diverged" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["game.png"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--weight=-1", "--weight must be a finite number above 0. Received: -1.0"),
        ("--weight=nan", "--weight must be a finite number above 0. Received: nan"),
        ("--learning_rate=0", "--learning_rate must be a finite number above 0. Received: 0.0"),
        ("--steps=0", "--steps must be from 1 to 1000000. Received: 0"),
        ("--num_starts=1001", "--num_starts must be from 1 to 1000. Received: 1001"),
        ("--seed=-1", "--seed must be from 0 to 4294967295. Received: -1"),
        ("--output=a.pdf", "the name of a .png file in a folder that exists. Received: a.pdf"),
        ("--output=absent/a.png", "that exists. Received: absent/a.png"),
    ],
)
def test_an_argument_out_of_range_is_refused_before_anything_is_played(
    argument, message, tmp_path, capsys
):
    with pytest.raises(SystemExit) as refused:
        toy_game.main([f"--output={tmp_path / 'game.png'}", argument])
    assert refused.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--output=toy_game.png"], []])
def test_a_picture_that_is_there_is_replaced_only_on_demand(
    arguments, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    picture = tmp_path / "toy_game.png"
    picture.write_bytes(b"a photo")
    short = ["--steps=10", "--num_starts=1", *arguments]
    with pytest.raises(SystemExit) as refused:
        toy_game.main(short)
    assert refused.value.code == 2
    assert capsys.readouterr() == (
        "",
        "error: toy_game.png exists; give another --output, or --overwrite to replace it.\n",
    )
    assert picture.read_bytes() == b"a photo"
    toy_game.main([*short, "--overwrite"])
    with Image.open(picture) as image:
        assert image.size == (1200, 420)


@pytest.mark.parametrize("updates", ["alternating", "simultaneous"])
def test_both_games_have_the_updates_that_are_asked_for(updates, tmp_path, monkeypatch):
    seen, play = [], toy_games.play

    def playing(*args, simultaneous):
        seen.append(simultaneous)
        return play(*args, simultaneous=simultaneous)

    monkeypatch.setattr(toy_games, "play", playing)
    output = f"--output={tmp_path / 'game.png'}"
    toy_game.main([output, "--steps=10", "--num_starts=1", f"--updates={updates}"])
    assert seen == 2 * [updates == "simultaneous"]


def test_the_command_exits_with_2_and_one_paragraph(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "improved_gan_tf.toy_game", "--weight=-1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: --weight must be a finite number")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
