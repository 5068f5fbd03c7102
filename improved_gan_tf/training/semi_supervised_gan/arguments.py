"""The ranges of the game's settings, checked before anything is made."""

import math

from improved_gan_tf.distribution import check_cross_replica
from improved_gan_tf.layers.argument_checks import is_integer
from improved_gan_tf.settings.semi_supervised import PLAYERS

OBJECTIVES = ("feature_matching_l1", "feature_matching_l2", "saturating")


def _factor(value):
    return math.isfinite(value) and value >= 0


def is_whole(value, least):
    """Whether a value is an integer, of Python or NumPy and no bool, of at least `least`."""
    return is_integer(value) and value >= least


# Setting -> (whether a value is in range, what is expected).
_RANGES = {
    "generator_objective": (lambda v: v in OBJECTIVES, f"one of {', '.join(OBJECTIVES)}"),
    "generator_steps": (lambda v: v is None or is_whole(v, 1), "a whole number of 1 or more"),
    "unlabeled_weight": (_factor, "a finite number of 0 or more"),
    "supervised_weight": (_factor, "a finite number of 0 or more"),
    "real_target": (lambda v: 0.5 < v <= 1.0, "a number larger than 0.5 and at most 1"),
    "generated_target": (lambda v: 0.0 <= v < 0.5, "a number of at least 0 and smaller than 0.5"),
    "historical_averaging_weight": (_factor, "a finite number of 0 or more"),
    "historical_averaging_players": (lambda v: v in PLAYERS, f"one of {', '.join(PLAYERS)}"),
    "averaging_rate": (lambda v: 0.0 <= v <= 1.0, "a number from 0 to 1"),
    "seed": (lambda v: is_whole(v, 0) and v < 2**32, "a whole number from 0 to 4294967295"),
}


def check_arguments(*, supervised_only, cross_replica, **settings):
    """Raises `ValueError` for a setting of `SemiSupervisedGAN` that is out of its range."""
    for name, (is_right, expected) in _RANGES.items():
        if not is_right(settings[name]):
            raise ValueError(f"`{name}` must be {expected}. Received: {name}={settings[name]!r}")
    check_cross_replica(cross_replica)
    if settings["supervised_weight"] == 0 and (
        supervised_only or settings["unlabeled_weight"] == 0
    ):
        raise ValueError(
            "The discriminator would have nothing to learn: give a `supervised_weight` or, without "
            "`supervised_only`, an `unlabeled_weight` above 0. Received: supervised_weight=0"
        )
