from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from bench.data import DATASETS
from bench.errors import ResultsError
from bench.reporting.figures.confusion import confusion_matrices, confusions_shown
from bench.reporting.figures.source import FigureSource
from bench.reporting.figures.style import RC
from bench.reporting.figures.suite_figures import draw_figures
from bench.study.catalog import ROW_TITLES
from bench.study.trials import Trial

MEDIAN = "median_frequency"
NOTICE = "NOT AT THE PAPER'S SCALE: profile smoke trained on 96 images of RoadScenes at 60×80 pixels."
Stored = tuple[Sequence[str], np.ndarray]


@pytest.fixture(autouse=True)
def _report_style() -> object:
    with mpl.rc_context(RC):
        yield


def matrices(figure: Figure) -> list[AxesImage]:
    """The pictures of matrices; the last picture of a figure is its scale."""
    return [found for found in figure.axes[0].images if isinstance(found, AxesImage)][:-1]


def test_each_row_adds_up_to_100_percent() -> None:
    counts = np.array([[3, 1, 0], [0, 0, 0], [5, 0, 5]])
    figure = confusion_matrices({"segnet_basic": counts}, ["Road", "Sky", "Tree"])
    assert figure is not None
    shown = matrices(figure)[0].get_array()
    np.testing.assert_array_equal(shown.filled(-1), [[75, 25, 0], [-1, -1, -1], [50, 0, 50]])


@pytest.mark.parametrize("marked", [False, True])
@pytest.mark.parametrize("models", [1, 2, 7, 8])
@pytest.mark.parametrize("dataset", ["camvid", "sun_rgbd"])
def test_nothing_meets_or_leaves_the_figure(models: int, dataset: str, marked: bool) -> None:
    names = DATASETS[dataset].class_names
    titles = {model: f"{title} †" if marked else title for model, title in ROW_TITLES.items()}
    counts = {model: np.eye(len(names), dtype=np.int64) for model in list(ROW_TITLES)[:models]}
    figure = confusion_matrices(counts, names, NOTICE, titles)
    assert figure is not None
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    found = matrices(figure)
    assert len(found) == models
    for one in found:
        left, right, bottom, top = one.get_extent()
        assert right - left == pytest.approx(bottom - top)
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    texts = [text.get_window_extent() for text in figure.axes[0].texts]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 for box in texts)
    strip = figure.texts[0].get_window_extent()
    assert max(box.y1 for box in texts) < strip.y0
    for number, box in enumerate(texts):
        assert not any(box.overlaps(other) for other in texts[number + 1 :])


def test_without_models_there_is_no_figure() -> None:
    assert confusion_matrices({}, ["Road"]) is None


@pytest.fixture
def source(results: pd.DataFrame, trials: list[Trial]) -> FigureSource:
    def read(key: str, refinement: str) -> Stored | None:
        assert refinement == ""
        counts = np.full((11, 11), 1 if "natural" in key else 2)
        return None if "fcn" in key else (DATASETS["camvid"].class_names, counts)

    return FigureSource(results, "T1", "", None, planned=trials, confusion=read)


def test_the_first_seed_of_each_model_is_read(results: pd.DataFrame, source: FigureSource) -> None:
    read: list[str] = []

    def noted(key: str, refinement: str) -> Stored | None:
        read.append(key)
        return source.confusion(key, refinement) if source.confusion else None

    again = results.assign(trial=results["trial"].str.replace(".s0", ".s1"), digest=results["digest"].str[::-1], seed=1)
    both = FigureSource(pd.concat([again, results], ignore_index=True), "T1", "", None, confusion=noted)
    names, found = confusions_shown(both)
    assert names == list(DATASETS["camvid"].class_names)
    assert len(read) == 16
    assert all(".s0-" in key for key in read)
    assert {model for model in found[MEDIAN] if "fcn" in model} == set()
    assert found[MEDIAN]["segnet_basic"][0, 0] == 2


def test_other_classes_than_the_first_trials_are_an_error(results: pd.DataFrame) -> None:
    def read(key: str, refinement: str) -> Stored:
        return (["Road", "Sky"] if "fcn" in key else ["Sky", "Road"]), np.eye(2, dtype=np.int64)

    with pytest.raises(ResultsError, match="has other classes than the first of its suite; run it again"):
        confusions_shown(FigureSource(results, "T1", "", None, confusion=read))


def test_the_report_has_the_matrices_where_they_can_be_read(
    source: FigureSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.reporting.figures.drawing.save_figure", lambda *args: [])
    groups = {group.key: group for group in draw_figures(source, tmp_path)}
    names = [picture.name for picture in groups["confusion"].pictures]
    assert names == ["confusion-median_frequency", "confusion-natural_frequency"]
    assert not groups["confusion"].wide


def test_without_stored_counts_the_report_says_so(
    results: pd.DataFrame, trials: list[Trial], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.reporting.figures.drawing.save_figure", lambda *args: [])
    source = FigureSource(results, "T1", "", None, planned=trials, confusion=lambda key, refinement: None)
    groups = {group.key: group for group in draw_figures(source, tmp_path)}
    assert groups["confusion"].pictures == ()
    assert groups["confusion"].missing == "No training has stored the counts of single images."
