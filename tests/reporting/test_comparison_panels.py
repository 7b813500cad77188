"""The pictures of the slider: what is drawn where boundaries are wrong, and what is written for which trial."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.data import DATASETS
from bench.evaluation.boundary import boundary_counts
from bench.reporting.figures.boundary_errors import boundary_errors
from bench.reporting.figures.comparison_panels import BOTH, FALSE, MISSED, UNLABELLED, Slider, slider
from bench.reporting.figures.panels import colour_labels
from bench.reporting.figures.source import FigureSource
from bench.reporting.staleness import Staleness
from bench.study.trials import Trial

PALETTE = DATASETS["camvid"].palette


def test_a_prediction_as_labelled_has_no_errors() -> None:
    labels = np.array([[0, 0, 1], [0, 1, 1], [2, 2, 2]], np.uint8)
    errors = boundary_errors(labels, labels, 3)
    assert not errors.false.any()
    assert not errors.missed.any()


def test_imagined_and_missed_boundaries_are_told_apart() -> None:
    labels, prediction = np.zeros((6, 20), np.uint8), np.zeros((6, 20), np.uint8)
    labels[:, 12:] = 1
    prediction[:, 5:] = 1
    errors = boundary_errors(labels, prediction, 2)
    # an edge lies on the pixels left of it; the tolerance at this size is 0.16 px
    assert np.flatnonzero(errors.false.any(axis=0)).tolist() == [4]
    assert np.flatnonzero(errors.missed.any(axis=0)).tolist() == [11]


def test_within_the_tolerance_nothing_is_wrong() -> None:
    labels, prediction = np.zeros((90, 120), np.uint8), np.zeros((90, 120), np.uint8)
    labels[:, 60:] = 1
    prediction[:, 61:] = 1  # 1 px of 1.125
    assert not boundary_errors(labels, prediction, 2).false.any()
    prediction[:, 61] = 0
    assert boundary_errors(labels, prediction, 2).false.sum() == 90


def test_an_edge_against_void_is_a_boundary_of_the_labels() -> None:
    labels, prediction = np.zeros((4, 8), np.uint8), np.zeros((4, 8), np.uint8)
    labels[:, 5:] = 255
    assert boundary_errors(labels, prediction, 1).missed.sum() == 4


@pytest.mark.parametrize("shape", [(90, 120), (61, 47), (240, 320)])
def test_errors_of_each_class_are_the_unmatched_pixels_of_the_protocol_by_distance(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    blocks = np.kron(rng.integers(0, 3, (40, 40)), np.ones((8, 8), np.int64))[: shape[0], : shape[1]].astype(np.uint8)
    labels, prediction = blocks.copy(), np.roll(blocks, 4, axis=1)
    labels[5:9, 3:30] = 255
    counts = boundary_counts(labels[None], prediction[None], 3, "distance")[0]
    for k, (predicted, labelled, matched_predicted, matched_label) in enumerate(counts.tolist()):
        only_k = [np.where(ids == k, 0, 255).astype(np.uint8) for ids in (labels, prediction)]
        found = boundary_errors(*only_k, classes=1)
        assert found.false.sum() == predicted - matched_predicted > 0
        assert found.missed.sum() == labelled - matched_label > 0


@pytest.fixture
def source(results: pd.DataFrame, panels_dir: Path, trials: list[Trial]) -> FigureSource:
    stale = results.loc[(results["model"] == "fcn_basic") & (results["weighting"] == "median_frequency"), "digest"]
    panels = panels_dir / trials[0].suite / trials[0].profile
    return FigureSource(results, "T1", "", panels, Staleness(frozenset(stale), "lr"), trials)


@pytest.fixture
def shown(source: FigureSource, tmp_path: Path) -> Slider:
    found = slider(source, tmp_path)
    assert found is not None
    return found


def test_every_image_has_a_picture_of_every_choice(shown: Slider, tmp_path: Path) -> None:
    assert [image.title for image in shown.images] == ["frame_00", "frame_01"]
    assert [group for group, _ in shown.groups] == ["", "median frequency balancing", "natural frequency"]
    assert [choice.title for choice in shown.choices[:3]] == ["Image", "Ground truth", "Bilinear-Interpolation"]
    assert len(shown.choices) == 2 + 16
    for image in shown.images:
        assert [picture.choice for picture in image.pictures] == list(range(18))
        for picture in image.pictures:
            with Image.open(tmp_path / picture.file) as found:
                assert (found.mode, found.size) == ("P", (120, 90))
    marked = [choice for choice in shown.choices if choice.title.endswith("†")]
    assert [(choice.title, choice.group) for choice in marked] == [("FCN-Basic †", "median frequency balancing")]


def test_predictions_have_the_data_sets_colours(shown: Slider, source: FigureSource, tmp_path: Path) -> None:
    assert source.panels_dir is not None
    labels = np.asarray(Image.open(source.panels_dir / "frame_00" / "labels.png").copy())
    drawn = np.asarray(Image.open(tmp_path / shown.images[0].pictures[1].file).convert("RGB"))
    np.testing.assert_array_equal(drawn, colour_labels(labels, PALETTE))
    assert shown.classes[0] == ("Sky", "#808080")
    assert shown.classes[-1] == ("void: neither trained nor scored", "#000000")


def test_the_overlay_marks_errors_and_void_and_is_clear_elsewhere(
    shown: Slider, source: FigureSource, trials: list[Trial], tmp_path: Path
) -> None:
    picture = shown.images[0].pictures[5]
    assert source.panels_dir is not None
    folder = source.panels_dir / "frame_00"
    shifted = "segnet_basic_single_channel_decoder"
    trial = next(t for t in trials if t.model == shifted and t.weighting == "median_frequency")
    labels, prediction = (
        np.asarray(Image.open(folder / name).copy()) for name in ("labels.png", f"{trial.id}-{trial.digest}.png")
    )
    errors = boundary_errors(labels, prediction, 11)
    drawn = np.asarray(Image.open(tmp_path / picture.errors).convert("RGBA"))
    wrong = errors.false | errors.missed
    np.testing.assert_array_equal(drawn[..., 3] == 255, wrong | (labels == 255))
    for colour, where in (
        (FALSE, errors.false & ~errors.missed),
        (MISSED, errors.missed & ~errors.false),
        (BOTH, errors.false & errors.missed),
        (UNLABELLED, (labels == 255) & ~wrong),
    ):
        assert where.any(), colour
        assert {tuple(pixel) for pixel in drawn[where, :3]} == {tuple(bytes.fromhex(colour[1:]))}
    right = np.mean(prediction[labels != 255] == labels[labels != 255])
    assert picture.said == (
        f"{right:.1%} of its labelled pixels are right; "
        f"{errors.false.sum()} false and {errors.missed.sum()} missed boundary pixels"
    )


def test_what_is_there_already_is_not_written_again(shown: Slider, source: FigureSource, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "panels").iterdir()}
    hurt = tmp_path / shown.images[0].pictures[2].file
    whole = hurt.read_bytes()
    hurt.write_bytes(whole[:20])
    assert slider(source, tmp_path) == shown
    assert hurt.read_bytes() == whole
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "panels").iterdir()}
    assert {path for path in after if after[path] != before[path]} == {hurt}


def test_a_prediction_without_a_panel_has_no_picture(
    source: FigureSource, results: pd.DataFrame, trials: list[Trial], tmp_path: Path
) -> None:
    other = results.assign(digest=results["digest"].where(results["model"] != "fcn_basic", "0" * 16))
    found = slider(FigureSource(other, "T1", "", source.panels_dir, planned=trials), tmp_path)
    assert found is not None
    gone = [number for number, choice in enumerate(found.choices) if choice.title == "FCN-Basic"]
    assert len(gone) == 2
    assert not {picture.choice for picture in found.images[0].pictures} & set(gone)


def test_without_panels_or_trainings_there_is_no_slider(
    results: pd.DataFrame, trials: list[Trial], panels_dir: Path, tmp_path: Path
) -> None:
    panels = panels_dir / trials[0].suite / trials[0].profile
    costs = results[results["kind"] == "cost"]
    assert slider(FigureSource(results, "T1", "", None, planned=trials), tmp_path) is None
    assert slider(FigureSource(results, "T1", "", tmp_path / "nowhere", planned=trials), tmp_path) is None
    assert slider(FigureSource(costs, "T1", "", panels, planned=trials), tmp_path) is None
    assert not list(tmp_path.iterdir())
