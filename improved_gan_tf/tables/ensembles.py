"""Saved predictions of runs, and the test error of their averaged probabilities.

Paper: Salimans et al. (2016), Tables 1 and 2, the rows of ensembles.
"""

import numpy as np
import scipy.special


def ensemble_wrong(all_logits, labels):
    """Test images that the average of the members' class probabilities gets wrong.

    Args:
        all_logits: list of (N, 10) arrays, one for each member.
        labels: (N,) integers.

    Returns:
        int.
    """
    return int(np.sum(np.argmax(average_probabilities(all_logits), axis=1) != labels))


def average_probabilities(all_logits):
    """Mean over the members of `softmax(logits)`, float64 (N, 10)."""
    total = 0.0
    for logits in all_logits:
        total = total + scipy.special.softmax(np.asarray(logits, np.float64), axis=1)
    return total / len(all_logits)


class PredictionsError(Exception):
    """A run's predictions.npz is missing, damaged, or not that of its result.json."""


def read_predictions(run, kind):
    """Test-set logits (N, 10) and labels (N,) of a run.

    Args:
        run: `Run`.
        kind: "averaged" or "raw".

    Raises:
        PredictionsError: they cannot be read, or contradict the run's result.json.
    """
    path = run.path / "predictions.npz"
    try:
        # Opened here: of a damaged archive NumPy would leave the file open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            logits, labels = saved[f"logits_{kind}"], saved["labels"]
    except FileNotFoundError as error:
        raise PredictionsError(f"no {path}") from error
    except Exception as error:  # of a damaged file NumPy, zipfile and zlib each raise their own
        raise PredictionsError(f"{path} cannot be read ({type(error).__name__})") from error
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise PredictionsError(f"{path} holds logits {logits.shape}, labels {labels.shape}")
    wrong = int(np.sum(np.argmax(logits, axis=1) != labels))
    if (wrong, len(labels)) != (wrong_of(run, kind), run.result["final"]["test_count"]):
        raise PredictionsError(
            f"{path} has {wrong} wrong of {len(labels)}, result.json {wrong_of(run, kind)} of "
            f"{run.result['final']['test_count']}"
        )
    return logits, labels


def wrong_of(run, kind):
    """Test images that a run got wrong, by its result.json; None where it keeps no average."""
    return run.result["final"][f"test_wrong_{kind}"]
