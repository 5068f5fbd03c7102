"""One training iteration of the same models, written plainly in PyTorch; it needs `torch` alone.

    python -m benchmarks.pytorch_peer --experiment=mnist-feature_matching
    python -m benchmarks.pytorch_peer --experiment=cifar10-feature_matching --iterations=1
    python -m benchmarks.pytorch_peer --precision=mixed_bfloat16        # torch.autocast

Layers, widths, noise, losses, Adam, parameter average and batches of bytes are those of the run
scripts. As in the authors' code the discriminator sees labeled, unlabeled and generated images one
after the other. `benchmarks.against_pytorch` runs it before and after ours.

The last line on stdout is JSON: milliseconds of an iteration, the median over the rounds.
"""

import argparse
import json
import statistics
import time

from benchmarks.arguments import whole_number

EXPERIMENTS = (
    "mnist-feature_matching",
    "cifar10-feature_matching",
    "cifar10-minibatch_discrimination",
)
PRECISIONS = ("float32", "mixed_bfloat16")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--experiment", default="mnist-feature_matching", choices=EXPERIMENTS)
    add("--precision", default="float32", choices=PRECISIONS, help="mixed: under torch.autocast")
    add("--width_multiplier", type=float, default=1.0, help="factor of every hidden width (1)")
    add("--iterations", type=whole_number, default=20, help="iterations in a round (20)")
    add(
        "--rounds", type=whole_number, default=5, help="rounds; the median over them is printed (5)"
    )
    return parser.parse_args()


def main():
    settings = parse()
    import torch

    from benchmarks.pytorch_training import Training

    torch.manual_seed(0)
    training = Training(settings.experiment, settings.precision, settings.width_multiplier)
    training.iterate()  # warm up
    training.iterate()
    times = []
    for _ in range(settings.rounds):
        begin = time.perf_counter()
        for _ in range(settings.iterations):
            training.iterate()
        times.append(1e3 * (time.perf_counter() - begin) / settings.iterations)
    print(json.dumps({"step": statistics.median(times), "version": torch.__version__}))


if __name__ == "__main__":
    main()
