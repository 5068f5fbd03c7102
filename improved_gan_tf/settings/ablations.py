"""Rows of an ablation table, each without one technique of a model, as sets of settings.

A run script writes the table as `{name: {setting: value}}`. The first row is the base; every other
row gives its changes to the base.

Paper: Salimans et al. (2016), Table 3.
"""

from improved_gan_tf.errors import UserError


def ablation_row(name, ablations):
    """`{setting: value}` of a row, with the base's settings and its name as "ablation".

    The dict is empty if `name` is None.

    Raises:
        UserError: there is no such row.
    """
    if name is None:
        return {}
    if name not in ablations:
        raise UserError(f"--ablation must be one of: {', '.join(ablations)}. Received: {name!r}.")
    base = next(iter(ablations.values()))
    return {**base, **ablations[name], "ablation": name}


def switched_settings(config, ablations):
    """`{setting: value}` in `config` of every setting that some row of the table sets."""
    names = dict.fromkeys(name for row in ablations.values() for name in row)
    return {name: getattr(config, name) for name in names}


def check_given(published, ablations, given):
    """Refuses settings on the command line that contradict the row.

    Args:
        published: `ExperimentConfig`, the row without other settings.
        ablations: the table.
        given: `{setting: value}` of the command line.

    Raises:
        UserError: one contradicts the row.
    """
    for name, value in switched_settings(published, ablations).items():
        if given.get(name, value) != value:
            raise UserError(
                f"--{name}={given[name]} contradicts --ablation={published.ablation}, which stands "
                f"for {name}={value}. Leave one of them out; to run something that is no "
                "row of the paper's table, give its settings without --ablation."
            )
