"""The paper's Figure 3 with our runs: MNIST samples of both techniques, side by side.

    python -m tools.draw_figure3 FEATURE_MATCHING_RUN MINIBATCH_DISCRIMINATION_RUN

Draws `results/mnist_figure3.png` from the last sample grid of each run folder.
"""

import matplotlib.figure
from PIL import Image

from tools import arguments
from tools.run_files import RESULTS, result


def title(run):
    """A run's title in two lines."""
    config, final = result(run)["config"], result(run)["final"]
    width = config["width_multiplier"]
    width = "full width" if width == 1 else f"widths x {width:g}"
    model = config["model"].replace("_", " ")
    wrong = 100 * final["test_wrong_raw"] / final["test_count"]
    return f"{model}\n{width}, epoch {final['epochs']}, test error {wrong:.1f} % (raw)"


def last_grid(run):
    """The last sample grid of a run folder."""
    return sorted((run / "samples").glob("epoch_*.png"))[-1]


def draw(runs, path):
    """The last sample grid of every run."""
    figure = matplotlib.figure.Figure(figsize=(4.3 * len(runs), 4.8), layout="constrained")
    panels = figure.subplots(1, len(runs), squeeze=False)[0]
    for panel, run in zip(panels, runs, strict=True):
        panel.imshow(Image.open(last_grid(run)), cmap="gray")
        panel.set_title(title(run), fontsize=9)
        panel.axis("off")
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    draw(arguments.folders(__doc__, "RUN", "+"), RESULTS / "mnist_figure3.png")
