"""`--help` of the run scripts: every flag under its subject."""

import sys
import textwrap

HELP = frozenset(("help", "helpshort", "h", "?"))
# What a flag is about, in the order of the help. Flags of one experiment alone are in none.
SUBJECTS = {
    "What is trained": (
        *("model", "recipe", "ablation", "supervised_only", "with_baseline", "labels_per_class"),
        *("num_runs", "seed", "seed_data"),
    ),
    "Data": ("data_source", "data_dir", "image_folder", "image_size", "cache_dir"),
    "Networks": ("width_multiplier", "generator_normalization", "reference_batch_size"),
    "Losses": (
        *("unlabeled_weight", "supervised_weight", "real_target", "generated_target"),
        *("historical_averaging_weight", "historical_averaging_players"),
    ),
    "Steps": (
        *("epochs", "batch_size", "learning_rate", "decay_start_epoch", "decay_end_epoch"),
        "averaging_rate",
    ),
    "Run folder": (
        *("run_dir", "overwrite", "resume", "evaluate_every", "checkpoint_every"),
        *("keep_checkpoints", "dry_run"),
    ),
    "Devices": ("strategy", "num_devices", "tpu", "cross_replica"),
}
REST = "This experiment"
WIDTH = 80


def is_asked_for(arguments):
    """Whether there is a --help among the arguments of a command line."""
    return any(
        argument.startswith("-") and argument.lstrip("-").split("=")[0] in HELP
        for argument in arguments
    )


def text(flag_values, description):
    """The help: a script's description, then its flags by subject (str).

    Args:
        flag_values: `absl.flags.FlagValues`.
        description: str or None.
    """
    own = {flag.name: flag for flag in flag_values.get_flags_for_module(sys.argv[0])}
    subjects = {
        subject: [own.pop(name) for name in names if name in own]
        for subject, names in SUBJECTS.items()
    }
    parts = [(description or "").strip()]
    for subject, found in (*subjects.items(), (REST, own.values())):
        if found:
            parts.append(f"{subject}:\n\n" + "\n".join(map(_flag_text, found)))
    return "\n\n".join(parts)


def _flag_text(flag):
    name = f"[no]{flag.name}" if flag.boolean else flag.name
    # A list of choices may break after each.
    text = f"--{name}: {flag.help}".replace("|", "| ")
    text = textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return text.replace("| ", "|")
