"""Every objective, and every technique of the paper on one of them, in short equal runs on MNIST.

    python -m tools.dcgan_study train RUNS [--data_dir=...] [--part=1/2]
    python -m tools.dcgan_study score RUNS --classifier=FILE.keras [--data_dir=...] [--part=1/2]
    python -m tools.dcgan_study measure RUNS [--data_dir=...]

`train` makes RUNS/NAME-seedN for every row of `STUDY` and three seeds, seed by seed, each with the
same number of generator steps; what is finished is not repeated, and what was stopped continues.
With `--part=1/2` and `--part=2/2` two processes share the work. `score` writes the score.json of
every finished run that has none, with one pass of real images for all, and RUNS/real.json, that of
real test images. `measure` writes what an iteration costs the processor.
`python -m tools.draw_dcgan RUNS` copies the results and draws their samples.
"""

import argparse
import dataclasses
import pathlib
import time

import run_dcgan
from improved_gan_tf.data import datasets
from improved_gan_tf.machine import environment, interruption
from tools.run_files import result, write

SEEDS = (1, 2, 3)
# The budget: 2,000 generator steps at a sixteenth of the width in batches of 16. So short a run
# shows something only at a higher rate: recipes with less than 0.001 get five times theirs.
BUDGET = {"width_multiplier": 0.0625, "epoch_iterations": 250, "epochs": 8, "batch_size": 16}
SLOW, FASTER = 0.001, 5
NUM_SAMPLES, NUM_REAL = 2_000, 10_000
TIMED = 100  # iterations

OBJECTIVES = {name: {"objective": name} for name in run_dcgan.VARIANTS}
TECHNIQUES = {
    "minibatch_discrimination": {"minibatch_discrimination": 100},
    "feature_matching": {"feature_matching": True},
    "historical_averaging": {"historical_averaging_weight": 0.1},
    "label_smoothing": {"real_targets": "0.9"},
    "virtual_batch_norm": {"generator_normalization": "virtual_batch"},
}
STUDY = {**OBJECTIVES, **TECHNIQUES}


def record(name, seed, runs, data_dir=None):
    """The `DcganConfig` of a row of the study, and its recipe's without the study's changes."""
    changes = STUDY[name]
    objective = changes.get("objective", run_dcgan.EXPERIMENT.objective)
    recipe = {**run_dcgan.VARIANTS[objective]["published"], "objective": objective}
    published = dataclasses.replace(run_dcgan.EXPERIMENT, **recipe)
    config = dataclasses.replace(
        published,
        **BUDGET,
        **{k: v for k, v in changes.items() if k != "objective"},
        learning_rate=published.learning_rate * (FASTER if published.learning_rate < SLOW else 1),
        seed=seed,
        data_dir=data_dir,
        run_dir=str(pathlib.Path(runs) / f"{name}-seed{seed}"),
    )
    return config, published


def train(arguments):
    """Trains this process's part of the study."""
    environment.set_defaults()
    from improved_gan_tf.runs import dcgan, resuming

    part, parts = map(int, arguments.part.split("/"))
    jobs = [(name, seed) for seed in SEEDS for name in STUDY][part - 1 :: parts]
    images = None
    with interruption.stop_on_signals() as stop_requested:
        for name, seed in jobs:
            config, published = record(name, seed, arguments.runs, arguments.data_dir)
            folder = pathlib.Path(config.run_dir)
            if stop_requested() or resuming.look(config, folder).status == "finished":
                continue
            images = images or dcgan.Images(config)
            dcgan.execute(config, images, folder, published, stop_requested)


def measure(arguments):
    """Writes RUNS/milliseconds.json: the processor's for one iteration of each row."""
    environment.set_defaults()
    from improved_gan_tf.runs import dcgan

    images, found = None, {}
    for name in STUDY:
        config, _ = record(name, 1, arguments.runs, arguments.data_dir)
        images = images or dcgan.Images(config)
        game = dcgan.DcganGame(config, images)
        game.prepare()
        (rows,) = game.epochs(0)
        game.trainer.train([rows[:2]], config.learning_rate)  # traces the graph
        start = time.process_time()
        game.trainer.train([rows[2 : 2 + TIMED]], config.learning_rate)
        found[name] = 1000 * (time.process_time() - start) / TIMED
    write(arguments.runs / "milliseconds.json", found)


def score(arguments):
    """Writes the score.json of every finished run without one."""
    environment.start_tensorflow()
    from improved_gan_tf.runs.finished_runs import generator_digest
    from improved_gan_tf.scoring import classifiers, image_scores, image_sources

    dataset = datasets.load("mnist", data_dir=arguments.data_dir, download=False)
    training, test = (
        image_sources.ArrayImages(
            images, 1, f"{kind} images of {dataset.description}", "mnist", dataset.is_papers
        )
        for kind, images in (("training", dataset.train_images), ("test", dataset.test_images))
    )
    classifier = classifiers.load(arguments.classifier, None, None)
    real = image_scores.classify_all(training, classifier, NUM_REAL, 500)
    part, parts = map(int, arguments.part.split("/"))
    if part == 1 and not (arguments.runs / "real.json").exists():
        classified = image_scores.classify_all(test, classifier, NUM_SAMPLES, 500)
        content = image_scores.score(test, classifier, classified, real, num_splits=10)
        write(arguments.runs / "real.json", content)
    for run in folders(arguments.runs)[part - 1 :: parts]:
        if not is_whole(run) or (run / "score.json").exists():
            continue
        generated = image_sources.open_source(run, seed=1)
        classified = image_scores.classify_all(generated, classifier, NUM_SAMPLES, 100)
        content = image_scores.score(generated, classifier, classified, real, num_splits=10)
        write(run / "score.json", {**content, "generator_sha256": generator_digest(run)})


def folders(runs):
    """The folders of the study's runs, by row and seed."""
    return [runs / f"{name}-seed{seed}" for name in STUDY for seed in SEEDS]


def is_whole(run):
    """Whether a run has all epochs of the study."""
    if not (run / "result.json").exists():
        return False
    content = result(run)
    return content["status"] == "finished" and content["final"]["epochs"] == BUDGET["epochs"]


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("train", "score", "measure"))
    parser.add_argument("runs", type=pathlib.Path, help="folder of the runs' folders")
    parser.add_argument("--data_dir", help="folder with prepared TFDS data")
    parser.add_argument("--part", default="1/1", help="I/N: every N-th run, from the I-th")
    parser.add_argument("--classifier", help="of improved-gan train-classifier, for score")
    arguments = parser.parse_args()
    if arguments.what == "score" and arguments.classifier is None:
        parser.error("score needs a --classifier")
    {"train": train, "score": score, "measure": measure}[arguments.what](arguments)


if __name__ == "__main__":
    main()
