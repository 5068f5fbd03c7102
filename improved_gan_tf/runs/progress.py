"""The position of a run: with the variables, all that is needed to continue."""

import dataclasses


@dataclasses.dataclass
class Progress:
    """Written into every checkpoint as JSON, which keeps every bit of a float."""

    epoch: int = 0  # finished epochs
    iteration: int = 0  # iterations done in the current epoch
    sums: list = dataclasses.field(default_factory=list)  # its losses so far, one number each
    epoch_seconds: float = 0.0  # time of the current epoch so far
    seconds: float = 0.0  # time of the run so far, over all its processes
    history: list = dataclasses.field(default_factory=list)  # one dict of metrics per epoch
    # The last evaluation's `game.Evaluation.numbers`.
    numbers: dict = dataclasses.field(default_factory=dict)
    saved_epochs: int | None = None  # finished epochs when the folder's models were written
    saved_iterations: int | None = None

    def iterations_done(self, iterations):
        """Iterations of the run so far, where an epoch has `iterations`."""
        return self.epoch * iterations + self.iteration

    def begin_epoch(self, metrics):
        """Starts the next epoch, after one with these metrics."""
        self.history.append(metrics)
        self.epoch += 1
        self.iteration, self.sums, self.epoch_seconds = 0, [0.0] * len(self.sums), 0.0

    def to_dict(self):
        """The fields as JSON types, with `numbers` on the same level, as in checkpoints."""
        values = dataclasses.asdict(self)
        numbers = values.pop("numbers")
        return {**values, **numbers}

    @classmethod
    def from_dict(cls, values):
        """Reads what `to_dict` wrote."""
        own = {field.name for field in dataclasses.fields(cls)}
        numbers = {name: value for name, value in values.items() if name not in own}
        return cls(**{n: v for n, v in values.items() if n in own}, numbers=numbers)
