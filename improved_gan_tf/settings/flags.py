"""The settings as absl flags, one each, and the record for a command line.

This is the only module that uses the run scripts' flags.
"""

import dataclasses
import os
import sys
import typing
from typing import NamedTuple

from absl import flags

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings import flag_help
from improved_gan_tf.settings.ablations import ablation_row, check_given
from improved_gan_tf.settings.every_run import RunConfig

_DEFINE = {
    bool: flags.DEFINE_boolean,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def define_flags(experiment, variants, flag_values=flags.FLAGS, ablations=None):
    """Defines one absl flag for every setting of the record.

    The default of every flag is None, "not given": the real default depends on the model and the
    recipe, and the help text names each.

    Args:
        experiment: `ExperimentConfig`, the script's literal.
        variants: `{model: {recipe: {setting: value}}}`, changes to the literal; the first recipe
            of a model is its default. For DCGAN's games a "model" is an objective
            (`RunConfig.variants_by`).
        flag_values: where to define them.
        ablations: `{name: {setting: value}}`, see `settings.ablations`; None gives no --ablation.
    """
    types = typing.get_type_hints(type(experiment))
    for field in _settings(experiment, ablations):
        several = field.metadata["several"]
        define = flags.DEFINE_list if several else _DEFINE[_type_of_values(types[field.name])]
        # The script's own name, or `--help` would hide the flag under this module.
        define(
            field.name,
            None,
            _help_text(field, experiment, variants, ablations),
            module_name=sys.argv[0],
            flag_values=flag_values,
        )
    if experiment.repeats:
        labels = ""
        if any(field.name == "seed_data" for field in _settings(experiment, ablations)):
            labels = " and --seed_data + i (counting from --seed if --seed_data is not given)"
        flags.DEFINE_integer(
            "num_runs",
            1,
            f"runs in sequence, as in the paper's protocol: run i of them has --seed + i{labels}, "
            "i from 0; finished runs are not repeated. Default: 1 (from this project)",
            module_name=sys.argv[0],
            flag_values=flag_values,
        )


def _type_of_values(annotation):
    """The type of a setting's values without None: `int` for `int` and for `int | None`."""
    (kind,) = {*(typing.get_args(annotation) or (annotation,))} - {type(None)}
    return kind


def _settings(experiment, ablations):
    """The fields that have a flag."""
    fields = [field for field in dataclasses.fields(experiment) if field.metadata]
    return [field for field in fields if field.name != "ablation" or ablations]


def _help_text(field, experiment, variants, ablations):
    meta = field.metadata
    text = meta["help"]
    choices = meta["choices"]
    if field.name == "recipe":
        choices = tuple(dict.fromkeys(name for recipes in variants.values() for name in recipes))
    if field.name == experiment.variants_by:
        choices = tuple(variants)
    if field.name == "ablation":
        choices = tuple(ablations)
    if choices:
        text += f" <{'|'.join(choices)}>"
    default = getattr(experiment, field.name)
    text += f". Default: {_shown(default)}"
    named = {other.name for other in _settings(experiment, ablations)}
    for model, recipes in variants.items():
        for recipe, overrides in recipes.items():
            if overrides.get(field.name, default) != default:
                chosen = {experiment.variants_by: model, "recipe": recipe}
                ways = [f"--{name}={value}" for name, value in chosen.items() if name in named]
                text += f"; with {' '.join(ways)}: {_shown(overrides[field.name])}"
    return f"{text} (from {meta['source']})"


def _shown(value):
    return "not given" if value is None else value


def config_from_flags(experiment, variants, flag_values=flags.FLAGS, ablations=None):
    """The record: the script's literal, then the settings of model and recipe, then the flags.

    A row of `ablations` comes between the recipe and the flags, and no flag may contradict it.

    Returns:
        `(config, published)`: the run's record, and the record of model, recipe and ablation
        without any other flag.

    Raises:
        UserError: a setting is out of its range, or settings contradict each other.
    """
    given = {
        field.name: flag_values[field.name].value
        for field in _settings(experiment, ablations)
        if flag_values[field.name].present
    }
    if given.get("run_dir"):  # a shell leaves the ~ in --run_dir=~/runs
        given["run_dir"] = os.path.expanduser(given["run_dir"])
    if "labels_per_class" in given:
        given["labels_per_class"] = _label_counts(given["labels_per_class"])[0]
    row = ablation_row(given.get("ablation"), ablations)
    by = experiment.variants_by
    model = given.get(by, row.get(by, getattr(experiment, by)))
    if model not in variants:
        raise UserError(f"--{by} must be one of: {', '.join(variants)}. Received: {model!r}.")
    recipe = given.get("recipe", next(iter(variants[model])))
    if recipe not in variants[model]:
        raise UserError(
            f"--recipe must be one of: {', '.join(variants[model])} (with --{by}={model}). "
            f"Received: {recipe!r}."
        )
    settings = {**variants[model][recipe], "recipe": recipe, by: model, **row}
    published = dataclasses.replace(experiment, **settings)
    if row:
        check_given(published, ablations, given)
    return dataclasses.replace(experiment, **{**settings, **given}), published


class Repetitions(NamedTuple):
    """The number of runs that the command line asks for, and how they differ."""

    num_runs: int = 1
    labels_per_class: tuple = (None,)  # of int where the settings have labels
    seed_data_given: bool = False

    @property
    def is_one_run(self):
        """Whether the command asks for one run only."""
        return self.num_runs * len(self.labels_per_class) == 1


class Command(NamedTuple):
    """What a command line asks for."""

    config: RunConfig  # of the run, or of the first of several
    published: RunConfig  # without the flags, see `config_from_flags`
    repetitions: Repetitions = Repetitions()
    ablations: dict | None = None  # the script's, see `define_flags`


def command_from_flags(experiment, variants, flag_values=flags.FLAGS, ablations=None):
    """The `Command` that the flags make of a script's literals; see `config_from_flags`.

    Raises:
        UserError: a flag has a wrong value.
    """
    config, published = config_from_flags(experiment, variants, flag_values, ablations)
    return Command(config, published, repetitions_from_flags(config, flag_values), ablations)


def repetitions_from_flags(config, flag_values=flags.FLAGS):
    """The `Repetitions` of a command line whose first record is `config`.

    Raises:
        UserError: `--num_runs` or `--labels_per_class` has a wrong value.
    """
    if not config.repeats:
        return Repetitions()
    num_runs = flag_values["num_runs"].value
    if num_runs is None or not 1 <= num_runs <= 10_000:
        raise UserError(
            "--num_runs must be a whole number of 1 or more, and at most 10,000. Received: "
            f"{num_runs}."
        )
    if "labels_per_class" not in flag_values:
        return Repetitions(num_runs)
    labels = (config.labels_per_class,)
    if flag_values["labels_per_class"].present:
        labels = _label_counts(flag_values["labels_per_class"].value)
    seed_data = flag_values["seed_data"]
    return Repetitions(num_runs, labels, seed_data.present > 0 and seed_data.value is not None)


def _label_counts(texts):
    try:
        counts = tuple(int(text) for text in texts)
    except ValueError:
        counts = ()
    if not counts or len(set(counts)) < len(counts):
        raise UserError(
            "--labels_per_class must be a whole number of 1 or more, or several different ones "
            f"separated by commas. Received: {','.join(texts)!r}."
        )
    return counts


def parse_flags(argv, flag_values=flags.FLAGS):
    """Parses the command line for `absl.app.run`; prints the help and exits where it is asked for.

    Raises:
        UserError: an unknown flag, a value of the wrong type, or an argument without a flag.
    """
    if flag_help.is_asked_for(argv[1:]):
        print(flag_help.text(flag_values, sys.modules["__main__"].__doc__))
        raise SystemExit(0)
    try:
        rest = flag_values(argv)
    except flags.Error as error:
        raise UserError(f"{error} (--help lists every flag.)") from error
    except SystemExit:  # after --helpfull; absl would exit with 1
        raise SystemExit(0) from None
    if len(rest) > 1:
        raise UserError(f"Settings are given as --name=value. Received: {' '.join(rest[1:])!r}.")
    return rest
