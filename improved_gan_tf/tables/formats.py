"""A comparison as text, Markdown, CSV or JSON."""

import csv
import functools
import io
import json
import re
import textwrap

from tabulate import tabulate

from improved_gan_tf import paper
from improved_gan_tf.settings.images import IMAGES
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


WIDTH = 120  # columns of text


def text_of(found, table_format="text", everything=False):
    """A `Comparison` as text in one of `FORMATS`; text keeps to `WIDTH` columns.

    All but JSON leave out tables without runs unless `everything` is asked for.
    """
    if table_format == "csv":
        return _as_csv(found, everything)
    if table_format == "json":
        return json.dumps(as_dict(found), indent=2)
    return _as_tables(found, table_format == "markdown", everything)


def _as_tables(found, markdown, everything):
    blocks = []
    for dataset, title in TITLES.items():
        # Of one's own images there are measured numbers only.
        if found.cells[dataset] or (everything and dataset != IMAGES):
            notes = Notes()
            lines = [line_of(row, notes) for row in found.rows[dataset]]
            blocks += table_blocks(title, HEADERS, lines, notes, markdown)
    if found.scores or found.unscored or everything:
        notes = Notes()
        lines = inception_scores.lines(found.scores, found.unscored, notes)
        blocks += table_blocks(
            inception_scores.TITLE, inception_scores.HEADERS, lines, notes, markdown
        )
    if found.turing_tests:  # without votes the paper's own numbers would be all there is
        notes = Notes()
        lines = turing_tests.lines(found.turing_tests, notes)
        blocks += table_blocks(turing_tests.TITLE, turing_tests.HEADERS, lines, notes, markdown)
        blocks.append(listed(turing_tests.LEGEND, markdown))
    if blocks:
        blocks.append(listed(LEGEND, markdown))
    blocks.append(listed([provenance(found)], markdown, mark=""))
    if found.left_out:
        lines = [f"{item.path}: {item.reason}" for item in found.left_out]
        blocks += ["left out:", listed(lines, markdown)]
    return "\n\n".join(blocks)


def table_blocks(title, headers, lines, notes, markdown):
    """A title, a table and its footnotes (`comparison.Notes`), as a list of str."""
    if markdown:
        lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
        table = tabulate(lines, headers=headers, tablefmt="pipe", disable_numparse=True)
    else:
        table = text_table(headers, lines)
    blocks = [f"### {title}" if markdown else title, table]
    return [*blocks, listed(notes.lines, markdown)] if notes.lines else blocks


def text_table(headers, lines):
    """A table of at most `WIDTH` columns of text; cells of the widest columns are wrapped."""
    columns = [list(cells) for cells in zip(headers, *lines, strict=True)]
    room = WIDTH - 2 * (len(columns) - 1)  # two spaces between columns
    widths = [max(map(len, cells)) for cells in columns]
    if sum(widths) > room:  # headers are wrapped first
        widths = [max(map(len, [*header.split(), *cells])) for header, *cells in columns]
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    head, *rest = (
        ["\n".join(_wrapped(cell, width)) for cell, width in zip(line, widths, strict=True)]
        for line in (headers, *lines)
    )
    # The head is a line like the others: tabulate would make room for two more letters in each.
    rows = [head, ["-" * width for width in widths], *rest]
    return tabulate(rows, tablefmt="plain", disable_numparse=True)


def _wrapped(cell, width):
    """A cell's lines of at most `width` letters, broken after a space or one of `= / _`."""
    lines = [""]
    for piece in re.split(r"(?<=[ =/_])", cell):
        if len(lines[-1]) + len(piece.rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += piece
        while len(lines[-1].rstrip()) > width:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return [line.strip() for line in lines]


def listed(lines, markdown, mark="- "):
    """Lines as a list in Markdown; wrapped at `WIDTH` in text."""
    if markdown:
        return "\n".join(mark + line.replace("*", "\\*") for line in lines)
    wrap = functools.partial(
        textwrap.fill,
        width=WIDTH,
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(map(wrap, lines))


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


def _as_csv(found, everything):
    lines = io.StringIO()
    # The columns are those of any row; the paper's are always there.
    columns = list(_row_dict(next(row for rows in found.rows.values() for row in rows)))
    writer = csv.DictWriter(lines, fieldnames=columns, lineterminator="\n")
    writer.writeheader()
    for dataset, rows in found.rows.items():
        for row in rows if found.cells[dataset] or everything else ():
            cells = _row_dict(row)
            writer.writerow({**cells, "notes": " | ".join(cells["notes"])})
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
        "recovered_at_epoch": run.result["final"].get("recovered_at_epoch"),
        "wall_seconds": run.result.get("wall_seconds"),
        "git_commit": run.result["versions"].get("git_commit"),
    }
