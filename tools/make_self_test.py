"""Makes the numbers that `improved-gan devices` compares with, from the goldens of the tests.

    python -m tools.make_self_test

writes `improved_gan_tf/training/original_steps/*.npz`: of each whole-step golden with noise off,
what its first iteration needs, in our layouts.
"""

import json

import numpy as np

from improved_gan_tf import networks
from improved_gan_tf.training import self_test
from tests.parity import test_whole_steps as parity
from tests.parity.original_step import OriginalStep

GOLDENS = {
    "mnist-feature_matching": "step_mnist_fm_thin_off",
    "svhn-feature_matching": "step_svhn_fm_thin_off",
    "cifar10-minibatch_discrimination": "step_cifar_md_thin_off",
}


def layout_of(name, shape, variable):
    """The key of `self_test.LAYOUTS` for a parameter of the original, by its name and shape."""
    if len(shape) == 4:
        return "transposed" if name.startswith("gen") else "convolution"
    if len(variable.shape) == 4:
        return "pointwise"
    return "units" if name == "gen_L01_W" and shape[1] % 16 == 0 else "same"


def stored_numbers(model):
    """`{name: array}` of one file."""
    original = OriginalStep(GOLDENS[model])
    dataset, technique = model.split("-")
    players = networks.EXPERIMENTS[dataset, technique].build(0, self_test.WIDTH_MULTIPLIER)
    named = parity.mnist_parameters if dataset == "mnist" else parity.convolutional_parameters
    parameters = named(players)
    weights = [*players.discriminator.weights, *players.generator.weights]
    place = {id(weight): i for i, weight in enumerate(weights)}
    index = {name: place[id(parameter.variable)] for name, parameter in parameters.items()}
    draws, names = [], original["param_names_all"]
    for name, text, stddev in zip(
        map(str, names), original["param_shapes"], original["param_init_std"], strict=True
    ):
        if name.split("_", 2)[-1] not in ("W", "theta"):
            continue
        shape = [int(n) for n in str(text).strip("()").split(",") if n.strip()]
        layout = "same"
        if dataset != "mnist":
            layout = layout_of(name, shape, parameters[name].variable)
        draws.append(
            {"weight": index[name], "shape": shape, "stddev": float(stddev), "layout": layout}
        )
    trained = [*map(str, original["disc_trainable"]), *map(str, original["gen_trainable"])]
    matches_features = technique == "feature_matching"
    objective = "feature_matching_l2" if dataset == "mnist" else "feature_matching_l1"
    steps = int(original["n_gen_steps_per_iter"])
    suffixes = [f"_{i}" for i in range(1, steps + 1)] if steps > 1 else [""]
    recipe = {
        "seed": int(original["seed_params"]),
        "draws": draws,
        "learning_rate": float(original["lr"]),
        "generator_objective": objective if matches_features else "saturating",
        "generator_steps": steps,
        "norms_of": [index[name] for name in trained],
    }

    def images(key):
        array = original.arrays[key]
        return parity.nhwc(array) if array.ndim == 4 else array.reshape(-1, 28, 28, 1)

    return {
        "recipe": np.array(json.dumps(recipe)),
        "init_x": images("init_x"),
        "init_z": original.arrays["init_z"],
        "x_lab": images("it1/x_lab"),
        "labels": original.arrays["it1/labels"],
        "x_unl": images("it1/x_unl"),
        "x_gen": images("it1/x_unl2" if matches_features else "it1/x_unl"),
        "z_disc": original.arrays["it1/z_disc"],
        "z_gen": np.stack([original.arrays[f"it1/z_gen{s}"] for s in suffixes]),
        "supervised": original.arrays["it1/loss_lab"],
        "unsupervised": original.arrays["it1/loss_unl"],
        "generator": np.mean([original.arrays[f"it1/loss_gen{s}"] for s in suffixes]),
        "norms": np.array([norm_after(original, name) for name in trained]),
    }


def norm_after(original, name):
    """The norm of a parameter after the first iteration."""
    key = f"it1/after_{name.split('_')[0]}/{name}"
    if f"{key}__l2" in original.arrays:
        return float(original.arrays[f"{key}__l2"])
    return float(np.linalg.norm(original.arrays[key]))


def main():
    """Writes every file."""
    self_test.FOLDER.mkdir(exist_ok=True)
    for model in GOLDENS:
        np.savez_compressed(self_test.FOLDER / f"{model}.npz", **stored_numbers(model))
        print(self_test.FOLDER / f"{model}.npz")


if __name__ == "__main__":
    main()
