"""Trains an experiment of the paper, your own images, a DCGAN or BigGAN, without a clone.

    improved-gan run EXPERIMENT ...

is `python run_EXPERIMENT.py ...`, with the same flags.
"""

import runpy
import sys

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import exits

# Each is a module run_* of its own.
EXPERIMENTS = ("mnist", "cifar10", "svhn", "imagenet", "images", "dcgan", "biggan")


def main(argv=None, prog="python -m improved_gan_tf.run"):
    """Runs the script of the experiment named by the first of `argv`, the command line if None.

    `prog` is the program's name in the help.
    """
    argv = sys.argv[1:] if argv is None else argv
    with exits.exit_codes():
        if not argv or argv[0] in ("-h", "--help"):
            print(f"usage: {prog} {{{','.join(EXPERIMENTS)}}} ...\n\n{__doc__}")
            print(f"{prog} EXPERIMENT --help lists the flags of one.")
            return
        if argv[0] not in EXPERIMENTS:
            raise UserError(f"{prog} trains one of {', '.join(EXPERIMENTS)}. Received: {argv[0]}.")
    module = f"run_{argv[0]}"
    sys.argv = [module, *argv[1:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
