"""The names of a run's classes."""

from improved_gan_tf.data.known_sets import KNOWN_SETS


def class_names_of(config):
    """The names of the classes, in the order of the logits; None for ImageNet.

    `config` is a run's settings as a dict, as in its config.json.
    """
    if config["dataset"] in KNOWN_SETS:
        return KNOWN_SETS[config["dataset"]].class_names
    names = config.get("class_names")
    return None if names is None else tuple(names)
