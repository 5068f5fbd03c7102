"""The command `python -m examples.silent_layer`: trains variants, prints the tables, draws."""

import argparse
import sys

from examples import unfinished_trials
from examples.silent_layer import tables
from examples.silent_layer.tables import DATASETS, TITLES
from improved_gan_tf.errors import DivergedError, UserError
from improved_gan_tf.machine import environment, exits, files
from improved_gan_tf.machine.progress_bar import progress_bar

# TensorFlow is imported in `train`: `--help` and a mistake answer without it.

CLASSIFIER_EPOCHS, CLASSIFIER_SEED = 10, 1
SETTINGS = ("dataset", "width_multiplier", "learning_rate", "labels_per_class", "iterations")
LABELS_PER_CLASS = {"mnist": 10, "cifar10": 400}
MOST_LABELS = {"mnist": 300, "cifar10": 5000}


def parser():
    """Returns the parser of the command line."""
    parsing = argparse.ArgumentParser(
        prog="python -m examples.silent_layer",
        description="Why minibatch discrimination falls silent: a thin game with one change at a "
        "time. Every trial has a file under --output; finished ones are not trained again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parsing.add_argument
    # What is not given by a number has its default in its help, and is set in `check`.
    hidden = argparse.SUPPRESS
    add(
        "--variants",
        nargs="+",
        choices=TITLES,
        metavar="VARIANT",
        default=hidden,
        help=f"what is changed: {', '.join(TITLES)} (default: all)",
    )
    add(
        "--dataset",
        choices=DATASETS,
        default="mnist",
        help="4,000 embedded digits of MNIST, or CIFAR-10 by TensorFlow Datasets",
    )
    add("--data_dir", default=hidden, help="folder of prepared TFDS data (default: TFDS's own)")
    add("--trials", type=int, default=3, help="how many of each; 0 prints what is there")
    add("--seed", type=int, default=1, help="of the first trial; the others follow")
    add("--iterations", type=int, default=500, help="of the game")
    add("--learning_rate", type=float, default=0.001, help="the authors' is 0.0003")
    add("--width_multiplier", type=float, default=0.125, help="1 is the authors' network")
    add(
        "--labels_per_class",
        type=int,
        default=hidden,
        help="labeled images of each class (default: 10 of MNIST, 400 of CIFAR-10)",
    )
    add(
        "--output", type=files.user_path, default="silent_layer", help="folder of the trials' files"
    )
    add(
        "--picture",
        type=files.user_path,
        default=hidden,
        help="PNG file of closeness to draw; trials of one length and rate",
    )
    add(
        "--samples_picture",
        type=files.user_path,
        default=hidden,
        help="PNG file to draw of the samples of every trial",
    )
    return parsing


def check(arguments, error):
    """Refuses numbers out of range by `error`, a function of a message that ends the program.

    What was not given gets its default.
    """
    defaults = {
        "variants": list(TITLES),
        "data_dir": None,
        "labels_per_class": LABELS_PER_CLASS[arguments.dataset],
        "picture": None,
        "samples_picture": None,
    }
    for name, value in defaults.items():
        setattr(arguments, name, getattr(arguments, name, value))
    if arguments.data_dir and arguments.dataset == "mnist":
        error(f"--data_dir is for --dataset=cifar10. Received: {arguments.data_dir}")
    for name, low, high in (
        ("trials", 0, 1000),
        ("seed", 0, 2**31 - 1001),
        ("iterations", 1, 1_000_000),
        ("learning_rate", 1e-8, 1.0),
        ("width_multiplier", 0.02, 4.0),
        ("labels_per_class", 1, MOST_LABELS[arguments.dataset]),
    ):
        value = getattr(arguments, name)
        if not low <= value <= high:
            error(f"--{name} must be from {low} to {high}. Received: {value}")
    if arguments.output.exists() and not arguments.output.is_dir():
        error(f"--output must be a folder. Received: {arguments.output}")
    for name in ("picture", "samples_picture"):
        path = getattr(arguments, name)
        if path and (path.suffix.lower() != ".png" or not path.parent.is_dir()):
            error(f"--{name} must be a .png file in a folder that exists. Received: {path}")


def path_of(arguments, name, seed):
    """Returns the file of a trial; what decides its numbers is in the name, but for the data."""
    size = f"width{arguments.width_multiplier:g}-rate{arguments.learning_rate:g}"
    labels = f"labels{arguments.labels_per_class}"
    data = "" if arguments.dataset == "mnist" else f"{arguments.dataset}-"
    file = f"{data}{name}-{size}-{labels}-{arguments.iterations}-seed{seed}.json"
    return arguments.output / file


def train(name, seed, arguments, dataset, classifier, checkpoint, progress):
    """Trains one trial, from its checkpoint or None, and writes its files.

    Raises:
        DivergedError: a loss became NaN or infinite; the trial's file says so.
    """
    import keras

    from examples.silent_layer import pictures, training, variants
    from improved_gan_tf.machine import versions

    variant = variants.VARIANTS[name]
    config = training.config_of(
        arguments.dataset,
        variant,
        seed,
        arguments.width_multiplier,
        arguments.learning_rate,
        arguments.labels_per_class,
    )
    trial = training.Trial(variant, dataset, config)
    path = path_of(arguments, name, seed)
    unfinished = unfinished_trials.UnfinishedTrial(
        path, identity(arguments, dataset), versions.versions(), trial.variables(), checkpoint
    )
    watched = []
    if checkpoint:
        trial.iteration, watched = unfinished.records

    def after_some(iterations):
        progress.update(iterations)
        unfinished.keep([trial.iteration, watched])

    to_watch = sorted(
        {*(i for i in training.WATCHED if i < arguments.iterations), arguments.iterations}
    )

    def write(outcome):
        content = {
            "variant": name,
            "seed": seed,
            "settings": {key: getattr(arguments, key) for key in SETTINGS},
            "watched": watched,
            "outcome": outcome,
            "provenance": {**unfinished.provenance(), "data": dataset.description},
        }
        files.write_json(path, content)
        unfinished.remove()
        keras.utils.clear_session()

    try:
        for iteration in to_watch[len(watched) :]:
            trial.train_to(iteration, after_some)
            watched.append(trial.watch()._asdict())
    except DivergedError:
        write(None)  # without it the tables would show the means of the others alone
        raise
    pictures.write_samples(trial.picture(), path.with_suffix(".png"))
    write(trial.outcome(classifier)._asdict())
    progress.write(f"finished: {path}")


def identity(arguments, dataset):
    """Returns what must be the same for a trial to go on, a dict; the rest is in its name."""
    return {key: getattr(arguments, key) for key in SETTINGS} | {"data": dataset.description}


def train_all(arguments):
    """Trains the trials that have no file; one that diverges is told, and the others go on."""
    seeds = range(arguments.seed, arguments.seed + arguments.trials)
    paths = {(n, s): path_of(arguments, n, s) for s in seeds for n in arguments.variants}
    missing = {key: path for key, path in paths.items() if not path.exists()}
    print(
        f"{len(paths) - len(missing)} trials are finished, {len(missing)} to be trained", flush=True
    )
    if not missing:
        return
    from improved_gan_tf.data import datasets
    from improved_gan_tf.machine import determinism
    from improved_gan_tf.scoring import small_classifier

    source = "sample" if arguments.dataset == "mnist" else "tfds"
    dataset = datasets.load(arguments.dataset, source, arguments.data_dir)
    finished = tables.read_all(arguments.output)
    tables.require_one_data_set(finished, (arguments.dataset, dataset.description))
    begun = {
        key: unfinished_trials.read(path, identity(arguments, dataset))
        for key, path in missing.items()
    }
    done = sum(checkpoint.header["records"][0] for checkpoint in begun.values() if checkpoint)
    if done:
        print(f"Of these, {done} iterations are done.", flush=True)
    determinism.make_operations_deterministic()
    print("First the classifier that tells the samples' classes:", flush=True)
    classifier, _ = small_classifier.train(dataset, CLASSIFIER_EPOCHS, CLASSIFIER_SEED)
    arguments.output.mkdir(parents=True, exist_ok=True)
    total = len(missing) * arguments.iterations
    with progress_bar(total, "iteration", f"{len(missing)} trials", done) as progress:
        for (name, seed), checkpoint in begun.items():
            if paths[name, seed].exists():
                progress.write(f"another command has finished it meanwhile: {paths[name, seed]}")
                continue
            try:
                train(name, seed, arguments, dataset, classifier, checkpoint, progress)
            except DivergedError as error:
                print(f"{name}, seed {seed}, diverged: {error}", file=sys.stderr)


def main(argv=None):
    """Trains what is missing and prints the table.

    Args:
        argv: list of str, the command line without the program; `sys.argv` if None.

    Raises:
        UserError: there is nothing to show, or a file cannot be read or written.
    """
    parsing = parser()
    arguments = parsing.parse_args(argv)
    check(arguments, parsing.error)
    if arguments.trials:
        environment.start_tensorflow()
        train_all(arguments)
    results = tables.read_all(arguments.output)
    if not results:
        raise UserError(f"There is no finished trial to show. Received: output={arguments.output}.")
    print(tables.closeness(results))
    print()
    print(tables.outcomes(results))
    if arguments.picture or arguments.samples_picture:
        draw(results, arguments)


def draw(results, arguments):
    """Draws the pictures that are asked for."""
    from examples.silent_layer import pictures

    for write, path in (
        (pictures.write, arguments.picture),
        (pictures.write_sheet, arguments.samples_picture),
    ):
        if path:
            write(results, path)
            print(f"\nPicture: {path}")


if __name__ == "__main__":
    with exits.exit_codes(
        interrupted="finished trials stay, and of the one under way all but its last minute; the "
        "same command goes on"
    ):
        main()
