"""The labeled subset and the rows of every epoch, with their errors."""

import numpy as np
import pytest

from improved_gan_tf.data import epoch_rows
from improved_gan_tf.data.known_sets import known_set
from improved_gan_tf.errors import UserError

LABELS = np.random.RandomState(0).randint(0, 10, 1000)
NAMES = known_set("cifar10").class_names


def subset(labels_per_class=5, seed=1, seed_data=1):
    return epoch_rows.choose_labeled_subset(LABELS, labels_per_class, seed, seed_data, NAMES)


# --- the labeled subset --------------------------------------------------------------------


def test_the_labeled_subset_has_as_many_of_each_class_sorted_by_class():
    labeled = subset(5).labeled
    np.testing.assert_array_equal(LABELS[labeled], np.repeat(np.arange(10), 5))
    assert len(np.unique(labeled)) == 50


def test_the_labeled_subset_is_the_first_of_each_class_in_the_permutation():
    order = np.random.RandomState(3).permutation(1000)
    expected = []
    for k in range(10):
        of_class = [row for row in order if LABELS[row] == k]
        expected += of_class[:4]
    chosen = subset(4, seed_data=3)
    np.testing.assert_array_equal(chosen.labeled, expected)
    np.testing.assert_array_equal(chosen.order, order)


def test_more_labels_keep_the_fewer():
    few, many = subset(3).labeled, subset(8).labeled
    assert set(few) < set(many)


def test_seed_data_decides_the_labels_and_the_runs_seed_does_not():
    np.testing.assert_array_equal(subset(seed=1).labeled, subset(seed=2).labeled)
    assert set(subset(seed_data=1).labeled) != set(subset(seed_data=2).labeled)


def test_without_seed_data_the_runs_own_generator_decides():
    random = np.random.RandomState(7)
    random.randint(2**15)
    random.randint(2**15)
    np.testing.assert_array_equal(subset(seed=7, seed_data=None).order, random.permutation(1000))


def test_all_images_of_the_smallest_class_may_be_labeled():
    smallest = np.bincount(LABELS).min()
    assert len(subset(int(smallest)).labeled) == 10 * smallest


def test_more_labels_than_a_class_has_are_refused_with_the_class():
    labels = np.repeat(np.arange(10), [9, 9, 9, 4, 9, 9, 9, 9, 9, 9])
    with pytest.raises(UserError) as caught:
        epoch_rows.choose_labeled_subset(labels, 5, 1, 1, NAMES)
    assert str(caught.value) == (
        "`labels_per_class` must not exceed the number of labeled training images of any class. "
        "Received: 5; class 'cat' has 4."
    )


def test_a_class_without_images_cannot_be_labeled():
    with pytest.raises(UserError, match="class 'truck' has 0"):
        epoch_rows.choose_labeled_subset(np.arange(9), 1, 1, 1, NAMES)


# --- the streams ---------------------------------------------------------------------------


def streams(num_train=60, labeled=None, batch_size=10, seed=1, **arguments):
    labeled = np.arange(0, 20) if labeled is None else labeled
    return epoch_rows.EpochStreams(num_train, labeled, batch_size, seed, **arguments)


def test_an_epoch_has_every_whole_batch_of_the_training_set():
    rows = streams(num_train=67, batch_size=10)(0)
    assert [r.shape for r in rows] == [(6, 10)] * 3


def test_an_epoch_sees_every_image_once_the_labeled_ones_too():
    rows = streams()(0)
    for part in (rows.unlabeled, rows.unlabeled_for_generator):
        np.testing.assert_array_equal(np.sort(part.ravel()), np.arange(60))


def test_the_two_unlabeled_orders_are_independent():
    rows = streams(num_train=1000, batch_size=100)(0)
    equal = np.sum(rows.unlabeled == rows.unlabeled_for_generator)
    assert equal < 10  # 1 expected


def test_the_labeled_rows_are_permuted_anew_each_time_they_run_out():
    labeled = np.arange(100, 120)
    stream = streams(labeled=labeled)(0).labeled.ravel()
    blocks = stream.reshape(3, 20)
    for block in blocks:
        np.testing.assert_array_equal(np.sort(block), labeled)
    assert not np.array_equal(blocks[0], blocks[1])
    assert not np.array_equal(blocks[1], blocks[2])


def test_labeled_rows_that_do_not_divide_the_epoch_fill_it_still():
    stream = streams(labeled=np.arange(7))(0).labeled
    assert stream.shape == (6, 10)
    counts = np.bincount(stream.ravel(), minlength=7)
    assert counts.min() >= 8
    assert counts.max() <= 9


def test_more_labeled_rows_than_an_epoch_needs_are_cut():
    assert streams(labeled=np.arange(60), num_train=60, batch_size=50)(0).labeled.shape == (1, 50)


def test_every_epoch_is_ordered_anew():
    ask = streams()
    assert not np.array_equal(ask(0).unlabeled, ask(1).unlabeled)
    assert not np.array_equal(ask(0).labeled, ask(1).labeled)


def test_an_epochs_rows_do_not_depend_on_what_was_asked_before():
    ask = streams()
    forward = [ask(epoch) for epoch in (0, 1, 2, 3)]
    for epoch in (3, 1, 1, 0, 2):
        for asked, straight in zip(ask(epoch), forward[epoch], strict=True):
            np.testing.assert_array_equal(asked, straight)
    for asked, straight in zip(streams()(3), forward[3], strict=True):
        np.testing.assert_array_equal(asked, straight)


def test_rows_handed_out_are_not_changed_by_later_epochs():
    ask = streams()
    rows = ask(0)
    copies = [r.copy() for r in rows]
    ask(5)
    for row, copy in zip(rows, copies, strict=True):
        np.testing.assert_array_equal(row, copy)


def test_the_seed_decides_the_order():
    assert not np.array_equal(streams(seed=1)(0).unlabeled, streams(seed=2)(0).unlabeled)


def test_without_generator_images_only_one_permutation_is_drawn():
    random = np.random.RandomState(1)
    random.randint(2**15)
    random.randint(2**15)
    labeled, unlabeled = [], np.arange(60)
    for _ in range(2):
        labeled = np.concatenate([random.permutation(20) for _ in range(3)])
        unlabeled = unlabeled[random.permutation(60)]
    rows = streams(generator_sees_real=False)(1)
    np.testing.assert_array_equal(rows.labeled.ravel(), labeled)
    np.testing.assert_array_equal(rows.unlabeled.ravel(), unlabeled)


def test_labels_drawn_by_the_runs_generator_move_the_stream_one_permutation_on():
    random = np.random.RandomState(1)
    random.randint(2**15)
    random.randint(2**15)
    random.permutation(60)
    expected = np.concatenate([random.permutation(20) for _ in range(3)])
    rows = streams(labels_from_seed=True)(0)
    np.testing.assert_array_equal(rows.labeled.ravel(), expected)


def test_a_batch_larger_than_the_training_set_is_refused():
    with pytest.raises(UserError) as caught:
        streams(num_train=60, batch_size=61)
    assert str(caught.value) == (
        "`batch_size` must not exceed the 60 training images. Received: 61."
    )


def test_as_many_classes_are_labeled_as_there_are():
    labels = np.arange(60, dtype="int32") % 6
    subset = epoch_rows.choose_labeled_subset(labels, 3, 1, 1, NAMES[:6])
    assert labels[subset.labeled].tolist() == [k for k in range(6) for _ in range(3)]
