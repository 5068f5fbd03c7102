"""Prints the paper's tables with what run folders measured beside the paper's numbers.

    python -m improved_gan_tf.compare RUNS... [--format=text|markdown|csv|json]

RUNS are run folders, or folders that hold them at any depth. Runs that differ in more than their
seeds stand in rows of their own: the two recipes can be read off one table, and no mean mixes
them. Folders that do not count are named below the tables with the reason.
"""

import argparse
import csv
import io
import json
import sys

from tabulate import tabulate

from improved_gan_tf import comparison, paper, score_table, table_cells
from improved_gan_tf.errors import UserError
from improved_gan_tf.machine import exits
from improved_gan_tf.runs.finished_runs import commits_of, read_runs

USER_ERROR = 2
FORMATS = ("text", "markdown", "csv", "json")
TITLES = {
    "mnist": "MNIST (the paper's Table 1): test error in %; the paper's counts of 10,000 / 100",
    "cifar10": "CIFAR-10 (the paper's Table 2): test error in %",
    "svhn": "SVHN (the paper's Sec. 6.3): test error in %",
}
HEADERS = (
    "labels",
    "trained as",
    "parameters",
    "mean +- sd",
    "runs",
    "ensemble",
    "paper",
    "paper, ensemble of 10",
    "above paper (SE)",
    "notes",
)
LEGEND = (
    "*: what the recipe's own code tests with. sd: sample standard deviation over the runs "
    "(divides by n - 1).",
    "ensemble: class probabilities averaged over all runs of the row; the paper does not say how "
    "it averages. Its members have different labeled images where seed_data differs, so together "
    "they have seen more labels than one run.",
    "above paper (SE): in standard errors of the difference, (mean - paper) / "
    "sqrt(sd^2 / n + paper sd^2 / 10), taking the paper's +- for a standard deviation over its "
    "10 splits. In parentheses: settings are not the "
    "paper's, see the note. None where the data are not the paper's, or there is one run.",
)


class Comparison:
    """Everything a comparison shows.

    Args:
        paths: run folders, or folders that hold them.
        other_versions: bool, whether runs of other versions of this package count.

    Raises:
        UserError: a path is no folder, or there is no run folder in it.
    """

    def __init__(self, paths, other_versions=False):
        self.runs, self.left_out = read_runs(paths, other_versions)
        self.scores, not_scores = score_table.read_scores(self.runs)
        self.left_out += not_scores
        self.cells = {
            dataset: table_cells.cells([r for r in self.runs if r.config.dataset == dataset])
            for dataset in TITLES
        }
        self.rows = {
            dataset: comparison.rows(dataset, cells) for dataset, cells in self.cells.items()
        }


def text_of(found, table_format="text", measured_only=False):
    """A comparison as text.

    Args:
        found: `Comparison`.
        table_format: one of `FORMATS`.
        measured_only: bool, whether text and Markdown leave out tables that no run belongs to.

    Returns:
        str.
    """
    if table_format == "csv":
        return _as_csv(found)
    if table_format == "json":
        return json.dumps(as_dict(found), indent=2)
    return _as_tables(found, table_format == "markdown", measured_only)


# --- text and Markdown ---------------------------------------------------------------------


def _as_tables(found, markdown, measured_only):
    blocks = []
    for dataset, title in TITLES.items():
        if found.cells[dataset] or not measured_only:
            notes = Notes()
            lines = [line_of(row, notes) for row in found.rows[dataset]]
            blocks += _table_blocks(title, HEADERS, lines, notes, markdown)
    if found.scores or not measured_only:
        notes = Notes()
        lines = score_table.lines(found.scores, notes)
        blocks += _table_blocks(score_table.TITLE, score_table.HEADERS, lines, notes, markdown)
    blocks += [_list(LEGEND, markdown), provenance(found)]
    if found.left_out:
        lines = [f"{item.path}: {item.reason}" for item in found.left_out]
        blocks += ["left out:", _list(lines, markdown)]
    return "\n\n".join(blocks)


def _table_blocks(title, headers, lines, notes, markdown):
    style = "pipe" if markdown else "simple"
    table = tabulate(lines, headers=headers, tablefmt=style, disable_numparse=True)
    blocks = [f"### {title}" if markdown else title, table]
    return [*blocks, _list(notes.lines, markdown)] if notes.lines else blocks


def _list(lines, markdown):
    return "\n".join(("- " + line.replace("*", "\\*")) if markdown else line for line in lines)


class Notes:
    """Footnotes of a table: each text once, under a letter."""

    def __init__(self):
        self._letters = {}

    def letter(self, text):
        """The letter of a note."""
        number = self._letters.setdefault(text, len(self._letters))
        return chr(ord("a") + number) if number < 26 else str(number)

    @property
    def lines(self):
        """`"a: text"` for each note."""
        return [f"{self.letter(text)}: {text}" for text in self._letters]


def line_of(row, notes):
    """A row as texts under `HEADERS`; what needs a sentence goes to `notes`."""
    trained_as = f"{row.method}, {row.settings}" if row.settings else row.method
    columns = [str(row.num_labels), trained_as]
    if row.error is None:
        columns += ["", "not measured", "0", ""]
    else:
        columns += [
            row.parameters + (" *" if row.papers_measure else ""),
            mean_and_spread(row.error.mean, row.error.std),
            str(len(row.runs)),
            _ensemble_text(row.ensemble, notes),
        ]
    for result in (row.paper, row.paper_ensemble):
        columns.append("" if result is None else mean_and_spread(*result))
    if row.apart is None:
        columns.append("")
    else:
        columns.append(f"{row.apart:+.1f}" if row.comparable else f"({row.apart:+.1f})")
    return [*columns, " ".join(notes.letter(text) for text in note_texts(row))]


def note_texts(row):
    """Sentences about a row's numbers."""
    texts = []
    if row.differences:
        texts.append("not the paper's setting: " + "; ".join(row.differences))
    if row.collapsed:
        seeds = ", ".join(str(run.config.seed) for run in row.collapsed)
        texts.append(f"{len(row.collapsed)} of {len(row.runs)} runs collapsed (seed {seeds})")
    if row.gain is not None and row.papers_measure:
        pairs = len(row.gain.values)
        gain = mean_and_spread(row.gain.mean, row.gain.std)
        texts.append(
            f"its error minus that of the runs with unlabeled images: {gain} points, over {pairs} "
            f"pair{'' if pairs == 1 else 's'} of the same labels and initial weights"
        )
    splits = len({_split(run) for run in row.runs})
    if row.runs and splits < len(row.runs):
        texts.append(f"{len(row.runs)} runs on {splits} different choices of labeled images")
    if not row.runs and row.method == comparison.SUPERVISED_ONLY:
        texts.append("no baseline: --with_baseline trains it with each run")
    return texts


def _split(run):
    return run.config.seed if run.config.seed_data is None else run.config.seed_data


def mean_and_spread(mean, spread):
    """`"0.93 +- 0.065"`, or the mean alone."""
    if spread is None:
        return f"{mean:.2f}"
    return f"{mean:.2f} +- " + (f"{spread:.2f}" if spread >= 0.1 else f"{spread:.2g}")


def _ensemble_text(ensemble, notes):
    if ensemble is None:
        return ""
    if ensemble.percent is None:
        return f"- ({notes.letter(f'no ensemble: {ensemble.missing}')})"
    return f"{ensemble.percent:.2f} (of {ensemble.size})"


def provenance(found):
    """Which code and which libraries made the numbers, as one line."""
    seen = {}
    for run in found.runs:
        for name, version in run.result["versions"].items():
            shown = commits_of(run) if name == "git_commit" else [version]
            seen.setdefault(name, {}).update(dict.fromkeys(shown))
    parts = [
        f"{name} {', '.join(map(str, versions))}" for name, versions in seen.items() if versions
    ]
    return "made with: " + ("; ".join(parts) or "no runs")


# --- CSV and JSON --------------------------------------------------------------------------


def _row_dict(row):
    return {
        "dataset": row.dataset,
        "num_labels": row.num_labels,
        "method": row.method,
        "settings": row.settings,
        "parameters": row.parameters,
        "papers_measure": row.papers_measure,
        "num_runs": len(row.runs),
        "mean_percent": row.error and row.error.mean,
        "std_percent": row.error and row.error.std,
        "ensemble_size": row.ensemble and row.ensemble.size,
        "ensemble_percent": row.ensemble and row.ensemble.percent,
        "paper_mean_percent": row.paper and row.paper.mean,
        "paper_std_percent": row.paper and row.paper.spread,
        "paper_ensemble_mean_percent": row.paper_ensemble and row.paper_ensemble.mean,
        "paper_ensemble_std_percent": row.paper_ensemble and row.paper_ensemble.spread,
        "standard_errors_above_paper": row.apart,
        "comparable_with_paper": row.comparable,
        "notes": note_texts(row),
    }


def _as_csv(found):
    lines = io.StringIO()
    table = [_row_dict(row) for rows in found.rows.values() for row in rows]
    writer = csv.DictWriter(lines, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    for row in table:
        writer.writerow({**row, "notes": " | ".join(row["notes"])})
    return lines.getvalue().rstrip("\n")


def as_dict(found):
    """The whole comparison as plain JSON types; each row with the runs behind it."""
    return {
        "tables": {
            dataset: [
                {**_row_dict(row), "percent": row.error and list(row.error.values)}
                | {"runs": [_run_dict(run) for run in row.runs]}
                for row in rows
            ]
            for dataset, rows in found.rows.items()
        },
        "inception_scores": [score_table.as_dict(score) for score in found.scores],
        "paper_inception_scores": {
            name: result._asdict() for name, result in paper.INCEPTION_SCORES.items()
        },
        "legend": list(LEGEND),
        "left_out": [{"path": str(i.path), "reason": i.reason} for i in found.left_out],
    }


def _run_dict(run):
    return {
        "path": str(run.path),
        "seed": run.config.seed,
        "seed_data": run.config.seed_data,
        "collapsed_at_epoch": run.result["final"].get("collapsed_at_epoch"),
        "wall_seconds": run.result.get("wall_seconds"),
        "git_commit": run.result["versions"].get("git_commit"),
    }


def main():
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m improved_gan_tf.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("runs", nargs="+", help="run folders, or folders that hold them")
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument(
        "--other_versions",
        action="store_true",
        help="count runs that another version of this package made",
    )
    arguments = parser.parse_args()
    try:
        found = Comparison(arguments.runs, arguments.other_versions)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    print(text_of(found, arguments.format))


if __name__ == "__main__":
    with exits.quiet_exit():
        main()
