"""Saved predictions of runs, and the test error of their averaged probabilities.

Paper: Salimans et al. (2016), Tables 1 and 2, the rows of ensembles.
"""

import numpy as np
import scipy.special


def ensemble_wrong(all_logits, labels):
    """Number of test images that the members' averaged class probabilities get wrong.

    Args:
        all_logits: list of (N, K) arrays, one for each member.
        labels: (N,) integers.
    """
    return int(np.sum(np.argmax(average_probabilities(all_logits), axis=1) != labels))


def average_probabilities(all_logits):
    """Mean over the members of `softmax(logits)`, float64 (N, K)."""
    total = 0.0
    for logits in all_logits:
        total = total + scipy.special.softmax(np.asarray(logits, np.float64), axis=1)
    return total / len(all_logits)


class PredictionsError(Exception):
    """A run's predictions.npz is missing, damaged, or does not belong to its result.json."""


def read_predictions(run, kind):
    """Test-set logits (N, K) and labels (N,) of a run; `kind` is "averaged" or "raw".

    Raises:
        PredictionsError: they cannot be read, or contradict the run's result.json.
    """
    path = run.path / "predictions.npz"
    try:
        # Opened here, because NumPy would leave a damaged archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as saved:
            logits, labels = saved[f"logits_{kind}"], saved["labels"]
    except FileNotFoundError as error:
        raise PredictionsError(f"no {path}") from error
    except Exception as error:  # NumPy, zipfile and zlib have their own errors for damaged files
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
    """Number of wrong test images in a run's result.json; None where it keeps no average."""
    return run.result["final"][f"test_wrong_{kind}"]
