"""Scores the saved networks of a run again and compares with what the run recorded.

    python -m improved_gan_tf.rescore RUN_DIR [--data_dir=...]

Loads `discriminator.keras` and `discriminator_raw.keras` in Keras' safe mode, scores every test
image and prints recorded and new counts side by side; exits with 1 if they differ. For a run with
minibatch discrimination it also prints how close the layer finds images to each other.
"""

import argparse
import sys

from improved_gan_tf.machine import exits

DIFFERENT = 1


def main(argv=None, prog="python -m improved_gan_tf.rescore"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        _run(_parse(argv, prog))


def _parse(argv, prog):
    parser = argparse.ArgumentParser(prog=prog, description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", help="folder that a run script wrote")
    parser.add_argument(
        "--data_dir", help="folder with prepared TFDS data; the run's own if not given"
    )
    return parser.parse_args(argv)


def _run(arguments):
    from improved_gan_tf.runs.rescoring import closeness, rescore

    scores = rescore(arguments.run_dir, arguments.data_dir)
    close = closeness(arguments.run_dir, arguments.data_dir)
    for kind, (recorded, now) in scores.items():
        print(f"{kind} parameters: recorded {recorded} wrong, now {now} wrong")
    if close is not None:
        print(
            f"closeness in minibatch discrimination: real {close.real:.2g}, generated "
            f"{close.generated:.2g}{' (silent)' if close.silent else ''}"
        )
    if any(recorded != now for recorded, now in scores.values()):
        sys.exit(DIFFERENT)


if __name__ == "__main__":
    main()
