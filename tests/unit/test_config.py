"""The record: its checks, its schedule, and how the command line changes it."""

import dataclasses
import json

import pytest
from absl import flags

import run_cifar10
import run_imagenet
import run_mnist
from improved_gan_tf.errors import UserError
from improved_gan_tf.runs import folder_names
from improved_gan_tf.settings import every_run, semi_supervised
from improved_gan_tf.settings import flags as setting_flags
from improved_gan_tf.settings import imagenet as imagenet_config
from improved_gan_tf.settings.ablations import switched_settings
from improved_gan_tf.settings.dcgan import DcganConfig
from improved_gan_tf.settings.setting import OURS, Decides, names_that_decide, setting

LITERAL = run_mnist.EXPERIMENT


def changed(**settings):
    return dataclasses.replace(LITERAL, **settings)


def parsed(*arguments, experiment=LITERAL, variants=run_mnist.VARIANTS):
    """`(config, published)` of a command line."""
    values = flags.FlagValues()
    setting_flags.define_flags(experiment, variants, values)
    setting_flags.parse_flags(["run_mnist.py", *arguments], values)
    return setting_flags.config_from_flags(experiment, variants, values)


def settings():
    """The settings that have a flag in a script without ablations."""
    return [f for f in dataclasses.fields(LITERAL) if f.metadata and f.name != "ablation"]


# --- the literal ---------------------------------------------------------------------------


def test_the_mnist_literal_is_the_authors_code():
    expected = {
        "dataset": "mnist",
        "model": "feature_matching",
        "generator_objective": "feature_matching_l2",
        "generator_steps": 1,
        "initialization_images": "permuted_training_set",
        "labels_per_class": 10,
        "seed": 1,
        "seed_data": 1,
        "width_multiplier": 1.0,
        "epochs": 300,
        "batch_size": 100,
        "learning_rate": 0.003,
        "decay_start_epoch": None,
        "unlabeled_weight": 1.0,
        "averaging_rate": 0.0001,
    }
    assert {name: getattr(LITERAL, name) for name in expected} == expected


def test_the_record_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LITERAL.epochs = 3


def test_the_record_survives_json():
    record = changed(data_dir="somewhere", decay_start_epoch=3, decay_end_epoch=400)
    assert (
        semi_supervised.ExperimentConfig.from_dict(json.loads(json.dumps(record.to_dict())))
        == record
    )


@pytest.mark.parametrize("field", settings(), ids=lambda f: f.name)
def test_every_setting_has_a_help_text_and_a_source(field):
    assert len(field.metadata["help"]) > 15
    assert field.metadata["source"]


# --- the checks ----------------------------------------------------------------------------

WHOLE = "a whole number of 1 or more"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("labels_per_class", 0, WHOLE),
        ("labels_per_class", -1, WHOLE),
        ("epochs", 0, WHOLE),
        ("epochs", -300, WHOLE),
        ("batch_size", 1, "a whole number of 2 or more"),
        ("batch_size", -100, "a whole number of 2 or more"),
        ("evaluate_every", 0, WHOLE),
        ("seed", -1, "a whole number from 0 to 4294967295"),
        ("seed", 2**32, "a whole number from 0 to 4294967295"),
        ("seed_data", -1, "a whole number from 0 to 4294967295"),
        ("seed_data", 2**32, "a whole number from 0 to 4294967295"),
        ("width_multiplier", 0.0, "a number larger than 0 and at most 16"),
        ("width_multiplier", 16.5, "a number larger than 0 and at most 16"),
        ("width_multiplier", float("nan"), "a number larger than 0 and at most 16"),
        ("learning_rate", 0.0, "a finite number larger than 0"),
        ("learning_rate", -0.003, "a finite number larger than 0"),
        ("learning_rate", float("nan"), "a finite number larger than 0"),
        ("learning_rate", float("inf"), "a finite number larger than 0"),
        ("unlabeled_weight", -1.0, "a finite number of 0 or more"),
        ("unlabeled_weight", float("inf"), "a finite number of 0 or more"),
        ("supervised_weight", -1.0, "a finite number of 0 or more"),
        ("real_target", 0.5, "a number larger than 0.5 and at most 1"),
        ("real_target", 1.01, "a number larger than 0.5 and at most 1"),
        ("real_target", float("nan"), "a number larger than 0.5 and at most 1"),
        ("generated_target", -0.01, "a number of at least 0 and smaller than 0.5"),
        ("generated_target", 0.5, "a number of at least 0 and smaller than 0.5"),
        ("historical_averaging_weight", -0.1, "a finite number of 0 or more"),
        ("historical_averaging_weight", float("inf"), "a finite number of 0 or more"),
        ("averaging_rate", -0.1, "a number from 0 to 1"),
        ("averaging_rate", 1.1, "a number from 0 to 1"),
        ("averaging_rate", float("nan"), "a number from 0 to 1"),
        ("decay_start_epoch", -1, "a whole number of 0 or more"),
        ("decay_end_epoch", 0, WHOLE),
    ],
)
def test_a_value_out_of_range_is_refused_with_flag_and_value(name, value, expected):
    with pytest.raises(UserError) as caught:
        changed(**{name: value})
    assert str(caught.value) == f"--{name} must be {expected}. Received: {value}."


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("model", "feature_matching, minibatch_discrimination, plain"),
        ("data_source", "tfds, sample"),
        ("generator_normalization", "batch, virtual_batch"),
        ("historical_averaging_players", "both, discriminator, generator"),
    ],
)
def test_a_value_that_is_no_choice_is_refused_with_the_choices(name, choices):
    with pytest.raises(UserError) as caught:
        changed(**{name: "other"})
    assert str(caught.value) == f"--{name} must be one of: {choices}. Received: 'other'."


@pytest.mark.parametrize("given", [{"decay_start_epoch": 3}, {"decay_end_epoch": 300}])
def test_half_a_decay_is_refused(given):
    with pytest.raises(UserError, match="go together: give both or neither"):
        changed(**given)


def test_a_decay_that_ends_before_it_starts_is_refused():
    with pytest.raises(UserError, match="must be smaller than --decay_end_epoch"):
        changed(decay_start_epoch=300, decay_end_epoch=300)


def test_epochs_past_the_end_of_the_decay_are_refused():
    with pytest.raises(UserError, match="--epochs=301 goes past --decay_end_epoch=300"):
        changed(epochs=301, decay_start_epoch=200, decay_end_epoch=300)
    changed(epochs=300, decay_start_epoch=200, decay_end_epoch=300)


@pytest.mark.parametrize("name", ["seed", "seed_data"])
def test_the_largest_seed_is_accepted(name):
    assert getattr(changed(**{name: 2**32 - 1}), name) == 2**32 - 1


def test_a_reference_batch_of_one_is_refused():
    with pytest.raises(UserError) as caught:
        changed(generator_normalization="virtual_batch", reference_batch_size=1)
    assert str(caught.value) == (
        "--reference_batch_size must be a whole number of 2 or more, since one example has no "
        "variance, and at most 10000. Received: 1."
    )


def test_a_batch_of_one_is_refused():
    """Batch normalization would make every image of it the same, and initialisation fail."""
    with pytest.raises(UserError, match=r"--batch_size must be a whole number of 2 or more"):
        changed(batch_size=1)


def test_players_of_no_historical_averaging_are_refused():
    with pytest.raises(UserError, match="it needs a --historical_averaging_weight above 0"):
        changed(historical_averaging_players="generator")
    changed(historical_averaging_players="generator", historical_averaging_weight=0.1)


def test_a_reference_batch_without_virtual_batch_norm_is_refused():
    with pytest.raises(UserError, match="it needs --generator_normalization=virtual_batch"):
        changed(reference_batch_size=50)


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, None),
        ({"generator_normalization": "virtual_batch"}, 100),
        ({"generator_normalization": "virtual_batch", "reference_batch_size": 7}, 7),
    ],
)
def test_the_reference_batch_is_as_large_as_the_batch_unless_given(given, size):
    assert changed(**given).reference_size == size


@pytest.mark.parametrize("name", ["supervised_only", "with_baseline"])
def test_a_supervised_run_without_labels_is_refused(name):
    with pytest.raises(UserError, match="need a --supervised_weight above 0"):
        changed(supervised_weight=0.0, **{name: True})


def test_a_discriminator_without_any_loss_is_refused():
    with pytest.raises(UserError, match="must not both be 0"):
        changed(supervised_weight=0.0, unlabeled_weight=0.0)


# --- the schedule --------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [0, 1, 150, 299])
def test_without_decay_the_learning_rate_is_constant(epoch):
    assert changed(learning_rate=0.003).learning_rate_at(epoch) == 0.003


@pytest.mark.parametrize("epoch", [0, 1, 199, 200, 201, 250, 299])
def test_the_first_releases_schedule_is_min_of_three_minus_a_hundredth_and_one(epoch):
    record, _ = parsed("--recipe=first_release")
    expected = 0.001 * min(3 - epoch / 100, 1)
    assert record.learning_rate_at(epoch) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("epoch", "rate"), [(0, 2.0), (4, 2.0), (5, 1.5), (6, 1.0), (7, 0.5)])
def test_the_learning_rate_falls_linearly_to_zero(epoch, rate):
    record = changed(epochs=8, learning_rate=2.0, decay_start_epoch=4, decay_end_epoch=8)
    assert record.learning_rate_at(epoch) == rate


# --- the command line ----------------------------------------------------------------------


def test_without_flags_the_record_is_the_literal():
    assert parsed() == (LITERAL, LITERAL)


def test_every_setting_has_a_flag_and_nothing_else_has():
    values = flags.FlagValues()
    setting_flags.define_flags(LITERAL, run_mnist.VARIANTS, values)
    assert set(values) == {"num_runs"} | {f.name for f in settings()}


def test_flags_change_the_settings_of_their_names():
    record, published = parsed(
        "--epochs=7",
        "--learning_rate=0.5",
        "--data_source=sample",
        "--run_dir=here",
        "--overwrite",
        "--seed_data=9",
    )
    expected = changed(
        epochs=7,
        learning_rate=0.5,
        data_source="sample",
        run_dir="here",
        overwrite=True,
        seed_data=9,
    )
    assert record == expected
    assert published == LITERAL


def test_a_home_directory_in_the_run_dir_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    assert parsed("--run_dir=~/runs")[0].run_dir == "/home/someone/runs"


def test_a_boolean_flag_can_be_switched_off():
    variants = {"feature_matching": {"released": {"overwrite": True}}}
    assert parsed(variants=variants)[0].overwrite is True
    assert parsed("--nooverwrite", variants=variants)[0].overwrite is False


def test_a_recipe_changes_its_settings():
    record, published = parsed("--recipe=first_release")
    assert record == published
    assert (record.learning_rate, record.averaging_rate) == (0.001, 0.0)
    assert (record.decay_start_epoch, record.decay_end_epoch) == (200, 300)
    assert record.recipe == "first_release"


def test_a_flag_beats_the_recipe_whatever_their_order():
    for arguments in (
        ["--learning_rate=0.5", "--recipe=first_release"],
        ["--recipe=first_release", "--learning_rate=0.5"],
    ):
        record, published = parsed(*arguments)
        assert record.learning_rate == 0.5
        assert published.learning_rate == 0.001


def test_a_flag_given_with_the_default_value_is_given():
    record, _ = parsed("--recipe=first_release", "--learning_rate=0.003")
    assert record.learning_rate == 0.003


def test_a_model_brings_its_own_recipe():
    record, published = parsed("--model=minibatch_discrimination")
    assert record == published
    assert record.recipe == "removed_script"
    assert (record.generator_objective, record.generator_steps) == ("saturating", 3)
    assert record.pixels == (127.5, 127.5)


def test_an_unknown_recipe_is_refused():
    with pytest.raises(UserError) as caught:
        parsed("--recipe=best")
    assert str(caught.value) == (
        "--recipe must be one of: released, first_release (with --model=feature_matching). "
        "Received: 'best'."
    )


def test_an_unknown_model_is_refused():
    with pytest.raises(UserError, match="--model must be one of: feature_matching, minibatch_disc"):
        parsed("--model=wgan")


def test_an_unknown_flag_is_refused_with_what_to_do():
    with pytest.raises(UserError, match=r"'epoch'.*--help lists every flag"):
        parsed("--epoch=3")


def test_a_flag_takes_values_of_its_settings_type():
    annotated = {"text": "None | str", "floating": "float | None", "whole": int}
    record = dataclasses.make_dataclass(
        "Record",
        [
            (name, kind, setting("of another name", source=OURS, default=None))
            for name, kind in annotated.items()
        ],
        bases=(semi_supervised.ExperimentConfig,),
        frozen=True,
        kw_only=True,
    )
    values = flags.FlagValues()
    experiment = record(**dataclasses.asdict(LITERAL))
    setting_flags.define_flags(experiment, run_mnist.VARIANTS, values)
    arguments = ["--text=1", "--floating=1", "--whole=1", "--dry_run"]
    setting_flags.parse_flags(["run_mnist.py", *arguments], values)
    found = [values[argument.split("=")[0][2:]].value for argument in arguments]
    assert [(value, type(value)) for value in found] == [
        ("1", str),
        (1.0, float),
        (1, int),
        (True, bool),
    ]


@pytest.mark.parametrize("argument", ["--epochs=1.5", "--epochs=many", "--learning_rate=fast"])
def test_a_value_of_another_type_is_refused_with_the_flag(argument):
    name, value = argument.split("=")
    with pytest.raises(UserError, match=rf"flag {name}.*{value}"):
        parsed(argument)


def test_an_argument_without_a_flag_is_refused():
    with pytest.raises(UserError) as caught:
        parsed("mnist", "--epochs=3")
    assert str(caught.value) == "Settings are given as --name=value. Received: 'mnist'."


# --- several runs --------------------------------------------------------------------------


def repeated(*arguments):
    values = flags.FlagValues()
    setting_flags.define_flags(LITERAL, run_mnist.VARIANTS, values)
    setting_flags.parse_flags(["run_mnist.py", *arguments], values)
    record, _ = setting_flags.config_from_flags(LITERAL, run_mnist.VARIANTS, values)
    return record, setting_flags.repetitions_from_flags(record, values)


def test_without_flags_a_command_is_one_run():
    _, repetitions = repeated()
    assert repetitions == (1, (10,), False)
    assert repetitions.is_one_run


def test_a_list_of_label_counts_belongs_to_the_command_and_one_count_to_the_record():
    record, repetitions = repeated("--labels_per_class=2,5,20", "--num_runs=4", "--seed_data=3")
    assert record.labels_per_class == 2
    assert repetitions == (4, (2, 5, 20), True)
    assert not repetitions.is_one_run


@pytest.mark.parametrize("text", ["many", "2,x", "2,2", "", "2.5"])
def test_a_list_that_is_none_of_different_whole_numbers_is_refused(text):
    with pytest.raises(UserError) as caught:
        repeated(f"--labels_per_class={text}")
    assert str(caught.value) == (
        "--labels_per_class must be a whole number of 1 or more, or several different ones "
        f"separated by commas. Received: {text!r}."
    )


@pytest.mark.parametrize("number", [0, -2])
def test_a_number_of_runs_below_one_is_refused(number):
    with pytest.raises(UserError, match=f"--num_runs must be .* Received: {number}"):
        repeated(f"--num_runs={number}")


DECIDED = {
    Decides.NUMBERS: {
        *("dataset", "pixels", "generator_objective", "generator_steps", "initialization_images"),
        *("width_multiplier", "batch_size", "learning_rate", "supervised_weight", "precision"),
        *("historical_averaging_weight", "historical_averaging_players", "averaging_rate"),
        *("decay_start_epoch", "decay_end_epoch"),
    },
    Decides.GAME: {
        *("unlabeled_weight", "real_target", "generated_target"),
        *("generator_normalization", "reference_batch_size"),
    },
    Decides.LENGTH: {"epochs"},
    Decides.SOURCE: {"recipe", "ablation", "data_source", "cross_replica"},
    Decides.ROW: {"model", "labels_per_class", "supervised_only"},
    Decides.SEED: {"seed", "seed_data"},
    Decides.NOTHING: {
        *("data_dir", "run_dir", "overwrite", "with_baseline", "evaluate_every"),
        *("checkpoint_every", "keep_checkpoints", "resume", "dry_run"),
        *("strategy", "num_devices", "tpu", "jit_compile", "deterministic", "stop_on_collapse"),
    },
}


@pytest.mark.parametrize("role", Decides)
def test_each_setting_of_an_experiment_decides_what_is_written_here(role):
    assert set(names_that_decide(LITERAL, role)) == DECIDED[role]


@pytest.mark.parametrize("role", Decides)
def test_each_setting_of_the_imagenet_game_decides_what_is_written_here(role):
    decided = {
        Decides.NUMBERS: {
            *("dataset", "pixels", "model", "recipe", "image_size", "num_towers"),
            *("width_multiplier", "batch_size", "learning_rate", "precision"),
            *("decay_start_epoch", "decay_end_epoch"),
        },
        Decides.SOURCE: {"image_folder"},
        Decides.SEED: {"seed"},
        Decides.LENGTH: {"epochs"},
        Decides.NOTHING: DECIDED[Decides.NOTHING] - {"with_baseline"} | {"cache_dir"},
    }
    found = names_that_decide(imagenet_config.ImagenetConfig, role)
    assert set(found) == decided.get(role, set())


@pytest.mark.parametrize("role", Decides)
def test_each_setting_of_a_dcgans_game_decides_what_is_written_here(role):
    decided = {
        Decides.SOURCE: {"dataset", "data_source", "image_folder", "recipe"},
        Decides.ROW: {"objective", "conditional"},
        Decides.SEED: {"seed"},
        Decides.LENGTH: {"epochs"},
        Decides.NOTHING: DECIDED[Decides.NOTHING] - {"with_baseline"} | {"cache_dir"},
    }
    found = set(names_that_decide(DcganConfig, role))
    if role is Decides.NUMBERS:
        others = {name for names in decided.values() for name in names}
        every = {field.name for field in dataclasses.fields(DcganConfig)}
        assert found == every - others
    else:
        assert found == decided.get(role, set())


def test_settings_are_named_in_the_records_order():
    assert names_that_decide(LITERAL, Decides.GAME, Decides.SEED) == [
        *("seed", "seed_data", "unlabeled_weight", "real_target", "generated_target"),
        *("generator_normalization", "reference_batch_size"),
    ]


def test_settings_that_differ_are_named_in_the_records_order():
    other = changed(epochs=5, labels_per_class=3, run_dir="x", seed=9)
    assert every_run.different_settings(LITERAL, other) == ["seed", "epochs", "labels_per_class"]


# --- ablations -----------------------------------------------------------------------------


def ablated(*arguments):
    """`(config, published)` of a command line of run_cifar10.py."""
    values = flags.FlagValues()
    tables = {"variants": run_cifar10.VARIANTS, "ablations": run_cifar10.ABLATIONS}
    setting_flags.define_flags(run_cifar10.EXPERIMENT, **tables, flag_values=values)
    setting_flags.parse_flags(["run_cifar10.py", *arguments], values)
    return setting_flags.config_from_flags(run_cifar10.EXPERIMENT, **tables, flag_values=values)


OUR_METHODS = {
    "model": "minibatch_discrimination",
    "generator_normalization": "virtual_batch",
    "real_target": 0.9,
    "supervised_weight": 1.0,
    "historical_averaging_weight": 0.0,
}


@pytest.mark.parametrize(
    ("row", "changes"),
    [
        ("our_methods", {}),
        ("vbn_to_bn", {"generator_normalization": "batch"}),
        (
            "labels_to_historical_averaging",
            {"supervised_weight": 0.0, "historical_averaging_weight": 0.1},
        ),
        ("no_label_smoothing", {"real_target": 1.0}),
        ("no_labels", {"supervised_weight": 0.0}),
        ("no_minibatch_features", {"model": "plain"}),
    ],
)
def test_a_row_of_table_3_takes_one_thing_from_our_methods(row, changes):
    record, published = ablated(f"--ablation={row}")
    assert record == published
    assert record.ablation == row
    switched = switched_settings(record, run_cifar10.ABLATIONS)
    assert switched == {**OUR_METHODS, **changes}
    assert {name: getattr(record, name) for name in switched} == switched
    # What every row shares, as in the minibatch-discrimination script.
    assert (record.generator_objective, record.generator_steps) == ("saturating", 3)
    assert record.seed_data is None


def test_every_row_of_table_3_is_tested_above():
    assert list(run_cifar10.ABLATIONS) == [
        "our_methods",
        "vbn_to_bn",
        "labels_to_historical_averaging",
        "no_label_smoothing",
        "no_labels",
        "no_minibatch_features",
    ]


@pytest.mark.parametrize(
    ("flag", "stands_for"),
    [
        ("--real_target=1.0", "real_target=0.9"),
        ("--historical_averaging_weight=0.5", "historical_averaging_weight=0.0"),
        ("--model=feature_matching", "model=minibatch_discrimination"),
        ("--supervised_weight=1.0", "supervised_weight=0.0"),
    ],
)
def test_a_flag_that_contradicts_the_row_is_refused(flag, stands_for):
    with pytest.raises(UserError) as caught:
        ablated("--ablation=no_labels", flag)
    assert str(caught.value).startswith(
        f"{flag} contradicts --ablation=no_labels, which stands for {stands_for}. "
    )


def test_a_flag_that_repeats_the_row_or_is_no_part_of_the_table_is_accepted():
    record, published = ablated("--ablation=no_labels", "--real_target=0.9", "--epochs=3")
    assert (record.epochs, published.epochs) == (3, 1200)


def test_an_unknown_row_is_refused_with_the_rows():
    with pytest.raises(UserError, match="--ablation must be one of: our_methods, vbn_to_bn, lab"):
        ablated("--ablation=everything")


def test_only_a_script_with_a_table_of_ablations_has_the_flag():
    with pytest.raises(UserError, match="Unknown command line flag 'ablation'"):
        parsed("--ablation=our_methods")
    assert ablated()[0].ablation is None


# --- the help texts ------------------------------------------------------------------------


def help_of(name):
    values = flags.FlagValues()
    setting_flags.define_flags(LITERAL, run_mnist.VARIANTS, values)
    return values[name].help


@pytest.mark.parametrize("field", settings(), ids=lambda f: f.name)
def test_every_help_text_names_default_and_source(field):
    default = getattr(LITERAL, field.name)
    shown = "not given" if default is None else str(default)
    assert f". Default: {shown}" in help_of(field.name)
    assert help_of(field.name).endswith(f"(from {field.metadata['source']})")


def test_a_help_text_names_what_a_recipe_changes():
    assert "--recipe=first_release: 0.001" in help_of("learning_rate")
    assert "--recipe" not in help_of("batch_size")


def test_imagenets_epochs_are_not_said_to_be_the_authors():
    # D16: the original has no last epoch.
    values = flags.FlagValues()
    setting_flags.define_flags(run_imagenet.EXPERIMENT, run_imagenet.VARIANTS, values)
    assert values["epochs"].help == (
        "passes over the training images; the original goes on until it is stopped. "
        "Default: 25 (from this project)"
    )


def test_a_help_text_names_the_choices():
    assert "<tfds|sample>" in help_of("data_source")
    assert "<released|first_release|removed_script>" in help_of("recipe")


def test_a_variant_that_unsets_a_setting_is_shown_as_not_given():
    variants = {"feature_matching": {"released": {}, "other": {"seed_data": None}}}
    values = flags.FlagValues()
    setting_flags.define_flags(LITERAL, variants, values)
    assert "--recipe=other: not given" in values["seed_data"].help


@pytest.mark.parametrize("script", [run_mnist, run_cifar10, run_imagenet])
def test_help_has_every_flag_once_under_its_subject(script, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run.py"])
    values = flags.FlagValues()
    ablations = getattr(script, "ABLATIONS", None)
    setting_flags.define_flags(script.EXPERIMENT, script.VARIANTS, values, ablations)
    with pytest.raises(SystemExit) as ended:
        setting_flags.parse_flags(["run.py", "--epochs=3", "--help"], values)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    subject, found = None, {}
    for line in shown.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            subject = line.removesuffix(":")
        elif line.startswith("  --"):
            found[line.split(":")[0].strip(" -").removeprefix("[no]")] = subject
    assert sorted(found) == sorted(name for name in values if not name.startswith("no"))
    assert (found["epochs"], found["data_dir"], found["seed"]) == (
        "Steps",
        "Data",
        "What is trained",
    )
    assert found["dry_run"] == "Run folder"


@pytest.mark.parametrize("argument", ["--help", "-help", "-h", "-?", "--helpshort", "--help=true"])
def test_help_may_be_asked_for_in_every_way(argument):
    with pytest.raises(SystemExit):
        setting_flags.parse_flags(["run.py", argument], flags.FlagValues())


def test_flags_belong_to_the_script_or_help_hides_them(monkeypatch):
    monkeypatch.setattr("sys.argv", ["run_mnist.py"])
    values = flags.FlagValues()
    setting_flags.define_flags(LITERAL, run_mnist.VARIANTS, values)
    assert set(values.flags_by_module_dict()) == {"run_mnist.py"}


# --- ImageNet ------------------------------------------------------------------------------


def imagenet(*arguments):
    values = flags.FlagValues()
    setting_flags.define_flags(run_imagenet.EXPERIMENT, run_imagenet.VARIANTS, values)
    setting_flags.parse_flags(["run_imagenet.py", *arguments], values)
    return setting_flags.config_from_flags(run_imagenet.EXPERIMENT, run_imagenet.VARIANTS, values)


def test_imagenet_has_its_own_settings_and_no_semi_supervised_ones():
    record, published = imagenet("--image_folder=photos", "--image_size=64", "--seed=3")
    assert (record.image_folder, record.image_size, record.seed) == ("photos", 64, 3)
    assert published == run_imagenet.EXPERIMENT
    assert folder_names.imagenet_run_name(record) == "imagenet-photos-64px-seed3"
    here, _ = imagenet("--image_folder=photos/cats/..", "--image_size=64")
    assert folder_names.imagenet_run_name(here) == "imagenet-photos-64px-seed1"
    for flag in ("labels_per_class=3", "num_runs=2", "averaging_rate=0", "model=plain"):
        with pytest.raises(UserError, match="Unknown command line flag"):
            imagenet(f"--{flag}")


def test_imagenet_settings_are_the_originals():
    record, _ = imagenet()
    assert (record.batch_size, record.num_towers, record.learning_rate) == (64, 4, 0.0004)
    assert (record.image_size, record.pixels) == (128, (127.5, 127.5))
    assert record.learning_rate_at(24) == 0.0004
    assert imagenet_config.ImagenetConfig.from_dict(record.to_dict()) == record


@pytest.mark.parametrize(("batch_size", "num_towers"), [(10, 4), (4, 4), (2, 4)])
def test_a_batch_that_does_not_split_into_towers_is_refused(batch_size, num_towers):
    with pytest.raises(UserError) as caught:
        imagenet(f"--batch_size={batch_size}", f"--num_towers={num_towers}")
    assert str(caught.value) == (
        "--num_towers must divide --batch_size into equal parts of 2 or more images. Received: "
        f"num_towers={num_towers}, batch_size={batch_size}."
    )


def test_another_image_size_is_refused():
    with pytest.raises(UserError) as caught:
        imagenet("--image_size=100")
    assert str(caught.value) == "--image_size must be one of: 32, 64, 128. Received: 100."
