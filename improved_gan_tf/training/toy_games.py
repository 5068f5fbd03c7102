"""The paper's toy games of two numbers, played by gradient descent with historical averaging.

One player chooses x to lower the value V(x, y), the other chooses y to raise it:

    paper       V = (f(x) - 1) (y - 1)    f(x) = x for x < 0, x^2 otherwise
    bilinear    V = x y

The equilibria are (1, 1) and (0, 0). Descent circles them. With historical averaging each player's
cost gains weight * (theta - mean of its past)^2. Close to the equilibrium the distance then falls
like

    t^(-1 / (1 + k^2))    k = weight in the paper's game, 2 * weight in x y

Paper: Salimans et al. (2016), Sec. 3 (x y) and Sec. 3.3. The authors' code has neither game.
"""

from collections.abc import Callable
from typing import NamedTuple

# NumPy and TensorFlow are imported in the functions: `--help` needs only the games' names.

START_RADIUS = 2.0  # half the side of the square of starts around the equilibrium


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
        simultaneous: bool, whether y answers the old x instead of the new one.

    Returns:
        float64 array (steps + 1, n, 2), starts first; infinite or NaN where a game diverged.
    """
    import tensorflow as tf

    starts = tf.constant(starts, tf.float64)
    x, y = tf.Variable(starts[:, 0]), tf.Variable(starts[:, 1])
    # Summed over the starts: no start's gradient depends on another's coordinates.
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
    """One coordinate, its owner's cost, and the memory of its past."""

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
    import numpy as np

    offsets = np.random.default_rng(seed).uniform(-START_RADIUS, START_RADIUS, (count, 2))
    return game.equilibrium + offsets
