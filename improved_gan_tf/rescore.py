"""Scores the saved networks of a run again and compares with what the run recorded.

    python -m improved_gan_tf.rescore RUN_DIR [--data_dir=...]

Loads `discriminator.keras` and `discriminator_raw.keras` in Keras' safe mode, scores every test
image and prints recorded and new counts side by side; exits with 1 if they differ.
"""

import argparse
import json
import os
import pathlib
import sys

from improved_gan_tf.errors import UserError

DIFFERENT = 1
USER_ERROR = 2
MODELS = {"averaged": "discriminator", "raw": "discriminator_raw"}  # kind -> name of its file


def rescore(run_dir, data_dir=None):
    """Scores the saved networks of a run folder.

    Args:
        run_dir: folder that a run script wrote.
        data_dir: folder of prepared TFDS data; the run's own `--data_dir` if None.

    Returns:
        `{kind: (recorded, now)}`, misclassified test images for "averaged" and "raw".

    Raises:
        UserError: the folder is not a run's, is incomplete, holds a damaged file, or its run has
            no test set; or the data it was tested on is not here.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from improved_gan_tf import data, evaluation, layers, networks, training
    from improved_gan_tf.classifiers import load_keras_model

    del layers  # imported so that its layers are registered and the models load
    run_dir = pathlib.Path(run_dir)
    try:
        result = json.loads((run_dir / "result.json").read_text("utf-8"))
        config, final = result["config"], result["final"]
        if config["dataset"] not in data.DATASETS:
            raise UserError(
                f"{run_dir} cannot be scored again: a run on {config['dataset']} has no test set."
            )
        where = (config["dataset"], config["data_source"], data_dir or config["data_dir"])
        spec = networks.EXPERIMENTS[config["dataset"], config["model"]]
        coupled_batch = config["batch_size"] if spec.couples_examples else None
        coupled_batch = final.get("test_batch", coupled_batch)  # not in results of version 0.1.0
        pixels = config["pixels"]
        recorded = {kind: final[f"test_wrong_{kind}"] for kind in MODELS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{run_dir} is not a run folder with a readable result.json: {error}"
        ) from error
    dataset = data.load(*where, download=False)
    images = training.DeviceImages(dataset.test_images, dataset.test_labels, pixels)
    scores = {}
    for kind, name in MODELS.items():
        if recorded[kind] is None:
            continue
        model = load_keras_model(run_dir / f"{name}.keras")
        logits = evaluation.Predictor(model, images, coupled_batch).logits()
        scores[kind] = (recorded[kind], evaluation.wrong_count(logits, dataset.test_labels))
    return scores


def main(argv=None):
    """Runs the command; exits with code 2 on a mistake that the user can mend."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", help="folder that a run script wrote")
    parser.add_argument(
        "--data_dir", help="folder with prepared TFDS data; the run's own if not given"
    )
    arguments = parser.parse_args(argv)
    try:
        scores = rescore(arguments.run_dir, arguments.data_dir)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    for kind, (recorded, now) in scores.items():
        print(f"{kind} parameters: recorded {recorded} wrong, now {now} wrong")
    if any(recorded != now for recorded, now in scores.values()):
        sys.exit(DIFFERENT)


if __name__ == "__main__":
    main()
