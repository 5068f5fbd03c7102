"""What every classifier that samples are scored with gives back."""

from typing import NamedTuple

import numpy as np


class Classification(NamedTuple):
    """Probabilities and features of a batch of N images."""

    probabilities: np.ndarray  # float32 (N, C), rows sum to 1
    features: np.ndarray | None  # float32 (N, A); None where the classifier names none
