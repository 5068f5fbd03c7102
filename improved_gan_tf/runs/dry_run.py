"""What a command would do, and how long it would take here, printed instead of done."""

import dataclasses
import pathlib
from typing import NamedTuple

from improved_gan_tf import distribution
from improved_gan_tf.runs import pace, resuming
from improved_gan_tf.runs import sweep as sweep_module
from improved_gan_tf.runs.data_digest import data_circumstances
from improved_gan_tf.runs.execution import computing_as_said
from improved_gan_tf.settings.setting import Decides, names_that_decide

ONE_DEVICE = ("auto", "one_device")


def print_settings(config, published, left_out=()):
    """Prints the settings that differ from the defaults, and those that decide most numbers.

    `published` is the record of model, recipe and ablation without other flags.
    """
    fields = dataclasses.fields(config)
    names = [field.name for field in fields if field.name not in (*left_out, "dry_run")]
    decisive = {
        *("dataset", "model", "network", "recipe", "ablation"),
        *("epochs", "batch_size", "learning_rate"),
        *names_that_decide(config, Decides.SOURCE, Decides.ROW),
    }
    rest = 0
    for name in names:
        value, default = getattr(config, name), getattr(published, name)
        if value != default:
            print(f"{name} = {value}  (default: {'not given' if default is None else default})")
        elif name in decisive and value is not None and value is not False:
            print(f"{name} = {value}")
        else:
            rest += 1
    print(f"{rest} other settings have their defaults; --help lists them.")


def print_sweep_dry_run(records, published, dataset, parent):
    """Prints what a sweep of `records` would train below the folder `parent`, and for how long."""
    from improved_gan_tf.runs import semi_supervised as experiment

    own = {"seed", "seed_data", "labels_per_class", "supervised_only", "run_dir"}
    print_settings(records[0], published, own)
    _, streams = experiment.labeled_subset_and_streams(records[0], dataset)
    data = data_circumstances(dataset)
    outcomes = [
        sweep_module.earlier_outcome(record, data)
        or sweep_module.Outcome(
            record,
            "would run",
            "goes on" if _is_begun(record) else "",
        )
        for record in records
    ]
    print(f"\n{sweep_module.outcome_table(outcomes)}\n")
    would_run = [outcome.config for outcome in outcomes if outcome.status == "would run"]
    print(
        f"Would train {len(would_run)} of {len(records)} runs on "
        f"{dataset.description}: {_length(records[0], streams.iterations)} "
        f"each, and write {parent}/labels*-seed*. Nothing was saved (--dry_run)."
    )
    _print_time(would_run, dataset, parent)


def _length(config, iterations):
    """How long a run is, as text."""
    epochs = f"{config.epochs} epoch{'s' * (config.epochs != 1)}"
    return f"{epochs} of {iterations} iteration{'s' * (iterations != 1)}"


def _is_begun(record):
    return not record.overwrite and (pathlib.Path(record.run_dir) / "config.json").exists()


def print_dry_run(config, published, dataset, run_dir):
    """Prints what one run would train, where it would write, and how long it would take."""
    from improved_gan_tf.runs import semi_supervised as experiment

    subset, streams = experiment.labeled_subset_and_streams(config, dataset)
    print_settings(config, published)
    unused = "" if config.supervised_weight else " (not used: supervised_weight = 0)"
    print(
        f"\nWould train on {dataset.description}: {_length(config, streams.iterations)}, "
        f"{len(subset.labeled)} labeled images{unused}, and write "
        f"{run_dir}. Nothing was saved (--dry_run)."
    )
    has_baseline = config.with_baseline and not config.supervised_only
    parts = [config, sweep_module.baseline_of(config, run_dir)] if has_baseline else [config]
    _print_time(parts, dataset, run_dir)


def print_imagenet_dry_run(config, published, source, iterations, run_dir):
    """The same for a run on ImageNet or a folder of images, which are not read."""
    from improved_gan_tf.runs import imagenet

    found = imagenet.pace_without_images(config, len(source.class_names))
    print_settings(config, published)
    print(
        f"\nWould train on {source.description}: {_length(config, iterations)}, and write "
        f"{run_dir}. No image was read, nothing was saved (--dry_run)."
    )
    print(time_text(config, found, _left([config], iterations, found, run_dir)))


def print_biggan_dry_run(records, published, dataset, where):
    """The same for runs of BigGAN that are left to train, below or in the folder `where`."""
    from improved_gan_tf.runs import biggan

    if not records:
        print(f"\nAll runs in {where} have ended. Nothing was saved (--dry_run).")
        return
    config = records[0]
    with computing_as_said(config):
        game = biggan.BigganGame(config, dataset)
        print_settings(config, published, left_out=("seed", "run_dir") if len(records) > 1 else ())
        iterations = game.epochs.iterations
        runs = f"{len(records)} runs " if len(records) > 1 else ""
        print(
            f"\nWould train {runs}on {dataset.description}: "
            f"{_length(config, iterations)}, and write {where}. Nothing was saved (--dry_run)."
        )
        found = game_pace(game)
    print(time_text(config, found, _left(records, iterations, found, where)))


def print_dcgan_dry_run(records, published, images, where):
    """The same for runs of a DCGAN's game, on `runs.dcgan.Images`, which are not read."""
    from improved_gan_tf.runs import dcgan, dcgan_pace

    if not records:
        print(f"\nAll runs in {where} have ended. Nothing was saved (--dry_run).")
        return
    config = records[0]
    iterations = dcgan.epochs_of(config, images).iterations
    print_settings(config, published, left_out=("seed", "run_dir") if len(records) > 1 else ())
    runs = f"{len(records)} runs " if len(records) > 1 else ""
    print(
        f"\nWould train {runs}on {images.description}: "
        f"{_length(config, iterations)}, and write {where}. Nothing was saved (--dry_run)."
    )
    found = dcgan_pace.pace_without_images(config, images)
    print(time_text(config, found, _left(records, iterations, found, where)))


def _print_time(records, dataset, where):
    """Prints how long some runs take one after the other; one of each kind is timed."""
    from improved_gan_tf.runs import semi_supervised as experiment

    if not records:
        return
    found, left = {}, []
    for record in records:
        if record.supervised_only not in found:
            with computing_as_said(record):
                game = experiment.SemiSupervisedGame(record, dataset)
                found[record.supervised_only] = game_pace(game)
            iterations = game.epochs.iterations
        left += _left([record], iterations, found[record.supervised_only], where)
    print(time_text(records[0], found[records[0].supervised_only], left))


class Left(NamedTuple):
    """What a run has before it."""

    seconds: float
    done: int  # iterations after which it goes on


def _left(records, iterations, found, where):
    """A list of `Left`. A record without a folder is the one run in the folder `where`."""
    left = []
    for record in records:
        checkpoints = resuming.checkpoints_of(record, record.run_dir or where)
        done = 0 if record.overwrite else checkpoints.iterations()
        left.append(Left(pace.run_seconds(record, iterations, found, done), done))
    return left


def game_pace(game):
    """The `Pace` of a `runs.game.Game` that evaluates, which is prepared for it."""
    game.prepare()
    game.trainer.jit_compile = distribution.compiles_step(game.config.jit_compile, replicas=1)
    return pace.measure(game.trainer, game.epochs(0), game.config.learning_rate, game.evaluate)


def time_text(config, found, left):
    """How long runs take of which there is `left` (list of `Left`) to do, as sentences."""
    evaluation = f", {found.evaluation:.1f} s an evaluation" if found.evaluation else ""
    runs = f"{len(left)} runs in sequence take" if len(left) > 1 else "the run takes"
    if done := sum(run.done for run in left):
        runs = f"what is left after the {done:,} iterations done takes"
    text = (
        f"Timed here: {1000 * found.iteration:.3g} ms an iteration{evaluation}. At this pace "
        f"{runs} about {pace.text(sum(run.seconds for run in left))}."
    )
    if config.strategy not in ONE_DEVICE or config.num_devices not in (None, 1):
        text += " One device was timed; several may be faster."
    return text
