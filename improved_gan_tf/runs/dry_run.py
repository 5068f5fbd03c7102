"""What a command would do, printed instead of done."""

import pathlib

from improved_gan_tf.runs import sweep as sweep_module


def print_settings(config):
    """Prints every setting of a run, one per line."""
    for name, value in config.to_dict().items():
        print(f"{name} = {value}")


def print_sweep_dry_run(records, dataset, parent):
    """Prints what a sweep of `records` would train below the folder `parent`."""
    from improved_gan_tf.runs import semi_supervised as experiment

    own = {"seed", "seed_data", "labels_per_class", "supervised_only", "run_dir"}
    for name, value in records[0].to_dict().items():
        if name not in own:
            print(f"{name} = {value}")
    _, streams = experiment.labeled_subset_and_streams(records[0], dataset)
    outcomes = [
        sweep_module.earlier_outcome(record)
        or sweep_module.Outcome(
            record,
            "would run",
            "goes on" if _is_begun(record) else "",
        )
        for record in records
    ]
    print(f"\n{sweep_module.outcome_table(outcomes)}\n")
    print(
        f"Would train {sum(o.status == 'would run' for o in outcomes)} of {len(records)} runs on "
        f"{dataset.description}: {records[0].epochs} epochs of {streams.iterations} iterations "
        f"each, and write {parent}/labels*-seed*. Nothing was trained or written (--dry_run)."
    )


def _is_begun(record):
    return not record.overwrite and (pathlib.Path(record.run_dir) / "config.json").exists()


def print_dry_run(config, dataset, run_dir):
    """Prints what one run would train and where it would write."""
    from improved_gan_tf import networks
    from improved_gan_tf.runs import semi_supervised as experiment

    subset, streams = experiment.labeled_subset_and_streams(config, dataset)
    networks.spec_of(config.dataset, config.model).build(
        config.seed, config.width_multiplier, config.reference_size
    )
    print_settings(config)
    unused = "" if config.supervised_weight else " (not used: supervised_weight = 0)"
    print(
        f"\nWould train on {dataset.description}: {config.epochs} epochs of "
        f"{streams.iterations} iterations, {len(subset.labeled)} labeled images{unused}, and write "
        f"{run_dir}. Nothing was trained or written (--dry_run)."
    )
