"""Figures and pages of suites that are not Table 1: budgets, many classes, costs alone, no table."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.figure import Figure

from bench.replication.scores import budget_scores, class_scores
from bench.reporting.figures.budgets import budget_curves
from bench.reporting.figures.classes import class_bars, class_frequencies
from bench.reporting.figures.curves import training_curves
from bench.reporting.figures.differences import difference_map
from bench.reporting.figures.panels import predictions_shown
from bench.reporting.figures.source import FigureSource
from bench.reporting.figures.style import MODEL_STYLES, RC
from bench.reporting.figures.suite_figures import draw_figures
from bench.reporting.pages.report_source import ReportSource
from bench.reporting.pages.suite_page import left_to_do, write_report
from bench.reporting.provenance.overview import TrialState
from bench.reporting.staleness import Staleness
from bench.results.schema import COLUMNS
from bench.study.catalog import ROW_TITLES
from bench.study.config import Study
from bench.study.trials import Trial, plan

Build = Callable[..., pd.DataFrame]
NATURAL = "natural_frequency"
NOTICE = "NOT AT THE PAPER'S SCALE: profile smoke trained on 96 images."
CRF = "deeplab_largefov_dense_crf"


@pytest.fixture(autouse=True)
def _report_style() -> object:
    with mpl.rc_context(RC):
        yield


@pytest.fixture(scope="module")
def road_trials(study: Study) -> list[Trial]:
    return plan(study, "road-scenes", "smoke")


@pytest.fixture(scope="module")
def roads(road_trials: list[Trial], build_results: Build) -> pd.DataFrame:
    return build_results(road_trials)


@pytest.fixture(scope="module")
def indoors(study: Study, build_results: Build) -> pd.DataFrame:
    return build_results(plan(study, "indoor-scenes", "smoke"))


def test_what_ended_badly_is_retried_and_not_run(road_trials: list[Trial]) -> None:
    missing, bad = (TrialState(road_trials[0], status, "", "", "") for status in ("missing", "diverged"))
    run, retry = ("bench run W", "runs what is left"), ("bench retry W", "tries again what ended badly")
    assert left_to_do([missing, bad], "W") == [run, retry]
    assert left_to_do([missing], "W") == [run]
    assert left_to_do([bad], "W") == [retry]


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the figures, which take most of the time."""
    monkeypatch.setattr("bench.reporting.pages.suite_page.start_figures", lambda *args: lambda: [])


def inside(figure: Figure) -> bool:
    """Whether nothing is drawn outside a figure."""
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    return min(box.x0, box.y0) >= 0 and box.x1 <= width and box.y1 <= height


def points(figure: Figure, panel: int, model: str) -> list[tuple[float, float]]:
    style = MODEL_STYLES[model]
    (line,) = [
        line
        for line in figure.axes[panel].lines
        if (line.get_color(), line.get_marker()) == (style.colour, style.marker)
    ]
    return list(zip(map(float, line.get_xdata()), map(float, line.get_ydata()), strict=True))


def test_budgets_stand_at_our_iterations_and_the_papers_at_its_own(roads: pd.DataFrame, study: Study) -> None:
    budgets = study.suites["road-scenes"].runs["smoke"].budgets
    figure = budget_curves(roads, NATURAL, "T3", budgets, NOTICE)
    assert figure is not None
    ours = points(figure, 0, "segnet")
    selected = roads.loc[(roads["model"] == "segnet") & (roads["kind"] == "training"), "selected_iteration"].iloc[0]
    assert [x for x, _ in ours] == [*budgets.values(), selected]
    early = budget_scores(roads).query("model == 'segnet' and budget == '40K' and metric == 'global_accuracy'")
    assert ours[0][1] == early["value"].item()
    assert points(figure, 1, "segnet") == [(40.0, 0.8881), (80.0, 0.8968), (140.0, 0.904)]
    assert points(figure, 1, "deconvnet")[-1] == (260.0, 0.8958)
    assert len(points(figure, 0, CRF)) == len(points(figure, 1, CRF)) == 1
    assert inside(figure)


def test_without_a_table_the_budgets_are_ours_alone(roads: pd.DataFrame, study: Study) -> None:
    budgets = study.suites["road-scenes"].runs["smoke"].budgets
    figure = budget_curves(roads, NATURAL, None, budgets)
    assert figure is not None
    assert len(figure.axes) == 4
    assert budget_curves(roads, "median_frequency", "T3", budgets) is None


def test_many_classes_are_a_map_that_holds_every_iou(indoors: pd.DataFrame) -> None:
    figure = class_bars(indoors, NATURAL, NOTICE)
    assert figure is not None
    (axes,) = figure.axes
    shown = [text.get_text() for text in axes.texts]
    models = [label.get_text() for label in axes.get_xticklabels()]
    classes = [label.get_text() for label in axes.get_yticklabels()]
    assert (len(classes), len(shown)) == (37, 37 * len(models))
    assert "DeepLab-LargeFOV-denseCRF" in models
    found = class_scores(indoors).query(
        "model == 'deconvnet' and class_name == @classes[5] and metric == 'iou' and split == 'test'"
    )["value"]
    assert shown[5 * len(models) + models.index("DeconvNet")] == f"{100 * found.item():.1f}"
    assert inside(figure)


def test_no_text_leaves_the_figures_of_deep_networks(roads: pd.DataFrame, indoors: pd.DataFrame, study: Study) -> None:
    titles = {row: f"{title} †" for row, title in ROW_TITLES.items()}  # the longest
    budgets = study.suites["road-scenes"].runs["smoke"].budgets
    figures = [
        training_curves(roads, NATURAL, NOTICE, titles, tuple(budgets.values())),
        budget_curves(roads, NATURAL, "T3", budgets, NOTICE, titles),
        difference_map(roads, NATURAL, "T3", NOTICE, titles),
        class_bars(roads, NATURAL, NOTICE, titles),
        class_bars(indoors, NATURAL, NOTICE, titles),
        class_frequencies(indoors, NOTICE),
    ]
    for number, figure in enumerate(figures):
        assert figure is not None
        assert inside(figure), number


def test_a_refined_row_is_stale_with_its_training(roads: pd.DataFrame, road_trials: list[Trial]) -> None:
    old = next(trial for trial in road_trials if trial.refinement)
    source = FigureSource(roads, "T3", "", None, Staleness(frozenset([old.digest]), "lr"), road_trials)
    marked = {row for row, title in source.titles(NATURAL).items() if title.endswith("†")}
    assert marked == {"deeplab_largefov", CRF}


def test_a_suite_has_only_figures_that_it_can_fill(tmp_path: Path, study: Study) -> None:
    def keys(suite: str, table: str | None) -> list[str]:
        trials = plan(study, suite, "smoke")
        nothing = pd.DataFrame({name: [] for name in ("kind", "status", "record", "split", "value", "refinement")})
        empty = nothing.reindex(columns=[column.name for column in COLUMNS])
        return [group.key for group in draw_figures(FigureSource(empty, table, "", None, planned=trials), tmp_path)]

    assert keys("cost", "T6") == []
    assert "accuracy-against-cost" not in keys("road-scenes", "T3")
    assert "budgets" in keys("road-scenes", "T3")
    upsampling = keys("upsampling", None)
    assert {"differences", "budgets"}.isdisjoint(upsampling)
    assert "accuracy-against-cost" in upsampling


def test_the_refined_predictions_are_shown(study: Study, build_results: Build) -> None:
    trials = plan(study, "road-scenes", "smoke", models=["deeplab_largefov"])
    name = f"{trials[0].id}-{trials[0].digest}"
    shown = predictions_shown(FigureSource(build_results(trials), None, "", None, planned=trials), NATURAL)
    assert shown == {"deeplab_largefov": name, CRF: f"{name}-dense_crf"}


def page_of(folder: Path, study: Study, suite: str, results: pd.DataFrame) -> tuple[Path, str]:
    page = write_report(ReportSource(results, study), folder, suite=suite, profile="smoke")
    text = re.sub(r"<(style|script).*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return page.parent, " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_the_page_of_costs_speaks_of_no_training(tmp_path: Path, study: Study, build_results: Build) -> None:
    folder, text = page_of(tmp_path, study, "cost", build_results(plan(study, "cost", "smoke")))
    assert {path.name for path in folder.iterdir()} == {
        "index.html", "report.md", "table6.md", "table6.csv", "table6.tex",
    }  # fmt: skip
    for word in ("Training curves", "No training", "Boundary F1", "SGD", "iterations of", "Seeds"):
        assert word not in text, word
    assert "What the models cost here" in text
    assert "The paper's Table 6" in text
    assert "37 classes" in text
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    assert "| Model | Parameters (M) |" in markdown
    assert "Boundary F1" not in markdown


def test_the_page_of_road_scenes_has_both_tables_with_their_files(
    tmp_path: Path, study: Study, roads: pd.DataFrame, no_pictures: None
) -> None:
    folder, text = page_of(tmp_path, study, "road-scenes", roads)
    files = {f"table{number}.{suffix}" for number in (2, 3) for suffix in ("md", "csv", "tex")}
    assert files <= {path.name for path in folder.iterdir()}
    assert text.count("The paper's Table 3") == 1
    assert "Tables 3 and 2" in text
    for file in files - {"table2.csv", "table3.csv"}:
        content = (folder / file).read_text(encoding="utf-8")
        assert "NOT AT THE PAPER'S SCALE" in content
        assert "He's initialisation" in content


def test_a_suite_without_a_table_says_nothing_of_it_but_how_it_started(
    tmp_path: Path, study: Study, build_results: Build, no_pictures: None
) -> None:
    results = build_results(plan(study, "related", "smoke", models=["segnet", "u_net"]))
    folder, text = page_of(tmp_path, study, "related", results)
    assert "Paper, ours and the difference" not in text
    assert not list(folder.glob("table*"))
    assert "the encoders start from He's initialisation" in text
    assert "Profile paper trains on 367 images of CamVid" in text


def test_an_optional_weighting_is_in_the_report_where_it_was_run(
    tmp_path: Path, study: Study, build_results: Build, no_pictures: None
) -> None:
    usual = plan(study, "indoor-scenes", "smoke", models=["segnet"])
    also = plan(study, "indoor-scenes", "smoke", models=["segnet"], weightings=["median_frequency"])
    planned = len(plan(study, "indoor-scenes", "smoke"))
    _, text = page_of(tmp_path / "1", study, "indoor-scenes", build_results(usual))
    assert f"1 of {planned} done" in text
    assert "SegNet, median frequency balancing" not in text
    _, text = page_of(tmp_path / "2", study, "indoor-scenes", build_results([*usual, *also]))
    assert f"2 of {planned + 1} done" in text
    assert "SegNet, median frequency balancing" in text
