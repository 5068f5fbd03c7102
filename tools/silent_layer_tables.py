"""The tables of why minibatch discrimination falls silent, from `results/silent_layer/`."""

import json

from examples.silent_layer import tables
from tools.run_files import RESULTS, markdown_table

FOLDER = RESULTS / "silent_layer"
SAMPLES = RESULTS / "silent_layer_samples"
WIDE = RESULTS / "silent_layer_wide"
# The same networks, tested in batches of mixed classes and in batches of one class.
ONE_CLASS = RESULTS / "silent_layer_one_class.json"
# The authors' own code, by the commit of its layers (nn.py), and this code watched as that was.
AUTHORS = RESULTS / "silent_layer_code"
LAYERS = {
    "ours": "this project's",
    "0fa06b5": "the authors', layers of 0fa06b5, which this project has",
    "2b81a18": "the authors', layers of 2b81a18, the script's own",
}
COMPARED = (0, 50, 100, 200, 500)  # iterations; all trials were watched until the third


def closeness(folder=FOLDER):
    """The layer's closeness while the game is trained, with one change at a time."""
    return tables.closeness(tables.read_all(folder))


def outcomes(folder=FOLDER):
    """Test errors and variety of samples in the end."""
    return tables.outcomes(tables.read_all(folder))


def samples(folder=SAMPLES):
    """The same, with the Frechet distance, of trials with the layer and without it."""
    return tables.outcomes(tables.read_all(folder))


def samples_closeness(folder=SAMPLES):
    """The closeness in those trials that have the layer."""
    return tables.closeness(tables.read_all(folder))


def one_class(path=ONE_CLASS):
    """Test errors of each seed in batches of mixed classes and in batches of one class."""
    rows = {}
    for trial in json.loads(path.read_text("utf-8")):
        key = (trial["learning_rate"], trial["iterations"], trial["variant"])
        rows.setdefault(key, []).append(trial)
    lines = []
    for (rate, iterations, variant), trials in rows.items():
        trials.sort(key=lambda trial: trial["seed"])
        cells = [
            ", ".join(f"{100 * trial[kind] / trial['test_count']:.1f}" for trial in trials) + " %"
            for kind in ("test_wrong_mixed", "test_wrong_one_class")
        ]
        lines.append([f"{rate:g}, {iterations:,}", tables.TITLES[variant], *cells])
    return markdown_table(
        ("rate, iterations", "change", "wrong, mixed batches", "wrong, batches of one class"), lines
    )


def papers_width(folder=WIDE):
    """The closeness at the paper's width."""
    return tables.closeness(tables.read_all(folder))


def authors_code(authors=AUTHORS):
    """The closeness in this code and in the authors' own, at an eighth of the width."""
    rows = {}
    for commit, title in LAYERS.items():
        files = sorted(authors.glob(f"layers-{commit}-seed*.json"))
        rows[title] = [json.loads(file.read_text("utf-8")) for file in files]
    headers = ["code", "seeds", *map(str, COMPARED)]
    headers += ["features grew until 100", "distances grew until 100"]
    headers += [f"{title} by 100" for title in tables.LOST]
    lines = []
    for title, trials in rows.items():
        cells = [tables.closeness_at(trials, iteration) for iteration in COMPARED]
        growth = [tables.growth_until(trials, name, 100) for name in ("feature_size", "distance")]
        lines.append([title, len(trials), *cells, *growth, *tables.lost(trials, 100)])
    return markdown_table(headers, lines)
