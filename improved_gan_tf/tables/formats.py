"""A comparison as text, Markdown, CSV or JSON."""

import csv
import io
import json

from tabulate import tabulate

from improved_gan_tf import paper
from improved_gan_tf.tables import inception_scores, turing_tests
from improved_gan_tf.tables.comparison import (
    HEADERS,
    LEGEND,
    TITLES,
    Notes,
    line_of,
    note_texts,
    provenance,
)

FORMATS = ("text", "markdown", "csv", "json")


def text_of(found, table_format="text", measured_only=False):
    """A `Comparison` as text in one of `FORMATS`.

    With `measured_only`, text and Markdown leave out tables without runs.
    """
    if table_format == "csv":
        return _as_csv(found)
    if table_format == "json":
        return json.dumps(as_dict(found), indent=2)
    return _as_tables(found, table_format == "markdown", measured_only)


def _as_tables(found, markdown, measured_only):
    blocks = []
    for dataset, title in TITLES.items():
        if found.cells[dataset] or not measured_only:
            notes = Notes()
            lines = [line_of(row, notes) for row in found.rows[dataset]]
            blocks += table_blocks(title, HEADERS, lines, notes, markdown)
    if found.scores or not measured_only:
        notes = Notes()
        lines = inception_scores.lines(found.scores, notes)
        blocks += table_blocks(
            inception_scores.TITLE, inception_scores.HEADERS, lines, notes, markdown
        )
    if found.turing_tests:  # without votes the paper's own numbers would be all there is
        notes = Notes()
        lines = turing_tests.lines(found.turing_tests, notes)
        blocks += table_blocks(turing_tests.TITLE, turing_tests.HEADERS, lines, notes, markdown)
        blocks.append(listed(turing_tests.LEGEND, markdown))
    blocks += [listed(LEGEND, markdown), provenance(found)]
    if found.left_out:
        lines = [f"{item.path}: {item.reason}" for item in found.left_out]
        blocks += ["left out:", listed(lines, markdown)]
    return "\n\n".join(blocks)


def table_blocks(title, headers, lines, notes, markdown):
    """A title, a table and its footnotes (`comparison.Notes`), as a list of str."""
    style = "pipe" if markdown else "simple"
    table = tabulate(lines, headers=headers, tablefmt=style, disable_numparse=True)
    blocks = [f"### {title}" if markdown else title, table]
    return [*blocks, listed(notes.lines, markdown)] if notes.lines else blocks


def listed(lines, markdown):
    """Lines as a list in Markdown, unchanged in text."""
    return "\n".join(("- " + line.replace("*", "\\*")) if markdown else line for line in lines)


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
    """The whole comparison as plain JSON types; each row with its runs."""
    return {
        "tables": {
            dataset: [
                {**_row_dict(row), "percent": row.error and list(row.error.values)}
                | {"runs": [_run_dict(run) for run in row.runs]}
                for row in rows
            ]
            for dataset, rows in found.rows.items()
        },
        "inception_scores": [inception_scores.as_dict(score) for score in found.scores],
        "paper_inception_scores": {
            name: result._asdict() for name, result in paper.INCEPTION_SCORES.items()
        },
        "turing_tests": [turing_tests.as_dict(counted) for counted in found.turing_tests],
        "paper_turing_tests": turing_tests.paper_dict(),
        "legend": [*LEGEND, *turing_tests.LEGEND],
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
