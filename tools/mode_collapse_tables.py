"""The tables of mode collapse on Gaussians, from `results/mode_collapse*/`."""

from examples.mode_collapse import results, tables
from tools.run_files import RESULTS

FOLDER = RESULTS / "mode_collapse"
PUBLISHED_SIZE = RESULTS / "mode_collapse_published_size"
# The rows of the README's line: file name, what it is called there.
IN_SHORT = {
    "none": "plain",
    "minibatch_discrimination-mean": "minibatch discrimination (mean)",
    "minibatch_discrimination-sum-weight_norm": "in its original form",
}


def grid(folder=FOLDER):
    """Our trials on the grid of 25 Gaussians next to the published numbers."""
    return tables.table(results.read_all(folder), "grid")


def ring(folder=FOLDER):
    """The same for the ring of 8."""
    return tables.table(results.read_all(folder), "ring")


def in_short(folder=FOLDER):
    """The line of the README: modes without and with minibatch discrimination."""
    found = [r for r in results.read_all(folder) if r.settings.problem == "grid"]
    trials = {name: of_row for (name, _), of_row in tables.rows_of(found).items()}
    counts = " or ".join(map(str, sorted({len(trials[name]) for name in IN_SHORT})))
    ours = [
        f"{title} {tables.mean_and_error([t.measures.modes for t in trials[name]], 1)}"
        for name, title in IN_SHORT.items()
    ]
    _, (modes, error), *_ = tables.PUBLISHED["grid"]["GAN"]
    return [
        "25 Gaussians, narrower networks (Sec. 3.2, PacGAN's protocol)",
        "`python -m examples.mode_collapse ...`",
        f"plain {modes:g} +- {error:g} modes (PacGAN's paper)",
        f"modes in {counts} trials: {', '.join(ours)}",
    ]
