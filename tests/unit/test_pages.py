"""The Markdown pages: links and anchors resolve, tables are of today, the house is the imports'."""

import pathlib
import re

import pytest

from tools import house, markers, tables
from tools.draw_house import PICTURE, PLACES, drawn_arrows, picture
from tools.run_files import ROOT

FOLDERS = ("docs", "examples", "results", "benchmarks", "tools", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))])
KILOBYTE = 1024


def name_of(path):
    return str(path.relative_to(ROOT))


def prose(path):
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.M | re.S)


def anchors(path):
    """The anchors that GitHub gives a page's headings."""
    found, counts = set(), {}
    for heading in re.findall(r"^#{1,6} (.+)$", prose(path), re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # a link counts by its text
        anchor = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        count = counts.get(anchor, 0)
        counts[anchor] = count + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


def links(path):
    """Targets of all links and pictures that are no web addresses."""
    text = re.sub(r"`[^`\n]*`", "", prose(path))
    targets = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text)
    targets += re.findall(r"\]\(([^)\s]+)\)", text)  # a picture that is a link
    return {target for target in targets if not re.match(r"[a-z]+://|mailto:", target)}


def broken_links(path):
    broken = []
    for target in sorted(links(path)):
        file, _, anchor = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            broken.append(target)
    return broken


def test_every_link_of_every_page_leads_to_a_file_and_a_heading():
    assert len(PAGES) > 15
    assert sum(len(links(path)) for path in PAGES) > 80
    broken = {name_of(path): broken_links(path) for path in PAGES}
    assert {name: found for name, found in broken.items() if found} == {}


def test_a_broken_link_or_anchor_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# One, two `D3` (new)\n\n# Twice\n\n# Twice\n\n[a](#one-two-d3-new) [b](#twice-1) "
        "[c](missing.md) [d\ne](#three) [f](https://example.org/x) `[g](code.md)`\n"
        "```text\n# no heading\n[h](code.md)\n```\n",
        "utf-8",
    )
    assert broken_links(page) == ["#three", "missing.md"]


@pytest.mark.parametrize(("name", "most"), [("README.md", 11), ("REPRODUCTION.md", 4)])
def test_the_first_pages_stay_short(name, most):
    assert (ROOT / name).stat().st_size <= most * KILOBYTE


def test_every_page_of_docs_is_in_their_index():
    index = links(ROOT / "docs" / "README.md")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages - index == set()


# --- tables --------------------------------------------------------------------------------


def test_the_tables_of_the_pages_are_those_of_the_files_of_today():
    stale = [name_of(page) for page in tables.stale()]
    assert stale == [], "run `python -m tools.tables`"


def test_every_table_stands_in_a_page():
    found = {name for page in tables.pages() for name in markers.names(page.read_text("utf-8"))}
    assert found == set(tables.TABLES)


def test_a_changed_number_in_a_page_is_found():
    text = "a\n<!-- table: x -->\n| 1.2 |\n<!-- end -->\nb\n"
    assert markers.filled(text, {"x": lambda: "| 1.2 |"}) == text
    assert markers.filled(text, {"x": lambda: "| 1.3 |"}) == text.replace("1.2", "1.3")


def test_no_table_outside_the_markers_has_measured_numbers():
    measured = re.compile(r"\d %|\d \+- \d|\d ms\b|\d s \|")
    for page in tables.pages():
        rows = [line for line in markers.outside(prose(page)).splitlines() if line[:1] == "|"]
        assert [row for row in rows if measured.search(row)] == [], name_of(page)


# --- the house -----------------------------------------------------------------------------


def test_the_picture_of_the_house_has_the_imports_of_today():
    drawn = drawn_arrows(PICTURE.read_text("utf-8"))
    assert drawn == house.arrows(), "run `python -m tools.draw_house`"


def test_every_room_has_a_place_in_the_picture():
    folders = {
        path.parent.relative_to(ROOT / house.PACKAGE).parts[0]
        for path in (ROOT / house.PACKAGE).glob("*/*.py")
    }
    assert house.rooms() == folders | set(house.GROUND_FILES) | {house.COMMANDS}
    assert set(PLACES) == house.rooms()


def test_the_floors_of_the_picture_are_those_of_the_contract():
    contract = (ROOT / "pyproject.toml").read_text("utf-8")
    lines = re.findall(r'"(.*)"', re.search(r"^layers = \[$(.*?)^\]$", contract, re.M | re.S)[1])
    floors = [{house.room_of((name,)) for name in re.split(r" [|:] ", line)} for line in lines]
    assert floors == [set(dict(floor)) for floor in house.FLOORS]


def test_every_arrow_of_the_house_goes_down():
    up = [(a, b) for a, b in house.arrows() if house.floor_of(b) <= house.floor_of(a)]
    assert up == []


def test_arrows_that_follow_from_others_are_not_drawn():
    assert house.direct({("a", "b"), ("b", "c"), ("a", "c")}) == {("a", "b"), ("b", "c")}
    assert house.direct({("a", "c"), ("b", "c")}) == {("a", "c"), ("b", "c")}


def test_an_import_inside_a_function_is_an_arrow(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        "import os\nfrom improved_gan_tf.data import pixels\n"
        "def f():\n    import improved_gan_tf.paper\n"
    )
    assert house.imported_modules(module) == {("data", "pixels"), ("paper",)}
    assert house.room_of(("data", "pixels")) == "data"
    assert house.room_of(("report",)) == house.COMMANDS


def test_the_picture_holds_its_arrows():
    arrows = {("runs", "training"), ("runs", "losses"), ("training", "losses")}
    text = picture(arrows)
    assert drawn_arrows(text) == arrows
    assert text.count("<path") == 2


def test_the_picture_in_the_readme_is_the_one_that_is_drawn():
    assert f"]({PICTURE.relative_to(ROOT)})" in pathlib.Path(ROOT / "README.md").read_text("utf-8")
