"""DCGAN's games in short equal runs: all of them on MNIST, four of them on CIFAR-10.

    python -m tools.dcgan_study train RUNS [--dataset=cifar10] [--data_dir=...] [--part=1/2]
    python -m tools.dcgan_study score RUNS --classifier=FILE.keras [the same]
    python -m tools.dcgan_study measure RUNS [--dataset=cifar10] [--data_dir=...]

`train` makes RUNS/NAME-seedN for every row and seed of a data set's study, seed by seed, each with
the same number of generator steps; what is finished is not repeated, and what was stopped
continues; one that diverged stays as it is. With `--part=1/2` and `--part=2/2` two processes share
the work. `score` writes the score.json of every finished run that has none, with one pass of real
images for all, and RUNS/real.json, that of real test images. `measure` writes what an iteration
costs the processor. `python -m tools.draw_dcgan RUNS` copies the results and draws their samples.
"""

import argparse
import dataclasses
import pathlib
import re
import sys
import time

import run_dcgan
from improved_gan_tf.data import datasets
from improved_gan_tf.errors import DivergedError
from improved_gan_tf.machine import environment, interruption
from tools.run_files import result, write

# So short a run shows something only at a higher rate: recipes with less than 0.001 get five times
# theirs.
SLOW, FASTER = 0.001, 5
NUM_REAL = 10_000
TIMED = 100  # iterations

OBJECTIVES = {name: {"objective": name} for name in run_dcgan.VARIANTS}
TECHNIQUES = {
    "minibatch_discrimination": {"minibatch_discrimination": 100},
    "feature_matching": {"feature_matching": True},
    "historical_averaging": {"historical_averaging_weight": 0.1},
    "label_smoothing": {"real_targets": "0.9"},
    "virtual_batch_norm": {"generator_normalization": "virtual_batch"},
}


@dataclasses.dataclass(frozen=True)
class Study:
    """What is trained on a data set, for how long, and how it is scored."""

    dataset: str
    rows: dict  # a row's settings, by its name
    seeds: tuple
    budget: dict  # settings of every run
    num_samples: int  # scored, of generated and of real test images
    results: str  # folder below results/

    def folders(self, runs):
        """The folders of the study's runs, by row and seed."""
        return [runs / f"{name}-seed{seed}" for name in self.rows for seed in self.seeds]

    def is_whole(self, run):
        """Whether a run has all epochs of the study."""
        if not (run / "result.json").exists():
            return False
        content = result(run)
        whole = content["final"]["epochs"] == self.budget["epochs"]
        return content["status"] == "finished" and whole


MNIST = Study(
    dataset="mnist",
    rows={**OBJECTIVES, **TECHNIQUES},
    seeds=(1, 2, 3),
    budget={"width_multiplier": 0.0625, "epoch_iterations": 250, "epochs": 8, "batch_size": 16},
    num_samples=2_000,
    results="dcgan",
)
CIFAR10 = Study(
    dataset="cifar10",
    rows={
        **{name: OBJECTIVES[name] for name in ("non_saturating", "wasserstein_gp", "ebgan")},
        "minibatch_discrimination": TECHNIQUES["minibatch_discrimination"],
    },
    seeds=(1,),
    budget={"width_multiplier": 0.0625, "epoch_iterations": 250, "epochs": 4, "batch_size": 16},
    num_samples=1_000,  # the partial data has no more test images
    results="dcgan_cifar10",
)
STUDIES = {study.dataset: study for study in (MNIST, CIFAR10)}


def record(study, name, seed, runs, data_dir=None):
    """The `DcganConfig` of a row of a study, and its recipe's without the study's changes."""
    changes = study.rows[name]
    objective = changes.get("objective", run_dcgan.EXPERIMENT.objective)
    recipe = {**run_dcgan.VARIANTS[objective]["published"], "objective": objective}
    published = dataclasses.replace(run_dcgan.EXPERIMENT, **recipe)
    config = dataclasses.replace(
        published,
        **study.budget,
        dataset=study.dataset,
        **{k: v for k, v in changes.items() if k != "objective"},
        learning_rate=published.learning_rate * (FASTER if published.learning_rate < SLOW else 1),
        seed=seed,
        data_dir=data_dir,
        run_dir=str(pathlib.Path(runs) / f"{name}-seed{seed}"),
    )
    return config, published


def part_of(text):
    """`(I, N)` of the text "I/N", 1 <= I <= N: argparse's type of --part."""
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    part, parts = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= parts:
        raise argparse.ArgumentTypeError(
            f"I/N is expected, whole numbers with 1 <= I <= N. Received: {text}"
        )
    return part, parts


def train(arguments):
    """Trains this process's part of the study; a run that diverges is told, and the next begins.

    Raises:
        SystemExit: a signal stopped it, or a run diverged, now or earlier.
    """
    environment.set_defaults()
    from improved_gan_tf.runs import dcgan, resuming

    study = STUDIES[arguments.dataset]
    part, parts = arguments.part
    jobs = [(name, seed) for seed in study.seeds for name in study.rows][part - 1 :: parts]
    images, diverged = None, []
    with interruption.stop_on_signals() as stop_requested:
        for name, seed in jobs:
            config, published = record(study, name, seed, arguments.runs, arguments.data_dir)
            folder = pathlib.Path(config.run_dir)
            try:
                if stop_requested() or resuming.look(config, folder).status == "finished":
                    continue
                images = images or dcgan.Images(config)
                dcgan.execute(config, images, folder, published, stop_requested)
            except (DivergedError, resuming.EndedError) as error:
                diverged.append(f"{folder}: {error}")
    if stop_requested():
        sys.exit(stop_requested.exit_code())
    if diverged:
        sys.exit("These runs have no result:\n" + "\n".join(diverged))


def measure(arguments):
    """Writes RUNS/milliseconds.json: the processor's for one iteration of each row."""
    environment.set_defaults()
    from improved_gan_tf.runs import dcgan

    study = STUDIES[arguments.dataset]
    images, found = None, {}
    for name in study.rows:
        config, _ = record(study, name, 1, arguments.runs, arguments.data_dir)
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

    study = STUDIES[arguments.dataset]
    dataset = datasets.load(study.dataset, data_dir=arguments.data_dir, download=False)
    training, test = (
        image_sources.ArrayImages(
            images, 1, f"{kind} images of {dataset.description}", study.dataset, dataset.is_papers
        )
        for kind, images in (("training", dataset.train_images), ("test", dataset.test_images))
    )
    classifier = classifiers.load(arguments.classifier, None, None)
    real = image_scores.classify_all(training, classifier, NUM_REAL, 500)
    part, parts = arguments.part
    if part == 1 and not (arguments.runs / "real.json").exists():
        classified = image_scores.classify_all(test, classifier, study.num_samples, 500)
        content = image_scores.score(test, classifier, classified, real, num_splits=10)
        write(arguments.runs / "real.json", content)
    for run in study.folders(arguments.runs)[part - 1 :: parts]:
        if not study.is_whole(run) or (run / "score.json").exists():
            continue
        generated = image_sources.open_source(run, seed=1)
        classified = image_scores.classify_all(generated, classifier, study.num_samples, 100)
        content = image_scores.score(generated, classifier, classified, real, num_splits=10)
        write(run / "score.json", {**content, "generator_sha256": generator_digest(run)})


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("train", "score", "measure"))
    parser.add_argument("runs", type=pathlib.Path, help="folder of the runs' folders")
    parser.add_argument("--dataset", default="mnist", choices=STUDIES, help="whose study (mnist)")
    parser.add_argument("--data_dir", help="folder with prepared TFDS data")
    parser.add_argument(
        "--part", type=part_of, default="1/1", help="I/N: every N-th run, from the I-th (1/1)"
    )
    parser.add_argument("--classifier", help="of improved-gan train-classifier, for score")
    arguments = parser.parse_args()
    if arguments.what == "score" and arguments.classifier is None:
        parser.error("score needs a --classifier")
    {"train": train, "score": score, "measure": measure}[arguments.what](arguments)


if __name__ == "__main__":
    main()
