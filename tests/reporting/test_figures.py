from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from skimage.color import rgb2lab

from bench.data import DATASETS
from bench.errors import ResultsError
from bench.replication.scores import scores
from bench.reporting.classes import class_bars, class_frequencies
from bench.reporting.curves import training_curves
from bench.reporting.differences import difference_map
from bench.reporting.figures import FigureSource, _frequencies, draw_figures
from bench.reporting.panels import colour_labels, panel_images, qualitative_grid
from bench.reporting.staleness import IN_FIGURES, Staleness
from bench.reporting.style import MODEL_STYLES, RC, new_figure, save_figure, wrap_notice
from bench.reporting.tradeoff import accuracy_against_cost
from bench.study.catalog import MODEL_TITLES, ROW_TITLES
from bench.study.trials import Trial

NOTICE = "NOT AT THE PAPER'S SCALE: profile smoke trained on 96 images of RoadScenes at 60×80 pixels."
MEDIAN = "median_frequency"
MARKED = {model: f"{title} †" for model, title in ROW_TITLES.items()}
PALETTE, CLASSES = DATASETS["camvid"].palette, DATASETS["camvid"].class_names

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
COLOUR_VISION = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


@pytest.fixture(autouse=True)
def _report_style() -> object:
    with mpl.rc_context(RC):
        yield


@pytest.fixture(scope="module")
def median_trials(trials: list[Trial]) -> dict[str, str]:
    return {trial.model: trial.id for trial in trials if trial.weighting == MEDIAN}


@pytest.fixture(scope="module")
def images(panels_dir: Path, trials: list[Trial]) -> list[Path]:
    return panel_images(panels_dir / trials[0].suite / trials[0].profile)


def hollow(axes: Axes) -> list[tuple[float, float]]:
    """The points with a white face."""
    lines = [line for line in axes.lines if line.get_marker() != "None" and line.get_markerfacecolor() == "white"]
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]


def filled(axes: Axes, model: str) -> tuple[float, float]:
    style = MODEL_STYLES[model]
    (line,) = [
        line for line in axes.lines if line.get_marker() == style.marker and line.get_markerfacecolor() != "white"
    ]
    return float(line.get_xdata()[0]), float(line.get_ydata()[0])


def seen(colour: str, matrix: np.ndarray) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    shifted = np.clip(matrix @ linear, 0, 1)
    return rgb2lab(np.where(shifted <= 0.0031308, 12.92 * shifted, 1.055 * shifted ** (1 / 2.4) - 0.055))


TOGETHER = {  # models that stand in one figure
    "Table 1": list(MODEL_TITLES)[:8],
    "Tables 3 to 6": [
        "segnet",
        "deeplab_largefov",
        "deeplab_largefov_dense_crf",
        "fcn",
        "fcn_learnt_deconv",
        "deconvnet",
        "deconvnet_no_fc",
    ],
    "related": ["segnet", "fcn_32s", "fcn_16s", "fcn_8s", "u_net", "hypercolumns", "deeplab_v3plus"],
    "upsampling": [model for model in MODEL_TITLES if model.startswith("upsampling_")],
}


def test_every_row_has_a_style() -> None:
    assert list(MODEL_STYLES) == list(ROW_TITLES)
    assert {model for models in TOGETHER.values() for model in models} == set(ROW_TITLES)


@pytest.mark.parametrize("models", TOGETHER.values(), ids=TOGETHER)
def test_every_model_has_its_own_colour_and_marker(models: list[str]) -> None:
    assert len({MODEL_STYLES[model].colour for model in models}) == len(models)
    assert len({MODEL_STYLES[model].marker for model in models}) == len(models)


@pytest.mark.parametrize("models", TOGETHER.values(), ids=TOGETHER)
@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_colours_differ_for_every_colour_vision(vision: str, models: list[str]) -> None:
    colours = [seen(MODEL_STYLES[model].colour, COLOUR_VISION[vision]) for model in models]
    # 2.3 is just noticeable
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 7


def test_the_same_results_give_the_same_bytes(tmp_path: Path, results: pd.DataFrame) -> None:
    for name in ("first", "second"):
        figure = class_frequencies(results, NOTICE)
        assert figure is not None
        save_figure(figure, tmp_path, name)
    for suffix in ("png", "svg"):
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("first", "second"))
        assert first == second
    assert "<dc:date>" not in (tmp_path / "first.svg").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.png", "first.svg", "second.png", "second.svg"]


@pytest.mark.parametrize("titles", [MODEL_TITLES, MARKED], ids=["current", "stale"])
def test_no_text_leaves_the_figure_or_meets_the_notice(results: pd.DataFrame, titles: dict[str, str]) -> None:
    figures = [
        training_curves(results, MEDIAN, NOTICE, titles),
        accuracy_against_cost(results, MEDIAN, "T1", NOTICE, titles),
        class_frequencies(results, NOTICE),
        class_bars(results, MEDIAN, NOTICE, titles),
        difference_map(results, MEDIAN, "T1", NOTICE, titles),
    ]
    for figure in figures:
        assert figure is not None
        figure.draw_without_rendering()
        (notice,) = figure.texts
        assert notice.get_text().replace("\n", " ") == NOTICE
        strip = notice.get_window_extent()
        width, height = figure.get_size_inches()
        drawn = figure.get_tightbbox()
        assert drawn.x0 >= 0, figure
        assert drawn.y0 >= 0, figure
        assert drawn.x1 <= width, figure
        assert drawn.y1 <= height, figure
        assert not any(axes.get_tightbbox().overlaps(strip) for axes in figure.axes)


@pytest.mark.parametrize("titles", [MODEL_TITLES, MARKED], ids=["current", "stale"])
def test_names_above_the_grid_do_not_meet(
    images: list[Path], median_trials: dict[str, str], titles: dict[str, str]
) -> None:
    figure = qualitative_grid(images, median_trials, PALETTE, CLASSES, titles=titles)
    figure.draw_without_rendering()
    boxes = [axes._left_title.get_window_extent() for axes in figure.axes if axes.get_title(loc="left")]
    assert len(boxes) == 2 + 8
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[-1].x1 < figure.bbox.x1


def test_no_notice_at_the_papers_scale(results: pd.DataFrame) -> None:
    figure = class_bars(results, MEDIAN)
    assert figure is not None
    assert not figure.texts


def test_notice_is_broken_into_lines() -> None:
    assert wrap_notice("one two three", 1.0) == "one two three"
    assert wrap_notice("one two three four", 1.0) == "one two three\nfour"


def test_curves_show_the_mean_of_seeds_and_ring_the_reported_checkpoints(results: pd.DataFrame) -> None:
    one = results[(results["model"] == "segnet_basic") & (results["weighting"] == MEDIAN)]
    two = one.assign(trial="other seed", seed=1, value=one["value"] + 0.1)
    figure = training_curves(pd.concat([one, two], ignore_index=True), MEDIAN)
    assert figure is not None
    axes = figure.axes[1]
    g = one[(one["record"] == "score") & (one["metric"] == "global_accuracy") & (one["split"] == "val")]
    mean = next(line for line in axes.lines if line.get_linewidth() == 1.2)
    np.testing.assert_allclose(mean.get_ydata(), g.sort_values("iteration")["value"] + 0.05)
    ring = axes.lines[-1]
    selected = one["selected_iteration"].iloc[0]
    value = g.loc[g["iteration"] == selected, "value"].item()
    np.testing.assert_allclose(ring.get_xdata(), [selected, selected])
    np.testing.assert_allclose(ring.get_ydata(), [value, value + 0.1])


def test_a_long_training_is_drawn_with_few_points(results: pd.DataFrame) -> None:
    template = results[(results["record"] == "curve") & (results["metric"] == "loss")].iloc[:1]
    long = pd.concat([template] * 5000, ignore_index=True)
    long["iteration"] = pd.array(range(1, 5001), dtype="Int64")
    figure = training_curves(long, MEDIAN)
    assert figure is not None
    assert max(len(line.get_xdata()) for line in figure.axes[0].lines) == 240


def test_the_paper_is_hollow_and_only_where_units_compare(results: pd.DataFrame) -> None:
    figure = accuracy_against_cost(results, MEDIAN, "T1")
    assert figure is not None
    parameters, relative, milliseconds, memory = (figure.axes[2 * row] for row in range(4))
    assert (1_425_000.0, 0.477) in hollow(parameters)  # paper Table 1, SegNet-Basic
    assert (pytest.approx(24.2 / 52.6), 0.473) in hollow(relative)  # FCN-Basic
    assert hollow(milliseconds) == []
    assert hollow(memory) == []
    assert filled(relative, "segnet_basic")[0] == 1.0
    assert filled(milliseconds, "segnet_basic")[0] == 41.5
    assert filled(relative, "fcn_basic")[0] == pytest.approx(20.2 / 41.5)


def test_no_relative_time_without_its_reference(results: pd.DataFrame) -> None:
    figure = accuracy_against_cost(results[results["model"] != "segnet_basic"], MEDIAN, "T1")
    assert figure is not None
    assert len(figure.axes) == 6


def test_without_costs_there_is_no_trade_off(results: pd.DataFrame) -> None:
    assert accuracy_against_cost(results[results["kind"] == "training"], MEDIAN, "T1") is None


def test_without_a_table_only_ours_is_drawn(results: pd.DataFrame) -> None:
    figure = accuracy_against_cost(results, MEDIAN, None)
    assert figure is not None
    assert not any(hollow(axes) for axes in figure.axes)
    assert "Ours" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_bars_hold_the_iou_from_frequent_to_rare_classes(results: pd.DataFrame) -> None:
    figure = class_bars(results, MEDIAN)
    assert figure is not None
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["Road", "Building"]
    found = results[(results["record"] == "class_score") & (results["metric"] == "iou")]
    road = found[(found["class_name"] == "Road") & (found["model"] == "fcn_basic") & (found["weighting"] == MEDIAN)][
        "value"
    ].item()
    bars = axes.containers[list(MODEL_TITLES).index("fcn_basic")]
    assert bars[0].get_width() == pytest.approx(road)


def test_rare_classes_stay_on_the_frequency_axis(results: pd.DataFrame) -> None:
    figure = class_frequencies(results)
    assert figure is not None
    lowest = results.loc[results["record"] == "class_frequency", "value"].min()
    assert figure.axes[0].get_xlim()[0] <= lowest


def test_results_without_trainings_give_no_figure(results: pd.DataFrame) -> None:
    costs = results[results["kind"] == "cost"]
    assert training_curves(costs, MEDIAN) is None
    assert class_bars(costs, MEDIAN) is None
    assert class_frequencies(costs) is None


def test_void_is_black_and_class_ids_take_their_colour() -> None:
    palette = np.array([[128, 128, 128], [255, 0, 0], [0, 0, 0]], dtype=np.uint8)
    coloured = colour_labels(np.array([[0, 1], [255, 0]], dtype=np.uint8), palette)
    assert coloured.tolist() == [[[128, 128, 128], [255, 0, 0]], [[0, 0, 0], [128, 128, 128]]]


@pytest.mark.parametrize("upright", [False, True])
def test_the_grid_has_one_panel_per_image_and_name(
    images: list[Path], median_trials: dict[str, str], upright: bool
) -> None:
    figure = qualitative_grid(images, median_trials, PALETTE, CLASSES, NOTICE, upright=upright)
    assert len(figure.axes) == len(images) * (2 + len(median_trials))
    shown = figure.axes[len(images)].images[0].get_array()  # ground truth of the first image
    labels = np.asarray(Image.open(images[0] / "labels.png"))
    np.testing.assert_array_equal(shown, colour_labels(labels, PALETTE))
    cell = figure.axes[0].get_position()
    width, height = figure.get_size_inches()
    assert cell.width * width / (cell.height * height) == pytest.approx(labels.shape[1] / labels.shape[0])


def test_a_missing_panel_says_so(images: list[Path]) -> None:
    figure = qualitative_grid(images[:1], {"fcn_basic": "no-such-trial"}, PALETTE, CLASSES)
    assert [text.get_text() for text in figure.axes[2].texts] == ["missing"]


def make_panel(folder: Path, prediction: np.ndarray) -> Path:
    folder.mkdir()
    Image.fromarray(np.zeros((4, 6, 3), dtype=np.uint8)).save(folder / "image.png")
    Image.fromarray(np.zeros((4, 6), dtype=np.uint8)).save(folder / "labels.png")
    Image.fromarray(prediction).save(folder / "trial.png")
    return folder


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (np.full((4, 6), 11, np.uint8), r"trial\.png: class id 11; allowed are 0 to 10 and 255"),
        (np.zeros((5, 6), np.uint8), r"trial\.png: is 5x6 px, expected 4x6; run its trial again"),
        (np.zeros((4, 6, 3), np.uint8), r"trial\.png: pixel mode is RGB, expected L; run its trial again"),
    ],
)
def test_a_wrong_panel_is_named(tmp_path: Path, prediction: np.ndarray, message: str) -> None:
    folder = make_panel(tmp_path / "image", prediction)
    with pytest.raises(ResultsError, match=message):
        qualitative_grid([folder], {"fcn_basic": "trial"}, PALETTE, CLASSES)


def test_a_damaged_panel_is_named(tmp_path: Path) -> None:
    folder = make_panel(tmp_path / "image", np.zeros((4, 6), np.uint8))
    (folder / "trial.png").write_bytes(b"\x89PNG not really")
    with pytest.raises(ResultsError, match=r"trial\.png: missing, truncated or not a PNG image.*; run its trial again"):
        qualitative_grid([folder], {"fcn_basic": "trial"}, PALETTE, CLASSES)


def test_incomplete_panel_folders_are_no_images(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    Image.fromarray(np.zeros((4, 6, 3), dtype=np.uint8)).save(tmp_path / "half" / "image.png")
    assert panel_images(tmp_path) == []
    assert panel_images(tmp_path / "nowhere") == []


def test_groups_without_pictures_say_why(tmp_path: Path, results: pd.DataFrame, trials: list[Trial]) -> None:
    groups = draw_figures(FigureSource(results.iloc[:0], "T1", NOTICE, None, planned=trials), tmp_path)
    assert [group.key for group in groups] == [
        "differences",
        "training-curves",
        "accuracy-against-cost",
        "class-frequencies",
        "per-class",
        "predictions",
    ]
    assert all(group.missing and not group.pictures for group in groups)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken.png").mkdir()
    figure: Figure = new_figure(1.0, "")
    with pytest.raises(ResultsError, match=r"taken\.png' cannot be written"):
        save_figure(figure, tmp_path, "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


def test_seeds_are_averaged_in_bars(build_results: Callable[..., pd.DataFrame], results: pd.DataFrame) -> None:
    one = results[(results["model"] == "fcn_basic") & (results["weighting"] == MEDIAN)]
    two = one.assign(trial="other", digest="f" * 16, seed=1, value=one["value"] / 2)
    figure = class_bars(pd.concat([one, two], ignore_index=True), MEDIAN)
    assert figure is not None
    road = one[(one["metric"] == "iou") & (one["class_name"] == "Road")]["value"].item()
    assert figure.axes[0].containers[0][0].get_width() == pytest.approx(0.75 * road)


def test_the_difference_map_holds_ours_minus_the_paper(results: pd.DataFrame) -> None:
    figure = difference_map(results, "median_frequency", "T1")
    assert figure is not None
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert len(shown) == 8 * 7
    # the first row is Bilinear-Interpolation, whose printed test G is 77.9
    ours = (
        scores(results)
        .query(
            "model == 'bilinear_interpolation' and weighting == 'median_frequency'"
            " and split == 'test' and metric == 'global_accuracy'"
        )["value"]
        .item()
    )
    assert shown[0] == f"{100 * ours - 77.9:+.1f}".replace("-", "−")
    assert difference_map(results, "median_frequency", None) is None


def texts(figure: Figure) -> list[str]:
    """Every word on a figure."""
    found = [text.get_text() for text in figure.texts]
    found += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        found += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        found.append(axes.get_title(loc="left"))
    return found


@pytest.fixture
def half_stale(results: pd.DataFrame, tmp_path: Path, panels_dir: Path, trials: list[Trial]) -> FigureSource:
    """Of two models FCN-Basic is stale in the median half, and so are the costs of SegNet-Basic."""
    results = results[results["model"].isin(["fcn_basic", "segnet_basic"])]
    stale = results.query(
        f"(model == 'fcn_basic' and weighting == '{MEDIAN}') or (model == 'segnet_basic' and kind == 'cost')"
    )
    panels = panels_dir / trials[0].suite / trials[0].profile
    return FigureSource(results, "T1", NOTICE, panels, Staleness(frozenset(stale["digest"]), "lr"), trials)


def test_models_with_stale_results_are_marked_by_weighting_and_cost(half_stale: FigureSource) -> None:
    def marked(*which: object) -> set[str]:
        return {model for model, title in half_stale.titles(*which).items() if title.endswith(" †")}

    assert marked(MEDIAN) == {"fcn_basic"}
    assert marked("natural_frequency") == set()
    assert marked(MEDIAN, True) == {"fcn_basic", "segnet_basic"}
    assert half_stale.notice_for(half_stale.titles("natural_frequency")) == NOTICE
    assert half_stale.notice_for(half_stale.titles(MEDIAN)) == f"{NOTICE} {IN_FIGURES}"


def test_every_figure_shows_the_mark_and_says_what_it_means(half_stale: FigureSource, images: list[Path]) -> None:
    titles = half_stale.titles(MEDIAN)
    notice = half_stale.notice_for(titles)
    trials = {"segnet_basic": "a", "fcn_basic": "b"}
    figures = [
        difference_map(half_stale.results, MEDIAN, "T1", notice, titles),
        training_curves(half_stale.results, MEDIAN, notice, titles),
        accuracy_against_cost(half_stale.results, MEDIAN, "T1", notice, titles),
        class_bars(half_stale.results, MEDIAN, notice, titles),
        qualitative_grid(images, trials, PALETTE, CLASSES, notice, titles=titles),
    ]
    for figure in figures:
        assert figure is not None
        words = texts(figure)
        assert sum("FCN-Basic †" in word for word in words) == 1
        assert "SegNet-Basic" in words
        assert any(IN_FIGURES in word.replace("\n", " ") for word in words)


def test_the_caption_says_what_the_mark_means_where_a_picture_has_it(half_stale: FigureSource, tmp_path: Path) -> None:
    groups = draw_figures(half_stale, tmp_path)
    assert {group.key: IN_FIGURES in group.caption for group in groups} == {
        "differences": True,
        "training-curves": True,
        "accuracy-against-cost": True,
        "class-frequencies": False,  # names no model, and its data comes from a current training
        "per-class": True,
        "predictions": True,
    }


@pytest.mark.parametrize(
    ("weightings", "said"),
    [([], None), (["natural_frequency"], "Partly stale: "), ([MEDIAN, "natural_frequency"], "Stale: ")],
)
def test_class_frequencies_say_when_they_come_from_stale_results(
    results: pd.DataFrame, tmp_path: Path, weightings: list[str], said: str | None
) -> None:
    stale = Staleness(frozenset(results.loc[results["weighting"].isin(weightings), "digest"]), "lr")
    group = _frequencies(FigureSource(results, "T1", "", None, stale), tmp_path)
    assert group.caption.endswith(f"count more. {said}measured before settings or source changed." if said else "more.")
