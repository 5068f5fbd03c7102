"""BigGAN's record: the public code's script, the paper's numbers, what each setting decides."""

import dataclasses

import pytest
from absl import flags

import run_biggan
from improved_gan_tf.data import datasets
from improved_gan_tf.errors import UserError
from improved_gan_tf.experiments import biggan as experiment
from improved_gan_tf.experiments import one_run
from improved_gan_tf.runs import biggan, folder_names
from improved_gan_tf.settings import flags as setting_flags
from improved_gan_tf.settings.biggan import BigganConfig
from improved_gan_tf.settings.setting import Decides, names_that_decide
from tests.support.noise_runs import images


def parsed(*arguments):
    """`(config, published)` of a command line."""
    values = flags.FlagValues()
    setting_flags.define_flags(run_biggan.EXPERIMENT, run_biggan.VARIANTS, values)
    setting_flags.parse_flags(["run_biggan.py", *arguments], values)
    return setting_flags.config_from_flags(run_biggan.EXPERIMENT, run_biggan.VARIANTS, values)


def test_the_literal_is_the_public_codes_cifar_10_script():
    record, published = parsed()
    assert record == published == run_biggan.EXPERIMENT
    # launch_cifar_ema.sh and the defaults of utils.py.
    expected = {
        **{"batch_size": 50, "discriminator_steps": 4, "accumulation_steps": 1, "epochs": 500},
        **{"learning_rate": 2e-4, "generator_learning_rate": 2e-4, "orthogonal_weight": 0.0},
        **{"initializer": "normal", "averaging_decay": 0.9999, "averaging_start": 1000},
        **{"channels": 64, "z_dim": 128, "shared_dim": None, "hierarchical": False},
        **{"spectral_norm": True, "standing_batches": 16},
    }
    assert {name: getattr(record, name) for name in expected} == expected
    assert (record.unit, record.images_per_iteration) == (64, 200)


@pytest.mark.parametrize("num_runs", [1, 2])
def test_the_start_of_an_average_that_is_none_is_refused(num_runs, tmp_path):
    given = ("--averaging_decay=0", "--averaging_start=7", f"--run_dir={tmp_path / 'run'}")
    command = setting_flags.Command(*parsed(*given), setting_flags.Repetitions(num_runs))
    with pytest.raises(UserError, match=r"keeps none\. Received: averaging_start=7\.$"):
        experiment.run(command)
    for other in (given[:1], given[1:]):  # the recipe's start, or another decay
        one_run.refuse_settings_not_read(*parsed(*other), tmp_path)


def test_the_papers_recipe_has_the_papers_numbers():
    record, published = parsed("--recipe=paper")
    expected = {
        **{"batch_size": 2048, "discriminator_steps": 2, "channels": 96, "z_dim": 120},
        **{"learning_rate": 2e-4, "generator_learning_rate": 5e-5, "orthogonal_weight": 1e-4},
        **{"initializer": "orthogonal", "averaging_decay": 0.9999, "averaging_start": 20_000},
        **{"shared_dim": 128, "hierarchical": True},
    }
    assert {name: getattr(record, name) for name in expected} == expected
    noise = images("cifar10")._replace(is_papers=True)
    assert biggan.differences_from_paper(record, noise, published) == [
        "networks: 32 pixels, without attention, instead of 128 with it"
    ]


def test_a_flag_of_the_record_is_a_difference_from_the_recipe():
    record, published = parsed("--dataset=svhn", "--nospectral_norm", "--epochs=3", "--seed=4")
    noise = images("svhn")
    assert biggan.differences_from_paper(record, noise, published) == [
        "data: noise",
        "dataset: svhn instead of cifar10",
        "epochs: 3 instead of 500",
        "spectral_norm: False instead of True",
    ]
    name = folder_names.biggan_run_name(record)
    assert name == "svhn-tfds-biggan-public_code-no_spectral_norm-seed4"
    assert BigganConfig.from_dict(record.to_dict()) == record


@pytest.mark.parametrize("role", Decides)
def test_each_setting_decides_what_is_written_here(role):
    decided = {
        Decides.NUMBERS: {
            *("pixels", "model", "width_multiplier", "channels", "z_dim", "shared_dim"),
            *("hierarchical", "initializer", "spectral_norm", "batch_size", "learning_rate"),
            *("discriminator_steps", "accumulation_steps", "generator_learning_rate"),
            *("orthogonal_weight", "averaging_decay", "averaging_start"),
            *("decay_start_epoch", "decay_end_epoch", "precision"),
        },
        Decides.SOURCE: {"dataset", "data_source", "recipe"},
        Decides.SEED: {"seed"},
        Decides.LENGTH: {"epochs"},
    }
    found = set(names_that_decide(BigganConfig, role))
    if role is Decides.NOTHING:
        assert {"standing_batches", "stop_on_collapse", "data_dir"} <= found
    else:
        assert found == decided.get(role, set())


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--dataset=imagenet", "--dataset must be one of: cifar10, svhn, mnist."),
        ("--recipe=released", "--recipe must be one of: public_code, paper"),
        ("--batch_size=1", "--batch_size must be a whole number of 2 or more. Received: 1."),
        ("--discriminator_steps=0", "--discriminator_steps must be a whole number of 1 or more"),
        ("--averaging_decay=1", "--averaging_decay must be a number of at least 0 and smaller"),
        ("--generator_learning_rate=0", "--generator_learning_rate must be a finite number larger"),
        ("--initializer=zeros", "--initializer must be one of: normal, orthogonal."),
    ],
)
def test_a_value_out_of_range_is_refused(flag, message):
    with pytest.raises(UserError) as caught:
        parsed(flag)
    assert str(caught.value).startswith(message)


def test_an_epoch_has_rows_for_every_minibatch_and_no_image_twice():
    config = dataclasses.replace(
        run_biggan.EXPERIMENT, batch_size=4, discriminator_steps=2, accumulation_steps=2
    )
    epochs = biggan.BigganEpochs(70, config)
    rows = epochs(3)
    assert (epochs.iterations, len(rows)) == (4, 4)
    assert {part.shape for part in rows} == {(4, 4)}
    assert len({int(row) for part in rows for row in part.ravel()}) == 64
    assert any((one != other).any() for one, other in zip(rows, epochs(4), strict=True))
    with pytest.raises(UserError, match=r"exceed the 15 images: .* Received: 4 times 2 times 2\."):
        biggan.BigganEpochs(15, config)


def test_the_sample_has_digits_only():
    assert datasets.KNOWN_SETS.keys() >= {"cifar10", "svhn", "mnist"}
    with pytest.raises(UserError, match=r"it needs --dataset=mnist\. Received: dataset=cifar10"):
        parsed("--data_source=sample")


def test_the_help_names_no_flag_that_there_is_not():
    values = flags.FlagValues()
    setting_flags.define_flags(run_biggan.EXPERIMENT, run_biggan.VARIANTS, values)
    assert "model" not in values
    assert not [name for name in values if "--model" in values[name].help]
    assert "; with --recipe=paper: 96 (from" in values["channels"].help
