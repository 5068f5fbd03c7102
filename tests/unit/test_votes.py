"""Files of votes: what counts, and what is refused with which words."""

import json

import numpy as np
import pytest

from improved_gan_tf.errors import UserError
from improved_gan_tf.scoring import votes
from tests.support.written_votes import content_of, write_page, write_votes


@pytest.fixture
def page(tmp_path):
    return write_page(tmp_path)


def refusal(path, page):
    with pytest.raises(votes.RefusedError) as caught:
        votes.read_votes(path, page)
    return str(caught.value)


def edited(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def signed(content):
    return {**content, "digest": votes.votes_digest(content)}


def test_answers_are_read_in_the_order_of_the_images(tmp_path, page):
    content = content_of(page, wrong=(2, 3), person="Ana ")
    content["votes"].reverse()
    path = tmp_path / "votes-1.json"
    path.write_text(json.dumps(signed(content)))
    found = votes.read_votes(path, page)
    assert np.flatnonzero(found.said_generated != page.is_generated).tolist() == [1, 2]
    assert found.milliseconds.tolist() == [1001 + i for i in range(20)]
    assert found.person == "Ana"


def test_a_changed_answer_is_found(tmp_path, page):
    path = write_votes(tmp_path, page, "a", wrong=(1,))
    edited(path, lambda content: content["votes"][0].update(answer="generated"))
    assert "their digest does not match their content" in refusal(path, page)


@pytest.mark.parametrize("name", ["person", "session", "finished"])
def test_who_voted_and_when_cannot_be_changed_either(tmp_path, page, name):
    path = write_votes(tmp_path, page, "a")
    edited(path, lambda content: content.update({name: "other"}))
    assert "their digest does not match their content" in refusal(path, page)


def test_a_changed_truth_is_found_even_with_a_digest_to_match(tmp_path, page):
    content = content_of(page)
    for vote in content["votes"]:
        vote["truth"] = vote["answer"] = "real"
    (tmp_path / "votes-1.json").write_text(json.dumps(signed(content)))
    assert "do not say what the page's images are" in refusal(tmp_path / "votes-1.json", page)


def test_votes_of_another_page_are_found(tmp_path, page):
    other = write_page(tmp_path / "other", seed=2)
    path = write_votes(tmp_path, other, "a")
    expected = f"votes of another page: {other.digest[:12]} instead of {page.digest[:12]}"
    assert refusal(path, page) == expected


def test_an_image_that_was_answered_twice_is_found(tmp_path, page):
    content = content_of(page)
    content["votes"].append(content["votes"][4])
    (tmp_path / "votes-1.json").write_text(json.dumps(signed(content)))
    assert refusal(tmp_path / "votes-1.json", page) == "image 5 was answered twice"


def test_missing_answers_are_found(tmp_path, page):
    content = content_of(page)
    del content["votes"][7:]
    (tmp_path / "votes-1.json").write_text(json.dumps(signed(content)))
    assert refusal(tmp_path / "votes-1.json", page) == "7 of 20 images were answered"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not votes of this package (JSONDecodeError"),
        ("[]", "not votes of this package (TypeError"),
        ('{"kind": "inception_score"}', "its kind is 'inception_score' instead of"),
        ('{"kind": "turing_test_votes"}', "not votes of this package (KeyError('page'))"),
        ('{"kind": "turing_test_votes", "page": 3}', "not votes of this package (TypeError"),
    ],
)
def test_other_files_are_no_votes(tmp_path, page, text, reason):
    (tmp_path / "votes-1.json").write_text(text)
    assert reason in refusal(tmp_path / "votes-1.json", page)


def test_damaged_votes_are_no_votes(tmp_path, page):
    (tmp_path / "votes-1.json").write_text("[" * 100_000)
    assert "not votes of this package (RecursionError" in refusal(tmp_path / "votes-1.json", page)
    for change, error in (
        (lambda content: content["votes"][0].update(image=float("inf")), "OverflowError"),
        (lambda content: content["votes"][0].update(answer=["real"]), "TypeError"),
    ):
        content = content_of(page, person="Ana")
        change(content)
        (tmp_path / "votes-1.json").write_text(json.dumps(signed(content)))
        assert f"not votes of this package ({error}" in refusal(tmp_path / "votes-1.json", page)


def test_a_name_is_shown_in_one_spelling_and_steers_no_terminal(tmp_path, page):
    for written, shown in (
        ("Jose\u0301 ", "Jos\u00e9"),
        ("\x1b[31mred", "?[31mred"),
        ("a\u200cb", "a\u200cb"),
    ):
        content = content_of(page, person=written)
        (tmp_path / "votes-1.json").write_text(json.dumps(signed(content)))
        assert votes.read_votes(tmp_path / "votes-1.json", page).person == shown


def test_the_same_session_and_the_same_person_count_once(tmp_path, page):
    first = write_votes(tmp_path, page, "a", person="Ana")
    copy = tmp_path / "votes-copy.json"
    copy.write_text(first.read_text())
    again = write_votes(tmp_path, page, "b", person="ana ")
    nameless = [write_votes(tmp_path, page, name) for name in ("c", "d")]
    found, refused = votes.read_all([first, copy, again, *nameless], page)
    assert [v.path for v in found] == [first, *nameless]
    assert refused == [
        (copy, "the same votes as votes-a.json"),
        (again, "ana answered twice: votes-a.json is theirs too"),
    ]


# --- the key -------------------------------------------------------------------------------


def test_a_changed_key_is_found(tmp_path, page):
    edited(tmp_path / votes.KEY_NAME, lambda key: key["images"][0].update(generated=False))
    with pytest.raises(votes.RefusedError, match="the key was changed"):
        votes.read_page(tmp_path)


def test_everything_that_a_page_shows_is_in_its_digest(tmp_path, page):
    others = [
        write_page(tmp_path / "b", feedback=False),
        write_page(tmp_path / "c", images_at_once=9),
        write_page(tmp_path / "d", seed=2),
        write_page(tmp_path / "e", num_images=22),
    ]
    assert write_page(tmp_path / "f").digest == page.digest
    assert len({page.digest, *(other.digest for other in others)}) == 5


# --- counting ------------------------------------------------------------------------------


def test_persons_are_counted_one_by_one_and_together(tmp_path, page):
    paths = [
        write_votes(tmp_path, page, "a", wrong=(1, 2)),  # both generated
        write_votes(tmp_path, page, "b", wrong=(1, 3, 4, 20)),  # generated, real, real, real
    ]
    counted = votes.tally(paths)
    assert [t.right.count for t in counted.by_person] == [18, 16]
    assert (counted.pooled.right.count, counted.pooled.right.votes) == (34, 40)
    generated, real = counted.pooled.wrong_on_generated, counted.pooled.wrong_on_real
    assert (generated.count, generated.votes, real.count, real.votes) == (3, 20, 3, 20)
    assert counted.over_persons.wrong == pytest.approx(0.15)
    # Two persons: every resample has a mean of 0.1, 0.15 or 0.2.
    assert (counted.over_persons.low, counted.over_persons.high) == pytest.approx((0.1, 0.2))


def test_the_interval_is_the_same_in_whatever_order_the_files_are_named(tmp_path, page):
    files = [
        write_votes(tmp_path, page, name, wrong=range(1, 2 + count))
        for count, name in enumerate("abcdefgh")
    ]
    assert votes.tally(files).over_persons == votes.tally(files[::-1]).over_persons


def test_there_is_no_bootstrap_over_one_person(tmp_path, page):
    assert votes.tally([write_votes(tmp_path, page, "a")]).over_persons is None


def test_one_refused_file_stops_the_tally_and_all_of_them_are_named(tmp_path, page):
    good = write_votes(tmp_path, page, "a")
    bad = [tmp_path / "votes-b.json", tmp_path / "votes-c.json"]
    bad[0].write_text("{")
    with pytest.raises(UserError) as caught:
        votes.tally([good, *bad])
    message = str(caught.value)
    assert message.startswith("2 of 3 files cannot be counted, so nothing was. Leave them out:\n")
    assert f"\n  {bad[0]}: not votes of this package" in message
    assert f"\n  {bad[1]}: cannot be read: No such file or directory" in message


def test_votes_without_their_page_say_where_to_put_it(tmp_path, page, monkeypatch):
    alone = tmp_path / "alone"
    alone.mkdir()
    path = write_votes(alone, page, "a")
    with pytest.raises(UserError, match=r"no turing_test.json, .* --page=DIR"):
        votes.tally([path])
    assert votes.tally([path], tmp_path).pooled.right.count == 20
    monkeypatch.setenv("HOME", str(tmp_path))
    assert votes.tally([path], "~").pooled.right.count == 20
