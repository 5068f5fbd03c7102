"""One worker of several: trains the experiments in float64 and saves what came out.

TF_CONFIG=... python -m tests.distribution.worker OUTPUT.npz
"""

import sys

import numpy as np

from improved_gan_tf import distribution
from tests.distribution import players
from tests.support import numerics

EXPERIMENTS = (("mnist", "feature_matching"), ("cifar10", "minibatch_discrimination"))


def main(path):
    """Trains every experiment and writes parameters, averages and losses."""
    with (
        distribution.training_on("multi_worker", None, None, players.BATCH),
        numerics.float64(),
    ):
        arrays = {}
        for experiment in EXPERIMENTS:
            trainer, losses = players.train(experiment, distribution.current_strategy())
            arrays |= {f"{experiment[0]} {n}": a for n, a in players.state(trainer).items()}
            arrays[f"{experiment[0]} losses"] = np.array(losses)
    np.savez(path, **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
