"""Which settings of a DCGAN's game go together; what does not is refused with the reason."""

from improved_gan_tf.errors import UserError
from improved_gan_tf.settings.dcgan_texts import parse_targets

# Objectives whose discriminator gives a score, and those whose discriminator is an autoencoder.
SCORED = (
    *("non_saturating", "minimax", "blended", "least_squares", "hinge"),
    *("wasserstein", "wasserstein_gp", "dragan"),
)
AUTOENCODERS = ("ebgan", "began")
# Scores are log odds, so that a target is a probability.
LOG_ODDS = ("non_saturating", "minimax", "blended", "dragan")
PENALIZED = ("wasserstein_gp", "dragan")

# Settings that belong to some objectives, which need them.
OWN_SETTINGS = {
    "penalty_weight": PENALIZED,
    "least_squares_targets": ("least_squares",),
    "margin": ("ebgan",),
    "pull_away_weight": ("ebgan",),
    "diversity_ratio": ("began",),
}

_WITH_LABELS = ("cgan", "acgan")


def check(config):
    """Raises `UserError` for the first rule that a `DcganConfig` breaks."""
    for is_broken, why in _rules(config):
        if is_broken:
            raise UserError(why)


def _rules(c):
    """`(whether it is broken, the sentence)` of every rule."""
    objective = f"--objective={c.objective}"
    penalized, encodes = c.objective in PENALIZED, c.objective in AUTOENCODERS
    softened = (c.real_targets, c.generated_targets, c.flip_rate) != ("1", "0", 0.0)
    for name, objectives in OWN_SETTINGS.items():
        value = getattr(c, name)
        yield (
            (value is None) == (c.objective in objectives),
            f"--{name} is for --objective={' or '.join(objectives)}, which needs it and nothing "
            f"else does. Received: {objective}, {name}={value}.",
        )
    yield (
        penalized and c.discriminator_normalization == "batch",
        f"{objective} penalises the gradient at single examples, and batch norm in the critic "
        "makes each score depend on its whole batch: give --discriminator_normalization=none.",
    )
    yield (
        penalized and c.minibatch_discrimination > 0,
        f"{objective} penalises the gradient at single examples, and minibatch discrimination "
        "makes each score depend on its whole batch: leave one of them out.",
    )
    yield (
        softened and c.objective not in LOG_ODDS,
        f"--real_targets, --generated_targets and --flip_rate set probabilities, and the scores "
        f"of {objective} are none: only {', '.join(LOG_ODDS)} have log odds.",
    )
    lowest_real, highest_generated = (
        parse_targets(c.real_targets)[0],
        parse_targets(c.generated_targets)[1],
    )
    yield (
        lowest_real <= highest_generated,
        "Every target of real images must be larger than every one of generated images, or the "
        "discriminator would learn the reverse. Received: "
        f"--real_targets={c.real_targets} --generated_targets={c.generated_targets}.",
    )
    yield (
        c.objective == "wasserstein" and c.weight_clip is None,
        "--objective=wasserstein needs a --weight_clip: without it nothing bounds the critic's "
        "slope, and its loss has no minimum.",
    )
    yield (
        encodes and c.minibatch_discrimination > 0,
        f"{objective} has an autoencoder for a discriminator, without a layer before a score into "
        "which minibatch discrimination could put its features: leave one of them out.",
    )
    yield (
        encodes and c.feature_matching,
        f"{objective} trains features to rebuild images, not to tell real from generated, so "
        "matching them is not feature matching: leave one of them out.",
    )
    yield (
        encodes and c.conditional != "none",
        f"{objective} has an autoencoder for a discriminator, which can neither be given nor tell "
        f"a class: leave out --conditional={c.conditional}.",
    )
    yield (
        c.replay > 0 and c.conditional != "none",
        "--replay keeps images without their classes and codes, which "
        f"--conditional={c.conditional} needs: leave one of them out.",
    )
    yield (
        not c.separate_batches and c.minibatch_discrimination > 0,
        "Minibatch discrimination compares images of one kind, so that real and generated ones "
        "must be shown in separate batches: leave out --noseparate_batches.",
    )
    yield (
        c.discriminator_optimizer == "sgd" and c.discriminator_learning_rate is None,
        "--discriminator_optimizer=sgd needs a --discriminator_learning_rate of its own: a rate "
        "for Adam, whose steps do not shrink with the gradient, would hardly move it.",
    )
    yield (
        c.generator_normalization != "virtual_batch" and c.reference_batch_size is not None,
        "--reference_batch_size is the size of virtual batch normalization's reference: it needs "
        f"--generator_normalization=virtual_batch. Received: {c.generator_normalization}.",
    )
    yield (
        (c.dataset == "folder") != (c.image_folder is not None),
        "--dataset=folder and --image_folder go together: give both or neither. Received: "
        f"dataset={c.dataset}, image_folder={c.image_folder}.",
    )
    yield (
        c.dataset != "folder" and c.image_size is not None,
        f"--image_size is for a folder of images: those of {c.dataset} have a size of their own.",
    )
    yield (
        c.data_source == "sample" and (c.dataset != "mnist" or c.data_dir is not None),
        "--data_source=sample are MNIST digits that come with a package: it goes with "
        f"--dataset=mnist and without --data_dir. Received: dataset={c.dataset}, "
        f"data_dir={c.data_dir}.",
    )


def not_read(c):
    """`{setting: why}` of what the game of a `DcganConfig` does not read."""
    found, players = {}, (c.generator_optimizer, c.discriminator_optimizer)
    if "adam" not in players:
        why = f"is Adam's, and the players' optimizers are {' and '.join(players)}."
        found |= {name: f"--{name} {why}" for name in ("beta_1", "beta_2")}
    if c.discriminator_normalization == "none":
        found["separate_batches"] = (
            "--separate_batches is for batch normalization, and the discriminator has none."
        )
    return found


def needs_labels(conditional):
    """Whether a game's players are told the images' classes, or tell them."""
    return conditional in _WITH_LABELS


def require_classes(conditional, num_classes):
    """Raises `UserError` if a game needs classes and the images have none.

    Args:
        conditional: "none", "cgan", "acgan" or "infogan".
        num_classes: int, classes of the images found.
    """
    if needs_labels(conditional) and num_classes < 2:
        raise UserError(
            f"--conditional={conditional} needs images of two or more classes, one folder for "
            f"each in --image_folder. Received: {num_classes} class."
        )
