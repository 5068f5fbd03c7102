"""Visual Turing tests of runs next to the paper's, in one table.

Paper: Salimans et al. (2016), Sec. 6.1 and 6.2.
"""

import numpy as np

from improved_gan_tf import paper
from improved_gan_tf.runs.finished_runs import LeftOut, generator_digest
from improved_gan_tf.scoring import human_evaluation, votes

TITLE = "Visual Turing test (the paper's Sec. 6.1, 6.2): people tell real images from generated"
HEADERS = (
    "images of",
    "votes",
    "persons",
    "right %",
    "p, if guessed",
    "real taken for generated %",
    "generated taken for real %",
    "wrong, over persons %",
    "paper, right %",
    "notes",
)
LEGEND = (
    "in parentheses: 95 % Wilson intervals, which take all votes for independent; over persons: "
    "the mean of the persons' shares of wrong votes, with a 95 % bootstrap interval over persons "
    "instead (HYPE).",
    "p, if guessed: exact and two-sided, the probability of a number of right votes as unlikely as "
    "this one, or more so, if every vote were a guess.",
)
# (data set, share of the best samples) -> key of `paper.HUMAN_EVALUATIONS`.
PAPER_ROWS = {
    ("mnist", None): "MNIST",
    ("cifar10", None): "CIFAR-10",
    ("cifar10", 0.01): "CIFAR-10, best 1 %",
}
PAPERS_MNIST_MODEL = "minibatch_discrimination"
# The parts of a page's key that stand next to its votes.
ABOUT = (
    *("dataset", "model", "source", "real", "generated", "best"),
    *("feedback", "images_at_once", "seed"),
)


def read(runs):
    """The pages in the folders of some `Run`s, as `(list of PageVotes, list of LeftOut)`.

    A page without votes is in neither list.
    """
    found, left_out = [], []
    for run in runs:
        for folder in votes.find_pages(run.path):
            files = sorted(folder.glob(votes.VOTES_PATTERN))
            try:
                page = votes.read_page(folder)
            except votes.RefusedError as error:
                left_out.append(LeftOut(folder, str(error)))
                continue
            shown, now = page.key["generator_sha256"], generator_digest(run.path)
            if files and None not in (shown, now) and shown != now:
                reason = "of another generator than the one in the run folder now"
                left_out.append(LeftOut(folder, reason))
                continue
            persons, refused = votes.read_all(files, page)
            left_out += [LeftOut(path, reason) for path, reason in refused]
            if persons:
                found.append(votes.count(page, persons))
    return found, left_out


def lines(found, notes):
    """Rows under `HEADERS`: the paper's, then the counted ones (`votes.PageVotes`).

    `notes` has `letter(text)`, as `comparison.Notes`.
    """
    table = []
    for name, published in paper.HUMAN_EVALUATIONS.items():
        count = "not said" if published.votes is None else str(published.votes)
        right, p_value = papers_cells(published)
        table.append([f"paper: {name}", count, "not said", right, p_value, "", "", "", "", ""])
    for counted in found:
        published = paper.HUMAN_EVALUATIONS.get(paper_row(counted.page))
        pooled = counted.pooled
        table.append(
            [
                str(counted.page.path),
                str(pooled.right.votes),
                str(len(counted.persons)),
                percent(pooled.right),
                p_text(pooled.p_value),
                percent(pooled.wrong_on_real),
                percent(pooled.wrong_on_generated),
                over_persons_text(counted.over_persons),
                "" if published is None else papers_cells(published)[0],
                " ".join(map(notes.letter, note_texts(counted.page))),
            ]
        )
    return table


def paper_row(page):
    """The key of `paper.HUMAN_EVALUATIONS` for the images of a `votes.Page`, or None."""
    best = page.key["best"] and page.key["best"]["share"]
    return PAPER_ROWS.get((page.key["dataset"], best))


def note_texts(page):
    """Sentences about a `votes.Page`: what was voted on, and differences from the paper."""
    key = page.key
    shown = "one at a time" if key["images_at_once"] == 1 else f"{key['images_at_once']} at a time"
    told = "told after each vote" if key["feedback"] else "told at the end only"
    texts = [f"shown {shown}, {told}; how the paper asked its voters is not said"]
    if key["best"]:
        texts.append(
            f"the best {100 * key['best']['share']:g} % of {key['best']['num_candidates']:,} "
            f"samples by {key['best']['classifier']}"
        )
    if key["differences"]:
        texts.append("not the paper's setting: " + "; ".join(key["differences"]))
    if key["dataset"] == "mnist" and key["model"] != PAPERS_MNIST_MODEL:
        ours = key["model"] or key["generated"]
        texts.append(f"samples of {ours}; the paper's are of {PAPERS_MNIST_MODEL}")
    return texts


def papers_cells(published):
    """The paper's share of right votes (`paper.PaperVotes`) and its p-value, as texts."""
    if published.votes is None:
        return f"{published.percent_right:.1f}", ""
    share = human_evaluation.wilson(published.right, published.votes)
    return percent(share), p_text(human_evaluation.p_against_chance(published.right, share.votes))


def percent(share):
    """A `human_evaluation.Share` as `"52.4 (50.2 to 54.6)"`."""
    return f"{100 * share.share:.1f} ({100 * share.low:.1f} to {100 * share.high:.1f})"


def over_persons_text(found):
    """The same for `human_evaluation.OverPersons`; empty for None."""
    if found is None:
        return ""
    return f"{100 * found.wrong:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def p_text(p_value):
    """`"0.034"`, `"3e-09"`; `"<1e-300"` for what floats cannot hold."""
    return "<1e-300" if p_value < 1e-300 else f"{p_value:.2g}"


def as_dict(counted):
    """The votes on one page as plain JSON types, shares from 0 to 1."""
    return {
        "path": str(counted.page.path),
        "page": counted.page.digest,
        **{name: counted.page.key[name] for name in ABOUT},
        "notes": note_texts(counted.page),
        "pooled": tally_dict(counted.pooled),
        "over_persons": counted.over_persons and counted.over_persons._asdict(),
        "persons": [
            {
                "file": str(person.path),
                "person": person.person,
                "session": person.session,
                **tally_dict(tally),
                "median_milliseconds": float(np.median(person.milliseconds)),
            }
            for person, tally in zip(counted.persons, counted.by_person, strict=True)
        ],
    }


def tally_dict(tally):
    """A `human_evaluation.Tally` as plain JSON types."""
    return {
        "votes": tally.right.votes,
        "p_value": tally.p_value,
        **{
            name: {
                "count": share.count,
                "votes": share.votes,
                "share": share.share,
                "low": share.low,
                "high": share.high,
            }
            for name, share in tally._asdict().items()
            if name != "p_value"
        },
    }


def paper_dict():
    """The paper's votes as plain JSON types."""
    found = {}
    for name, published in paper.HUMAN_EVALUATIONS.items():
        found[name] = published._asdict() | {"right": published.right}
        if published.votes is not None:
            share = human_evaluation.wilson(published.right, published.votes)
            p_value = human_evaluation.p_against_chance(published.right, published.votes)
            found[name] |= {"low": share.low, "high": share.high, "p_value": p_value}
    return found
