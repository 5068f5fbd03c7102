"""How many iterations one call of the training loop runs: a few seconds' worth.

Between calls a run checks whether it was asked to stop. The length does not affect the numbers.
"""


class CallLength:
    """Starts with one iteration, which it times, and keeps a length that is about right.

    Args:
        most: int, the most iterations in a call.
        seconds: float, the target time of a call.
    """

    def __init__(self, most, seconds):
        self.iterations = 1
        self._most, self._seconds = most, seconds
        self._seen = set()

    def measured(self, iterations, seconds):
        """Takes the time in seconds of a call of some iterations, which may be fewer than set."""
        # The first call of a length may trace or compile, so its time says little.
        is_new = iterations not in self._seen
        self._seen.add(iterations)
        whole = seconds * self.iterations / max(iterations, 1)
        # For the same reason a length that is about right is kept.
        if is_new or 0.5 < whole / self._seconds < 2.0:
            return
        fitting = int(self.iterations * self._seconds / max(whole, 1e-6))
        self.iterations = min(max(1, fitting), self._most)
