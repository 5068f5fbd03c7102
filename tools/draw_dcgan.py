"""The short runs of DCGAN's games: copies the data for their table, and draws their samples.

    python -m tools.draw_dcgan RUNS       # RUNS as `python -m tools.dcgan_study` made it

Copies the small files of each run that is finished and scored into `results/dcgan/NAME-seedN/`, and
draws `results/dcgan/samples.png`: the first seed's last grid of every row, whatever it looks like.
`python -m tools.tables` then writes the tables.
"""

import shutil

import matplotlib.figure
from PIL import Image

from tools import arguments
from tools.dcgan_study import STUDY, folders, is_whole
from tools.dcgan_tables import DCGAN
from tools.draw_figure3 import last_grid
from tools.run_files import read, without, write

LEFT_OUT = ("data_dir", "run_dir", "source", "cache_dir")  # folders on the machine of the run
JSON_FILES = ("result.json", "score.json")
COLUMNS = 5


def copy(runs):
    """Copies the small files of every finished and scored run, and what iterations cost."""
    for name in ("milliseconds.json", "real.json"):
        shutil.copy(runs / name, DCGAN)
    for run in folders(runs):
        if not is_whole(run) or not (run / "score.json").exists():
            continue
        target = DCGAN / run.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(run / "metrics.jsonl", target)
        for name in JSON_FILES:
            content = without(read(run / name), *LEFT_OUT)
            if "config" in content:
                content["config"] = without(content["config"], *LEFT_OUT)
            write(target / name, content)


def draw(runs, path):
    """The last grid of every row's first seed."""
    rows = -(-len(STUDY) // COLUMNS)
    figure = matplotlib.figure.Figure(figsize=(2.4 * COLUMNS, 2.6 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS).ravel()
    for panel in panels:
        panel.axis("off")
    for panel, name in zip(panels, STUDY, strict=False):
        panel.set_title(name.replace("_", " "), fontsize=10)
        run = runs / f"{name}-seed1"
        if is_whole(run):
            panel.imshow(Image.open(last_grid(run)), cmap="gray")
        else:
            panel.text(0.5, 0.5, "not finished", ha="center")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    (source,) = arguments.folders(__doc__, "RUNS", 1)
    DCGAN.mkdir(parents=True, exist_ok=True)
    copy(source)
    draw(source, DCGAN / "samples.png")
