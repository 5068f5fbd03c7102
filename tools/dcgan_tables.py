"""The tables of docs/dcgan.md: short runs of every objective, and of every technique on one."""

import dataclasses
import statistics

import run_dcgan
from tools.dcgan_study import CIFAR10, MNIST, OBJECTIVES, TECHNIQUES
from tools.run_files import RESULTS, markdown_table, read

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


def runs_of(study, name):
    """The folders of a row's runs that are here."""
    folders = [RESULTS / study.results / f"{name}-seed{seed}" for seed in study.seeds]
    return [folder for folder in folders if (folder / "score.json").exists()]


def _spread(values, digits):
    """The median of some values and their range."""
    values = [round(value, digits) + 0.0 for value in values]  # + 0.0 takes the sign from -0.0
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    ends = f"{min(values):.{digits}f} to {max(values):.{digits}f}"
    return f"{statistics.median(values):.{digits}f} ({ends})"


def line(study, name):
    """A row of the table: medians over the seeds, and ranges of the distances."""
    runs = runs_of(study, name)
    if not runs:
        return [name, "none finished", *[""] * (len(HEADERS) - 1)]
    scores = [read(run / "score.json") for run in runs]
    milliseconds = read(RESULTS / study.results / "milliseconds.json")[name]
    return [name, f"{len(runs)} of {len(study.seeds)}", *_cells(scores), f"{milliseconds:.0f}"]


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


def _real(study):
    """The row of real test images."""
    scored = read(RESULTS / study.results / "real.json")
    return ["real test images", "-", *_cells([scored]), "-"]


def objectives():
    """One line for each objective with its recipe."""
    lines = [_real(MNIST), *(line(MNIST, name) for name in OBJECTIVES)]
    return markdown_table(("objective", *HEADERS), lines)


def techniques():
    """The non-saturating game plain, and with each of the paper's techniques."""
    plain = ["plain", *line(MNIST, "non_saturating")[1:]]
    lines = [plain, *(line(MNIST, name) for name in TECHNIQUES)]
    return markdown_table(("non-saturating, with", *HEADERS), lines)


def cifar10():
    """The games on the partial CIFAR-10."""
    lines = [_real(CIFAR10), *(line(CIFAR10, name) for name in CIFAR10.rows)]
    return markdown_table(("game", *HEADERS), lines)
