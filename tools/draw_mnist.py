"""Draws our short MNIST runs with the original's logs: `results/mnist_with_original.png`.

    python -m tools.draw_mnist

Reads `results/original/*.txt` and `results/mnist_feature_matching/*/`.
"""

import matplotlib.figure

from tools import arguments
from tools.mnist_runs import RECIPES, collapse_epoch, original_runs, our_runs
from tools.run_files import RESULTS

PANELS = (
    ("loss_supervised", "supervised loss"),
    ("loss_unsupervised", "unsupervised loss"),
    ("test_error", "test error"),
)


def draw(path):
    """Draws every run's losses and test error, one row of panels for each recipe."""
    figure = matplotlib.figure.Figure(figsize=(14.5, 7), layout="constrained")
    for row, recipe in zip(figure.subplots(2, 3), RECIPES, strict=True):
        groups = {
            ("original", "C1", "--"): [epochs for _, epochs in original_runs(recipe)],
            ("ours", "C0", "-"): [epochs for _, epochs, _ in our_runs(recipe)],
        }
        for axes, (name, label) in zip(row, PANELS, strict=True):
            for (source, colour, style), runs in groups.items():
                for epochs in runs:
                    collapsed = collapse_epoch(epochs) is not None
                    # Not every epoch was tested.
                    drawn = [(n, e[name]) for n, e in enumerate(epochs, 1) if e[name] is not None]
                    axes.plot(
                        [number for number, _ in drawn],
                        [max(value, 1e-5) for _, value in drawn],
                        style,
                        color="C3" if collapsed else colour,
                        alpha=0.7,
                        linewidth=1.2,
                        label=f"{source}, collapsed" if collapsed else source,
                    )
            axes.set(xlabel="epoch", ylabel=label, xscale="log", yscale="log")
            axes.set_title(recipe if name == "loss_supervised" else "", loc="left")
            axes.grid(alpha=0.3, which="both")
        once = dict(zip(*reversed(row[-1].get_legend_handles_labels()), strict=True))
        row[-1].legend(once.values(), once.keys(), fontsize=8, loc="lower left")
    figure.suptitle("MNIST, 100 labels, feature matching: the authors' code and this one")
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    arguments.folders(__doc__)
    draw(RESULTS / "mnist_with_original.png")
