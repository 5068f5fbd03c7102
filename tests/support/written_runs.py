"""Writes run folders with chosen numbers, without training anything."""

import dataclasses
import json

import numpy as np

import improved_gan_tf
import run_dcgan
import run_imagenet
import run_mnist


def record(**settings):
    """The MNIST literal with some settings changed."""
    return dataclasses.replace(run_mnist.EXPERIMENT, **settings)


def result_of(config, raw=100, averaged=90, count=10_000, status="finished", **changes):
    """Content of a result.json."""
    return {
        "status": status,
        "title": "mnist (TFDS 3.0.1), feature_matching",
        "differences_from_paper": [],
        "config": config.to_dict(),
        "final": {
            "epochs": config.epochs,
            "test_count": count,
            "test_wrong_averaged": averaged,
            "test_wrong_raw": raw,
            "average_weight": None if averaged is None else 1.0,
            "collapsed_at_epoch": None,
        },
        "versions": {"improved_gan_tf": improved_gan_tf.__version__, "git_commit": "0" * 40},
        "wall_seconds": 12.0,
        **changes,
    }


def write_run(folder, config=None, predictions=None, **result):
    """Writes config.json, result.json and, if given, predictions.npz; returns the folder."""
    config = config or record()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    (folder / "result.json").write_text(json.dumps(result_of(config, **result)))
    if predictions is not None:
        np.savez_compressed(folder / "predictions.npz", **predictions)
    return folder


def write_dcgan_run(folder):
    """Writes config.json and result.json of a DCGAN's game, which tests nothing; the folder."""
    result = result_of(run_dcgan.EXPERIMENT)
    result["final"] = {"epochs": 25, "generator_steps": 9, "discriminator_steps": 9, "metrics": {}}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(run_dcgan.EXPERIMENT.to_dict()))
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def write_imagenet_run(folder):
    """Writes config.json and result.json of an ImageNet run, which tests nothing; the folder."""
    config = run_imagenet.EXPERIMENT.to_dict()
    result = result_of(run_imagenet.EXPERIMENT)
    result["final"] = {"epochs": 25, "models_of_epoch": 25, "models_of_iteration": 9, "metrics": {}}
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "result.json").write_text(json.dumps(result))
    return folder
