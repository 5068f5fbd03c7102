"""The short runs of DCGAN's games: copies the data for their table, and draws their samples.

    python -m tools.draw_dcgan RUNS [--dataset=cifar10]

RUNS is as `python -m tools.dcgan_study` made it. Copies the small files of each run that is
finished and scored into `results/dcgan/NAME-seedN/`, and draws `results/dcgan/samples.png`: the
first seed's last grid of every row, whatever it looks like. Those of CIFAR-10 go to
`results/dcgan_cifar10/`. `python -m tools.tables` then writes the tables.
"""

import pathlib
import shutil
import sys

import matplotlib.figure
from PIL import Image

from tools import arguments
from tools.dcgan_study import STUDIES
from tools.draw_figure3 import last_grid
from tools.run_files import RESULTS, read, without, write

LEFT_OUT = ("data_dir", "run_dir", "source", "cache_dir")  # folders on the machine of the run
JSON_FILES = ("result.json", "score.json")
COLUMNS = 5


def copy(study, runs, results):
    """Copies the small files of every finished and scored run, and what iterations cost.

    Raises:
        SystemExit: the study was not scored or not measured.
    """
    for name, step in (("milliseconds.json", "measure"), ("real.json", "score")):
        if not (runs / name).exists():
            sys.exit(f"There is no {runs / name}: `python -m tools.dcgan_study {step}` writes it.")
    for name in ("milliseconds.json", "real.json"):
        shutil.copy(runs / name, results)
    for run in study.folders(runs):
        if not study.is_whole(run) or not (run / "score.json").exists():
            continue
        target = results / run.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / "metrics.jsonl", target)
        for name in JSON_FILES:
            content = without(read(run / name), *LEFT_OUT)
            if "config" in content:
                content["config"] = without(content["config"], *LEFT_OUT)
            write(target / name, content)


def draw(study, runs, path):
    """The last grid of every row's first seed."""
    columns = min(COLUMNS, len(study.rows))
    rows = -(-len(study.rows) // columns)
    figure = matplotlib.figure.Figure(figsize=(2.4 * columns, 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns).ravel()
    for panel in panels:
        panel.axis("off")
    for panel, name in zip(panels, study.rows, strict=False):
        panel.set_title(name.replace("_", " "), fontsize=10)
        run = runs / f"{name}-seed1"
        if study.is_whole(run):
            panel.imshow(Image.open(last_grid(run)), cmap="gray")
        else:
            panel.text(0.5, 0.5, "not finished", ha="center")
    figure.savefig(path, dpi=88)


def main():
    """Reads the command line."""
    parsing = arguments.parser(__doc__)
    parsing.add_argument("runs", type=pathlib.Path, help="folder of the runs' folders")
    parsing.add_argument("--dataset", default="mnist", choices=STUDIES, help="whose study (mnist)")
    given = parsing.parse_args()
    study = STUDIES[given.dataset]
    results = RESULTS / study.results
    results.mkdir(parents=True, exist_ok=True)
    copy(study, given.runs, results)
    draw(study, given.runs, results / "samples.png")


if __name__ == "__main__":
    main()
