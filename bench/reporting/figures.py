"""Every figure of a report: which ones there are, what their captions say, and drawing them into a folder.

To add a figure, write a function of the results that returns a matplotlib Figure (or None where the results
cannot fill it) in a file named for its concept, and add a group here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.data import dataset_of
from bench.errors import one_line
from bench.replication.conditions import MARK as DISTURBED
from bench.replication.conditions import disturbances
from bench.replication.scores import scores
from bench.reporting.budgets import budget_curves
from bench.reporting.classes import class_bars, class_frequencies
from bench.reporting.curves import training_curves
from bench.reporting.differences import difference_map
from bench.reporting.panels import panel_images, qualitative_grid
from bench.reporting.staleness import FRESH, IN_FIGURES, Staleness
from bench.reporting.staleness import MARK as STALE
from bench.reporting.style import RC, paper_order, save_figure
from bench.reporting.tradeoff import accuracy_against_cost
from bench.results.changes import json_object
from bench.study.catalog import WEIGHTING_TITLES, refined
from bench.study.trials import Trial


@dataclass(frozen=True)
class Picture:
    """One picture of the report, stored as name.png and name.svg."""

    name: str
    heading: str  # what tells it from the others of its group; may be empty
    alt: str
    upright: str = ""  # name of the same picture for small screens
    stale: bool = False  # a name in it is marked


@dataclass(frozen=True)
class FigureGroup:
    """The pictures that answer one question, and their common caption."""

    key: str
    title: str
    caption: str
    pictures: tuple[Picture, ...]  # empty where the results cannot fill them
    missing: str  # what to say then
    wide: bool = False  # takes the whole width of the page


@dataclass(frozen=True)
class FigureSource:
    """What the figures are drawn from.

    Attributes:
        results: rows of one suite and profile in the stored columns, one configuration of each trial.
        table: key of the paper's table; None where there is none.
        notice: says what scale the run has; empty at the paper's scale.
        panels_dir: folder with one folder of panels per image; None or a missing folder means no grid.
        stale: which of the results are to be marked as stale.
        planned: the trials of the suite, which decide what figures it can have.
    """

    results: pd.DataFrame
    table: str | None
    notice: str
    panels_dir: Path | None
    stale: Staleness = FRESH
    planned: Sequence[Trial] = ()

    @property
    def trains(self) -> bool:
        """Whether the suite trains at all."""
        return any(trial.kind == "training" for trial in self.planned)

    @property
    def measures(self) -> bool:
        """Whether the suite measures what its models cost."""
        return any(trial.kind == "cost" for trial in self.planned)

    @property
    def budgets(self) -> dict[str, int]:
        """The fixed points of the trainings at which the test images are scored as well, by name; {} without."""
        return next((trial.budgets for trial in self.planned if trial.budgets), {})

    @property
    def trainings(self) -> pd.DataFrame:
        """One row per finished training: trial, digest, dataset, model, weighting, seed, config."""
        done = (self.results["kind"] == "training") & (self.results["status"] == "done")
        columns = ["trial", "digest", "dataset", "model", "weighting", "seed", "config"]
        return self.results.loc[done, columns].drop_duplicates("trial").sort_values(["seed", "trial"])

    @property
    def weightings(self) -> list[str]:
        """The loss weightings that have a finished training."""
        return [w for w in WEIGHTING_TITLES if w in set(self.trainings["weighting"])]

    def titles(self, weighting: str, costs: bool = False) -> dict[str, str]:
        """The names of the models, marked where their training with a weighting, or their cost, is stale.

        With costs, those are marked too whose time was disturbed.
        """
        drawn = (self.results["weighting"] == weighting) | (costs & (self.results["kind"] == "cost"))
        titles = self.stale.titles(self.results[drawn])
        disturbed = {digest for digest, _ in disturbances(self.results)} if costs else set()
        models = set(self.results.loc[self.results["digest"].isin(disturbed), "model"])
        return {model: f"{title} {DISTURBED}" if model in models else title for model, title in titles.items()}

    def notice_for(self, titles: Mapping[str, str]) -> str:
        """The notice of a figure with these names in it, which explains their marks."""
        marks = {STALE: IN_FIGURES, DISTURBED: f"{DISTURBED} Something disturbed the measurement of its time."}
        meanings = [meaning for mark, meaning in marks.items() if _marked(titles, mark)]
        return " ".join([self.notice, *meanings]).strip()


def draw_figures(source: FigureSource, folder: Path) -> list[FigureGroup]:
    """Draws every figure that the results can fill into `folder`, as PNG and SVG.

    Returns:
        The groups in the order of the report; one without pictures says why.

    Raises:
        ResultsError: a panel cannot be drawn.
    """
    with mpl.rc_context(RC):
        return [_explained(draw(source, folder)) for draw in _groups(source)]


def _groups(source: FigureSource) -> list[Callable[[FigureSource, Path], FigureGroup]]:
    """Returns what draws the figures that a suite can have, in the order of the report."""
    wanted = {
        _differences: source.trains and source.table is not None,
        _budgets: bool(source.budgets),
        _curves: source.trains,
        _tradeoff: source.trains and source.measures,
        _frequencies: source.trains,
        _class_bars: source.trains,
        _panels: source.trains,
    }
    return [draw for draw, can_be in wanted.items() if can_be]


def _explained(group: FigureGroup) -> FigureGroup:
    """Returns a group whose caption says what the mark means, where a picture has it."""
    marked = any(picture.stale for picture in group.pictures)
    return replace(group, caption=f"{group.caption} {IN_FIGURES}") if marked else group


def _differences(source: FigureSource, folder: Path) -> FigureGroup:
    return FigureGroup(
        key="differences",
        title="Differences at a glance",
        caption="Ours minus the paper's, in percentage points: orange is below the paper, blue above it.",
        pictures=_by_weighting(
            source,
            folder,
            "differences",
            lambda weighting, notice, titles: difference_map(source.results, weighting, source.table, notice, titles),
            "Map of models against scores, each cell the difference in percentage points; the table holds them all.",
        ),
        missing="No training has finished.",
    )


def _budgets(source: FigureSource, folder: Path) -> FigureGroup:
    theirs = ""
    if source.table:
        number = source.table.removeprefix("T")
        theirs = (
            f" Right: the paper's Table {number}, dashed and hollow; its last point may lie anywhere up to the longest "
            "training, where it is drawn."
        )
    return FigureGroup(
        key="budgets",
        title="Scores over the length of the training",
        caption=(
            "Test scores at the fixed points of one training and, last, at the reported checkpoint: the best "
            f"validation point after them. Left: ours, filled; dotted are the budgets.{theirs}"
            + " A dense CRF refines the reported checkpoint alone and has one point."
            * any(trial.refinement for trial in source.planned)
        ),
        pictures=_by_weighting(
            source,
            folder,
            "budgets",
            lambda weighting, notice, titles: budget_curves(
                source.results, weighting, source.table, source.budgets, notice, titles
            ),
            "Line charts of test G, C, mIoU and BF of every model over the iterations, ours beside the paper's.",
        ),
        missing="No training has finished.",
    )


def _curves(source: FigureSource, folder: Path) -> FigureGroup:
    return FigureGroup(
        key="training-curves",
        title="Training curves",
        caption=(
            "Loss of the mini-batches (faint, first seed) and its running mean over 1/30 of the training (strong), "
            "then G, C and mIoU on the validation images. Strong lines are means over seeds, thin ones single "
            "seeds. Ringed markers are the checkpoints that the tables report."
            + (
                " The loss weightings share their axes; their losses are weighted differently and do not compare."
                if len(source.weightings) > 1
                else ""
            )
            + (" Dotted: the budgets." if source.budgets else "")
        ),
        pictures=_by_weighting(
            source,
            folder,
            "training-curves",
            lambda weighting, notice, titles: training_curves(
                source.results, weighting, notice, titles, tuple(source.budgets.values())
            ),
            "Line charts over the iterations: training loss, then validation G, C and mIoU of every model.",
        ),
        missing="No training has finished.",
    )


def _tradeoff(source: FigureSource, folder: Path) -> FigureGroup:
    return FigureGroup(
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
        pictures=_by_weighting(
            source,
            folder,
            "accuracy-against-cost",
            lambda weighting, notice, titles: accuracy_against_cost(
                source.results, weighting, source.table, notice, titles
            ),
            "Scatter plots of test mIoU and boundary F1 over parameters, forward time and inference memory.",
            costs=True,
        ),
        missing="No model has both a finished cost trial and a finished training.",
    )


def _frequencies(source: FigureSource, folder: Path) -> FigureGroup:
    frequencies = source.results[source.results["record"] == "class_frequency"]
    train = frequencies[frequencies["split"] == "train"].drop_duplicates("class_name").sort_values("value")
    alt = "Bar chart of the frequency of every class in train, val and test, and of its loss weight."
    if len(train):
        rare, common = train.iloc[0], train.iloc[-1]
        alt += f" Most frequent: {common['class_name']}, {common['value']:.1%}; "
        alt += f"rarest: {rare['class_name']}, {rare['value']:.2%}."
    picture = Picture("class-frequencies", "", alt)
    weights = source.results[source.results["record"] == "class_weight"]
    drawn = [frequencies.drop_duplicates("split"), weights.drop_duplicates("weighting")]
    sentence = source.stale.sentence(set(pd.concat(drawn)["digest"]))
    notice = f"{source.notice} {sentence}".strip()
    return FigureGroup(
        key="class-frequencies",
        title="Class frequencies and loss weights",
        caption=(
            "Left: a class's pixels over all pixels, void included, of the images that contain it, on a logarithmic "
            "axis. Right: what a pixel of the class weighs in the loss. Median frequency balancing weighs a class by "
            f"the median of the training frequencies over its own, so that rare classes count more. {sentence}"
        ).strip(),
        pictures=_saved(folder, picture, class_frequencies(source.results, notice)),
        missing="No training has stored class frequencies.",
    )


def _class_bars(source: FigureSource, folder: Path) -> FigureGroup:
    return FigureGroup(
        key="per-class",
        title="Per class",
        caption=(
            "IoU and accuracy, the share of the class's pixels that are found, on the test images, in bars and dots; "
            "where there are many classes, IoU in a map of numbers. Classes run from the most to the least frequent in "
            "training. An accuracy far above the IoU means that the class is also predicted where it is not."
        ),
        pictures=_by_weighting(
            source,
            folder,
            "per-class",
            lambda weighting, notice, titles: class_bars(source.results, weighting, notice, titles),
            "Bar chart of the test IoU and accuracy of every class and model.",
        ),
        missing="No training has finished.",
    )


def _panels(source: FigureSource, folder: Path) -> FigureGroup:
    pictures: list[Picture] = []
    images = panel_images(source.panels_dir) if source.panels_dir else []
    for weighting in source.weightings if images else ():
        chosen = source.trainings[source.trainings["weighting"] == weighting].drop_duplicates("model")
        trial_of = dict(zip(chosen["model"], chosen["trial"] + "-" + chosen["digest"], strict=True))
        trial_of |= _refined_panels(source.results, chosen)
        trials = {model: trial_of[model] for model in paper_order(list(trial_of))}
        options = (json_object(chosen["config"].iloc[0]) or {}).get("dataset_options", {})
        dataset = dataset_of(chosen["dataset"].iloc[0], options)
        titles = source.titles(weighting)
        names = ", ".join(one_line(image.name, 100) for image in images)
        alt = f"Grid of test images ({names}): the image, its ground truth and the prediction of {len(trials)} models."
        name = f"predictions-{weighting}"
        stale = _marked(titles, STALE)
        picture = Picture(name, WEIGHTING_TITLES[weighting], alt, upright=f"{name}-upright", stale=stale)
        for upright in (False, True):
            figure = qualitative_grid(
                images, trials, dataset.palette, dataset.class_names, source.notice_for(titles), upright, titles
            )
            save_figure(figure, folder, picture.upright if upright else name)
        pictures.append(picture)
    return FigureGroup(
        key="predictions",
        title="Predictions",
        caption=(
            "Test images, their ground truth and what every model predicts at the reported checkpoint (first seed), "
            "in the data set's colours; black is void, which is neither trained nor scored. Pixels are enlarged "
            "without smoothing. Chosen before training, not by result."
        ),
        pictures=tuple(pictures),
        missing="No panels were stored with these results.",
        wide=True,
    )


def _refined_panels(results: pd.DataFrame, chosen: pd.DataFrame) -> dict[str, str]:
    """Returns what the panels of refined predictions are called, by row; they lie beside the network's own."""
    scored = results[(results["record"] == "score") & results["refinement"].notna()]
    made = dict(zip(scored["digest"], scored["refinement"], strict=True))
    return {
        refined(model, made[digest]): f"{trial}-{digest}-{made[digest]}"
        for model, trial, digest in chosen[["model", "trial", "digest"]].itertuples(index=False)
        if digest in made
    }


def _by_weighting(
    source: FigureSource,
    folder: Path,
    key: str,
    draw: Callable[[str, str, dict[str, str]], Figure | None],
    what: str,
    costs: bool = False,
) -> tuple[Picture, ...]:
    """Draws and saves one picture per loss weighting; `draw` takes it, the notice and the names of the models."""
    pictures: tuple[Picture, ...] = ()
    for weighting in source.weightings:
        titles = source.titles(weighting, costs)
        best = _best_and_worst(source.results, weighting, titles)
        alt = f"{what} Trained with {WEIGHTING_TITLES[weighting]}. {best}"
        stale = _marked(titles, STALE)
        picture = Picture(f"{key}-{weighting}", WEIGHTING_TITLES[weighting], alt.strip(), stale=stale)
        pictures += _saved(folder, picture, draw(weighting, source.notice_for(titles), titles))
    return pictures


def _marked(titles: Mapping[str, str], mark: str) -> bool:
    return any(mark in title for title in titles.values())


def _saved(folder: Path, picture: Picture, figure: Figure | None) -> tuple[Picture, ...]:
    if figure is None:
        return ()
    save_figure(figure, folder, picture.name)
    return (picture,)


def _best_and_worst(results: pd.DataFrame, weighting: str, titles: Mapping[str, str]) -> str:
    """Returns a sentence for those who cannot see the figure."""
    rows = scores(results)
    rows = rows[(rows["weighting"] == weighting) & (rows["split"] == "test") & (rows["metric"] == "mean_iou")]
    rows = rows[np.isfinite(rows["value"].astype("float64"))].sort_values("value")
    if len(rows) < 2:
        return ""
    (low, low_value), (high, high_value) = ((rows["model"].iloc[i], rows["value"].iloc[i]) for i in (0, -1))
    return f"Highest test mIoU: {titles[high]}, {high_value:.1%}; lowest: {titles[low]}, {low_value:.1%}."
