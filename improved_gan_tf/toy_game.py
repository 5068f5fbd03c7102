"""The paper's toy games: gradient descent circles the equilibrium, historical averaging finds it.

    python -m improved_gan_tf.toy_game
    python -m improved_gan_tf.toy_game --game=bilinear --weight=0.2 --steps=5000

plays a game from random starts, without and with historical averaging, prints each start's
distance to the equilibrium and draws the trajectories and the distances.

One player chooses x to lower the value V(x, y), the other chooses y to raise it:

    paper       V = (f(x) - 1) (y - 1)    f(x) = x for x < 0, x^2 otherwise
    bilinear    V = x y

Equilibrium: dV/dy = f(x) - 1 is 0 at x = 1 alone (f is negative below 0), and there
dV/dx = 2 (y - 1) is 0 at y = 1 alone. V is 0 along x = 1 and along y = 1, so neither player gains
by leaving (1, 1). The equilibrium of x y is (0, 0).

Descent circles it. With infinitely small steps an orbit is closed: where x > 0 the paper's game
keeps x^2 / 4 - log(x) / 2 + (y - 1)^2 / 2, and x y keeps x^2 + y^2. Alternating steps (x moves,
y answers the new x, as the networks of a GAN do) stay near such an orbit; simultaneous ones leave
it outwards.

With historical averaging each player's cost gains weight * (theta - mean of its past)^2. That
damps the circling; what remains follows the mean, and close to the equilibrium the distance
falls like

    t^(-1 / (1 + k^2))    k = weight in the paper's game, 2 * weight in x y

so a large weight stops the circling early and then ties the players to their past.

Paper: Salimans et al. (2016), Sec. 3 (x y) and Sec. 3.3. The authors' code has neither.
"""

import argparse
import math
import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

import matplotlib.figure
import numpy as np
import tabulate

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits

# TensorFlow is imported in the functions: `--help` and a mistake answer without it.

USER_ERROR = 2
START_RADIUS = 2.0  # starts are uniform in the square of twice this side round the equilibrium
CONVERGED = 0.05  # a start has converged when its distance goes below and stays below this
MAX_STEPS = 1_000_000  # a trajectory is held in memory: 16 bytes a step and start
MAX_STARTS = 1000


class Game(NamedTuple):
    """A game of two numbers: the value that x lowers and y raises, and its equilibrium."""

    formula: str
    value: Callable
    equilibrium: tuple[float, float]


def paper_value(x, y):
    """`(f(x) - 1) (y - 1)` with f(x) = x for x < 0, x^2 otherwise (f'(0) is taken as 0)."""
    import tensorflow as tf

    f = tf.where(x < 0, x, tf.square(x))
    return (f - 1.0) * (y - 1.0)


def bilinear_value(x, y):
    """`x y`."""
    return x * y


GAMES = {
    "paper": Game("(f(x) - 1) (y - 1)", paper_value, (1.0, 1.0)),
    "bilinear": Game("x y", bilinear_value, (0.0, 0.0)),
}


def play(game, starts, weight, learning_rate, steps, simultaneous=False):
    """Plays a game by gradient descent, from every start at once.

    Args:
        game: `Game`.
        starts: (n, 2), the first x and y of n independent games.
        weight: float >= 0, of historical averaging; 0 is plain gradient descent.
        learning_rate: float > 0, of both players.
        steps: int >= 1; one step moves x once and y once.
        simultaneous: bool, whether y answers the x of before this step's move instead of the new x.

    Returns:
        float64 array (steps + 1, n, 2), starts first; infinite or NaN where a game diverged.
    """
    import tensorflow as tf

    starts = tf.constant(starts, tf.float64)
    x, y = tf.Variable(starts[:, 0]), tf.Variable(starts[:, 1])
    # Sums over the starts: no start's gradient depends on another's coordinates.
    x_player = _Player(x, lambda: tf.reduce_sum(game.value(x, y)), weight)
    y_player = _Player(y, lambda: -tf.reduce_sum(game.value(x, y)), weight)

    @tf.function
    def all_steps():
        trajectory = tf.TensorArray(tf.float64, steps + 1).write(0, starts)
        for step in tf.range(1, steps + 1):
            x_gradient = x_player.gradient()
            if simultaneous:
                y_gradient = y_player.gradient()
                x.assign_sub(learning_rate * x_gradient)
            else:
                x.assign_sub(learning_rate * x_gradient)
                y_gradient = y_player.gradient()
            y.assign_sub(learning_rate * y_gradient)
            trajectory = trajectory.write(step, tf.stack([x, y], axis=1))
        return trajectory.stack()

    return all_steps().numpy()


class _Player:
    """One coordinate, the cost its owner pays, and the memory of where it has been."""

    def __init__(self, coordinate, cost, weight):
        from improved_gan_tf.training.historical_averaging import HistoricalAverage

        self.coordinate = coordinate
        self.cost = cost
        self.weight = weight
        self.history = HistoricalAverage([coordinate])

    def gradient(self):
        """Returns the gradient of the cost with historical averaging; call once in a step."""
        import tensorflow as tf

        self.history.update()
        with tf.GradientTape() as tape:
            cost = self.cost() + self.weight * self.history.penalty()
        return tape.gradient(cost, self.coordinate)


def random_starts(game, count, seed):
    """Returns starts (count, 2), uniform within `START_RADIUS` of each equilibrium coordinate."""
    offsets = np.random.default_rng(seed).uniform(-START_RADIUS, START_RADIUS, (count, 2))
    return game.equilibrium + offsets


def distances(game, trajectory):
    """Euclidean distances to the equilibrium, (steps + 1, n); infinite from where one diverged."""
    distance = np.hypot(*np.moveaxis(trajectory - np.array(game.equilibrium), -1, 0))
    return np.where(np.isfinite(distance), distance, np.inf)


def converged_at(distance):
    """The first step from which a distance stays below `CONVERGED`, or None.

    Args:
        distance: (steps + 1,), of one start.

    Returns:
        int in [0, steps], or None if the last distance is not below.
    """
    outside = np.flatnonzero(distance >= CONVERGED)
    first_inside = 0 if len(outside) == 0 else int(outside[-1]) + 1
    return first_inside if first_inside < len(distance) else None


def table(starts, plain, averaged):
    """Returns the table, a row for each start.

    Args:
        starts: (n, 2).
        plain: distances (steps + 1, n) of plain gradient descent.
        averaged: the same with historical averaging.
    """
    rows = []
    for start, *both in zip(starts, plain.T, averaged.T, strict=True):
        row = [f"({start[0]:+.2f}, {start[1]:+.2f})", f"{both[0][0]:.2f}"]
        for distance in both:
            step = converged_at(distance)
            row += [
                f"{distance[-1]:.2g}" if np.isfinite(distance[-1]) else "diverged",
                "never" if step is None else str(step),
            ]
        rows.append(row)
    headers = ["start (x, y)", "distance", "plain: at the end", "converged at step"]
    headers += ["averaging: at the end", "converged at step"]
    return tabulate.tabulate(
        rows, headers, tablefmt="github", disable_numparse=True, colalign=("left",) + 5 * ("right",)
    )


def figure(game, plain, averaged):
    """Draws two trajectories (steps + 1, n, 2) and their distances to the equilibrium."""
    # Built without pyplot: no global state, no window system.
    drawing = matplotlib.figure.Figure(figsize=(12, 4.2), layout="constrained")
    panels = drawing.subplots(1, 3)
    titles = ("plain gradient descent", "historical averaging")
    colors = ("tab:orange", "tab:blue")
    for axes, title, trajectory in zip(panels[:2], titles, (plain, averaged), strict=True):
        in_sight = distances(game, trajectory)[..., None] <= 10 * START_RADIUS
        for x, y in np.where(in_sight, trajectory, np.nan).transpose(1, 2, 0):
            (line,) = axes.plot(x, y, linewidth=0.7, alpha=0.8)
            axes.plot(x[0], y[0], "o", color=line.get_color(), markersize=4)
        axes.plot(*game.equilibrium, "k+", markersize=12, markeredgewidth=2)
        axes.set(title=title, xlabel="x", ylabel="y", aspect="equal")
        limits = [(c - 2.2 * START_RADIUS, c + 2.2 * START_RADIUS) for c in game.equilibrium]
        axes.set(xlim=limits[0], ylim=limits[1])
    axes = panels[2]
    for title, color, trajectory in zip(titles, colors, (plain, averaged), strict=True):
        lines = axes.plot(distances(game, trajectory), color=color, linewidth=0.7, alpha=0.8)
        lines[0].set_label(title)
    axes.axhline(CONVERGED, color="black", linestyle=":", linewidth=1)
    axes.set(yscale="log", ylim=(1e-4, 50), xlabel="step", ylabel="distance to the equilibrium")
    axes.set_title("dots: starts; +: equilibrium; dotted line: converged", fontsize=9)
    axes.legend()
    drawing.suptitle(f"V(x, y) = {game.formula}")
    return drawing


def _arguments(argv):
    parser = argparse.ArgumentParser(
        prog="python -m improved_gan_tf.toy_game",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--game",
        choices=GAMES,
        default="paper",
        help="; ".join(f"{name}: V = {game.formula}" for name, game in GAMES.items()),
    )
    parser.add_argument("--weight", type=float, default=0.1, help="of historical averaging, > 0")
    parser.add_argument("--learning_rate", type=float, default=0.03, help="of both players, > 0")
    parser.add_argument("--steps", type=int, default=2000, help="moves of each player")
    parser.add_argument("--num_starts", type=int, default=10, help="random starts")
    parser.add_argument("--seed", type=int, default=1, help="of the random starts")
    parser.add_argument(
        "--updates",
        choices=("alternating", "simultaneous"),
        default="alternating",
        help="whether y answers x's new value or the old one",
    )
    parser.add_argument("--output", default="toy_game.png", help="picture to write")
    arguments = parser.parse_args(argv)
    for name in ("weight", "learning_rate"):
        value = getattr(arguments, name)
        if not 0.0 < value < math.inf:
            raise UserError(f"--{name} must be a finite number above 0. Received: {value}")
    for name, low, high in (
        ("steps", 1, MAX_STEPS),
        ("num_starts", 1, MAX_STARTS),
        ("seed", 0, 2**32 - 1),
    ):
        value = getattr(arguments, name)
        if not low <= value <= high:
            raise UserError(f"--{name} must be from {low} to {high}. Received: {value}")
    output = pathlib.Path(arguments.output)
    if output.suffix.lower() != ".png" or output.is_dir() or not output.parent.is_dir():
        raise UserError(
            "--output must be the name of a .png file in a folder that exists. "
            f"Received: {arguments.output}"
        )
    return arguments


def main(argv=None):
    """Plays without and with historical averaging; prints the table, writes the picture.

    Args:
        argv: list of str, the command line without the program; `sys.argv` if None.

    Raises:
        UserError: an argument is out of its range, or the picture cannot be written.
    """
    arguments = _arguments(argv)
    environment.set_defaults()
    game = GAMES[arguments.game]
    starts = random_starts(game, arguments.num_starts, arguments.seed)
    plain, averaged = (
        play(
            game,
            starts,
            weight,
            arguments.learning_rate,
            arguments.steps,
            simultaneous=arguments.updates == "simultaneous",
        )
        for weight in (0.0, arguments.weight)
    )
    print(
        f"V(x, y) = {game.formula}; equilibrium {game.equilibrium}; {arguments.updates} updates, "
        f"{arguments.steps} steps, learning rate {arguments.learning_rate:g}, historical averaging "
        f"with weight {arguments.weight:g}.\nConverged: the distance to the equilibrium stays "
        f"below {CONVERGED}.\n"
    )
    plain_distances, averaged_distances = distances(game, plain), distances(game, averaged)
    print(table(starts, plain_distances, averaged_distances))
    for name, distance in (
        ("plain gradient descent", plain_distances),
        ("historical averaging", averaged_distances),
    ):
        count = sum(converged_at(d) is not None for d in distance.T)
        print(f"\n{name}: {count} of {len(starts)} starts converged", end="")
    try:
        figure(game, plain, averaged).savefig(arguments.output, format="png", dpi=100)
    except OSError as error:
        raise UserError(f"--output={arguments.output} cannot be written: {error}.") from error
    print(f"\n\nPicture: {arguments.output}")


if __name__ == "__main__":
    try:
        with exits.quiet_exit():
            main()
    except UserError as user_error:
        print(f"error: {user_error}", file=sys.stderr)
        sys.exit(USER_ERROR)
