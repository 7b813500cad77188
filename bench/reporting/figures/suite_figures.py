"""Every figure of a report: which ones there are, what their captions say, and drawing them into a folder.

To add a figure, write a function of the results that returns a matplotlib Figure (or None where the results
cannot fill it) in a file named for its concept, and draft its group here, or beside the others of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.errors import one_line
from bench.reporting.figures.budgets import budget_curves
from bench.reporting.figures.class_drafts import class_bars_draft, confusion_draft, frequency_draft
from bench.reporting.figures.curves import training_curves
from bench.reporting.figures.differences import difference_map
from bench.reporting.figures.drafts import NOT_FINISHED, Draft, by_weighting
from bench.reporting.figures.drawing import Draw, Drawing
from bench.reporting.figures.groups import FigureGroup, Picture
from bench.reporting.figures.panel_grid import qualitative_grid
from bench.reporting.figures.panels import predictions_shown, read_panels
from bench.reporting.figures.source import FigureSource, marked
from bench.reporting.figures.tradeoff import accuracy_against_cost
from bench.reporting.staleness import IN_FIGURES
from bench.study.catalog import WEIGHTING_TITLES


def draw_figures(source: FigureSource, folder: Path) -> list[FigureGroup]:
    """Draws every figure that the results can fill into `folder`, as SVG, PNG and PDF.

    Figures are left as they are whose inputs have not changed (see drawing.py).

    Returns:
        The groups in the order of the report; one without pictures says why.

    Raises:
        ResultsError: a panel or a confusion matrix cannot be read, or a figure cannot be written.
    """
    return start_figures(source, folder)()


def start_figures(source: FigureSource, folder: Path) -> Callable[[], list[FigureGroup]]:
    """Begins to draw, as `draw_figures`; returns what waits for the figures and returns their groups.

    Raises:
        ResultsError: as `draw_figures`, here or from what is returned.
    """
    drafts = [draft(source) for draft in _drafts(source)]
    drawing = Drawing({name: draw for draft in drafts for name, draw in draft.draws.items()}, folder)

    def wait() -> list[FigureGroup]:
        drawn = drawing.finished()
        return [_finished(draft.group, drawn) for draft in drafts]

    return wait


def _drafts(source: FigureSource) -> list[Callable[[FigureSource], Draft]]:
    """Returns what drafts the groups that a suite can have, in the order of the report."""
    wanted = {
        _differences: source.trains and source.table is not None,
        _budgets: bool(source.budgets),
        _curves: source.trains,
        _tradeoff: source.trains and source.measures,
        frequency_draft: source.trains,
        class_bars_draft: source.trains,
        confusion_draft: source.trains and source.confusion is not None,
        _panels: source.trains,
    }
    return [draft for draft, can_be in wanted.items() if can_be]


def _finished(group: FigureGroup, drawn: set[str]) -> FigureGroup:
    """Returns a group with the pictures that are drawn, whose caption says what the mark means where one has it."""
    pictures = tuple(picture for picture in group.pictures if picture.name in drawn)
    stale = any(picture.stale for picture in pictures)
    return replace(group, pictures=pictures, caption=f"{group.caption} {IN_FIGURES}" if stale else group.caption)


def _differences(source: FigureSource) -> Draft:
    group = FigureGroup(
        key="differences",
        title="Differences at a glance",
        caption="Ours minus the paper's, in percentage points: orange is below the paper, blue above it.",
        pictures=(),
        missing=NOT_FINISHED,
    )
    return by_weighting(
        source,
        group,
        lambda weighting, notice, titles: partial(
            difference_map, source.drawn, weighting, source.table, notice, titles
        ),
        "Map of models against scores, each cell the difference in percentage points; the table holds them all.",
    )


def _budgets(source: FigureSource) -> Draft:
    theirs = ""
    if source.table:
        number = source.table.removeprefix("T")
        theirs = (
            f" Right: the paper's Table {number}, dashed and hollow; its last point may lie anywhere up to the longest "
            "training, where it is drawn."
        )
    group = FigureGroup(
        key="budgets",
        title="Scores over the length of the training",
        caption=(
            "Test scores at the fixed points of one training and, last, at the reported checkpoint: the best "
            f"validation point after them. Left: ours, filled; dotted are the budgets.{theirs}"
            + " A dense CRF refines the reported checkpoint alone and has one point."
            * any(trial.refinement for trial in source.planned)
        ),
        pictures=(),
        missing=NOT_FINISHED,
    )
    return by_weighting(
        source,
        group,
        lambda weighting, notice, titles: partial(
            budget_curves, source.drawn, weighting, source.table, source.budgets, notice, titles
        ),
        "Line charts of test G, C, mIoU and BF of every model over the iterations, ours beside the paper's.",
    )


def _curves(source: FigureSource) -> Draft:
    group = FigureGroup(
        key="training-curves",
        title="Training curves",
        caption=(
            "Loss of the mini-batches (faint, first seed) and its running mean over 1/30 of the training (strong), "
            "then G, C and mIoU on the validation images. Strong lines are means over seeds, and bands have their "
            "spread, as the legend says. Ringed markers are the checkpoints that the tables report."
            + (
                " The loss weightings share their axes; their losses are weighted differently and do not compare."
                if len(source.weightings) > 1
                else ""
            )
            + (" Dotted: the budgets." if source.budgets else "")
        ),
        pictures=(),
        missing=NOT_FINISHED,
    )
    return by_weighting(
        source,
        group,
        lambda weighting, notice, titles: partial(
            training_curves, source.drawn, weighting, notice, titles, tuple(source.budgets.values())
        ),
        "Line charts over the iterations: training loss, then validation G, C and mIoU of every model.",
    )


def _tradeoff(source: FigureSource) -> Draft:
    group = FigureGroup(
        key="accuracy-against-cost",
        title="Accuracy against cost",
        caption=(
            "Test mIoU (left) and BF (right) over what a model costs; up and to the left is better."
            + (
                " Filled: ours. Hollow: the paper, where one axis can hold both. Parameters are the same count "
                "everywhere; the paper's times come from another machine, so they are compared as multiples of "
                "SegNet-Basic's time; its Table 1 prints no memory."
                if source.table
                else ""
            )
        ),
        pictures=(),
        missing="No model has both a finished cost trial and a finished training.",
    )
    return by_weighting(
        source,
        group,
        lambda weighting, notice, titles: partial(
            accuracy_against_cost, source.drawn, weighting, source.table, notice, titles
        ),
        "Scatter plots of test mIoU and boundary F1 over parameters, forward time and inference memory.",
        costs=True,
    )


def _panels(source: FigureSource) -> Draft:
    group = FigureGroup(
        key="predictions",
        title="Predictions",
        caption=(
            "Test images, their ground truth and what every model predicts at the reported checkpoint (first seed), "
            "in the data set's colours; black is void, which is neither trained nor scored. Pixels are enlarged "
            "without smoothing. Chosen before training, not by result."
        ),
        pictures=(),
        missing="No panels were stored with these results.",
        wide=True,
    )
    pictures: list[Picture] = []
    draws: dict[str, Draw] = {}
    for weighting in source.weightings:
        shown = predictions_shown(source, weighting)
        dataset = source.dataset
        panels = read_panels(source.panels_dir, shown.values(), len(dataset.class_names))
        if not panels:
            continue
        titles = source.titles(weighting)
        images = ", ".join(one_line(panel.name, 100) for panel in panels)
        alt = f"Grid of test images ({images}): the image, its ground truth and the prediction of {len(shown)} models."
        name = f"predictions-{weighting}"
        pictures.append(Picture(name, WEIGHTING_TITLES[weighting], alt, stale=marked(titles)))
        draws[name] = partial(
            qualitative_grid, panels, shown, dataset.palette, dataset.class_names, source.notice_for(titles), titles
        )
    return Draft(replace(group, pictures=tuple(pictures)), draws)
