"""The tables of docs/dcgan.md: short runs of every objective, and of every technique on one."""

import dataclasses
import statistics

import run_dcgan
from tools.dcgan_study import OBJECTIVES, SEEDS, TECHNIQUES
from tools.run_files import RESULTS, markdown_table, read

DCGAN = RESULTS / "dcgan"
HEADERS = (
    *("seeds", "Frechet", "kernel", "precision", "recall", "density", "coverage"),
    *("classes", "ms"),
)


def recipes():
    """Each objective's published recipe, from the run script."""
    lines = []
    for objective, variants in run_dcgan.VARIANTS.items():
        c = dataclasses.replace(run_dcgan.EXPERIMENT, objective=objective, **variants["published"])
        betas = f" ({c.beta_1:g}, {c.beta_2:g})" if c.generator_optimizer == "adam" else ""
        more = {
            "clip": c.weight_clip,
            "penalty": c.penalty_weight,
            "margin": c.margin,
            "pull-away": c.pull_away_weight,
            "gamma": c.diversity_ratio,
        }
        shown = ", ".join(f"{name} {value:g}" for name, value in more.items() if value is not None)
        lines.append(
            [
                f"`{objective}`",
                f"{c.generator_optimizer} {c.learning_rate:g}{betas}",
                c.discriminator_steps,
                c.batch_size,
                f"{c.generator_normalization} / {c.discriminator_normalization}",
                f"{c.latent}, {c.latent_dim}",
                shown,
            ]
        )
    headers = ("objective", "optimizer", "D steps", "batch", "norm in G / D", "z", "more")
    return markdown_table(headers, lines)


def _runs(name):
    """The folders of a row's runs that are here."""
    folders = [DCGAN / f"{name}-seed{seed}" for seed in SEEDS]
    return [folder for folder in folders if (folder / "score.json").exists()]


def _spread(values, digits):
    """The median of some values and their range."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    ends = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
    return f"{statistics.median(values):.{digits}f} ({ends})"


def line(name):
    """A row of the table: medians over the seeds, and ranges of the distances."""
    runs = _runs(name)
    if not runs:
        return [name, "none finished", *[""] * (len(HEADERS) - 1)]
    scores = [read(run / "score.json") for run in runs]
    milliseconds = read(DCGAN / "milliseconds.json")[name]
    return [name, f"{len(runs)} of {len(SEEDS)}", *_cells(scores), f"{milliseconds:.0f}"]


def _cells(scores):
    """The cells between seeds and milliseconds, from the contents of some score.json files."""
    features = [score["of_features"] for score in scores]
    neighbours = [of["neighbours"] for of in features]
    classes = [score["diversity"]["num_classes_seen"] for score in scores]
    return [
        _spread([score["frechet"]["distance"] for score in scores], 1),
        _spread([of["kernel_distance"]["mean"] for of in features], 2),
        *(
            f"{statistics.median([n[share] for n in neighbours]):.2f}"
            for share in ("precision", "recall", "density", "coverage")
        ),
        "/".join(map(str, classes)),
    ]


def _real():
    """The row of real test images."""
    return ["real test images", "-", *_cells([read(DCGAN / "real.json")]), "-"]


def objectives():
    """One line for each objective with its recipe."""
    return markdown_table(("objective", *HEADERS), [_real(), *map(line, OBJECTIVES)])


def techniques():
    """The non-saturating game plain, and with each of the paper's techniques."""
    lines = [["plain", *line("non_saturating")[1:]], *(line(name) for name in TECHNIQUES)]
    return markdown_table(("non-saturating, with", *HEADERS), lines)
