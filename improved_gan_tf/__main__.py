"""The program `improved-gan`: a table of commands, their dispatcher and their help.

    improved-gan COMMAND ...              or python -m improved_gan_tf COMMAND ...

is `python -m improved_gan_tf.MODULE ...` under a shorter name. A command's module is imported when
it runs, and slow imports happen inside the command, so `--help` answers at once.
"""

import importlib
import sys
from typing import NamedTuple

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import exits

NAME = "improved-gan"


class Command(NamedTuple):
    """A command and its line in the help; `module` has `main(argv, prog)`."""

    name: str
    module: str
    line: str


COMMANDS = (
    Command("run", "run", "train: the paper's experiments, your own images, a DCGAN, BigGAN"),
    Command("compare", "compare", "print the paper's tables with what runs measured"),
    Command("report", "report", "write one HTML page about runs: tables, curves, samples"),
    Command("score", "score", "score a generator or a folder of images with a classifier"),
    Command("sample", "sample", "draw images from a run's generator"),
    Command("classify", "classify", "classify pictures with a run's discriminator"),
    Command("export", "export", "write a run's classifier as SavedModel and ONNX"),
    Command("rescore", "rescore", "test a run's saved networks again, compare with its record"),
    Command("truncation", "truncation", "draw score against spread of BigGAN's truncated samples"),
    Command("train-classifier", "train_classifier", "train a small classifier to score with"),
    Command("turing-test", "turing_test", "ask people which images are real, count their votes"),
    Command("devices", "devices", "show devices, what pays on them, and that they compute rightly"),
    Command("toy-game", "toy_game", "play the paper's game with and without historical averaging"),
)


def help_text():
    """The text of `improved-gan --help`."""
    width = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:{width}}  {command.line}" for command in COMMANDS]
    return "\n".join(
        [
            f"usage: {NAME} COMMAND ...",
            "",
            "Improved Techniques for Training GANs (Salimans et al., 2016).",
            "",
            *lines,
            "",
            f"{NAME} COMMAND --help says more about one.",
        ]
    )


def main(argv=None):
    """Runs the command named by the first argument of `argv`, the command line if None."""
    argv = sys.argv[1:] if argv is None else argv
    with exits.exit_codes():
        if not argv or argv[0] in ("-h", "--help"):
            print(help_text())
            return
        command = _command(argv[0])
    module = importlib.import_module(f"improved_gan_tf.{command.module}")
    module.main(argv[1:], prog=f"{NAME} {command.name}")


def _command(name):
    for command in COMMANDS:
        if command.name == name:
            return command
    names = ", ".join(command.name for command in COMMANDS)
    raise UserError(f"{NAME} has no such command. It has {names}. Received: {name}.")


if __name__ == "__main__":
    main()
