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

from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits
from improved_gan_tf.scoring import arguments as score_arguments
from improved_gan_tf.scoring.score import run

USER_ERROR = 2
INTERRUPTED = 130


def main(argv=None):
    """Runs the command; exits with code 2 on a mistake that the user can mend."""
    environment.set_defaults()
    try:
        code = run(score_arguments.parse(argv, __doc__.split("\n\n{")[0]))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(code)


if __name__ == "__main__":
    with exits.quiet_exit():
        main()
