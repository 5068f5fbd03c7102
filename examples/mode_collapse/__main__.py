"""The command `python -m examples.mode_collapse`: trains trials, prints the table, draws."""

import argparse

from examples import unfinished_trials
from examples.mode_collapse import pictures, problems, results, tables, techniques
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import environment, exits, files
from improved_gan_tf.machine.progress_bar import progress_bar

# TensorFlow is imported in `train`: `--help` and a mistake answer without it.

PUBLISHED = techniques.Settings("grid", "none")


def parser():
    """Returns the parser of the command line."""
    parsing = argparse.ArgumentParser(
        prog="python -m examples.mode_collapse",
        description="Mode collapse on Gaussians by PacGAN's protocol, one technique at a time. "
        "Every trial has a file under --output; finished ones are not trained again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parsing.add_argument
    add("--problem", choices=problems.PROBLEMS, default="grid", help="8 Gaussians, or 25")
    add(
        "--technique",
        choices=techniques.TECHNIQUES,
        default="none",
        help="added to a plain GAN, or in its place",
    )
    add("--trials", type=int, default=10, help="how many; 0 prints and draws what is there")
    add("--seed", type=int, default=1, help="of the first trial; the others follow")
    add("--epochs", type=int, default=PUBLISHED.epochs, help="of 1,000 steps")
    add("--width", type=float, default=1.0, help="share of the published units, and of kernels")
    for name, what in (
        ("generator_units", "in each hidden layer; overrides --width"),
        ("discriminator_units", "maxout units in each hidden layer; overrides --width"),
        ("num_kernels", "of minibatch discrimination; overrides --width"),
    ):
        add(f"--{name}", type=int, default=argparse.SUPPRESS, help=f"{what} (default: by --width)")
    add("--kernel_dim", type=int, default=PUBLISHED.kernel_dim, help="of minibatch discrimination")
    add(
        "--reduction",
        choices=("mean", "sum"),
        default=PUBLISHED.reduction,
        help="of minibatch discrimination over the batch; the paper's is the sum",
    )
    add(
        "--weight_normalization",
        action=argparse.BooleanOptionalAction,
        default=PUBLISHED.weight_normalization,
        help="of minibatch discrimination; on in the paper's code",
    )
    add("--packing", type=int, default=PUBLISHED.packing, help="examples judged at once")
    add(
        "--preference_loss",
        choices=techniques.PREFERENCE_LOSSES,
        default=PUBLISHED.preference_loss,
        help="of the generator with the technique preference, whose discriminator judges which of "
        "two examples is real",
    )
    add(
        "--historical_averaging_weight",
        type=float,
        default=PUBLISHED.historical_averaging_weight,
        help="of the penalty of either player",
    )
    add(
        "--jit_compile",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="with XLA, which rounds otherwise",
    )
    add(
        "--output",
        type=files.user_path,
        default="mode_collapse",
        help="folder of the trials' files",
    )
    add(
        "--picture",
        type=files.user_path,
        default=argparse.SUPPRESS,
        help="PNG file (default: PROBLEM.png in --output)",
    )
    add("--overwrite", action="store_true", help="train all again; earlier files are moved aside")
    return parsing


def settings_of(arguments, error):
    """Returns the `Settings` of parsed arguments.

    Args:
        arguments: of `parser()`.
        error: function of a message that ends the program.
    """
    for name, low, high in (
        ("trials", 0, 1000),
        ("seed", 0, 2**31 - 1001),
        ("epochs", 1, 10_000),
        ("width", 0.01, 10.0),
        ("generator_units", 1, 10_000),
        ("discriminator_units", 1, 10_000),
        ("num_kernels", 1, 10_000),
        ("kernel_dim", 1, 1000),
        ("packing", 2, 100),
    ):
        value = getattr(arguments, name, low)
        if not low <= value <= high:
            error(f"--{name} must be from {low} to {high}. Received: {value}")
    if not 0.0 < arguments.historical_averaging_weight < float("inf"):
        error(
            "--historical_averaging_weight must be a finite number above 0. Received: "
            f"{arguments.historical_averaging_weight}"
        )
    refuse_settings_of_others(arguments, error)
    by_width = {
        name: getattr(arguments, name, max(1, round(arguments.width * getattr(PUBLISHED, name))))
        for name in ("generator_units", "discriminator_units", "num_kernels")
    }
    given = {
        name: getattr(arguments, name)
        for name in techniques.Settings._fields
        if name not in by_width
    }
    return techniques.Settings(**given, **by_width)


def refuse_settings_of_others(arguments, error):
    """Ends the program for a setting that the chosen technique would not look at."""
    for technique, names in techniques.OWN_SETTINGS.items():
        for name in names:
            if technique == arguments.technique or name == "num_kernels":
                continue  # kernels follow --width, which every technique takes
            value = getattr(arguments, name)
            if value != getattr(PUBLISHED, name):
                error(
                    f"--{name} is for --technique={technique} alone. Received: "
                    f"--{name}={value} with --technique={arguments.technique}"
                )


def train(settings, seed, arguments, checkpoint, progress):
    """Trains one trial, from its checkpoint or None, and writes its file."""
    import keras

    from examples.mode_collapse import training
    from improved_gan_tf.machine import determinism, versions

    determinism.make_operations_deterministic()
    trial = training.Trial(settings, seed, arguments.jit_compile)
    unfinished = unfinished_trials.UnfinishedTrial(
        results.path_of(arguments.output, settings, seed),
        identity(settings, arguments),
        versions.versions(),
        trial.variables(),
        checkpoint,
    )
    epochs = [training.Epoch(*record) for record in unfinished.records]
    trial.epochs = len(epochs)
    while trial.epochs < settings.epochs:
        epochs.append(trial.train_epoch())
        unfinished.keep(epochs)
        progress.update(1)
    provenance = {**unfinished.provenance(), "jit_compile": arguments.jit_compile}
    results.write(arguments.output, settings, seed, epochs, trial.samples(), provenance)
    unfinished.remove()
    keras.utils.clear_session()
    modes = len(problems.PROBLEMS[settings.problem].centres)
    progress.write(f"seed {seed}: {epochs[-1].modes} of {modes} modes")


def identity(settings, arguments):
    """Returns what must be the same for a trial to go on, besides its name, a dict."""
    return {**techniques.that_count(settings), "jit_compile": arguments.jit_compile}


def train_all(settings, arguments):
    """Lists the trials asked for and trains those that are not finished."""
    seeds = range(arguments.seed, arguments.seed + arguments.trials)
    to_train = {}
    for seed in seeds:
        path = results.path_of(arguments.output, settings, seed)
        if arguments.overwrite:
            unfinished_trials.move_aside(path)
        if path.exists():
            print(f"seed {seed}: finished: {path}", flush=True)
            continue
        checkpoint = unfinished_trials.read(path, identity(settings, arguments))
        done = f", {len(checkpoint.header['records'])} epochs are done" if checkpoint else ""
        print(f"seed {seed}: to be trained{done}: {path}", flush=True)
        to_train[seed] = checkpoint
    if not to_train:
        return
    title = techniques.row_title(settings)
    done = sum(len(c.header["records"]) for c in to_train.values() if c)
    with progress_bar(len(to_train) * settings.epochs, "epoch", title, done) as progress:
        for seed, checkpoint in to_train.items():
            if results.path_of(arguments.output, settings, seed).exists():
                progress.write(f"seed {seed}: another command has finished it meanwhile")
                continue
            train(settings, seed, arguments, checkpoint, progress)


def report(arguments):
    """Prints the table of each problem in the folder and draws the one asked for."""
    found = results.read_all(arguments.output)
    for settings in {one.settings for one in found}:
        results.check_comparable(found, settings, arguments.output)
    for name in problems.PROBLEMS:
        of_problem = [r for r in found if r.settings.problem == name]
        if of_problem:
            print(f"\n{tables.table(found, name)}")
            differences = tables.differences_from_protocol(of_problem[0].settings)
            if differences:
                print(f"\nNot the published protocol: {differences}.")
    if not any(r.settings.problem == arguments.problem for r in found):
        raise UserError(
            "There is no finished trial to show. Received: "
            f"`output={arguments.output}`, `problem={arguments.problem}`"
        )
    pictures.write(found, arguments.problem, arguments.picture)
    print(f"\nPicture: {arguments.picture}")


def main(argv=None):
    """Trains what is missing; prints the table, writes the picture.

    Args:
        argv: list of str, the command line without the program; `sys.argv` if None.

    Raises:
        UserError: the trials in --output do not belong in one table with those asked for, or a
            file cannot be read or written.
    """
    parsing = parser()
    arguments = parsing.parse_args(argv)
    settings = settings_of(arguments, parsing.error)
    if arguments.output.exists() and not arguments.output.is_dir():
        parsing.error(f"--output must be a folder. Received: {arguments.output}")
    by_problem = arguments.output / f"{arguments.problem}.png"
    arguments.picture = getattr(arguments, "picture", by_problem)
    folders = (arguments.output, arguments.picture.parent)
    is_file_name = arguments.picture.suffix.lower() == ".png" and not arguments.picture.is_dir()
    if not is_file_name or not (folders[0] == folders[1] or folders[1].is_dir()):
        parsing.error(
            "--picture must be the name of a .png file in a folder that exists. "
            f"Received: {arguments.picture}"
        )
    if arguments.trials:
        results.check_comparable(results.read_all(arguments.output), settings, arguments.output)
        environment.start_tensorflow()
        arguments.output.mkdir(parents=True, exist_ok=True)
        train_all(settings, arguments)
    report(arguments)


if __name__ == "__main__":
    with exits.exit_codes(
        interrupted="finished trials stay, and of the one under way all but its last minute; the "
        "same command goes on, without --overwrite"
    ):
        main()
