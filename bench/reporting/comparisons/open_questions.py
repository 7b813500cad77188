"""The questions that the paper leaves open, answered from the results of a group of suites.

A question is asked where the group has suites that can answer it: one that trains the same models with several class
weights; two that train on one data set, with and without drives shared between its splits; one that has DeconvNet with
and without its fully connected layer; and any that trains, for the checkpoint that mean IoU would choose. The numbers
are printed with their spread over seeds; nothing is concluded from them here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from bench.replication.scores import costs
from bench.reporting.comparisons.checkpoint_choice import checkpoint_choices, checkpoint_table
from bench.reporting.comparisons.comparison import (
    NOTHING,
    SINGLE_RUN,
    Comparison,
    ComparisonRow,
    Side,
    number_pair,
    runs_of,
    score_comparison,
    score_pairs,
    sureness,
)
from bench.reporting.comparisons.drive_scores import Read, by_drive
from bench.reporting.comparisons.recipe_questions import COMPUTED, OFFICIAL, class_weights
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES

WITH_LAYER, WITHOUT_LAYER = "deconvnet", "deconvnet_no_fc"
COMPARED = ("segnet", WITH_LAYER, WITHOUT_LAYER)  # of a suite that has other networks as well
SIZES = {"parameters": ("Parameters (M)", 1e6, 2), "model_size_mb": ("Model size (MB)", 1.0, 1)}


@dataclass(frozen=True)
class Question:
    """A question and what the results say to it.

    Attributes:
        key: fit for an anchor.
        asks: what is compared, in a few sentences.
        tables: the numbers; empty where nothing is there.
        suites: those whose trainings it takes.
    """

    key: str
    title: str
    asks: str
    tables: tuple[Comparison, ...]
    suites: tuple[SuiteResults, ...]

    @property
    def has_single_runs(self) -> bool:
        """Whether a row of it compares single runs."""
        return any(row.runs.startswith("single") for table in self.tables for row in table.rows)

    @property
    def to_run(self) -> list[str]:
        """What to run for the trainings that have no result, one sentence a suite."""
        return [
            f"{len(suite.missing)} of {len(suite.trainings)} trainings of suite {suite.suite} have no result: "
            f"`bench run --suite {suite.suite} --profile {suite.planned[0].profile}`"
            for suite in self.suites
            if suite.missing
        ]


def open_questions(
    group: Sequence[SuiteResults], others: Sequence[SuiteResults] = (), read: Read | None = None
) -> list[Question]:
    """Returns the questions that the suites of a group can answer, and the answers as far as they are known.

    Args:
        group: its suites, all of one profile.
        others: further suites of the profile, whose costs say how large the models are; one that was trained with
            the authors' class weights and with computed ones answers for these too.
        read: reads the counts of single images, for scores of single drives; None leaves those out.
    """
    questions = [_weightings(suite, others) for suite in group if len(suite.weightings) > 1]
    questions += [_drives(shared, separate, read) for shared, separate in _drive_suites(group)]
    questions += [_layer(suite, [*others, *group]) for suite in group if {WITH_LAYER, WITHOUT_LAYER} <= {*suite.models}]
    trained = tuple(suite for suite in group if suite.trainings)
    return [*questions, *([_checkpoints(trained)] if trained else [])]


def _weightings(suite: SuiteResults, others: Sequence[SuiteResults]) -> Question:
    found = suite.scored()
    tables = [
        score_comparison(
            f"weights-{second}",
            f"Class weights: {WEIGHTING_TITLES[first]} against {WEIGHTING_TITLES[second]}",
            (WEIGHTING_TITLES[first], WEIGHTING_TITLES[second]),
            {MODEL_TITLES[m]: (found.get((m, first), NOTHING), found.get((m, second), NOTHING)) for m in suite.models},
        )
        for first, second in combinations(suite.weightings, 2)
    ]
    tables += [table for other in others if (table := class_weights(other))]
    asks = (
        "Median frequency balancing computes the weights of the classes from the training images. The authors' "
        "released files have eleven fixed weights, which are not quite the computed ones. Does it matter which are "
        "used?"
    )
    if OFFICIAL not in suite.weightings:
        instead = " and ".join(WEIGHTING_TITLES[name] for name in suite.weightings if name != COMPUTED)
        asks += (
            f" The authors' weights are for CamVid only. In suite {suite.suite} {instead} stands in for them here, "
            "which shows that the comparison works and does not answer the question."
        )
    return Question("weights", "Official or computed class weights?", asks, _filled(tables), (suite,))


def _drive_suites(group: Sequence[SuiteResults]) -> list[tuple[SuiteResults, SuiteResults]]:
    """Returns the pairs of suites that train the same on one data set, with and without drives shared by its splits."""
    separate = [suite for suite in group if suite.planned[0].dataset_options.get("drives") == "separate"]
    shared = [suite for suite in group if suite not in separate]
    return [
        (one, other)
        for other in separate
        for one in shared
        if _reader(one) == _reader(other) and _cells(one) & _cells(other)
    ]


def _reader(suite: SuiteResults) -> str:
    trial = suite.planned[0]
    return str(trial.dataset_options.get("reader", trial.dataset))


def _cells(suite: SuiteResults) -> set[tuple[str, str | None]]:
    return {(trial.model, trial.weighting) for trial in suite.trainings}


def _drives(shared: SuiteResults, separate: SuiteResults, read: Read | None) -> Question:
    sides = ("shared drives", "separate drives")
    cells = [(m, w) for w in shared.weightings for m in shared.models if (m, w) in _cells(separate)]
    several = len({weighting for _, weighting in cells}) > 1
    left, right = shared.scored(), separate.scored()
    titles = {cell: MODEL_TITLES[cell[0]] + (f", {WEIGHTING_TITLES[cell[1]]}" if several else "") for cell in cells}
    pairs = {titles[cell]: (left.get(cell, NOTHING), right.get(cell, NOTHING)) for cell in cells}
    of_drives: dict[str, tuple[Side, Side]] = {}
    if read is not None:
        first, second = by_drive(shared, read), by_drive(separate, read)
        of_drives = {
            f"{titles[cell]}: {drive}": (first[cell, drive], second[cell, drive])
            for cell in cells
            for c, drive in first
            if c == cell and (cell, drive) in second
        }
    tables = [
        score_comparison("drives", "All test images: shared against separate drives", sides, pairs),
        score_comparison("single-drives", "The test images of each drive", sides, of_drives, ranked=False),
    ]
    few, many = (suite.planned[0].dataset_options["train"] for suite in (separate, shared))
    size = "as many training images" if few == many else f"{few} training images rather than {many}"
    asks = (
        "In the published split of CamVid, the test images of drive 0001TP come from a drive that is trained on as "
        "well. How much does a test score owe to that? The same models are trained on a split in which each drive is "
        f"in one part alone. That one has {size}, other ones, and other validation images, so a difference is due to "
        "these too. The test images are the same in both."
    )
    return Question(
        "drives", "Drives shared between training and test images?", asks, _filled(tables), (shared, separate)
    )


def _layer(suite: SuiteResults, measured: Sequence[SuiteResults]) -> Question:
    found = suite.scored()
    weighting = suite.weightings[0]
    sizes, of_suite = _sizes(measured, suite.models)
    rows, pairs = [], {}
    for one, other in combinations([model for model in suite.models if model in COMPARED], 2):
        left, right = (found.get((model, weighting), NOTHING) for model in (one, other))
        if left.runs or right.runs:
            size = [
                number_pair(sizes.get((one, metric)), sizes.get((other, metric)), decimals)
                for metric, (_, _, decimals) in SIZES.items()
            ]
            title = f"{MODEL_TITLES[one]} → {MODEL_TITLES[other]}"
            pairs[title] = left, right
            rows.append(ComparisonRow(title, (*score_pairs(left, right), *size), runs_of(left, right)))
    notes = sureness(pairs)
    if of_suite is not None:
        trial = of_suite.planned[0]
        notes.append(
            f"Parameters and model size: suite {of_suite.suite}, networks for the classes of its data set "
            f"({trial.dataset}) and images of {trial.timing_height}×{trial.timing_width}; a layer over the whole map "
            "has another size for images of another."
        )
    elif rows:
        notes.append("Parameters and model size: no cost trial of these models has a result; suite cost measures them.")
    headings = (*METRIC_TITLES.values(), *(title for title, _, _ in SIZES.values()))
    table = Comparison(
        "layer",
        "The networks in pairs",
        ("the first network", "the second"),
        headings,
        tuple(rows),
        tuple(notes),
        "Networks",
    )
    asks = (
        "Between DeconvNet's encoder and decoder stand fully connected layers, which hold most of its "
        "parameters; SegNet has none. Are they what separates the two? DeconvNet-NoFC is DeconvNet without them."
    )
    return Question(
        "layer", "Is the fully connected layer what separates DeconvNet from SegNet?", asks, _filled([table]), (suite,)
    )


def _sizes(
    measured: Sequence[SuiteResults], models: Sequence[str]
) -> tuple[dict[tuple[str, str], float], SuiteResults | None]:
    """Returns the sizes of models by model and metric, from the first suite that has measured any, and that suite."""
    for suite in measured:
        rows: pd.DataFrame = costs(suite.rows)
        rows = rows[rows["model"].isin(list(models)) & rows["metric"].isin(list(SIZES))]
        if len(rows):
            values = rows[["model", "metric", "value"]].itertuples(index=False, name=None)
            return {(model, metric): value / SIZES[metric][1] for model, metric, value in values}, suite
    return {}, None


def _checkpoints(suites: tuple[SuiteResults, ...]) -> Question:
    tables = []
    for suite in suites:
        table = checkpoint_table(checkpoint_choices(suite.rows, suite.stale), suite.planned)
        if table is not None:
            notes = tuple(note for note in table.notes if note != SINGLE_RUN)  # stands at the top of the page
            tables.append(replace(table, key=f"checkpoint-{suite.suite}", title=f"Suite {suite.suite}", notes=notes))
    asks = (
        "The paper reports the iteration with the highest global accuracy on the validation images, which says little "
        "of small classes. What would the test scores be had mean IoU chosen it? The page of every other suite has "
        "the same table for its own trainings."
    )
    return Question("checkpoint", "Checkpoint chosen by mIoU instead of G?", asks, _filled(tables), suites)


def _filled(tables: Sequence[Comparison]) -> tuple[Comparison, ...]:
    return tuple(table for table in tables if table.rows)
