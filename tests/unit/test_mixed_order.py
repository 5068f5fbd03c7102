"""The order in which a test set shares the batches of minibatch discrimination."""

import numpy as np
import pytest

from improved_gan_tf.data.mixed_order import mixed_order


@pytest.mark.parametrize("classes", [[0, 1, 2], [2, 1, 0], [1, 2, 0]], ids=str)
def test_a_set_sorted_by_class_is_mixed_always_in_the_same_way(classes):
    mixed = mixed_order(np.repeat(classes, 40))
    assert sorted(mixed) == list(range(120))
    assert len({row // 40 for row in mixed[:20]}) == 3  # every class is in a batch
    np.testing.assert_array_equal(mixed, mixed_order(np.repeat([3, 5, 8], 40)))


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], [2, 1, 0, 2], [4, 4, 4], [7], []], ids=str)
def test_any_other_set_keeps_its_order(labels):
    np.testing.assert_array_equal(mixed_order(labels), np.arange(len(labels)))
