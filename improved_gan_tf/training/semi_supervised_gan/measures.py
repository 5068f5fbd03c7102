"""The Keras metrics of a `SemiSupervisedGAN`: means over an epoch's steps, and of a test set."""

import keras


class StepMeans:
    """Means of the steps' losses and of the accuracy on the labeled images.

    Args:
        supervised_only: bool, whether there are no losses of a game.
    """

    def __init__(self, supervised_only):
        names = ["supervised_loss", "unsupervised_loss", "generator_loss"]
        # In the order of `StepLosses`.
        self._losses = [
            keras.metrics.Mean(name=name) for name in (names[:1] if supervised_only else names)
        ]
        self._accuracy = keras.metrics.Mean(name="accuracy")

    @property
    def metrics(self):
        """The Keras metrics."""
        return [*self._losses, self._accuracy]

    def add(self, losses):
        """Adds a step's `StepLosses`; returns `{name: mean so far}`."""
        for metric, loss in zip(self._losses, losses, strict=False):
            metric.update_state(loss)
        self._accuracy.update_state(1.0 - losses.train_error)
        return {m.name: m.result() for m in self.metrics}


def test_metrics(metrics):
    """Cross-entropy "loss", "accuracy" and further metrics of labels (N,) and logits (N, K).

    Args:
        metrics: list of Keras metrics, their names or functions; or None.
    """
    return [
        keras.metrics.SparseCategoricalCrossentropy(name="loss", from_logits=True),
        keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
        *(_metric(m) for m in metrics or [] if m not in ("accuracy", "acc")),
    ]


def _metric(given):
    found = keras.metrics.get(given)
    if isinstance(found, keras.metrics.Metric):
        return found
    return keras.metrics.MeanMetricWrapper(found, name=found.__name__)
