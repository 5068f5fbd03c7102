"""The paper's toy games: gradient descent circles the equilibrium, historical averaging finds it.

    python -m improved_gan_tf.toy_game
    python -m improved_gan_tf.toy_game --game=bilinear --weight=0.2 --steps=5000

plays a game from random starts, without and with historical averaging, prints each start's
distance to the equilibrium and draws the trajectories and the distances.

`training.toy_games` has the games and their source in the paper.
"""

import argparse
import math
import pathlib

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits, files
from improved_gan_tf.training import toy_games
from improved_gan_tf.training.toy_games import GAMES

MAX_STEPS = 1_000_000  # a trajectory is in memory, with 16 bytes for each step and start
MAX_STARTS = 1000


def main(argv=None, prog="python -m improved_gan_tf.toy_game"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        arguments = _parse(argv, prog)
        _check(arguments)
        _run(arguments)


def _parse(argv, prog):
    parser = argparse.ArgumentParser(
        prog=prog,
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
    parser.add_argument("--overwrite", action="store_true", help="replace an existing --output")
    return parser.parse_args(argv)


def _check(arguments):
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
    output = pathlib.Path(arguments.output).expanduser()
    if output.suffix.lower() != ".png" or output.is_dir() or not output.parent.is_dir():
        raise UserError(
            "--output must be the name of a .png file in a folder that exists. "
            f"Received: {arguments.output}"
        )
    files.require_replaceable(output, arguments.overwrite)


def _run(arguments):
    """Plays without and with historical averaging; prints the table, writes the picture."""
    from improved_gan_tf.pages import toy_games as pages

    environment.start_tensorflow()
    game = GAMES[arguments.game]
    starts = toy_games.random_starts(game, arguments.num_starts, arguments.seed)
    plain, averaged = (
        toy_games.play(
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
        f"below {pages.CONVERGED}.\n"
    )
    plain_distances, averaged_distances = (
        pages.distances(game, trajectory) for trajectory in (plain, averaged)
    )
    print(pages.table(starts, plain_distances, averaged_distances))
    for name, distance in (
        ("plain gradient descent", plain_distances),
        ("historical averaging", averaged_distances),
    ):
        count = sum(pages.converged_at(d) is not None for d in distance.T)
        print(f"\n{name}: {count} of {len(starts)} starts converged", end="")
    try:
        picture = pages.figure(game, plain, averaged, toy_games.START_RADIUS)
        output = pathlib.Path(arguments.output).expanduser()
        files.write_whole(output, lambda p: picture.savefig(p, format="png", dpi=100))
    except OSError as error:
        raise UserError(f"--output={arguments.output} cannot be written: {error}.") from error
    print(f"\n\nPicture: {arguments.output}")


if __name__ == "__main__":
    main()
