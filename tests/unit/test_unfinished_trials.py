"""The checkpoint of an example's trial: what it keeps, what it refuses, when it is written."""

import numpy as np
import pytest
import tensorflow as tf

from examples import unfinished_trials
from examples.unfinished_trials import UnfinishedTrial
from improved_gan_tf.errors import UserError

SETTINGS = {"epochs": 3, "technique": "none"}
VERSIONS = {"tensorflow": "2.18.0", "git_commit": None}


@pytest.fixture
def result(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished_trials, "SECONDS_BETWEEN", 0.0)
    return tmp_path / "grid-historical_averaging-0.001-seed1.json"


def variables(value):
    return {"weight": tf.Variable([value, value]), "count": tf.Variable(int(value))}


def kept(result, value=1.0, versions=VERSIONS, checkpoint=None):
    trial = UnfinishedTrial(result, SETTINGS, versions, variables(value), checkpoint)
    trial.keep([[0.1, 7]])
    return trial


def test_variables_and_records_come_back(result):
    kept(result, 5.0)
    (path,) = result.parent.iterdir()
    assert path.name == "grid-historical_averaging-0.001-seed1.unfinished.npz"
    others = variables(0.0)
    checkpoint = unfinished_trials.read(result, SETTINGS)
    trial = UnfinishedTrial(result, SETTINGS, VERSIONS, others, checkpoint)
    assert trial.records == [[0.1, 7]]
    np.testing.assert_array_equal(others["weight"], [5.0, 5.0])
    assert others["count"].numpy() == 5
    trial.remove()
    assert list(result.parent.iterdir()) == []
    assert unfinished_trials.read(result, SETTINGS) is None


def test_it_is_written_once_in_a_minute_at_most(result, monkeypatch):
    monkeypatch.setattr(unfinished_trials, "SECONDS_BETWEEN", 60.0)
    now = iter([100.0, 100.0, 159.0, 160.0, 160.0, 160.0, 219.0])
    monkeypatch.setattr(unfinished_trials.time, "monotonic", lambda: next(now))
    values = variables(1.0)
    trial = UnfinishedTrial(result, SETTINGS, VERSIONS, values)
    for records, expected in (([1], None), ([1, 2], [1, 2]), ([1, 2, 3], [1, 2])):
        trial.keep(records)
        checkpoint = unfinished_trials.read(result, SETTINGS)
        assert (checkpoint and checkpoint.header["records"]) == expected


def test_another_trials_checkpoint_is_refused(result):
    kept(result)
    with pytest.raises(UserError, match=r"was written with epochs=3 \(now 4\)\. Give another"):
        unfinished_trials.read(result, {**SETTINGS, "epochs": 4})


def test_a_damaged_checkpoint_is_refused_and_stays(result):
    path = kept(result).path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"unfinished\.npz is damaged .*; remove it to begin"):
        unfinished_trials.read(result, SETTINGS)
    assert path.read_bytes() == content


def test_a_checkpoint_of_other_variables_changes_none(result):
    kept(result)
    others = {**variables(9.0), "more": tf.Variable(0.0)}
    checkpoint = unfinished_trials.read(result, SETTINGS)
    with pytest.raises(UserError, match="was written by other code; remove it"):
        UnfinishedTrial(result, SETTINGS, VERSIONS, others, checkpoint)
    assert others["count"].numpy() == 9


def test_times_add_up_and_other_versions_are_told_and_recorded(result, capsys, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(unfinished_trials.time, "monotonic", lambda: clock[0])
    first = UnfinishedTrial(result, SETTINGS, VERSIONS, variables(1.0))
    clock[0] += 40.0
    first.keep([])
    clock[0] += 500.0  # lost
    newer = {**VERSIONS, "tensorflow": "2.21.0"}
    for versions, told in ((newer, "with another tensorflow"), (newer, ""), (VERSIONS, "another")):
        checkpoint = unfinished_trials.read(result, SETTINGS)
        trial = UnfinishedTrial(result, SETTINGS, versions, variables(1.0), checkpoint)
        clock[0] += 10.0
        trial.keep([])
        shown = capsys.readouterr().err
        assert told in shown
        assert bool(told) == bool(shown)
    found = trial.provenance()
    assert found["seconds"] == 70
    assert found["earlier_versions"] == [VERSIONS, newer]
    assert found["tensorflow"] == "2.18.0"
    assert "earlier_versions" not in first.provenance()
