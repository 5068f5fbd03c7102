"""The table of a problem: our trials next to the published numbers."""

import math

import numpy as np
import scipy.stats

from examples.mode_collapse import problems, techniques

# Lin et al. (2018), Table 1: mean and standard error of ten trials of modes, high-quality
# samples (%) and reverse KL (nats). Our row's name, or None for what this example does not train.
PUBLISHED = {
    "ring": {
        "GAN": ("none", (6.3, 0.5), (98.2, 0.2), (0.45, 0.09)),
        "PacGAN2": ("packing-2", (7.9, 0.1), (95.6, 2.0), (0.07, 0.03)),
        "PacGAN3": ("packing-3", (7.8, 0.1), (97.7, 0.3), (0.10, 0.02)),
        "PacGAN4": ("packing-4", (7.8, 0.1), (95.9, 1.4), (0.07, 0.02)),
        "ALI": (None, (6.6, 0.3), (97.6, 0.4), (0.36, 0.04)),
    },
    "grid": {
        "GAN": ("none", (17.3, 0.8), (94.8, 0.7), (0.70, 0.07)),
        "PacGAN2": ("packing-2", (23.8, 0.7), (91.3, 0.8), (0.13, 0.04)),
        "PacGAN3": ("packing-3", (24.6, 0.4), (94.2, 0.4), (0.06, 0.02)),
        "PacGAN4": ("packing-4", (24.8, 0.2), (93.6, 0.6), (0.04, 0.01)),
        "ALI": (None, (24.1, 0.4), (95.7, 0.6), (0.14, 0.03)),
    },
}


# One epoch may flatter or slander: of the modes there is a mean over so many, too.
LAST_EPOCHS = 20


def late_modes(result):
    """Returns the mean number of modes over the last `LAST_EPOCHS` epochs of a trial, float."""
    return float(np.mean(result.epochs["modes"][-LAST_EPOCHS:]))


# Of sharing out trials among two rows. More than all of ten against ten, 184,756; with fifteen
# against fifteen there are 155 million.
MOST_WAYS = 200_000


def late_epochs(results):
    """Returns over how many epochs `late_modes` takes its mean in any of some trials, int."""
    return min(LAST_EPOCHS, max(result.settings.epochs for result in results))


def p_value(trials, others):
    """Returns how often chance alone separates two rows' late modes so far, float in (0, 1].

    Two-sided: twice the share of the ways of sharing out the trials in which the means differ as
    much or more in the same direction. Exact up to `MOST_WAYS` ways; of more, so many are drawn,
    always the same.

    Args:
        trials: list of two or more `results.Result`.
        others: list of two or more `results.Result`.
    """
    covered = [[late_modes(trial) for trial in row] for row in (trials, others)]
    test = scipy.stats.permutation_test(
        covered,
        lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        vectorized=True,
        n_resamples=MOST_WAYS,
        batch=10_000,  # bounds the memory
        random_state=np.random.default_rng(0),
    )
    return float(test.pvalue)


def rows_of(results):
    """Returns `{(row name, title): [Result, ...]}` of one problem's results, in the table's order.

    Args:
        results: list of `results.Result`.
    """

    def place(result):
        settings = result.settings
        return techniques.TECHNIQUES.index(settings.technique), techniques.row_name(settings)

    rows = {}
    for result in sorted(results, key=lambda r: (place(r), r.seed)):
        key = techniques.row_name(result.settings), techniques.row_title(result.settings)
        rows.setdefault(key, []).append(result)
    return rows


def mean_and_error(values, digits):
    """Returns the mean +- standard error as text, the mean alone of one value.

    Args:
        values: list of float; NaN, a reverse KL without good samples, is left out and counted.
        digits: int, after the point.
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "-"
    text = f"{np.mean(known):.{digits}f}"
    if len(known) > 1:
        text += f" +- {np.std(known, ddof=1) / math.sqrt(len(known)):.{digits}f}"
    return text if len(known) == len(values) else f"{text} ({len(known)} of {len(values)} trials)"


def table(results, problem):
    """Returns the Markdown table of a problem.

    Args:
        results: list of `results.Result`; those of other problems are left out.
        problem: str, a name in `problems.PROBLEMS`.
    """
    modes = len(problems.PROBLEMS[problem].centres)
    lines = [
        [f"{problem} of {modes}", "trials", "modes", f"in the last {late_epochs(results)} epochs"]
        + ["p against plain", "high quality (%)", "reverse KL"]
        + [f"published: {what}" for what in ("modes", "high quality (%)", "reverse KL")]
    ]
    lines.append(["---"] * len(lines[0]))
    published = {row: (title, *numbers) for title, (row, *numbers) in PUBLISHED[problem].items()}
    rows = rows_of([r for r in results if r.settings.problem == problem])
    plain = rows.get(("none", "plain GAN"), [])
    for (row, title), trials in rows.items():
        theirs = published.pop(row, None)
        modes_now, modes_late, *others = _measured(trials)
        can_tell = row != "none" and min(len(trials), len(plain)) > 1
        p = f"{p_value(trials, plain):.2g}" if can_tell else "-"
        quoted = _quoted(theirs) if theirs else "---"
        lines.append([title, str(len(trials)), modes_now, modes_late, p, *others, *quoted])
    for title, *numbers in published.values():
        lines.append([title, *"------", *_quoted((title, *numbers))])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _measured(trials):
    measures = [trial.measures for trial in trials]
    return [
        mean_and_error([m.modes for m in measures], 1),
        mean_and_error([late_modes(trial) for trial in trials], 1),
        mean_and_error([100.0 * m.high_quality for m in measures], 1),
        mean_and_error([m.reverse_kl for m in measures], 2),
    ]


def _quoted(published):
    _, modes, high_quality, reverse_kl = published
    texts = [f"{mean:.1f} +- {error:.1f}" for mean, error in (modes, high_quality)]
    return [*texts, "{:.2f} +- {:.2f}".format(*reverse_kl)]


def differences_from_protocol(settings):
    """Returns what of the settings is not the published protocol's, as text; "" if nothing."""
    protocol = techniques.Settings(settings.problem, settings.technique)
    names = ("generator_units", "discriminator_units", "epochs")
    differing = [
        f"{name} {getattr(settings, name)} instead of {getattr(protocol, name)}"
        for name in names
        if getattr(settings, name) != getattr(protocol, name)
    ]
    return ", ".join(differing)
