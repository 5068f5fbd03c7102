"""One or several runs of a DCGAN's game, from the record to the exit code."""

import logging
import pathlib
import sys
import traceback

from tabulate import tabulate

from improved_gan_tf import distribution
from improved_gan_tf.errors import DivergedError, StorageError, UserError, in_flags
from improved_gan_tf.machine import interruption
from improved_gan_tf.runs import dcgan, resuming
from improved_gan_tf.runs.dry_run import print_settings

_EXIT_CODES = {"failed": 1, "refused": 2, "diverged": 3}  # the worst first


def train(records, found, published):
    """Trains what is not finished; returns the exit code.

    Args:
        records: list of `settings.dcgan.DcganConfig`, each with its folder.
        found: list of `resuming.Found`, the states of their folders.
        published: the record of the objective and recipe without other flags.

    Raises:
        UserError: the images are missing or do not fit the settings.
    """
    config = records[0]
    images = dcgan.Images(config, download=not config.dry_run)
    iterations = dcgan.epochs_of(config, images).iterations
    if config.dry_run:
        dcgan.players_of(config, images)
        print_settings(config, published)
        todo = sum(f.status != "finished" for f in found)
        where = records[0].run_dir if len(records) == 1 else pathlib.Path(config.run_dir).parent
        print(
            f"\nWould train {todo} of {len(records)} runs on {images.description}: {config.epochs} "
            f"epochs of {iterations} iterations, and write {where}. Nothing was trained or "
            "written (--dry_run)."
        )
        return 0
    if len(records) == 1:
        return _one(config, images, published)
    distribution.require_one_process("a command that trains several runs")
    return _several(records, found, images, published)


def _one(config, images, published):
    with interruption.stop_on_signals(distribution.on_any_worker) as stop_requested:
        result = dcgan.execute(
            config, images, pathlib.Path(config.run_dir), published, stop_requested
        )
    for difference in result["differences_from_paper"]:
        print(f"not the recipe's: {difference}")
    print(f"\nEverything is in {config.run_dir}")
    if result["status"] == "interrupted":
        print(f"It was interrupted; give {resuming.command_to_continue(config)}.")
    return 0 if result["status"] == "finished" else stop_requested.exit_code()


def _several(records, found, images, published):
    # Each run compiles its own step, which TensorFlow would warn of.
    logging.getLogger("tensorflow").addFilter(
        lambda record: "triggered tf.function retracing" not in record.getMessage()
    )
    outcomes = []
    with interruption.stop_on_signals() as stop_requested:
        for number, (record, before) in enumerate(zip(records, found, strict=True), 1):
            head = f"\nrun {number} of {len(records)}, {record.run_dir}"
            if before.status == "finished":
                outcome = "finished", "finished earlier"
            elif stop_requested():
                outcome = "not started", ""
            else:
                print(head, flush=True)
                outcome = _outcome(record, images, published, stop_requested)
            outcomes.append((record.seed, *outcome, record.run_dir))
    print(f"\n{tabulate(outcomes, ['seed', 'status', 'remark', 'folder'], tablefmt='github')}")
    statuses = [status for _, status, *_ in outcomes]
    if "interrupted" in statuses or "not started" in statuses:
        print(f"Give {resuming.command_to_continue(records[0])}.")
        return stop_requested.exit_code()
    return next((code for status, code in _EXIT_CODES.items() if status in statuses), 0)


def _outcome(record, images, published, stop_requested):
    """`(status, remark)` of a run; after an error the next one starts."""
    try:
        folder = pathlib.Path(record.run_dir)
        return dcgan.execute(record, images, folder, published, stop_requested)["status"], ""
    except DivergedError as error:
        return "diverged", str(error)
    except UserError as error:
        return "refused", in_flags(error)
    except StorageError as error:
        return "failed", str(error)
    except Exception as error:  # out of memory, a full disk: the next runs start
        traceback.print_exc(file=sys.stderr)
        return "failed", f"{type(error).__name__}: {error}"
