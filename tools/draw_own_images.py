"""Draws the test errors of `results/own_images/`, with and without unlabeled images.

python -m tools.draw_own_images        # writes results/own_images.png
"""

import pathlib
import statistics

import matplotlib.figure

from tools import arguments
from tools.own_images_runs import BY_DEFAULT, GROUPS, KEPT, LABELS, TITLES
from tools.run_files import RESULTS, error_of, result, runs_in

PICTURE = RESULTS / "own_images.png"
LINES = {
    "": ("with unlabeled images", "C0", "o-"),
    "supervised_only": ("labels alone", "C1", "s--"),
}


def errors(group, part, folder=KEPT):
    """`{labels a class: [test error in % of each seed]}` of a group's runs or baselines."""
    found = {}
    for run in runs_in(folder / group):
        content = result(run, part)
        found.setdefault(content["config"]["labels_per_class"], []).append(error_of(content))
    return found


def picture(folder=KEPT):
    """A panel for each set with the settings that `run_images.py` chooses: means, and each seed."""
    figure = matplotlib.figure.Figure(figsize=(10.5, 3.4), layout="constrained")
    panels = figure.subplots(1, len(BY_DEFAULT))
    for panel, group in zip(panels, BY_DEFAULT, strict=True):
        panel.set_title(TITLES[GROUPS[group][0]], fontsize=10)
        for part, (label, color, style) in LINES.items():
            found = sorted(errors(group, part, folder).items())
            for labels, values in found:
                panel.plot(len(values) * [labels], values, ".", color=color, alpha=0.5)
            means = [statistics.mean(values) for _, values in found]
            panel.plot([labels for labels, _ in found], means, style, color=color, label=label)
        panel.set(xscale="log", xlabel="labels a class", ylim=(0, None))
        panel.set_xticks(LABELS, LABELS)
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("test error (%)")
    panels[0].legend(fontsize=8)
    return figure


def main():
    """Runs the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument("--output", type=pathlib.Path, default=PICTURE)
    picture().savefig(parsing.parse_args().output, dpi=88)


if __name__ == "__main__":
    main()
