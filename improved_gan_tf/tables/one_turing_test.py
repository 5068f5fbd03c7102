"""The tally of one visual Turing test next to the paper's, as text, Markdown, CSV or JSON."""

import csv
import io
import json

import numpy as np

from improved_gan_tf import paper
from improved_gan_tf.tables import turing_tests
from improved_gan_tf.tables.comparison import Notes
from improved_gan_tf.tables.formats import listed, table_blocks
from improved_gan_tf.tables.turing_tests import over_persons_text, p_text, percent

PERSON_HEADERS = (
    "person",
    "votes",
    "right %",
    "p, if guessed",
    "real taken for generated %",
    "generated taken for real %",
    "median s",
)
# Columns of the CSV; intervals are of 95 %.
COLUMNS = (
    *("of", "who", "votes", "right_percent", "right_low", "right_high", "p_value"),
    *("wrong_on_real_percent", "wrong_on_real_low", "wrong_on_real_high"),
    *("wrong_on_generated_percent", "wrong_on_generated_low", "wrong_on_generated_high"),
    *("wrong_over_persons_percent", "wrong_over_persons_low", "wrong_over_persons_high"),
)


def text_of(counted, table_format="text"):
    """A tally (`votes.PageVotes`) as text in one of `formats.FORMATS`."""
    if table_format == "csv":
        return _as_csv(counted)
    if table_format == "json":
        content = turing_tests.as_dict(counted) | {"paper": turing_tests.paper_dict()}
        return json.dumps(content | {"legend": list(turing_tests.LEGEND)}, indent=2)
    return _as_tables(counted, table_format == "markdown")


def _as_tables(counted, markdown):
    page, notes = counted.page, Notes()
    letters = " ".join(map(notes.letter, turing_tests.note_texts(page)))
    row = turing_tests.paper_row(page)
    headers = ("", f"these votes ({letters})", f"paper, {row}" if row else "paper")
    title = f"Visual Turing test of {page.key['source']} (page {page.digest[:12]})"
    about = [f"real: {page.key['real']}", f"generated: {page.key['generated']}"]
    pooled = table_blocks(title, headers, _pooled_lines(counted), notes, markdown)
    people = table_blocks("Each person", PERSON_HEADERS, _person_lines(counted), Notes(), markdown)
    legend = listed(turing_tests.LEGEND, markdown)
    return "\n\n".join([pooled[0], listed(about, markdown), *pooled[1:], *people, legend])


def _pooled_lines(counted):
    pooled, published = counted.pooled, None
    row = turing_tests.paper_row(counted.page)
    right, p_value, count = "", "", ""
    if row is not None:
        published = paper.HUMAN_EVALUATIONS[row]
        right, p_value = turing_tests.papers_cells(published)
        count = "not said" if published.votes is None else f"{published.votes:,}"
    return [
        ["right %", percent(pooled.right), right],
        ["p, if guessed", p_text(pooled.p_value), p_value],
        ["real taken for generated %", percent(pooled.wrong_on_real), ""],
        ["generated taken for real %", percent(pooled.wrong_on_generated), ""],
        ["wrong, over persons %", over_persons_text(counted.over_persons) or "one person", ""],
        ["votes", f"{pooled.right.votes:,}", count],
        ["persons", str(len(counted.persons)), "" if published is None else "not said"],
    ]


def _person_lines(counted):
    return [
        [
            _name(person),
            str(tally.right.votes),
            percent(tally.right),
            p_text(tally.p_value),
            percent(tally.wrong_on_real),
            percent(tally.wrong_on_generated),
            f"{np.median(person.milliseconds) / 1000:.1f}",
        ]
        for person, tally in zip(counted.persons, counted.by_person, strict=True)
    ]


def _name(person):
    return person.person or f"({person.session[:8]})"


def _as_csv(counted):
    """A line for each person, one for all together and one for the paper, in per cent.

    The column "of" tells them apart: a person's name can be any word.
    """
    table = [
        {"of": "person", "who": _name(person), **_numbers(tally)}
        for person, tally in zip(counted.persons, counted.by_person, strict=True)
    ]
    table.append({"of": "all", **_numbers(counted.pooled)})
    if counted.over_persons is not None:
        over = counted.over_persons
        table[-1] |= {
            "wrong_over_persons_percent": 100 * over.wrong,
            "wrong_over_persons_low": 100 * over.low,
            "wrong_over_persons_high": 100 * over.high,
        }
    row = turing_tests.paper_row(counted.page)
    if row is not None:
        published = turing_tests.paper_dict()[row]
        table.append({"of": "paper", "who": row, "right_percent": published["percent_right"]})
        if published["votes"] is not None:
            table[-1] |= {
                "votes": published["votes"],
                "right_low": 100 * published["low"],
                "right_high": 100 * published["high"],
                "p_value": published["p_value"],
            }
    lines = io.StringIO()
    writer = csv.DictWriter(lines, fieldnames=COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return lines.getvalue().rstrip("\n")


def _numbers(tally):
    numbers = {"votes": tally.right.votes, "p_value": tally.p_value}
    for name in ("right", "wrong_on_real", "wrong_on_generated"):
        share = getattr(tally, name)
        numbers |= {
            f"{name}_percent": 100 * share.share,
            f"{name}_low": 100 * share.low,
            f"{name}_high": 100 * share.high,
        }
    return numbers
