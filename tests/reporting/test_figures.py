from __future__ import annotations

import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from skimage.color import rgb2lab

from bench.data import DATASETS
from bench.errors import ResultsError
from bench.replication.scores import scores
from bench.reporting.figures.class_drafts import frequency_draft
from bench.reporting.figures.classes import class_bars, class_frequencies
from bench.reporting.figures.comparison_panels import BOTH, FALSE, MISSED
from bench.reporting.figures.curves import training_curves
from bench.reporting.figures.differences import difference_map
from bench.reporting.figures.panel_grid import qualitative_grid
from bench.reporting.figures.panels import Panel, read_panels
from bench.reporting.figures.source import FigureSource
from bench.reporting.figures.style import MODEL_STYLES, RC, new_figure, save_figure, wrap_notice
from bench.reporting.figures.suite_figures import draw_figures
from bench.reporting.figures.tradeoff import accuracy_against_cost
from bench.reporting.staleness import IN_FIGURES, Staleness
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
    done = [trial for trial in trials if trial.kind == "training" and trial.weighting == MEDIAN]
    return {trial.model: f"{trial.id}-{trial.digest}" for trial in done}


@pytest.fixture(scope="module")
def panels(panels_dir: Path, trials: list[Trial], median_trials: dict[str, str]) -> list[Panel]:
    return read_panels(panels_dir / trials[0].suite / trials[0].profile, median_trials.values(), 11)


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


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_marks_of_boundary_errors_differ_for_every_colour_vision(vision: str) -> None:
    marks = [seen(colour, COLOUR_VISION[vision]) for colour in (FALSE, MISSED, BOTH)]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(marks, 2)) > 25


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
    for suffix in ("png", "svg", "pdf"):
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("first", "second"))
        assert first == second
    assert "<dc:date>" not in (tmp_path / "first.svg").read_text()
    names = [f"{name}.{suffix}" for name in ("first", "second") for suffix in ("pdf", "png", "svg")]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


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


def test_a_legend_of_several_seeds_and_single_runs_stays_in_the_figure(results: pd.DataFrame) -> None:
    training = results[(results["kind"] == "training") & (results["weighting"] == MEDIAN)]
    again = training[training["model"] != "fcn_basic"]
    made = [again.assign(trial=again["trial"] + n, digest=again["digest"] + n, seed=int(n)) for n in ("1", "2")]
    mixed = pd.concat([results, *made], ignore_index=True)
    for figure in (
        training_curves(mixed, MEDIAN, NOTICE, MARKED),
        accuracy_against_cost(mixed, MEDIAN, "T1", NOTICE, MARKED),
        class_bars(mixed, MEDIAN, NOTICE, MARKED),
    ):
        assert figure is not None
        figure.draw_without_rendering()
        assert figure.get_tightbbox().x1 <= figure.get_size_inches()[0]
        (said,) = [text for text in legend_of(figure) if "seeds" in text.replace("\n", " ")]
        assert said.replace("\n", " ").endswith(": mean ± standard deviation of 3 seeds; without: single run")


def test_no_notice_at_the_papers_scale(results: pd.DataFrame) -> None:
    figure = class_bars(results, MEDIAN)
    assert figure is not None
    assert not figure.texts


def test_notice_is_broken_into_lines() -> None:
    assert wrap_notice("one two three", 1.0) == "one two three"
    assert wrap_notice("one two three four", 1.0) == "one two three\nfour"


def seeds_of(one: pd.DataFrame, lifts: tuple[float, ...]) -> pd.DataFrame:
    """The rows of one training under several seeds, each with all values lifted by as much."""
    made = [one.assign(trial=f"seed {n}", digest=f"{n:016x}", seed=n) for n in range(len(lifts))]
    return pd.concat(
        [rows.assign(value=rows["value"] + lift) for rows, lift in zip(made, lifts, strict=True)], ignore_index=True
    )


@pytest.fixture
def one_training(results: pd.DataFrame) -> pd.DataFrame:
    return results[(results["model"] == "segnet_basic") & (results["weighting"] == MEDIAN)]


def legend_of(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_curves_show_the_mean_of_seeds_and_ring_the_reported_checkpoints(one_training: pd.DataFrame) -> None:
    figure = training_curves(seeds_of(one_training, (0.0, 0.1)), MEDIAN)
    assert figure is not None
    axes = figure.axes[1]
    scored = (one_training["record"] == "score") & (one_training["split"] == "val")
    g = one_training[scored & (one_training["metric"] == "global_accuracy")].sort_values("iteration")
    mean = next(line for line in axes.lines if line.get_linewidth() == 1.2)
    np.testing.assert_allclose(mean.get_ydata(), g["value"] + 0.05)
    ring = axes.lines[-1]
    selected = one_training["selected_iteration"].iloc[0]
    value = g.loc[g["iteration"] == selected, "value"].item()
    np.testing.assert_allclose(ring.get_xdata(), [selected, selected])
    np.testing.assert_allclose(ring.get_ydata(), [value, value + 0.1])


@pytest.mark.parametrize(
    ("lifts", "low", "high", "said"),
    [
        ((0.0, 0.1), 0.0, 0.1, "Band: least to greatest of 2 seeds"),
        ((0.0, 0.1, 0.2), 0.0, 0.2, "Band: mean ± standard deviation of 3\nseeds"),  # mean 0.1, deviation 0.1
    ],
)
def test_a_band_spans_the_seeds_and_says_how(
    one_training: pd.DataFrame, lifts: tuple[float, ...], low: float, high: float, said: str
) -> None:
    figure = training_curves(seeds_of(one_training, lifts), MEDIAN)
    assert figure is not None
    (band,) = [found for found in figure.axes[1].collections if isinstance(found, PolyCollection)]
    g = one_training[(one_training["split"] == "val") & (one_training["metric"] == "global_accuracy")]
    last = g["iteration"].max()
    at_last = {y for x, y in band.get_paths()[0].vertices if x == last}
    value = g.loc[g["iteration"] == last, "value"].item()
    assert (min(at_last), max(at_last)) == (pytest.approx(value + low), pytest.approx(value + high))
    assert said in legend_of(figure)


def test_single_runs_have_no_band_and_are_called_so(results: pd.DataFrame) -> None:
    for figure in (
        training_curves(results, MEDIAN),
        class_bars(results, MEDIAN),
        accuracy_against_cost(results, MEDIAN, "T1"),
    ):
        assert figure is not None
        assert "Single runs" in legend_of(figure)
    curves = training_curves(results, MEDIAN)
    assert curves is not None
    assert not any(axes.collections for axes in curves.axes)


def test_a_long_training_is_drawn_with_few_points(results: pd.DataFrame) -> None:
    template = results[(results["record"] == "curve") & (results["metric"] == "loss")].iloc[:1]
    long = pd.concat([template] * 5000, ignore_index=True)
    long["iteration"] = pd.array(range(1, 5001), dtype="Int64")
    figure = training_curves(long, MEDIAN)
    assert figure is not None
    assert max(len(line.get_xdata()) for line in figure.axes[0].lines) == 160


def test_the_paper_is_hollow_and_only_where_units_compare(results: pd.DataFrame) -> None:
    figure = accuracy_against_cost(results, MEDIAN, "T1")
    assert figure is not None
    parameters, relative, memory = (figure.axes[2 * row] for row in range(3))
    assert (1_425_000.0, 0.477) in hollow(parameters)  # paper Table 1, SegNet-Basic
    assert (pytest.approx(24.2 / 52.6), 0.473) in hollow(relative)  # FCN-Basic
    assert hollow(memory) == []
    assert filled(relative, "segnet_basic")[0] == 1.0
    assert filled(relative, "fcn_basic")[0] == pytest.approx(20.2 / 41.5)
    assert relative.get_xlabel() == "Forward time as a multiple of SegNet-Basic's (ours 41.5 ms)"


def test_without_its_reference_time_is_in_milliseconds(results: pd.DataFrame) -> None:
    figure = accuracy_against_cost(results[results["model"] != "segnet_basic"], MEDIAN, "T1")
    assert figure is not None
    milliseconds = figure.axes[2]
    assert milliseconds.get_xlabel() == "Forward time, ours only (ms)"
    assert filled(milliseconds, "fcn_basic")[0] == 20.2
    assert hollow(milliseconds) == []


def test_a_whisker_spans_the_scores_of_seeds(results: pd.DataFrame) -> None:
    one = results[(results["model"] == "segnet_basic") & (results["weighting"] == MEDIAN)]
    cost = results[(results["model"] == "segnet_basic") & (results["kind"] == "cost")]
    figure = accuracy_against_cost(pd.concat([cost, seeds_of(one, (0.0, 0.2))], ignore_index=True), MEDIAN, None)
    assert figure is not None
    axes = figure.axes[0]
    (whisker,) = [found for found in axes.collections if isinstance(found, LineCollection) and found.get_segments()]
    (((x, low), (_, high)),) = whisker.get_segments()
    assert filled(axes, "segnet_basic") == (x, pytest.approx((low + high) / 2))
    assert high - low == pytest.approx(0.2)


def test_without_costs_there_is_no_trade_off(results: pd.DataFrame) -> None:
    assert accuracy_against_cost(results[results["kind"] == "training"], MEDIAN, "T1") is None


def test_without_a_table_only_ours_is_drawn(results: pd.DataFrame) -> None:
    figure = accuracy_against_cost(results, MEDIAN, None)
    assert figure is not None
    assert not any(hollow(axes) for axes in figure.axes)
    assert "Ours" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_weighting_that_the_table_does_not_print_has_no_entry_of_the_paper(results: pd.DataFrame) -> None:
    weighting = "median_frequency_official"
    rows = results[results["weighting"].isin([MEDIAN]) | (results["kind"] == "cost")]
    renamed = rows.assign(weighting=rows["weighting"].where(rows["kind"] == "cost", weighting))
    figure = accuracy_against_cost(renamed, weighting, "T1")
    assert figure is not None
    assert not any(hollow(axes) for axes in figure.axes)
    assert "Paper (hollow)" not in legend_of(figure)


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
    (tmp_path / "taken.svg").mkdir()
    figure: Figure = new_figure(1.0, "")
    figure.subplots()
    with pytest.raises(ResultsError, match=r"taken\.svg' cannot be written"):
        save_figure(figure, tmp_path, "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.svg"]


def test_seeds_are_averaged_in_bars_with_a_whisker(results: pd.DataFrame) -> None:
    one = results[(results["model"] == "fcn_basic") & (results["weighting"] == MEDIAN)]
    two = one.assign(trial="other", digest="f" * 16, seed=1, value=one["value"] / 2)
    figure = class_bars(pd.concat([one, two], ignore_index=True), MEDIAN)
    assert figure is not None
    (axes,) = figure.axes
    road = one[(one["metric"] == "iou") & (one["class_name"] == "Road")]["value"].item()
    assert axes.containers[0][0].get_width() == pytest.approx(0.75 * road)
    (whiskers,) = [found for found in axes.collections if isinstance(found, LineCollection)]
    np.testing.assert_allclose(whiskers.get_segments()[0][:, 0], [0.5 * road, road])
    assert "Whisker: least to greatest of 2 seeds" in legend_of(figure)


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


def test_a_weighting_that_the_table_does_not_print_has_no_difference_map(results: pd.DataFrame) -> None:
    official = results.assign(weighting=results["weighting"].replace("median_frequency", "median_frequency_official"))
    assert difference_map(official, "median_frequency_official", "T1") is None


def texts(figure: Figure) -> list[str]:
    """Every word on a figure."""
    found = [text.get_text() for text in figure.texts]
    found += [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        found += [label.get_text() for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
        found.append(axes.get_title(loc="left"))
        found += [text.get_text().replace("-\n", "-") for text in axes.texts]
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


def test_every_figure_shows_the_mark_and_says_what_it_means(half_stale: FigureSource, panels: list[Panel]) -> None:
    titles = half_stale.titles(MEDIAN)
    notice = half_stale.notice_for(titles)
    trials = {"segnet_basic": "a", "fcn_basic": "b"}
    figures = [
        difference_map(half_stale.results, MEDIAN, "T1", notice, titles),
        training_curves(half_stale.results, MEDIAN, notice, titles),
        accuracy_against_cost(half_stale.results, MEDIAN, "T1", notice, titles),
        class_bars(half_stale.results, MEDIAN, notice, titles),
        qualitative_grid(panels, trials, PALETTE, CLASSES, notice, titles),
    ]
    for figure in figures:
        assert figure is not None
        words = texts(figure)
        assert sum("FCN-Basic †" in word for word in words) == 1
        assert "SegNet-Basic" in words
        assert any(IN_FIGURES in word.replace("\n", " ") for word in words)


def test_the_caption_says_what_the_mark_means_where_a_picture_has_it(
    half_stale: FigureSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.reporting.figures.drawing.save_figure", lambda *args: [])
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
    results: pd.DataFrame, weightings: list[str], said: str | None
) -> None:
    stale = Staleness(frozenset(results.loc[results["weighting"].isin(weightings), "digest"]), "lr")
    group = frequency_draft(FigureSource(results, "T1", "", None, stale)).group
    assert group.caption.endswith(f"count more. {said}measured before settings or source changed." if said else "more.")


def test_the_legends_of_bars_and_weights_lie_beside_each_other(results: pd.DataFrame) -> None:
    """The name of one weighting is long."""
    official = results[results["record"] == "class_weight"].assign(weighting="median_frequency_official")
    figure = class_frequencies(pd.concat([results, official]), NOTICE)
    assert figure is not None
    figure.draw_without_rendering()
    bars, dots = (legend.get_window_extent() for legend in figure.legends)
    assert bars.x1 <= dots.x0
    assert dots.x1 <= figure.bbox.x1
