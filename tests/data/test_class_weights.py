import numpy as np
import pytest

from bench.data import DATASETS, IGNORE_INDEX, class_frequencies, load_split, median_frequency_weights, weights_for
from bench.data.class_weights import weights_of_frequencies
from bench.errors import ConfigError, UnknownNameError

# Released CamVid training labels: pixels of each class, images that contain it (protocol §3).
TRAIN_PIXELS = np.array(
    [10682767, 14750079, 623349, 20076880, 2845085, 6166762, 743859, 714595, 3719877, 405385, 184967]
)
TRAIN_IMAGES = np.array([366, 365, 366, 367, 349, 319, 351, 173, 360, 317, 201])
GOLDEN = [0.2793, 0.2017, 4.7865, 0.1490, 1.0, 0.4217, 3.8467, 1.9736, 0.7889, 6.3747, 8.8587]


def test_golden_weights_of_the_released_labels():
    # The divisor that reproduces them is all pixels of the images with the class, void included.
    weights = weights_of_frequencies(TRAIN_PIXELS / (TRAIN_IMAGES * 360 * 480))
    assert weights.round(4).tolist() == GOLDEN


@pytest.mark.camvid
def test_golden_weights_from_the_real_images(real_options):
    labels = load_split("camvid", "train", 360, 480, real_options).labels
    assert median_frequency_weights(labels, 11).round(4).tolist() == GOLDEN


def test_frequencies_by_hand():
    # Image 1: class 0 on two pixels, class 1 on one, void on one. Image 2: class 1 on all four.
    labels = np.array([[[0, 0], [1, IGNORE_INDEX]], [[1, 1], [1, 1]]], np.uint8)
    assert class_frequencies(labels, 3).tolist() == [2 / 4, 5 / 8, 0.0]
    # The median of 0.5 and 0.625 is 0.5625; class 2 never occurs.
    assert median_frequency_weights(labels, 3).tolist() == [0.5625 / 0.5, 0.5625 / 0.625, 0.0]


def test_only_void_gives_zeros_and_no_warning():
    labels = np.full((2, 3, 3), IGNORE_INDEX, np.uint8)
    assert median_frequency_weights(labels, 4).tolist() == [0, 0, 0, 0]


def test_frequencies_against_a_loop():
    rng = np.random.default_rng(1)
    labels = rng.choice(np.array([0, 1, 2, 3, IGNORE_INDEX], np.uint8), (7, 5, 6), p=[0.5, 0.3, 0.15, 0.01, 0.04])
    for label, frequency in enumerate(class_frequencies(labels, 4)):
        images = [image for image in labels if (image == label).any()]
        counted = sum(int((image == label).sum()) for image in images)
        assert frequency == pytest.approx(counted / max(1, 30 * len(images)))


def test_named_weightings():
    labels = np.zeros((1, 2, 2), np.uint8)
    camvid = DATASETS["camvid"]
    assert weights_for("natural_frequency", labels, camvid).tolist() == [1.0] * 11
    assert weights_for("median_frequency", labels, camvid).tolist() == [1.0] + [0.0] * 10
    official = weights_for("median_frequency_official", labels, camvid)
    assert official[6] == 9.6446
    official[6] = 0  # a copy: the table stays
    assert weights_for("median_frequency_official", labels, camvid)[6] == 9.6446


def test_weightings_that_do_not_exist():
    labels = np.zeros((1, 2, 2), np.uint8)
    with pytest.raises(ConfigError, match=r"the authors published no weights for RoadScenes \(synthetic\)"):
        weights_for("median_frequency_official", labels, DATASETS["road_scenes"])
    with pytest.raises(UnknownNameError, match="unknown weighting 'median', did you mean 'median_frequency'"):
        weights_for("median", labels, DATASETS["camvid"])
