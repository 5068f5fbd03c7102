"""Pages of the visual Turing test and the votes on them, as files that are checked when read.

A page is a folder with turing_test.html, the page itself, and turing_test.json, the key with the
answers and origins of all images. The SHA-256 of the key is the page's digest. A file of votes
names the digest of its page, and has its own digest over the votes. This detects files that were
changed, mixed up or handed in twice, but not forged digests.

Nothing here starts TensorFlow.
"""

import hashlib
import json
import pathlib
import unicodedata
from typing import NamedTuple

import numpy as np

from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring import human_evaluation

PAGE_NAME = "turing_test.html"
KEY_NAME = "turing_test.json"
VOTES_PATTERN = "votes-*.json"
PAGE_KIND = "turing_test_page"
VOTES_KIND = "turing_test_votes"
REAL, GENERATED = "real", "generated"


class Page(NamedTuple):
    """A page that people vote on."""

    path: pathlib.Path  # the folder
    digest: str
    is_generated: np.ndarray  # bool (N,), in the order shown
    key: dict  # content of turing_test.json


class Votes(NamedTuple):
    """One person's answers to every image of a page."""

    path: pathlib.Path
    person: str  # the name given, or an empty one
    session: str
    said_generated: np.ndarray  # bool (N,), in the order of the images
    milliseconds: np.ndarray  # float (N,), from the image's appearance to the answer


class PageVotes(NamedTuple):
    """All votes on one page."""

    page: Page
    persons: tuple[Votes, ...]
    pooled: human_evaluation.Tally
    by_person: tuple[human_evaluation.Tally, ...]
    over_persons: human_evaluation.OverPersons | None  # None for one person


class RefusedError(Exception):
    """A file is not as expected; the message says why, without the file's name."""


# --- digests -------------------------------------------------------------------------------


def key_digest(key):
    """SHA-256 of a page's key without its `digest`, as hexadecimal digits."""
    content = {name: value for name, value in key.items() if name != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def votes_digest(content):
    """SHA-256 of the content of a file of votes, as the page computes it.

    It covers the lines page, session, person, end time, and for each vote
    `image truth answer milliseconds`.
    """
    lines = [content[name] for name in ("page", "session", "person", "finished")]
    lines += [
        f"{vote['image']} {vote['truth']} {vote['answer']} {vote['milliseconds']}"
        for vote in content["votes"]
    ]
    return hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()


def mark(salt, image, truth):
    """A page's mark for an image: the first 16 digits of SHA-256 of `salt:image:truth`.

    `image` counts from 1; `truth` is `REAL` or `GENERATED`.
    """
    return hashlib.sha256(f"{salt}:{image}:{truth}".encode()).hexdigest()[:16]


# --- reading -------------------------------------------------------------------------------


def read_page(folder):
    """Reads the key in a page's folder; returns `Page`.

    Raises:
        RefusedError: the key is missing, damaged, or was changed.
    """
    folder = pathlib.Path(folder)
    try:
        key = json.loads((folder / KEY_NAME).read_text("utf-8"))
        if key["kind"] != PAGE_KIND:
            raise RefusedError(f"its kind is {key['kind']!r} instead of {PAGE_KIND!r}")
        is_generated = np.array([image["generated"] for image in key["images"]])
        digest = key["digest"]
    except FileNotFoundError as error:
        raise RefusedError(f"there is no {KEY_NAME}, the key of the page") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RefusedError(f"not a page's key of this package ({error!r})") from error
    if digest != key_digest(key) or is_generated.dtype != bool or len(set(is_generated)) != 2:
        raise RefusedError("the key was changed: its digest does not match its content")
    return Page(folder, digest, is_generated, key)


def read_votes(path, page):
    """Reads one person's file of votes on a `Page`; returns `Votes`.

    Raises:
        RefusedError: the file is not a file of votes, belongs to another page, was changed, or does
            not answer every image once.
    """
    path = pathlib.Path(path)
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["kind"] != VOTES_KIND:
            raise RefusedError(f"its kind is {content['kind']!r} instead of {VOTES_KIND!r}")
        if content["page"] != page.digest:
            raise RefusedError(
                f"votes of another page: {content['page'][:12]} instead of {page.digest[:12]}"
            )
        digest, person, session = votes_digest(content), content["person"], content["session"]
        votes = {int(vote["image"]): vote for vote in content["votes"]}
        seconds_times_1000 = [float(votes[image]["milliseconds"]) for image in sorted(votes)]
        answers = [(votes[image]["truth"], votes[image]["answer"]) for image in sorted(votes)]
        if not all(isinstance(text, str) for answer in answers for text in answer):
            raise TypeError("an answer is no text")
        changed = digest != content["digest"]
    except OSError as error:
        raise RefusedError(f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise RefusedError(f"not votes of this package ({error!r})") from error
    if changed:
        raise RefusedError("the votes were changed: their digest does not match their content")
    numbers = [vote["image"] for vote in content["votes"]]
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        raise RefusedError(f"image {twice[0]} was answered twice")
    if sorted(votes) != list(range(1, len(page.is_generated) + 1)):
        raise RefusedError(f"{len(votes)} of {len(page.is_generated)} images were answered")
    truths = [GENERATED if generated else REAL for generated in page.is_generated]
    if [truth for truth, _ in answers] != truths or {a for _, a in answers} - {REAL, GENERATED}:
        raise RefusedError("the votes were changed: they do not say what the page's images are")
    said_generated = np.array([answer == GENERATED for _, answer in answers])
    return Votes(path, _plain(person), session, said_generated, np.array(seconds_times_1000))


def _plain(person):
    """A name on one line in one of its spellings, without what would steer a terminal."""
    text = unicodedata.normalize("NFC", " ".join(person.split()))
    joiners = "\u200c\u200d"  # within words of some scripts, and pictures
    return "".join(x if x.isprintable() or x in joiners else "?" for x in text)


def read_all(paths, page):
    """Reads the files of several persons' votes on a `Page`.

    Returns `(list of Votes, list of (path, reason))`, those that count and those refused. A second
    file of a session or of a person is refused.
    """
    found, refused = [], []
    for path in paths:
        try:
            votes = read_votes(path, page)
            for other in found:
                if votes.session == other.session:
                    raise RefusedError(f"the same votes as {other.path.name}")
                if votes.person and votes.person.casefold() == other.person.casefold():
                    raise RefusedError(
                        f"{votes.person} answered twice: {other.path.name} is theirs too"
                    )
            found.append(votes)
        except RefusedError as error:
            refused.append((pathlib.Path(path), str(error)))
    return found, refused


def count(page, persons):
    """Counts the votes of one or more persons on one page; the page's seed is the bootstrap's.

    Returns `PageVotes`.
    """
    said = np.stack([person.said_generated for person in persons])  # (persons, N)
    truth = np.broadcast_to(page.is_generated, said.shape)
    over_persons = None
    if len(persons) > 1:
        # Sorted: the seed draws places in this list, and files may be named in any order.
        wrong_shares = np.sort(np.mean(said != truth, axis=1))
        over_persons = human_evaluation.over_persons(
            wrong_shares, np.random.RandomState(page.key["seed"])
        )
    return PageVotes(
        page,
        tuple(persons),
        human_evaluation.tally(truth, said),
        tuple(human_evaluation.tally(page.is_generated, answers) for answers in said),
        over_persons,
    )


def tally(paths, folder=None):
    """Reads and counts files of votes on one page; a refused file stops the count.

    `folder` is the page's, or that of the first file if None. Returns `PageVotes`.

    Raises:
        UserError: the page cannot be read, or a file is refused.
    """
    folder = pathlib.Path(paths[0]).parent if folder is None else pathlib.Path(folder).expanduser()
    try:
        page = read_page(folder)
    except RefusedError as error:
        raise UserError(
            f"The page that these votes are on cannot be read from {folder}: {error}. Put the "
            "votes next to it, or name its folder with --page=DIR."
        ) from error
    persons, refused = read_all(paths, page)
    if refused:
        reasons = "\n".join(f"  {path}: {reason}" for path, reason in refused)
        raise UserError(
            f"{len(refused)} of {len(paths)} files cannot be counted, so nothing was. Leave them "
            f"out:\n{reasons}"
        )
    return count(page, persons)


def find_pages(run_dir):
    """Folders of pages in a run folder (a Path), itself or one below it, in order of names."""
    keys = [*run_dir.glob(KEY_NAME), *run_dir.glob(f"*/{KEY_NAME}")]
    return sorted(key.parent for key in keys if (key.parent / PAGE_NAME).exists())
