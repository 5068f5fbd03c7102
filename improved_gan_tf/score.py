"""Scores a generator, a folder of pictures or real images with a classifier.

    python -m improved_gan_tf.score RUN_DIR --classifier=classify_image_graph_def.pb
    python -m improved_gan_tf.score RUN_DIR --classifier=classifiers/mnist.keras
    python -m improved_gan_tf.score --real=cifar10 --classifier=classify_image_graph_def.pb

Prints the (Inception) score, the Frechet distance to the real images on the same features, and the
diversity of the images next to that of real ones, with the name of the classifier's weights. The
last command checks that a frozen graph is the authors': it must give 11.24.

Writes RUN_DIR/score.json, or the file of --output.

{"kind": "inception_score", "classifier": label, "mean": ..., "std": ..., "num_samples": ...,
 "num_splits": ..., "comparable_with_paper": ..., "why_not": [...], "frechet": {...} or null,
 "real": {...} or null, ...}
"""

import sys

from improved_gan_tf.machine import exits
from improved_gan_tf.scoring import arguments as score_arguments
from improved_gan_tf.scoring.score import run


def main(argv=None, prog="python -m improved_gan_tf.score"):
    """Runs the command on `argv`, the command line if None; exits with one of `exits.EXIT_CODES`.

    `prog` is the program's name in the help.
    """
    with exits.exit_codes():
        sys.exit(run(score_arguments.parse(argv, prog, __doc__.split("\n\n{")[0])))


if __name__ == "__main__":
    main()
