"""What each technique of the paper changes in the plain GAN, and the settings of a trial.

Paper: Salimans et al. (2016), Sec. 3.1 to 3.5. Packing: Lin et al. (2018), Sec. 2. Preference
       loss: Huszar (2016). Minibatch standard deviation: Karras et al. (2018), Sec. 3.
"""

from typing import NamedTuple

TECHNIQUES = (
    "none",
    "minibatch_discrimination",
    "minibatch_standard_deviation",
    "packing",
    "preference",
    "feature_matching",
    "historical_averaging",
    "label_smoothing",
    "virtual_batch_norm",
)
PREFERENCE_LOSSES = ("non_saturating", "blended")
REAL_TARGET = 0.9  # alpha of one-sided label smoothing, for real examples
REFERENCE_SIZE = 100  # of virtual batch normalization: a batch, as in the paper


class Settings(NamedTuple):
    """What decides a trial besides its seed. The defaults are the published protocol's.

    Attributes:
        problem: str, "ring" or "grid".
        technique: str, one of `TECHNIQUES`.
        reduction: str, "mean" or "sum" over the batch, of minibatch discrimination.
        weight_normalization: bool, of minibatch discrimination; True in the original's code.
        packing: int > 0, how many examples the discriminator judges at once with "packing".
        preference_loss: str, one of `PREFERENCE_LOSSES`, the generator's with "preference".
        historical_averaging_weight: float > 0, of the penalty of either player.
        generator_units: int > 0, in each of four hidden layers.
        discriminator_units: int > 0, maxout units in each of three hidden layers.
        num_kernels: int > 0, B of minibatch discrimination.
        kernel_dim: int > 0, C of minibatch discrimination.
        epochs: int > 0, of 1,000 steps.
    """

    problem: str
    technique: str
    reduction: str = "mean"
    weight_normalization: bool = False
    packing: int = 2
    preference_loss: str = "non_saturating"
    historical_averaging_weight: float = 0.001
    generator_units: int = 400
    discriminator_units: int = 200
    num_kernels: int = 60
    kernel_dim: int = 3
    epochs: int = 400

    @property
    def packed(self):
        """How many real examples, or generated ones, stand side by side, int."""
        return self.packing if self.technique == "packing" else 1

    @property
    def examples_at_once(self):
        """How many examples the discriminator judges together, int."""
        return 2 if self.technique == "preference" else self.packed


# Which settings matter to one technique only.
OWN_SETTINGS = {
    "minibatch_discrimination": ("reduction", "weight_normalization", "num_kernels", "kernel_dim"),
    "packing": ("packing",),
    "preference": ("preference_loss",),
    "historical_averaging": ("historical_averaging_weight",),
}


def that_count(settings):
    """Returns the settings that this trial's technique uses, a dict."""
    others = {
        name
        for technique, names in OWN_SETTINGS.items()
        if technique != settings.technique
        for name in names
    }
    return {name: value for name, value in settings._asdict().items() if name not in others}


def row_name(settings):
    """Returns the technique and its form as one word, for file names."""
    if settings.technique == "minibatch_discrimination":
        normalized = "-weight_norm" if settings.weight_normalization else ""
        return f"minibatch_discrimination-{settings.reduction}{normalized}"
    if settings.technique == "packing":
        return f"packing-{settings.packing}"
    if settings.technique == "preference":
        return f"preference-{settings.preference_loss}"
    if settings.technique == "historical_averaging":
        return f"historical_averaging-{settings.historical_averaging_weight:g}"
    return settings.technique


def row_title(settings):
    """Returns the technique and its form in words, for tables and pictures."""
    if settings.technique == "none":
        return "plain GAN"
    if settings.technique == "minibatch_discrimination":
        normalized = "weight norm" if settings.weight_normalization else "no weight norm"
        return f"minibatch discrimination ({settings.reduction}, {normalized})"
    if settings.technique == "packing":
        return f"packing of {settings.packing}"
    if settings.technique == "preference":
        return f"preference loss ({settings.preference_loss.replace('_', '-')})"
    if settings.technique == "historical_averaging":
        return f"historical averaging (weight {settings.historical_averaging_weight:g})"
    return settings.technique.replace("_", " ")
