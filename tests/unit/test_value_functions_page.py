"""The page of value functions names every function there is, and no other."""

import re

from improved_gan_tf.losses import adversarial
from tests.support.places import ROOT

PAGE = ROOT / "docs/value_functions.md"


def test_the_page_names_every_public_function_and_no_other():
    page = PAGE.read_text("utf-8")
    named = set(re.findall(r"`([A-Za-z_0-9]+)`", page))
    documented_beside = {"LeastSquaresTargets"}  # the type of the two triples
    assert named == set(adversarial.__all__) - documented_beside
