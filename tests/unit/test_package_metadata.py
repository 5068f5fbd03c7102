"""What the package says of itself: version, licence, paper."""

import re
import subprocess
import sys

import improved_gan_tf
from improved_gan_tf.pages import report
from tests.support.commands import ENVIRONMENT
from tests.support.places import ROOT


def test_the_citation_names_this_version_and_the_papers_authors():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == improved_gan_tf.__version__
    families = re.findall(r"family-names: (\w+)", citation)
    assert families == ["Salimans", "Goodfellow", "Zaremba", "Cheung", "Radford", "Chen"]


def test_every_run_script_is_installed():
    modules = re.search(r"py_modules=\[(.*?)\]", (ROOT / "setup.py").read_text("utf-8"), re.S)[1]
    assert sorted(re.findall(r'"(\w+)"', modules)) == sorted(p.stem for p in ROOT.glob("run_*.py"))


def test_the_oldest_versions_that_are_tested_are_those_declared():
    declared = (ROOT / "setup.py").read_text("utf-8")
    floors = dict(re.findall(r'"(keras|numpy|scipy|tensorflow)>=([\d.]+)"', declared))
    tested = re.findall(r"\b(\w+)==([\d.]+[\d])", (ROOT / ".ci" / "run").read_text("utf-8"))
    assert len(floors) == 4
    oldest = {name: ".".join(v.split(".")[:2]) for name, v in tested if name in floors}
    assert oldest == floors


def test_the_report_of_an_installed_package_has_the_deviations(tmp_path):
    built = tmp_path / "lib"
    command = ["setup.py", "-q", "build_py", f"--build-lib={built}"]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True)
    code = """
from improved_gan_tf.pages import report
print(report.LEDGER)
print(len(report.deviations(report.LEDGER)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=ENVIRONMENT | {"PYTHONPATH": str(built)},
        capture_output=True,
        text=True,
        check=True,
    )
    here = len(report.deviations(report.LEDGER))
    assert done.stdout.split() == [
        str(built / "improved_gan_tf" / "pages" / "deviations.md"),
        str(here),
    ]
    assert here >= 10
