"""The files of runs below `results/`, and the text of their numbers."""

import json
import pathlib

from improved_gan_tf.data.known_sets import num_labels_of
from improved_gan_tf.machine.files import was_moved_aside

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"


def read(path):
    """The content of a JSON file."""
    return json.loads(pathlib.Path(path).read_text("utf-8"))


def result(run, part=""):
    """The content of a run's `result.json`; with "supervised_only" as `part`, of its baseline's."""
    return read(run / part / "result.json")


def epochs(run, part=""):
    """The lines of a run's `metrics.jsonl`, a dict for each epoch."""
    lines = (run / part / "metrics.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def runs_in(folder):
    """The run folders in a folder, by name, without those that `--overwrite` moved aside."""
    runs = [path.parent for path in sorted(folder.glob("*/result.json"))]
    return [run for run in runs if not was_moved_aside(run.name)]


def error_of(content):
    """A result's test error in per cent, for the parameters that its recipe's code tests."""
    final = content["final"]
    averaged = final["test_wrong_averaged"]
    wrong = final["test_wrong_raw"] if averaged is None else averaged
    return 100 * wrong / final["test_count"]


def labels_of(config):
    """The number of labeled images in a run with these settings."""
    return num_labels_of(config)


def without(content, *names):
    """A dict of a JSON file without some of its entries."""
    return {name: value for name, value in content.items() if name not in names}


def write(path, content):
    """Writes a JSON file."""
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def markdown_table(headers, rows):
    """A Markdown table of texts."""
    lines = [list(headers), ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
