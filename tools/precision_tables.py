"""The table of docs/devices.md: the same short runs in float32 and in half precision."""

import statistics

from tools.run_files import RESULTS, error_of, markdown_table, result, runs_in

FOLDER = RESULTS / "half_precision"
# What the table calls each folder of five seeds.
PRECISIONS = {
    "float32": "`float32`",
    "mixed_bfloat16": "`mixed_bfloat16`",
    "mixed_bfloat16-images_too": "the same, images in bfloat16 too",
}


def trained(folder=FOLDER):
    """How five seeds of the MNIST sample end: test errors, unsupervised losses, collapses."""
    lines = []
    for name, title in PRECISIONS.items():
        contents = [result(run) for run in runs_in(folder / f"mnist_sample-{name}")]
        errors = [error_of(content) for content in contents]
        finals = [content["final"] for content in contents]
        lost = [final["collapsed_at_epoch"] is not None for final in finals]
        lines.append(
            [
                title,
                ", ".join(f"{error:.1f}" for error in errors),
                f"{statistics.mean(errors):.1f} +- {statistics.stdev(errors):.1f} %",
                ", ".join(f"{final['metrics']['loss_unsupervised']:.2g}" for final in finals),
                f"{sum(lost)} of {len(lost)}",
            ]
        )
    headers = ("precision", "test errors of the seeds, %", "mean +- standard deviation")
    return markdown_table((*headers, "unsupervised loss at the end", "collapsed"), lines)
