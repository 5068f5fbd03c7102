"""Each stream of random numbers: its first bits, and that a run starts no other."""

import ast
import re

import numpy as np
import pytest

from improved_gan_tf import streams
from tests.support.places import ROOT

PACKAGE = ROOT / "improved_gan_tf"
# What they start from is given to them: a seed that a stream handed out, or a part's own argument.
PARTS_WITH_A_SEED = {
    "networks/imagenet.py": ["RandomState"],  # the reference batch, from `generator_parts`
    "runs/noise.py": ["RandomState"],  # samples, with a seed of their own
    "training/instance_noise.py": ["SeedGenerator"],
    "training/replay_buffer.py": ["SeedGenerator"],
    "training/self_test.py": ["RandomState"],  # the original's parameters, from its seed
    "training/toy_games.py": ["default_rng"],  # a game of two numbers, with a seed of its own
}


def drawn(random):
    return random.randint(1000, size=4).tolist()


def three(seeds):
    return [seeds.next() for _ in range(3)]


@pytest.mark.parametrize(
    ("stream", "numbers"),
    [
        (lambda: drawn(streams.data_order(1)), [908, 72, 767, 905]),
        (lambda: drawn(streams.label_choice(1, 2)), [168, 527, 493, 584]),
        (lambda: drawn(streams.label_choice(1, None)), [908, 72, 767, 905]),
        (
            lambda: streams.shuffled_epoch(1, 3).permutation(10).tolist(),
            [2, 0, 8, 3, 5, 4, 9, 6, 7, 1],
        ),
        (lambda: drawn(streams.held_out_images()), [684, 559, 629, 192]),
        (lambda: drawn(streams.frozen_statistics_noise(1)), [590, 61, 513, 238]),
        (lambda: three(streams.discriminator_parts(1)), [176665659, 228033064, 158979242]),
        (lambda: three(streams.generator_parts(1)), [1878039931, 2040142564, 1501471100]),
        (lambda: drawn(streams.reference_batch(1)), [194, 853, 470, 519]),
        (lambda: three(streams.biggan_generator_weights(1)), [623088906, 2137387380, 319280087]),
        (
            lambda: three(streams.biggan_discriminator_weights(1)),
            [451237445, 1339147969, 229926319],
        ),
        (lambda: three(streams.adversarial_tricks(1)), [528966711, 1176412579, 1663630398]),
        (lambda: np.array(streams.step_noise(1).state).tolist(), [1, 0]),
        (lambda: drawn(streams.shown_noise(1)), [37, 235, 908, 72]),
        (
            lambda: streams.coupled_test_order().permutation(10).tolist(),
            [4, 6, 2, 7, 3, 5, 9, 0, 8, 1],
        ),
    ],
)
def test_the_numbers_of_a_stream_are_these(stream, numbers):
    assert stream() == numbers


def test_the_table_names_every_stream():
    functions = [n.name for n in ast.parse(source("streams.py")).body if hasattr(n, "args")]
    assert re.findall(r"(?m)^\| `(\w+)` \|", streams.__doc__) == functions


def source(name):
    return (PACKAGE / name).read_text("utf-8")


def test_a_run_starts_no_other_stream():
    starts = {}
    for room in ("data", "networks", "training", "runs"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                name = getattr(getattr(node, "func", None), "attr", None)
                if name in ("RandomState", "default_rng", "SeedSequence", "SeedGenerator"):
                    starts.setdefault(str(path.relative_to(PACKAGE)), []).append(name)
    assert starts == PARTS_WITH_A_SEED
