"""Stored panels: reading them, and the grid of all of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from bench.data import DATASETS
from bench.errors import ResultsError
from bench.reporting.figures.panel_grid import qualitative_grid
from bench.reporting.figures.panels import Panel, colour_labels, read_panels
from bench.reporting.figures.style import RC
from bench.study.catalog import MODEL_TITLES, ROW_TITLES
from bench.study.trials import Trial

NOTICE = "NOT AT THE PAPER'S SCALE: profile smoke trained on 96 images of RoadScenes at 60×80 pixels."
MARKED = {model: f"{title} †" for model, title in ROW_TITLES.items()}
PALETTE, CLASSES = DATASETS["camvid"].palette, DATASETS["camvid"].class_names


@pytest.fixture(autouse=True)
def _report_style() -> object:
    with mpl.rc_context(RC):
        yield


@pytest.fixture(scope="module")
def shown(trials: list[Trial]) -> dict[str, str]:
    done = [trial for trial in trials if trial.kind == "training" and trial.weighting == "median_frequency"]
    return {trial.model: f"{trial.id}-{trial.digest}" for trial in done}


@pytest.fixture(scope="module")
def panels(panels_dir: Path, trials: list[Trial], shown: dict[str, str]) -> list[Panel]:
    return read_panels(panels_dir / trials[0].suite / trials[0].profile, shown.values(), len(CLASSES))


def test_void_is_black_and_class_ids_take_their_colour() -> None:
    palette = np.array([[128, 128, 128], [255, 0, 0], [0, 0, 0]], dtype=np.uint8)
    coloured = colour_labels(np.array([[0, 1], [255, 0]], dtype=np.uint8), palette)
    assert coloured.tolist() == [[[128, 128, 128], [255, 0, 0]], [[0, 0, 0], [128, 128, 128]]]


def test_the_grid_has_one_panel_per_image_and_name(panels: list[Panel], shown: dict[str, str]) -> None:
    figure = qualitative_grid(panels, shown, PALETTE, CLASSES, NOTICE)
    drawn = [found for found in figure.axes[0].images if isinstance(found, AxesImage)]
    assert len(drawn) == len(panels) * (2 + len(shown))
    labels = drawn[1]
    np.testing.assert_array_equal(labels.get_array(), colour_labels(panels[0].labels, PALETTE))
    left, right, bottom, top = labels.get_extent()
    assert (right - left) / (bottom - top) == pytest.approx(120 / 90)
    width, height = figure.get_size_inches()
    assert all(0 <= x <= width for found in drawn for x in found.get_extent()[:2])
    assert all(0 <= y <= height for found in drawn for y in found.get_extent()[2:])
    for one, other in itertools.combinations([found.get_extent() for found in drawn], 2):
        assert one[1] < other[0] or other[1] < one[0] or one[2] < other[3] or other[2] < one[3]  # they do not overlap


@pytest.mark.parametrize("titles", [MODEL_TITLES, MARKED], ids=["current", "stale"])
def test_names_above_the_grid_do_not_meet(panels: list[Panel], shown: dict[str, str], titles: dict[str, str]) -> None:
    figure = qualitative_grid(panels, shown, PALETTE, CLASSES, NOTICE, titles)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 2 + 8
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[-1].x1 < figure.bbox.x1
    (notice,) = figure.texts
    assert max(box.y1 for box in boxes) < notice.get_window_extent().y0


def test_a_missing_panel_says_so(panels: list[Panel]) -> None:
    figure = qualitative_grid(panels[:1], {"fcn_basic": "no-such-trial"}, PALETTE, CLASSES)
    assert [text.get_text() for text in figure.axes[0].texts] == ["Image", "Ground truth", "FCN-Basic", "missing"]


def make_panel(folder: Path, prediction: np.ndarray) -> Path:
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((4, 6, 3), dtype=np.uint8)).save(folder / "image.png")
    Image.fromarray(np.zeros((4, 6), dtype=np.uint8)).save(folder / "labels.png")
    Image.fromarray(prediction).save(folder / "trial.png")
    return folder


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (np.full((4, 6), 11, np.uint8), r"trial\.png: class id 11; allowed are 0 to 10 and 255; run its trial again"),
        (np.zeros((5, 6), np.uint8), r"trial\.png: is 5x6 px, expected 4x6; run its trial again"),
        (np.zeros((4, 6, 3), np.uint8), r"trial\.png: pixel mode is RGB, expected L; run its trial again"),
    ],
)
def test_a_wrong_panel_is_named(tmp_path: Path, prediction: np.ndarray, message: str) -> None:
    make_panel(tmp_path / "image", prediction)
    with pytest.raises(ResultsError, match=message):
        read_panels(tmp_path, ["trial"], 11)


def test_a_panel_of_another_size_than_the_first_is_named(tmp_path: Path) -> None:
    make_panel(tmp_path / "one", np.zeros((4, 6), np.uint8))
    other = make_panel(tmp_path / "two", np.zeros((4, 6), np.uint8))
    Image.fromarray(np.zeros((8, 6, 3), dtype=np.uint8)).save(other / "image.png")
    with pytest.raises(ResultsError, match=r"two/image\.png: is 8x6 px, expected 4x6"):
        read_panels(tmp_path, ["trial"], 11)


def test_a_damaged_panel_is_named(tmp_path: Path) -> None:
    folder = make_panel(tmp_path / "image", np.zeros((4, 6), np.uint8))
    (folder / "trial.png").write_bytes(b"\x89PNG not really")
    with pytest.raises(ResultsError, match=r"trial\.png: missing, truncated or not a PNG image.*; run its trial again"):
        read_panels(tmp_path, ["trial"], 11)


def test_predictions_that_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    folder = make_panel(tmp_path / "image", np.zeros((4, 6), np.uint8))
    (folder / "other.png").write_bytes(b"\x89PNG not really")
    (panel,) = read_panels(tmp_path, ["trial", "absent"], 11)
    assert list(panel.predictions) == ["trial"]


def test_incomplete_panel_folders_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    Image.fromarray(np.zeros((4, 6, 3), dtype=np.uint8)).save(tmp_path / "half" / "image.png")
    assert read_panels(tmp_path, [], 11) == []
    assert read_panels(tmp_path / "nowhere", [], 11) == []
    assert read_panels(None, [], 11) == []
