"""What the package says of itself: version, licence, paper."""

import re

import improved_gan_tf
from tests.support.places import ROOT


def test_the_citation_names_this_version_and_the_papers_authors():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == improved_gan_tf.__version__
    families = re.findall(r"family-names: (\w+)", citation)
    assert families == ["Salimans", "Goodfellow", "Zaremba", "Cheung", "Radford", "Chen"]


def test_every_run_script_is_installed():
    modules = re.search(r"py_modules=\[(.*?)\]", (ROOT / "setup.py").read_text("utf-8"), re.S)[1]
    assert sorted(re.findall(r'"(\w+)"', modules)) == sorted(p.stem for p in ROOT.glob("run_*.py"))
