"""The table that shows a run's epochs."""

import pytest

from improved_gan_tf.runs.epoch_table import LINES_PER_HEADER, WIDTH, Column, EpochTable

LOSS = Column("loss", "supervised", "loss_supervised")
OTHER = Column("loss", "generator", "loss_generator")
TRAIN = Column("train", "error", "train_error", is_error=True)
TEST = Column("test, raw", "error", "test_error_raw", is_error=True, with_best=True)


def metrics(epoch=0, seconds=1.5, **values):
    return {"epoch": epoch, "seconds": seconds, "loss_supervised": 0.5, **values}


def rows(table, *epochs):
    """The last line of what the table says of each epoch."""
    return [table.lines(metrics(i, **values)).splitlines()[-1] for i, values in enumerate(epochs)]


def test_names_stand_above_their_numbers_and_groups_above_their_names():
    table = EpochTable([LOSS, OTHER, TRAIN, TEST])
    told = table.lines(
        metrics(loss_generator=8.75319, train_error=0.6848, test_error_raw=0.432, seconds=7.9)
    )
    assert told.splitlines() == [
        "",
        "                loss          train     test, raw",
        "epoch  supervised  generator   error   error    best    time",
        "    1      0.5000     8.7532  68.48%  43.20%  43.20%   7.9 s",
    ]


def test_an_epoch_without_a_test_has_a_blank_and_the_best_so_far():
    table = EpochTable([TEST])
    assert [row[5:-8] for row in rows(table, {}, {"test_error_raw": 0.02}, {}, {})] == [
        "                ",
        "   2.00%   2.00%",
        "           2.00%",
        "           2.00%",
    ]


def test_the_best_is_the_lowest_and_the_last_its_own():
    errors = [{"test_error_raw": error} for error in (0.05, 0.03, 0.04, None, 0.0)]
    found = [row.split()[1:-2] for row in rows(EpochTable([TEST]), *errors)]
    assert found == [
        ["5.00%", "5.00%"],
        ["3.00%", "3.00%"],
        ["4.00%", "3.00%"],
        ["3.00%"],
        ["0.00%", "0.00%"],
    ]


def test_epochs_of_an_earlier_process_count_for_the_best():
    table = EpochTable([TEST], history=[metrics(0, test_error_raw=0.01), metrics(1)])
    assert table.lines(metrics(2, test_error_raw=0.5)).split()[-4:] == [
        "50.00%",
        "1.00%",
        "1.5",
        "s",
    ]


def test_the_header_comes_again_every_20_lines():
    table = EpochTable([LOSS])
    told = [table.lines(metrics(epoch)) for epoch in range(2 * LINES_PER_HEADER + 1)]
    assert [i for i, text in enumerate(told) if "supervised" in text] == [0, 20, 40]
    assert all(text.count("\n") == (3 if i % 20 == 0 else 0) for i, text in enumerate(told))


def test_a_group_with_a_long_name_has_room():
    table = EpochTable([Column("a very long name", "x", "loss_supervised")])
    _, group, header, row = table.lines(metrics()).splitlines()
    assert group.strip() == "a very long name"
    assert header.index("x") + 1 == row.index("0.5000") + len("0.5000") == len(group)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (99.94, "99.9 s"), (99.96, "100 s"), (4321.0, "4321 s")]
)
def test_times_are_short(seconds, text):
    assert EpochTable([]).lines(metrics(seconds=seconds)).splitlines()[-1] == (
        f"    1  {text.rjust(6)}"
    )


def test_remarks_follow_in_the_line_where_they_fit_and_below_it_where_not():
    wide = Column("loss", "x" * 70, "loss_supervised")
    fits, does_not = EpochTable([wide]), EpochTable([wide])
    line = fits.lines(metrics(), ["COLLAPSED"]).splitlines()[-1]
    assert line.endswith("   1.5 s | COLLAPSED")
    assert len(line) <= WIDTH
    remarks = ["COLLAPSED", "MINIBATCH DISCRIMINATION SILENT"]
    *_, line, below = does_not.lines(metrics(), remarks).splitlines()
    assert line.endswith("   1.5 s")
    assert below == "      | COLLAPSED | MINIBATCH DISCRIMINATION SILENT"
