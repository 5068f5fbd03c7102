"""How many iterations one call of the training loop runs: about some seconds' worth.

Between calls a run looks whether it was asked to stop, so that long calls would let Ctrl-C wait. It
makes no difference to the numbers.
"""


class CallLength:
    """Starts with one iteration, which measures, and stays with what has proved about right.

    Args:
        most: int, iterations that a call has at most.
        seconds: float, what a call should take.
    """

    def __init__(self, most, seconds):
        self.iterations = 1
        self._most, self._seconds = most, seconds
        self._seen = set()

    def measured(self, iterations, seconds):
        """Takes note of a call of some iterations, which may be fewer than were set.

        Args:
            iterations: int, those that it ran.
            seconds: float, what it took.
        """
        # The first call of a length may trace or compile: it says little about those that follow.
        is_new = iterations not in self._seen
        self._seen.add(iterations)
        whole = seconds * self.iterations / max(iterations, 1)
        # For the same reason a length is kept while it is about right.
        if is_new or 0.5 < whole / self._seconds < 2.0:
            return
        fitting = int(self.iterations * self._seconds / max(whole, 1e-6))
        self.iterations = min(max(1, fitting), self._most)
