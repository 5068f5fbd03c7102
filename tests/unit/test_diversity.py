"""Distances of pairs and the spread over classes, by hand and against loops."""

import math

import numpy as np
import pytest

import improved_gan_tf
from improved_gan_tf.scoring.diversity import class_coverage, mean_pairwise_distance


def test_three_points_by_hand():
    assert mean_pairwise_distance([[0, 0], [3, 4], [0, 4]]) == pytest.approx((5 + 4 + 3) / 3)


def test_equal_images_have_distance_zero():
    assert mean_pairwise_distance(np.full((5, 2, 2, 1), 7, "uint8")) == 0


def test_images_are_flattened_and_bytes_do_not_wrap_around():
    images = np.random.RandomState(0).randint(0, 256, (6, 3, 4, 2)).astype("uint8")
    total = 0.0
    for i in range(6):
        for j in range(i):
            difference = images[i].astype(float) - images[j].astype(float)
            total += math.sqrt((difference**2).sum())
    assert mean_pairwise_distance(images) == pytest.approx(total / 15, rel=1e-12)


@pytest.mark.parametrize("images", [[], [[1.0, 2.0]], np.zeros((1, 2, 2, 1)), 3.0])
def test_fewer_than_two_images_are_refused(images):
    with pytest.raises(ValueError, match="2 or more"):
        mean_pairwise_distance(images)


def test_balanced_classes_have_the_logarithm_of_their_number_as_entropy():
    counts, entropy, seen = class_coverage(np.tile(np.eye(10), (3, 1)))
    assert counts == [3] * 10
    assert entropy == pytest.approx(math.log(10), rel=1e-12)
    assert seen == 10


def test_a_class_that_is_never_most_likely_counts_zero():
    coverage = class_coverage([[0.6, 0.4, 0.0], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.5, 0.3, 0.2]])
    assert coverage.counts == [3, 1, 0]
    assert coverage.entropy == pytest.approx(0.75 * math.log(4 / 3) + 0.25 * math.log(4))
    assert coverage.num_classes_seen == 2


def test_one_class_has_entropy_zero():
    assert class_coverage([[0.9, 0.1]] * 4).entropy == 0


@pytest.mark.parametrize("probabilities", [[], [0.5, 0.5], np.zeros((0, 3))])
def test_what_is_no_table_of_probabilities_is_refused(probabilities):
    with pytest.raises(ValueError, match=r"shape \(N, C\)"):
        class_coverage(probabilities)


def test_they_are_public_names():
    assert improved_gan_tf.class_coverage is class_coverage
    assert improved_gan_tf.mean_pairwise_distance is mean_pairwise_distance
