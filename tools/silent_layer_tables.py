"""The tables of why minibatch discrimination falls silent, from `results/silent_layer/`."""

from examples.silent_layer import tables
from tools.run_files import RESULTS

FOLDER = RESULTS / "silent_layer"


def closeness(folder=FOLDER):
    """The layer's closeness while the game is trained, with one change at a time."""
    return tables.closeness(tables.read_all(folder))


def outcomes(folder=FOLDER):
    """Test errors and variety of samples in the end."""
    return tables.outcomes(tables.read_all(folder))
