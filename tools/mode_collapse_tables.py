"""The table of mode collapse on Gaussians, from `results/mode_collapse/`."""

from examples.mode_collapse import results, tables
from tools.run_files import RESULTS


def grid(folder=RESULTS / "mode_collapse"):
    """Our trials on the grid of 25 Gaussians next to the published numbers."""
    return tables.table(results.read_all(folder), "grid")
