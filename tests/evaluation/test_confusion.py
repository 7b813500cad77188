"""Confusion counts and region scores against hand-checked numbers, brute force and scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from bench.evaluation.confusion import confusion_counts
from bench.evaluation.region_scores import region_scores

VOID = 255


def random_maps(shape, num_classes, seed, void=0.2):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, shape, dtype=np.uint8)
    others = rng.integers(0, num_classes, shape, dtype=np.uint8)
    predictions = np.where(rng.random(shape) < 0.6, labels, others)
    labels[rng.random(shape) < void] = VOID
    return labels, predictions


def counts_by_loop(labels, predictions, num_classes):
    counts = np.zeros((len(labels), num_classes, num_classes), dtype=np.int64)
    for position, label in np.ndenumerate(labels):
        if label != VOID:
            counts[position[0], label, predictions[position]] += 1
    return counts


def authors_scores(labels, predictions, num_classes):
    """G, C, mIoU in the steps of the released script: void out of both maps, sums divided by K."""
    labelled = labels != VOID
    correct = accuracy_sum = iou_sum = 0.0
    for k in range(num_classes):
        is_label, is_predicted = (labels == k) & labelled, (predictions == k) & labelled
        both = (is_label & is_predicted).sum()
        correct += both
        if is_label.any():
            accuracy_sum += both / is_label.sum()
            iou_sum += both / (is_label | is_predicted).sum()
    return correct / labelled.sum(), accuracy_sum / num_classes, iou_sum / num_classes


def as_tuple(scores):
    return scores.global_accuracy, scores.class_average_accuracy, scores.mean_iou


def test_counts_of_one_small_image():
    labels = np.array([[[0, 0, 1], [1, VOID, 2]]], dtype=np.uint8)
    predictions = np.array([[[0, 1, 1], [1, 2, 0]]], dtype=np.uint8)
    assert confusion_counts(labels, predictions, 3).tolist() == [[[1, 1, 0], [0, 2, 0], [1, 0, 0]]]


def test_images_are_counted_apart():
    labels = np.array([[[0]], [[1]], [[VOID]]], dtype=np.uint8)
    predictions = np.array([[[1]], [[1]], [[0]]], dtype=np.uint8)
    counts = confusion_counts(labels, predictions, 2)
    assert counts.dtype == np.int64
    assert counts.tolist() == [[[0, 1], [0, 0]], [[0, 0], [0, 1]], [[0, 0], [0, 0]]]


# 7x5 has no whole words of eight pixels, 4x6 has three
@pytest.mark.parametrize("shape", [(3, 7, 5), (3, 4, 6), (2, 1, 1), (2, 16, 16)])
@pytest.mark.parametrize("num_classes", [1, 2, 11, 37, 255])
def test_counts_equal_a_loop_over_pixels(shape, num_classes):
    labels, predictions = random_maps(shape, num_classes, seed=4)
    counts = confusion_counts(labels, predictions, num_classes)
    np.testing.assert_array_equal(counts, counts_by_loop(labels, predictions, num_classes))


def test_words_of_one_class_and_mixed_words():
    labels = np.zeros((1, 4, 8), dtype=np.uint8)
    predictions = np.zeros((1, 4, 8), dtype=np.uint8)
    labels[0, 1] = VOID  # a constant void word
    labels[0, 2, 7] = 1  # mixed in the labels only
    predictions[0, 3, 0] = 1  # mixed in the predictions only
    assert confusion_counts(labels, predictions, 2).tolist() == [[[8 + 7 + 7, 1], [1, 0]]]


def test_counts_of_arrays_that_are_not_contiguous():
    labels, predictions = random_maps((2, 8, 8), 5, seed=1)
    turned = confusion_counts(labels.transpose(0, 2, 1), predictions.transpose(0, 2, 1), 5)
    np.testing.assert_array_equal(turned, confusion_counts(labels, predictions, 5))


def test_no_images():
    nothing = np.empty((0, 4, 4), dtype=np.uint8)
    assert confusion_counts(nothing, nothing, 3).shape == (0, 3, 3)


def test_counts_equal_scikit_learn():
    labels, predictions = random_maps((1, 24, 32), 11, seed=2)
    kept = labels != VOID
    expected = metrics.confusion_matrix(labels[kept], predictions[kept], labels=range(11))
    np.testing.assert_array_equal(confusion_counts(labels, predictions, 11)[0], expected)


def test_scores_by_hand():
    scores = region_scores(np.array([[6, 2], [1, 3]]))
    assert as_tuple(scores) == pytest.approx((9 / 12, (6 / 8 + 3 / 4) / 2, (6 / 9 + 3 / 6) / 2))
    assert scores.class_accuracy.tolist() == [0.75, 0.75]
    assert scores.class_iou.tolist() == pytest.approx([6 / 9, 0.5])


# class 2 is predicted but never labelled, class 3 occurs nowhere
ABSENT = np.array([[4, 0, 1, 0], [0, 5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_absent_classes_add_zero_under_the_authors_rule():
    scores = region_scores(ABSENT)
    assert as_tuple(scores) == pytest.approx((9 / 10, (4 / 5 + 1) / 4, (4 / 5 + 1) / 4))


def test_absent_classes_are_left_out_of_the_present_average():
    scores = region_scores(ABSENT, average="present")
    assert as_tuple(scores) == pytest.approx((9 / 10, (4 / 5 + 1) / 2, (4 / 5 + 1 + 0) / 3))


@pytest.mark.parametrize("average", ["fixed", "present"])
def test_class_values_of_absent_classes(average):
    scores = region_scores(ABSENT, average=average)
    np.testing.assert_array_equal(scores.class_accuracy, [0.8, 1.0, np.nan, np.nan])
    np.testing.assert_array_equal(scores.class_iou, [0.8, 1.0, 0.0, np.nan])


@pytest.mark.parametrize("average", ["fixed", "present"])
def test_nothing_labelled_is_nan(average):
    scores = region_scores(np.zeros((3, 3), dtype=np.int64), average=average)
    assert np.isnan(as_tuple(scores)).all()
    assert np.isnan(scores.class_accuracy).all()
    assert np.isnan(scores.class_iou).all()


@pytest.mark.parametrize("seed", range(5))
def test_scores_follow_the_released_script(seed):
    labels, predictions = random_maps((3, 9, 9), 6, seed)
    labels[labels == 4] = VOID  # class 4 stays predicted
    predictions[predictions == 5] = 0
    scores = region_scores(confusion_counts(labels, predictions, 6).sum(axis=0))
    assert as_tuple(scores) == pytest.approx(authors_scores(labels, predictions, 6))


def test_present_average_equals_scikit_learn():
    labels, predictions = random_maps((2, 20, 20), 11, seed=3)
    labels[labels == 7] = VOID
    predictions[predictions == 7] = 6  # scikit-learn warns about a class that is only predicted
    kept = labels != VOID
    scores = region_scores(confusion_counts(labels, predictions, 11).sum(axis=0), average="present")
    assert as_tuple(scores) == pytest.approx(
        (
            metrics.accuracy_score(labels[kept], predictions[kept]),
            metrics.balanced_accuracy_score(labels[kept], predictions[kept]),
            metrics.jaccard_score(labels[kept], predictions[kept], average="macro"),
        )
    )


def test_present_average_equals_torchmetrics():
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics.functional.classification")
    labels, predictions = random_maps((2, 20, 20), 11, seed=5)
    labels[labels == 7] = VOID  # class 7 is only predicted
    scores = region_scores(confusion_counts(labels, predictions, 11).sum(axis=0), average="present")
    target, guess = torch.from_numpy(labels).long(), torch.from_numpy(predictions).long()
    iou = classification.multiclass_jaccard_index(guess, target, 11, ignore_index=VOID)
    assert scores.mean_iou == pytest.approx(float(iou), abs=1e-6)


def test_error_shapes_differ():
    with pytest.raises(ValueError, match=r"of one shape, got \(1, 2, 2\) and \(1, 2, 3\)"):
        confusion_counts(np.zeros((1, 2, 2), np.uint8), np.zeros((1, 2, 3), np.uint8), 2)


def test_error_not_three_axes():
    with pytest.raises(ValueError, match=r"must both be \(N, H, W\)"):
        confusion_counts(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), 2)


@pytest.mark.parametrize("what", ["labels", "predictions"])
def test_error_type(what):
    maps = {"labels": np.zeros((1, 2, 2), np.uint8), "predictions": np.zeros((1, 2, 2), np.uint8)}
    maps[what] = maps[what].astype(np.int64)
    with pytest.raises(ValueError, match=f"{what} must be uint8 class ids, got int64"):
        confusion_counts(maps["labels"], maps["predictions"], 2)


def test_error_prediction_outside():
    labels, predictions = np.zeros((3, 2, 2), np.uint8), np.zeros((3, 2, 2), np.uint8)
    labels[2] = VOID  # void does not hide it
    predictions[2, 1, 0] = 11
    with pytest.raises(ValueError, match=r"predictions of image 2 contain 11; allowed: 0\.\.10$"):
        confusion_counts(labels, predictions, 11)


@pytest.mark.parametrize("value", [11, 12, 254])
def test_error_label_outside(value):
    labels, predictions = np.zeros((3, 2, 2), np.uint8), np.zeros((3, 2, 2), np.uint8)
    labels[0] = VOID
    labels[1, 0, 1] = value
    with pytest.raises(ValueError, match=rf"labels of image 1 contain {value}; allowed: 0\.\.10 or 255 \(void\)"):
        confusion_counts(labels, predictions, 11)


@pytest.mark.parametrize("num_classes", [0, 256])
def test_error_number_of_classes(num_classes):
    maps = np.zeros((1, 2, 2), np.uint8)
    with pytest.raises(ValueError, match=f"num_classes must be 1 to 255, got {num_classes}"):
        confusion_counts(maps, maps, num_classes)


def test_error_counts_not_square():
    with pytest.raises(ValueError, match=r"one \(K, K\) confusion matrix, got shape \(4, 3, 3\)"):
        region_scores(np.zeros((4, 3, 3)))


def test_error_unknown_average():
    with pytest.raises(ValueError, match="unknown average 'macro'; known: fixed, present"):
        region_scores(np.eye(2), average="macro")
