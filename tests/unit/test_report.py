"""The report page: self-contained, escaped, and its numbers those of the run folders."""

import base64
import html
import io
import json
import os
import pathlib
import re
import sys

import numpy as np
import pytest
from PIL import Image

from improved_gan_tf import report as report_command
from improved_gan_tf.data import tfds_folders
from improved_gan_tf.data.datasets import Dataset
from improved_gan_tf.pages import against_paper, figures, report, run_pictures, sections
from improved_gan_tf.pages.scored_images import ScoredImages
from improved_gan_tf.runs.finished_runs import read_runs
from improved_gan_tf.tables import cells as table_cells
from improved_gan_tf.tables import comparison
from tests.support.html_pages import Reader
from tests.support.written_runs import record, write_imagenet_run, write_run

LABELS = np.arange(1000) % 10
LEDGER = """# Reproduction

### D1 Order of `images`

Paper: <b>not said</b>.

Effect: none.

### D2 Another

Text.

## Not reproduced

More.
"""


def write_trained(folder, config, wrong, metrics=3):
    """A run on the sample's 1,000 test images with the first `wrong` of them mistaken."""
    logits = 3.0 * np.eye(10, dtype="float32")[np.where(np.arange(1000) < wrong, 9, LABELS)]
    wrong = int(np.sum(np.argmax(logits, 1) != LABELS))
    write_run(
        folder,
        config,
        predictions={"logits_raw": logits, "labels": LABELS},
        raw=wrong,
        averaged=None,
        count=1000,
        differences_from_paper=["data: a sample", "epochs: 3 instead of 300"],
    )
    lines = [
        {
            "epoch": epoch,
            "loss_supervised": 1.0 / (epoch + 1),
            "loss_unsupervised": 0.0 if config.supervised_only else 0.5,
            "test_error_averaged": None,
            "test_error_raw": 0.5 / (epoch + 1),
        }
        for epoch in range(metrics)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "samples").mkdir()
    Image.fromarray(np.zeros((302, 302), "uint8")).save(folder / "samples" / "epoch_0003.png")
    return wrong


def write_runs(tmp_path):
    """Two runs and a baseline on made-up data, and a ledger."""
    for seed, wrong in ((1, 50), (2, 70)):
        config = record(seed=seed, seed_data=seed, data_source="sample", epochs=3)
        write_trained(tmp_path / f"seed{seed}", config, wrong)
    config = record(supervised_only=True, data_source="sample", epochs=3)
    write_trained(tmp_path / "seed1" / "supervised_only", config, 400)
    (tmp_path / "ledger.md").write_text(LEDGER)
    return tmp_path


@pytest.fixture
def runs(tmp_path):
    return write_runs(tmp_path)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory):
    """`(folder, page)` for tests that change neither."""
    folder = write_runs(tmp_path_factory.mktemp("runs"))
    return folder, page_of(folder)


def page_of(folder):
    return report.page(comparison.Comparison([folder]), ledger=folder / "ledger.md")


# --- the page ------------------------------------------------------------------------------


def test_nothing_on_the_page_comes_from_elsewhere(looked_at):
    text = looked_at[1]
    reader = Reader(text)
    links = [v for _, k, v in reader.attributes if k in ("src", "href", "xlink:href", "srcset")]
    assert len(links) > 5
    assert all(re.match(r"(data:image/png;base64,|#)", link) for link in links)
    assert "http" not in text
    assert "@import" not in text
    assert not {"script", "link", "iframe", "object", "embed"} & set(reader.tags)
    assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_every_link_inside_the_page_has_its_place(looked_at):
    attributes = Reader(looked_at[1]).attributes
    names = {v for _, k, v in attributes if k == "id"}
    targets = {v[1:] for _, k, v in attributes if k == "href" and v.startswith("#")}
    assert targets <= names


def test_the_numbers_are_those_of_the_results(looked_at):
    words = Reader(looked_at[1]).words
    for folder in (
        looked_at[0] / "seed1",
        looked_at[0] / "seed2",
        looked_at[0] / "seed1" / "supervised_only",
    ):
        final = json.loads((folder / "result.json").read_text())["final"]
        assert f"{100 * final['test_wrong_raw'] / 1000:.2f}" in words
    rows = comparison.Comparison([looked_at[0]]).rows["mnist"]
    row = next(r for r in rows if len(r.runs) == 2)
    assert comparison.mean_and_spread(row.error.mean, row.error.std) in words


def test_the_page_says_what_is_not_the_papers_setting_and_which_folders_do_not_count(runs):
    write_run(runs / "other", status="diverged")
    text = " ".join(Reader(page_of(runs)).words)
    assert "data: a sample; epochs: 3 instead of 300" in text
    assert "diverged after 300 epochs" in text


def test_hostile_names_are_escaped(runs):
    hostile = '<script>alert("x")</script>&'
    (runs / "seed1" / "result.json").write_text(
        (runs / "seed1" / "result.json")
        .read_text()
        .replace("data: a sample", "data: " + hostile.replace('"', "'"))
    )
    write_run(runs / "<img src=x onerror=y>", status="diverged")
    text = page_of(runs)
    assert "<script" not in text
    assert "onerror=y" in text
    assert "<img src=x" not in text
    assert "script" not in Reader(text).tags


@pytest.mark.skipif(sys.platform != "linux", reason="the file system may take texts alone")
def test_names_that_are_no_text_are_shown_with_escapes(runs):
    folder = os.fsdecode(os.fsencode(runs) + b"/caf\xe9")
    write_run(pathlib.Path(folder), status="diverged")
    text = page_of(runs)
    assert "caf\\udce9" in text
    text.encode("utf-8")


def test_every_picture_has_a_text(looked_at):
    reader = Reader(looked_at[1])
    alts = [v for t, k, v in reader.attributes if (t, k) == ("img", "alt")]
    assert len(alts) == reader.tags.count("img") > 0
    assert all(len(alt) > 10 for alt in alts)
    labels = [v for t, k, v in reader.attributes if (t, k) == ("div", "aria-label")]
    assert len([label for label in labels if "over the epochs" in label]) == 3
    assert any("in the last epoch: raw 16.67; supervised only, raw 16.67" in x for x in labels)


def test_the_page_fits_a_phone_and_a_dark_room(looked_at):
    text = looked_at[1]
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert "@media (prefers-color-scheme: dark)" in text
    # Every table scrolls inside a box of its own.
    assert text.count("<table") == text.count('<div class="scroll"') > 3


def test_on_a_narrow_screen_every_cell_has_the_name_of_its_column(looked_at):
    text = looked_at[1]
    for table in re.findall(r'<table class="rows">.*?</table>', text, re.S):
        headers = re.findall(r'<th scope="col">(.*?)</th>', table)
        for row in re.findall(r"<tr>(<td.*?)</tr>", table):
            assert re.findall(r'<td data-name="(.*?)"', row) == headers
    # By which rules of style; what they come to is looked at, in pictures of 390 pixels.
    assert re.search(r"@media \(max-width: 48rem\) \{ \.rows thead \{ display: none; \}", text)
    assert 'content: attr(data-name) " "' in text


def test_long_texts_may_break_and_numbers_do_not(looked_at):
    cells = re.findall(r"<td data-name=\"([^\"]*)\"( class=\"long\")?>([^<]*)</td>", looked_at[1])
    assert {name for name, long, _ in cells if long} >= {"folder"}
    assert all(bool(long) == (len(html.unescape(text)) > 22) for _, long, text in cells)
    assert not [text for _, long, text in cells if long and re.fullmatch(r"[\d.+\- ()%]*", text)]


def test_rows_stand_in_the_order_that_the_page_states(tmp_path):
    for name, epochs, seed in (("a", 30, 10), ("b", 4, 1), ("c", 30, 2), ("d", 100, 1)):
        write_run(tmp_path / name, record(epochs=epochs, seed=seed, seed_data=None))
    text = page_of(tmp_path)
    assert f'<p class="quiet">{comparison.ORDER}</p>' in html.unescape(text)
    titles = re.findall(r'<h2 id="cell-\d+">(.*?)</h2>', text)
    assert [title.split("epochs=")[1] for title in titles] == ["4", "30", "100"]
    assert re.findall(r'<td data-name="seed">(.*?)</td>', text) == ["1", "2", "10", "1"]


def test_a_run_without_a_test_set_is_shown_and_not_counted(tmp_path):
    folder = write_imagenet_run(tmp_path / "run")
    (folder / "samples").mkdir()
    for epoch in (20, 25):
        shade = np.full((302, 302, 3), epoch, "uint8")
        Image.fromarray(shade).save(folder / "samples" / f"epoch_{epoch:04d}.png")
    text = page_of(tmp_path)
    assert "what 0 runs measured" not in text
    assert "<h1>Improved Techniques for Training GANs: no finished run that a table could" in text
    assert f"<code>{folder}</code>: the paper has no table of test errors on imagenet" in text
    newest = (folder / "samples" / "epoch_0025.png").read_bytes()
    assert f'<img src="{figures.png_uri(newest)}" alt="samples after epoch 25"' in text
    assert text.count("<img") == 1


def test_the_paper_and_every_run_stand_in_a_picture_on_top(looked_at):
    text = looked_at[1]
    described = "MNIST: test error (%). 100 labels: paper 0.93 +- 0.065, ours 5.4 over 2 runs"
    picture = text.index(f'<div role="img" aria-label="{described}">')
    assert picture < text.index("<nav>") < text.index("<table")
    svg = text[picture : text.index("</svg>", picture)]
    assert "ours, not the paper&#39;s setting" in svg or "ours, not the paper's setting" in svg


def test_real_images_stand_beside_the_generated_ones(looked_at):
    described = re.findall(r'alt="10 x 10 (\w+) images, ([^"]*)"', looked_at[1])
    assert described == [
        ("generated", "seed 1, after epoch 3"),
        ("generated", "seed 2, after epoch 3"),
        ("real", "real test images"),
    ]


def test_real_images_of_a_set_sorted_by_class_are_of_every_class():
    blank = np.zeros((100, 28, 28, 1), "uint8")
    images = np.concatenate([blank + level for level in (100, 200)]).astype("uint8")
    labels = np.repeat(np.arange(2), 100)

    class Sorted:
        @staticmethod
        def load(config):
            return Dataset(images, labels, images, labels, "two", False, ("dark", "light"))

    (grid,) = run_pictures.real_grid(record(), Sorted)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(grid["uri"].split(",")[1]))))
    light = np.count_nonzero(picture == 200) / 28**2
    assert np.count_nonzero(picture == 100) / 28**2 == 100 - light
    assert 30 < light < 70


def test_the_newest_samples_are_those_of_the_largest_epoch(tmp_path):
    (tmp_path / "samples").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "samples" / "epoch_9500.png")
    for name in ("epoch_10000.png", "epoch_10000_interrupted.png"):
        Image.new("L", (2, 2)).save(tmp_path / "samples" / name)
        (shown,) = run_pictures.pictures_in(tmp_path)
        assert shown["caption"] == "samples after epoch 10000"
    assert run_pictures._newest_samples(tmp_path)[0].name == "epoch_10000_interrupted.png"


def test_deviations_are_listed_with_their_code_marked(looked_at):
    text = looked_at[1]
    assert "<summary>D1 Order of `images`</summary>" in text
    assert "<p>Paper: &lt;b&gt;not said&lt;/b&gt;.</p>" in text
    assert report.deviations(looked_at[0] / "ledger.md")[1] == {
        "title": "D2 Another",
        "paragraphs": [[("", "Text.")]],
    }


def test_a_deviations_links_are_their_texts_and_emphasis_is_marked(tmp_path):
    ledger = tmp_path / "ledger.md"
    body = "The *mean* of `a * b`, 2 * 3 * 4, [up to\n5 more](other.md#there)."
    ledger.write_text(f"### D1 One\n\n{body}\n", "utf-8")
    ((parts,),) = [entry["paragraphs"] for entry in report.deviations(ledger)]
    assert [part for part in parts if part[0]] == [("em", "mean"), ("code", "a * b")]
    assert "".join(text for _, text in parts) == "The mean of a * b, 2 * 3 * 4, up to 5 more."


def test_no_markdown_of_this_repositorys_ledger_is_left():
    texts = [
        text
        for entry in report.deviations(report.LEDGER)
        for paragraph in entry["paragraphs"]
        for element, text in paragraph
        if not element
    ]
    assert not [text for text in texts if "](" in text or "`" in text]


def test_without_a_ledger_the_page_says_where_the_deviations_are(runs):
    assert report.deviations(runs / "missing.md") == []
    text = report.page(comparison.Comparison([runs]), ledger=runs / "missing.md")
    told = " ".join(" ".join(Reader(text).words).split())
    assert "Where paper, original code and this code differ" in told
    assert "listed in docs/deviations.md of the repository, which was not found here." in told
    assert "which was not found here" not in page_of(runs)


def test_the_ledger_of_this_repository_is_read():
    titles = [entry["title"] for entry in report.deviations(report.LEDGER)]
    assert len(titles) >= 10
    assert titles[0].startswith("D1 ")


def test_folders_without_curves_samples_and_predictions_make_a_page(tmp_path):
    write_run(tmp_path / "run")
    text = " ".join(Reader(page_of(tmp_path)).words)
    assert "Not shown: no " in text
    assert "Learning curves" not in text
    assert "Samples" not in text


def test_a_page_about_no_finished_run_says_so(tmp_path):
    write_run(tmp_path / "run", status="interrupted")
    assert "No run counts; see below." in page_of(tmp_path)


# --- run by run ----------------------------------------------------------------------------


def lines_by_seed(folder):
    ((cell,),) = [cells for cells in comparison.Comparison([folder]).cells.values() if cells]
    lines = sections.run_lines(cell)
    return [dict(zip(sections.RUN_HEADERS, line, strict=True)) for line in lines]


def test_lines_stand_in_the_order_of_the_splits(tmp_path):
    for seed, seed_data in ((1, 3), (2, 1), (3, 2)):
        write_run(tmp_path / f"run{seed}", record(seed=seed, seed_data=seed_data))
    assert [line["seed"] for line in lines_by_seed(tmp_path)] == ["2", "3", "1"]


def test_a_baseline_stands_beside_the_run_of_its_seeds(looked_at):
    one, two = lines_by_seed(looked_at[0])
    assert (one["seed"], one["supervised only, raw %"]) == ("1", "36.00")
    assert one["folder"] == str(looked_at[0] / "seed1")
    assert (two["seed"], two["supervised only, raw %"]) == ("2", "-")


def test_a_baseline_without_its_run_has_a_line_of_its_own(runs):
    write_run(runs / "seed2", record(seed=2), status="diverged")
    changes = {"averaged": None, "raw": 250, "count": 1000, "wall_seconds": 77.0}
    config = record(seed=9, seed_data=9, data_source="sample", epochs=3, supervised_only=True)
    differences = ["data: a sample", "epochs: 3 instead of 300"]
    write_run(runs / "other", config, differences_from_paper=differences, **changes)
    lines = lines_by_seed(runs)
    assert [line["seed"] for line in lines] == ["1", "9"]
    assert lines[1] == {
        "seed": "9",
        "seed_data": "9",
        "averaged %": "-",
        "raw %": "-",
        "supervised only, averaged %": "-",
        "supervised only, raw %": "25.00",
        "collapsed": "",
        "seconds": "77",
        "commit": "0" * 8,
        "folder": str(runs / "other"),
    }


def test_a_cell_of_baselines_lists_each_once(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path / str(seed), record(seed=seed, seed_data=seed, supervised_only=True))
    lines = lines_by_seed(tmp_path)
    assert [line["raw %"] for line in lines] == ["-", "-"]
    assert [line["supervised only, raw %"] for line in lines] == ["1.00", "1.00"]


def test_the_settings_of_a_cell_do_not_say_whether_it_has_unlabeled_images(tmp_path):
    # Of a cell's members the first in the order of the folders is a baseline.
    write_run(tmp_path / "a", record(supervised_only=True))
    write_run(tmp_path / "b", record())
    words = Reader(page_of(tmp_path)).words
    assert "epochs" in words
    assert "supervised_only" not in words


# --- mistakes ------------------------------------------------------------------------------


def test_the_confusion_matrix_is_the_mean_over_the_runs():
    labels = np.array([0, 0, 1])
    right = np.eye(2)[[0, 0, 1]]
    wrong = np.eye(2)[[0, 1, 0]]
    found = sections.confusion([right, wrong], labels)
    np.testing.assert_array_equal(found, [[1.5, 0.5], [0.5, 0.5]])


def test_the_surest_mistakes_come_first():
    labels = np.array([0, 0, 0, 1])
    logits = np.array([[0.0, 1.0], [0.0, 3.0], [9.0, 0.0], [2.0, 0.0]])
    images = np.arange(4, dtype="uint8").reshape(4, 1, 1, 1)
    found = sections.confident_mistakes([logits], labels, images, ("no", "yes"), count=2)
    assert [(m["row"], m["true"], m["predicted"]) for m in found] == [
        (1, "no", "yes"),
        (3, "yes", "no"),
    ]
    assert found[0]["probability"] == f"{1 / (1 + np.exp(-3.0)):.3f}"
    assert found[0]["uri"] == figures.image_uri(images[1])


def test_images_of_another_test_set_are_not_shown():
    # The sample's labels are sorted by class, these are not.
    images, reason = ScoredImages().of(record(data_source="sample"), LABELS)
    assert images is None
    assert reason == "the data set found here is not the one that the runs were tested on"


def test_images_of_the_same_test_set_are_found():
    labels = np.repeat(np.arange(10), 100)
    images, reason = ScoredImages().of(record(data_source="sample"), labels)
    assert (images.shape, reason) == ((1000, 28, 28, 1), None)
    # A folder of TFDS data is for the runs that read one.
    images, reason = ScoredImages("missing").of(record(data_source="sample"), labels)
    assert (images.shape, reason) == ((1000, 28, 28, 1), None)


def test_missing_data_are_told(tmp_path):
    images, reason = ScoredImages(tmp_path / "missing").of(record(), LABELS)
    assert images is None
    assert reason.startswith("the test images could not be loaded: --data_dir must be a folder")


def test_missing_data_are_not_downloaded_for_a_page(tmp_path, monkeypatch):
    def connected():
        raise AssertionError("the network was asked")

    monkeypatch.setattr(tfds_folders, "network_error", connected)
    images, reason = ScoredImages(tmp_path).of(record(), LABELS)
    assert images is None
    assert reason.startswith("the test images could not be loaded: No prepared 'mnist' data in ")
    assert list(tmp_path.iterdir()) == []


# --- curves --------------------------------------------------------------------------------


def test_the_spread_is_over_the_same_runs_at_every_epoch():
    histories = [
        [{"epoch": 0, "x": 1.0}, {"epoch": 1, "x": None}, {"epoch": 2, "x": 4.0}],
        [{"epoch": 0, "x": 3.0}, {"epoch": 1, "x": 9.0}, {"epoch": 2, "x": 6.0}],
        [{"epoch": 0}, {"epoch": 1, "x": None}],  # a recipe without this metric
    ]
    for some in (histories, histories[::-1]):
        epochs, mean, low, high = figures.spread_over_runs(some, "x", 10.0)
        np.testing.assert_array_equal(epochs, [1, 3])
        np.testing.assert_array_equal(mean, [20, 50])
        np.testing.assert_array_equal(low, [10, 40])
        np.testing.assert_array_equal(high, [30, 60])


def test_the_papers_line_is_its_mean_and_its_bar_as_long_as_its_spread(tmp_path, monkeypatch):
    write_run(tmp_path / "run", record())
    (cell,) = table_cells.cells(read_runs([tmp_path])[0])
    assert sections._papers_level(cell) == ("paper", 0.93)
    write_run(tmp_path / "other" / "run", record(), differences_from_paper=["data: a sample"])
    (of_other_data,) = table_cells.cells(read_runs([tmp_path / "other"])[0])
    assert sections._papers_level(of_other_data) is None
    drawn = []
    monkeypatch.setattr(figures, "svg_of", lambda figure: drawn.append(figure) or "")
    against_paper.picture_svg([against_paper.Line("a", (0.93, 0.065), (1.0, 2.0), True)], "errors")
    (bar, *_) = drawn[0].axes[0].lines
    np.testing.assert_allclose(bar.get_xdata(), [0.865, 0.995])


def test_no_run_has_no_spread():
    assert len(figures.spread_over_runs([[]], "x")[0]) == 0


def test_curves_take_the_colour_of_the_page_and_keep_their_text():
    spread = figures.spread_over_runs([[{"epoch": e, "x": 2.0**e} for e in range(5)]], "x")
    svg = figures.curves_svg([("raw", spread)], "test error (%)", True, ("paper", 3.0))
    assert svg.startswith("<svg")
    assert "currentColor" in svg
    assert "#010203" not in svg
    assert ">test error (%)<" in svg
    assert ">paper<" in svg


def test_a_cut_line_of_metrics_ends_the_curve(runs):
    path = runs / "seed1" / "metrics.jsonl"
    path.write_text(path.read_text()[:-20])
    (run,) = [r for r in comparison.Comparison([runs]).runs if r.path == runs / "seed1"]
    assert [m["epoch"] for m in sections.read_history(run)] == [0, 1]


# --- the command ---------------------------------------------------------------------------


def test_the_command_writes_the_page_and_replaces_an_earlier_one(runs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["report", str(runs), f"--output={runs}/page.html"])
    report_command.main()
    report_command.main()
    assert re.match(r".*/page.html: 3 runs, [\d.]+ MB\n", capsys.readouterr().out)
    assert (runs / "page.html").read_text().startswith("<!DOCTYPE html>\n" + report.MARK)


def test_the_command_reads_its_data_and_links_from_its_own_folder(runs, tmp_path, monkeypatch):
    asked = {}
    (tmp_path / "elsewhere").mkdir()

    def page(found, data_dir, folder):
        asked.update(data_dir=data_dir, folder=folder)
        return "<p>a page</p>"

    monkeypatch.setattr(report, "page", page)
    output = tmp_path / "elsewhere" / "page.html"
    arguments = ["report", str(runs), "--data_dir=some/data", f"--output={output}"]
    monkeypatch.setattr(sys, "argv", arguments)
    report_command.main()
    assert asked == {"data_dir": "some/data", "folder": str(tmp_path / "elsewhere")}


def test_another_file_is_not_overwritten(runs, monkeypatch, capsys):
    (runs / "thesis.html").write_text("years of work")
    monkeypatch.setattr(sys, "argv", ["report", str(runs), f"--output={runs}/thesis.html"])
    with pytest.raises(SystemExit) as caught:
        report_command.main()
    assert caught.value.code == 2
    assert "exists and is no report of this program" in capsys.readouterr().err
    assert (runs / "thesis.html").read_text() == "years of work"


def test_a_folder_that_cannot_be_written_is_explained(runs, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["report", str(runs), f"--output={runs}/missing/page.html"])
    with pytest.raises(SystemExit):
        report_command.main()
    assert "cannot be written: there is no such folder." in capsys.readouterr().err
