"""Settings of DCGAN's games: the published recipes, and what does not go together."""

import dataclasses
import json
import re

import pytest
from absl import flags

import run_dcgan
import run_imagenet
from improved_gan_tf.errors import UserError
from improved_gan_tf.experiments import dcgan, one_run
from improved_gan_tf.runs import folder_names, resuming
from improved_gan_tf.settings import dcgan_rules, every_run
from improved_gan_tf.settings import flags as setting_flags
from improved_gan_tf.settings.dcgan import DcganConfig
from improved_gan_tf.settings.dcgan_texts import NoiseDecay, parse_noise, parse_targets


def parsed(*arguments):
    values = flags.FlagValues()
    setting_flags.define_flags(run_dcgan.EXPERIMENT, run_dcgan.VARIANTS, values)
    setting_flags.parse_flags(["run_dcgan.py", *arguments], values)
    config, published, *_ = setting_flags.command_from_flags(
        run_dcgan.EXPERIMENT, run_dcgan.VARIANTS, values
    )
    return config, published


# (rate, optimizer, betas, discriminator steps, clip, penalty, norm of D, batch)
RECIPES = {
    "non_saturating": (2e-4, "adam", (0.5, 0.999), 1, None, None, "batch", 128),
    "minimax": (2e-4, "adam", (0.5, 0.999), 1, None, None, "batch", 128),
    "blended": (2e-4, "adam", (0.5, 0.999), 1, None, None, "batch", 128),
    "least_squares": (1e-3, "adam", (0.5, 0.999), 1, None, None, "batch", 64),
    "hinge": (2e-4, "adam", (0.5, 0.999), 1, None, None, "batch", 128),
    "wasserstein": (5e-5, "rmsprop", (0.5, 0.999), 5, 0.01, None, "batch", 64),
    "wasserstein_gp": (1e-4, "adam", (0.0, 0.9), 5, None, 10.0, "none", 64),
    "dragan": (1e-4, "adam", (0.5, 0.9), 1, None, 10.0, "none", 64),
    "ebgan": (1e-3, "adam", (0.5, 0.999), 1, None, None, "batch", 64),
    "began": (1e-4, "adam", (0.5, 0.999), 1, None, None, "none", 16),
}


@pytest.mark.parametrize("objective", run_dcgan.VARIANTS)
def test_each_objective_has_its_published_recipe(objective):
    c, published = parsed(f"--objective={objective}")
    assert c == published
    assert RECIPES[objective] == (
        *(c.learning_rate, c.discriminator_optimizer, (c.beta_1, c.beta_2)),
        *(c.discriminator_steps, c.weight_clip, c.penalty_weight),
        *(c.discriminator_normalization, c.batch_size),
    )
    assert c.generator_optimizer == c.discriminator_optimizer
    assert DcganConfig.from_dict(c.to_dict()) == c


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("real_targets", ("0.9", "0.90", "0.9,0.9", "9e-1")),
        ("generated_targets", ("0,0.3", "0.0, 0.30", "0,3e-1")),
        ("instance_noise", ("0.1:0@20", "0.10:0.0@20", "1e-1:0@20 epochs")),
    ],
)
def test_numbers_that_are_spelled_otherwise_are_no_other_setting(name, spellings, tmp_path):
    first, *others = (parsed(f"--{name}={text}")[0] for text in spellings)
    assert getattr(first, name) == spellings[0]
    assert not any(every_run.different_settings(first, other) for other in others)
    for text in spellings:  # as an earlier version wrote it
        (tmp_path / "config.json").write_text(json.dumps({**first.to_dict(), name: text}))
        resuming.require_same_settings(first, tmp_path)


PHOTOS = ("--dataset=folder", "--image_folder=photos")


def test_a_folder_that_would_not_be_read_is_refused():
    for given, message in (
        ((*PHOTOS, "--data_dir=sets"), "--data_dir is where TFDS .* image_folder=photos"),
        (("--cache_dir=cache",), r"those of mnist need none\. Received: cache_dir=cache"),
    ):
        with pytest.raises(UserError, match=message):
            one_run.refuse_folders_not_read(parsed(*given)[0])
    for given in ((*PHOTOS, "--cache_dir=cache"), ("--data_dir=sets",)):
        one_run.refuse_folders_not_read(parsed(*given)[0])
    imagenet = dataclasses.replace(run_imagenet.EXPERIMENT, cache_dir="cache")
    one_run.refuse_folders_not_read(dataclasses.replace(imagenet, data_dir="sets"))
    both = dataclasses.replace(imagenet, data_dir="sets", image_folder="photos")
    with pytest.raises(UserError, match="--data_dir is where TFDS finds its data"):
        one_run.refuse_folders_not_read(both)


WITHOUT_ADAM = (
    *("--generator_optimizer=sgd", "--discriminator_optimizer=rmsprop"),
    "--discriminator_learning_rate=0.01",
)


@pytest.mark.parametrize(
    ("given", "players"),
    [
        ((*WITHOUT_ADAM, "--beta_1=0.3"), "sgd and rmsprop"),
        (("--objective=wasserstein", "--beta_2=0.9"), "rmsprop and rmsprop"),
    ],
)
def test_a_decay_of_adam_is_refused_where_no_player_uses_it(given, players, tmp_path):
    config, published = parsed(*given)
    name, value = given[-1].removeprefix("--").split("=")
    sentence = f"--{name} is Adam's, and the players' optimizers are {players}. Received: {name}="
    with pytest.raises(UserError, match=re.escape(f"{sentence}{value}.")):
        one_run.refuse_settings_not_read(config, published, tmp_path)
    with pytest.raises(UserError, match=sentence):
        dcgan.run(setting_flags.Command(config, published))
    with pytest.raises(UserError, match=sentence):
        dcgan.run(setting_flags.Command(config, published, setting_flags.Repetitions(2)))
    # A run begun with it before there was a rule goes on, alone or among several.
    for folder in (tmp_path / "seed1", tmp_path):
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config.to_dict()))
        one_run.refuse_settings_not_read(config, published, tmp_path)
        anew = dataclasses.replace(config, overwrite=True)
        with pytest.raises(UserError, match=sentence):
            one_run.refuse_settings_not_read(anew, published, tmp_path)
        (folder / "config.json").write_text("[]")


def test_one_batch_for_both_kinds_is_refused_where_the_discriminator_normalises_nothing(tmp_path):
    sentence = "--separate_batches is for batch normalization, and the discriminator has none"
    config, published = parsed("--objective=wasserstein_gp", "--noseparate_batches")
    with pytest.raises(UserError, match=sentence):
        one_run.refuse_settings_not_read(config, published, tmp_path)
    one_run.refuse_settings_not_read(*parsed("--noseparate_batches"), tmp_path)


def test_a_decay_of_adam_is_taken_where_it_is_read_or_the_recipes(tmp_path):
    for given in (
        *(("--beta_1=0.3",), WITHOUT_ADAM, (*WITHOUT_ADAM, "--beta_1=0.5")),
        ("--generator_optimizer=sgd", "--beta_2=0.9"),
        # This recipe has other decays than DCGAN's, for Adam.
        (*WITHOUT_ADAM, "--objective=wasserstein_gp"),
    ):
        one_run.refuse_settings_not_read(*parsed(*given), tmp_path)


def test_the_default_targets_go_with_every_objective_however_they_are_spelled():
    c, published = parsed("--objective=hinge", "--real_targets=1.0", "--generated_targets=0.0")
    assert c == published


def test_every_objective_has_a_recipe_and_infogan_has_its_own_rates():
    assert set(run_dcgan.VARIANTS) == set(dcgan_rules.SCORED) | set(dcgan_rules.AUTOENCODERS)
    c, _ = parsed("--recipe=infogan")
    assert (c.conditional, c.learning_rate, c.discriminator_learning_rate, c.latent_dim) == (
        *("infogan", 1e-3, 2e-4),
        62,
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            "--objective=wasserstein_gp --discriminator_normalization=batch",
            "penalises the gradient at single examples, and batch norm in the critic makes each "
            "score depend on its whole batch: give --discriminator_normalization=none.",
        ),
        ("--objective=dragan --minibatch_discrimination=5", "and minibatch discrimination makes"),
        ("--objective=wasserstein --real_targets=0.9", "the scores of --objective=wasserstein are"),
        ("--real_targets=0 --generated_targets=1", "or the discriminator would learn the reverse"),
        ("--generated_targets=0,1", "must be larger than every one of generated images"),
        ("--objective=hinge --flip_rate=0.1", "only non_saturating, minimax, blended, dragan have"),
        ("--objective=least_squares --generated_targets=0,0.3", "set probabilities"),
        ("--objective=ebgan --minibatch_discrimination=5", "an autoencoder for a discriminator"),
        ("--objective=began --feature_matching", "trains features to rebuild images"),
        ("--objective=began --conditional=cgan", "can neither be given nor tell a class"),
        ("--conditional=acgan --replay=50", "--replay keeps images without their classes"),
        ("--noseparate_batches --minibatch_discrimination=5", "compares images of one kind"),
        ("--discriminator_optimizer=sgd", "--discriminator_learning_rate of its own"),
        ("--margin=3", "--margin is for --objective=ebgan, which needs it and nothing else does"),
        ("--diversity_ratio=0.5", "--diversity_ratio is for --objective=began"),
        ("--penalty_weight=10", "is for --objective=wasserstein_gp or dragan"),
        ("--reference_batch_size=10", "needs --generator_normalization=virtual_batch"),
        ("--dataset=folder", "--dataset=folder and --image_folder go together"),
        ("--image_folder=photos", "--dataset=folder and --image_folder go together"),
        ("--image_size=64", "those of mnist have a size of their own"),
        ("--dataset=svhn --data_source=sample", "it goes with --dataset=mnist"),
        ("--real_targets=1.2,0.7", "two rising ones like 0.7,1.2"),
        ("--instance_noise=0:0.1@5", "like 0.1:0@20"),
        ("--flip_rate=0.5", "smaller than 0.5"),
        ("--objective=vae", "--objective must be one of: non_saturating, "),
        ("--recipe=infogan --objective=hinge", r"(with --objective=hinge)"),
        ("--num_runs=0", "whole number"),
    ],
)
def test_what_does_not_go_together_is_refused_with_the_reason(arguments, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)) as caught:
        parsed(*arguments.split())
    assert "\n" not in str(caught.value)


def test_a_wasserstein_critic_without_a_bound_is_refused():
    c, _ = parsed("--objective=wasserstein")
    with pytest.raises(UserError, match="nothing bounds the critic's slope"):
        dataclasses.replace(c, weight_clip=None)


@pytest.mark.parametrize("conditional", ["cgan", "acgan"])
def test_classes_need_images_with_classes(conditional):
    with pytest.raises(UserError, match=f"--conditional={conditional} needs images of two or more"):
        dcgan_rules.require_classes(conditional, 1)
    dcgan_rules.require_classes(conditional, 2)
    dcgan_rules.require_classes("infogan", 1)  # its categories are its own


@pytest.mark.parametrize(
    ("text", "found"),
    [("1", (1.0, 1.0)), ("0.9", (0.9, 0.9)), ("0.7,1.2", (0.7, 1.2)), ("0.7, 1.2", (0.7, 1.2))],
)
def test_targets_are_one_number_or_two(text, found):
    assert parse_targets(text) == found


@pytest.mark.parametrize("text", ["", "x", "1.2,0.7", "-1", "3", "0.7,1.2,1.3", "nan", "٣"])
def test_other_texts_are_no_targets(text):
    assert parse_targets(text) is None


def test_noise_has_a_start_an_end_and_epochs():
    assert parse_noise("0.1:0@20") == parse_noise("0.1:0@20 epochs") == NoiseDecay(0.1, 0.0, 20)
    for text in ("0.1", "0.1:0", "0.1@20", "0:0@5", "0.1:0@0", "0.1:0@1.5", "101:0@5"):
        assert parse_noise(text) is None, text


def test_folders_are_named_after_what_tells_runs_apart():
    c, _ = parsed("--objective=hinge", "--conditional=cgan")
    assert folder_names.dcgan_name(c) == "dcgan-mnist-hinge-cgan"
    c, _ = parsed("--dataset=folder", "--image_folder=a/photos", "--image_size=32")
    assert folder_names.dcgan_name(c) == "dcgan-photos-32px-non_saturating"
    c, _ = parsed("--dataset=folder", "--image_folder=a/photos/cats/..", "--image_size=32")
    assert folder_names.dcgan_name(c) == "dcgan-photos-32px-non_saturating"
