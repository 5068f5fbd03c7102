"""Scores a generator, a folder of pictures or real images with a classifier.

    python -m improved_gan_tf.score RUN_DIR --classifier=classify_image_graph_def.pb
    python -m improved_gan_tf.score RUN_DIR --classifier=classifiers/mnist.keras
    python -m improved_gan_tf.score --real=cifar10 --classifier=classify_image_graph_def.pb

Prints the (Inception) score, the Frechet distance to the real images on the same features, and how
diverse the images are beside real ones, each under the name of the classifier's weights. The last
command is the check that a frozen graph is the authors': it has to give 11.24.

Writes RUN_DIR/score.json, or --output:

{"kind": "inception_score", "classifier": label, "mean": ..., "std": ..., "num_samples": ...,
 "num_splits": ..., "comparable_with_paper": ..., "why_not": [...], "frechet": {...} or null,
 "real": {...} or null, ...}
"""

import sys

from improved_gan_tf.machine import exits
from improved_gan_tf.scoring import arguments as score_arguments
from improved_gan_tf.scoring.score import run


def main(argv=None, prog="python -m improved_gan_tf.score"):
    """Runs the command; exits with one of `exits.EXIT_CODES` where something is wrong.

    Args:
        argv: list of str, the arguments; those of the command line if None.
        prog: str, what its help calls it.
    """
    with exits.exit_codes():
        sys.exit(run(score_arguments.parse(argv, prog, __doc__.split("\n\n{")[0])))


if __name__ == "__main__":
    main()
