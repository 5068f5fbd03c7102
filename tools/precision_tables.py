"""The table of docs/devices.md: the same short runs in float32 and in half precision."""

import statistics

from tools.run_files import RESULTS, error_of, markdown_table, result, runs_in

FOLDER = RESULTS / "half_precision"
MODELS = ("feature_matching", "minibatch_discrimination")


def trained():
    """Test errors of five seeds in either precision, and of two thin CIFAR-10 runs."""
    errors = {
        precision: [error_of(result(run)) for run in runs_in(FOLDER / f"mnist_sample-{precision}")]
        for precision in ("float32", "mixed_bfloat16")
    }
    lines = [
        [
            "MNIST sample, 100 labels, 20 epochs",
            f"`{precision}`",
            ", ".join(f"{error:.1f}" for error in found),
            f"{statistics.mean(found):.1f} +- {statistics.stdev(found):.1f} %",
        ]
        for precision, found in errors.items()
    ]
    for model in MODELS:
        content = result(FOLDER / f"cifar10-{model}-mixed_bfloat16")
        final = content["final"]
        lines.append(
            [
                f"partial CIFAR-10, {model.replace('_', ' ')}, width / 8, 1 epoch",
                "`mixed_bfloat16`",
                f"{100 * final['test_wrong_raw'] / final['test_count']:.1f} (raw)",
                "-",
            ]
        )
    headers = ("runs", "precision", "test errors of the seeds, %", "mean +- standard deviation")
    return markdown_table(headers, lines)
