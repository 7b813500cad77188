"""Region rules and class subsets against numbers by hand, loops over pixels, scikit-learn and torchmetrics."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torchmetrics.segmentation import MeanIoU

from bench.errors import UnknownNameError
from bench.evaluation.confusion import confusion_counts
from bench.evaluation.region_scores import region_scores
from bench.scoring.regions import REGION_RULES, region_scores_by

VOID = 255

# two images, three classes; in the second nothing is labelled 1, and 2 occurs in none
COUNTS = np.array([[[6, 2, 0], [1, 3, 0], [0, 0, 0]], [[4, 0, 0], [0, 0, 0], [0, 0, 0]]])


def maps(seed, images=4, num_classes=6, absent=()):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, (images, 9, 11), dtype=np.uint8)
    predictions = np.where(rng.random(labels.shape) < 0.5, labels, rng.integers(0, num_classes, labels.shape)).astype(
        "u1"
    )
    labels[np.isin(labels, absent) | (rng.random(labels.shape) < 0.15)] = VOID
    predictions[np.isin(predictions, absent)] = 0
    return labels, predictions


def three(scores):
    return scores.global_accuracy, scores.class_average_accuracy, scores.mean_iou


def test_authors_by_hand():
    scores = region_scores_by(COUNTS)
    # the matrix of the split is [[10, 2, 0], [1, 3, 0], [0, 0, 0]]; class 2 adds 0 to both sums
    assert three(scores) == pytest.approx((13 / 16, (10 / 12 + 3 / 4) / 3, (10 / 13 + 3 / 6) / 3))
    assert np.isnan(scores.class_iou[2])


def test_present_by_hand():
    scores = region_scores_by(COUNTS, "present")
    assert three(scores) == pytest.approx((13 / 16, (10 / 12 + 3 / 4) / 2, (10 / 13 + 3 / 6) / 2))


def test_per_image_by_hand():
    scores = region_scores_by(COUNTS, "per-image")
    first = 9 / 12, (6 / 8 + 3 / 4) / 2, (6 / 9 + 3 / 6) / 2
    second = 1.0, 1.0, 1.0
    assert three(scores) == pytest.approx([(a + b) / 2 for a, b in zip(first, second, strict=True)])
    assert scores.class_iou[:2].tolist() == pytest.approx([(6 / 9 + 1) / 2, 3 / 6])
    assert np.isnan(scores.class_iou[2])


def test_an_image_without_labels_does_not_count_per_image():
    with_void = np.concatenate([COUNTS, np.zeros((1, 3, 3), int)])
    assert three(region_scores_by(with_void, "per-image")) == three(region_scores_by(COUNTS, "per-image"))


def test_frequency_weighted_by_hand():
    scores = region_scores_by(COUNTS, "frequency-weighted")
    authors = region_scores_by(COUNTS)
    assert three(scores)[:2] == three(authors)[:2]
    assert scores.mean_iou == pytest.approx(12 / 16 * 10 / 13 + 4 / 16 * 3 / 6)


@pytest.mark.parametrize("rule", REGION_RULES)
def test_nothing_labelled_has_no_scores(rule):
    scores = region_scores_by(np.zeros((2, 3, 3), int), rule)
    assert np.isnan(three(scores)).all()
    assert np.isnan(scores.class_accuracy).all()


@pytest.mark.parametrize("rule", REGION_RULES)
def test_no_images(rule):
    assert np.isnan(three(region_scores_by(np.zeros((0, 3, 3), int), rule))).all()


@pytest.mark.parametrize("seed", range(5))
def test_authors_and_present_are_the_scores_of_the_evaluation_bit_for_bit(seed):
    labels, predictions = maps(seed, absent=(2,) if seed % 2 else ())
    counts = confusion_counts(labels, predictions, 6)
    for rule, average in (("authors", "fixed"), ("present", "present")):
        ours, theirs = region_scores_by(counts, rule), region_scores(counts.sum(0), average)
        assert three(ours) == three(theirs)
        np.testing.assert_array_equal(ours.class_iou, theirs.class_iou)
        np.testing.assert_array_equal(ours.class_accuracy, theirs.class_accuracy)


@pytest.mark.parametrize("seed", range(4))
def test_present_is_scikit_learn(seed):
    labels, predictions = maps(seed, absent=(4,))
    kept = labels != VOID
    scores = region_scores_by(confusion_counts(labels, predictions, 6), "present")
    occurring = sorted({*labels[kept], *predictions[kept]})
    assert scores.global_accuracy == pytest.approx(metrics.accuracy_score(labels[kept], predictions[kept]))
    assert scores.class_average_accuracy == pytest.approx(
        metrics.balanced_accuracy_score(labels[kept], predictions[kept])
    )
    assert scores.mean_iou == pytest.approx(
        metrics.jaccard_score(labels[kept], predictions[kept], labels=occurring, average="macro")
    )


@pytest.mark.parametrize("seed", range(4))
def test_frequency_weighted_is_scikit_learn(seed):
    labels, predictions = maps(seed)
    kept = labels != VOID
    expected = metrics.jaccard_score(labels[kept], predictions[kept], average="weighted")
    assert region_scores_by(confusion_counts(labels, predictions, 6), "frequency-weighted").mean_iou == pytest.approx(
        expected
    )


@pytest.mark.parametrize("seed", range(4))
def test_per_image_is_scikit_learn_image_by_image(seed):
    labels, predictions = maps(seed)
    expected = []
    for label, prediction in zip(labels, predictions, strict=True):
        kept = label != VOID
        occurring = sorted({*label[kept], *prediction[kept]})
        iou = metrics.jaccard_score(label[kept], prediction[kept], labels=occurring, average="macro")
        recall = metrics.balanced_accuracy_score(label[kept], prediction[kept])
        expected.append((metrics.accuracy_score(label[kept], prediction[kept]), recall, iou))
    scores = region_scores_by(confusion_counts(labels, predictions, 6), "per-image")
    assert three(scores) == pytest.approx(np.mean(expected, axis=0))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_per_image_iou_is_torchmetrics():
    labels, predictions = maps(7)
    labels[labels == VOID] = predictions[labels == VOID] = 0  # its segmentation metric knows no void
    metric = MeanIoU(num_classes=6, input_format="index")
    metric.update(torch.from_numpy(predictions).long(), torch.from_numpy(labels).long())
    counts = confusion_counts(labels, predictions, 6)
    assert region_scores_by(counts, "per-image").mean_iou == pytest.approx(float(metric.compute()), abs=1e-6)


def test_a_subset_by_hand():
    # labelled 0: 5 right, 1 taken for 1, 2 for 2; labelled 1: 3 for 0, 4 right; labelled 2 is void now
    counts = np.array([[[5, 1, 2], [3, 4, 0], [7, 0, 9]]])
    scores = region_scores_by(counts, classes=[0, 1])
    assert scores.class_accuracy.tolist() == [5 / 8, 4 / 7]
    assert scores.class_iou.tolist() == [5 / (8 + 8 - 5), 4 / (7 + 5 - 4)]
    assert three(scores) == pytest.approx((9 / 15, (5 / 8 + 4 / 7) / 2, (5 / 11 + 4 / 8) / 2))


@pytest.mark.parametrize("rule", REGION_RULES)
@pytest.mark.parametrize("classes", [[0], [1, 3], [5, 0, 2], range(6)])
def test_a_subset_is_a_loop_over_its_pixels(rule, classes):
    labels, predictions = maps(3)
    kept = np.where(np.isin(labels, list(classes)), labels, VOID)
    scores = region_scores_by(confusion_counts(labels, predictions, 6), rule, list(classes))
    parts = [kept[n : n + 1] for n in range(len(kept))] if rule == "per-image" else [kept]
    of = [predictions[n : n + 1] for n in range(len(kept))] if rule == "per-image" else [predictions]
    found = []
    for label, prediction in zip(parts, of, strict=True):
        seen = label != VOID
        accuracy, iou, weight = [], [], []
        for k in classes:
            both = ((label == k) & (prediction == k)).sum()
            either = ((label == k) | ((prediction == k) & seen)).sum()
            accuracy.append(both / (label == k).sum() if (label == k).any() else np.nan)
            iou.append(both / either if either else np.nan)
            weight.append((label == k).sum() / seen.sum())
        mean_iou = np.nansum(np.multiply(weight, iou)) if rule == "frequency-weighted" else np.nanmean(iou)
        found.append((((label == prediction) & seen).sum() / seen.sum(), np.nanmean(accuracy), mean_iou))
    assert three(scores) == pytest.approx(np.mean(found, axis=0))


def test_all_classes_as_a_subset_are_all_classes():
    counts = confusion_counts(*maps(5), 6)
    for rule in REGION_RULES:
        assert three(region_scores_by(counts, rule, range(6))) == three(region_scores_by(counts, rule))


def test_an_unknown_rule_names_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown region rule 'autors', did you mean 'authors'\?; known: "):
        region_scores_by(COUNTS, "autors")


@pytest.mark.parametrize("classes", [[], [0, 0], [-1], [3]])
def test_wrong_ids_of_a_subset(classes):
    with pytest.raises(ValueError, match="classes must be different ids from 0 to 2"):
        region_scores_by(COUNTS, classes=classes)


def test_one_matrix_is_refused():
    with pytest.raises(ValueError, match=r"counts must be \(N, K, K\) confusion counts, got shape \(3, 3\)"):
        region_scores_by(COUNTS[0])
