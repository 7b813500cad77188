"""Tables of one number per class: the paper's Tables 2 and 5 with ours beside them, and our own of all models."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.replication.paper import PaperTable, paper_table
from bench.replication.scores import DEFAULT_PROTOCOL, class_scores, scores
from bench.reporting.staleness import FRESH, Staleness
from bench.reporting.tables.beside_paper import (
    RowKey,
    TableSource,
    by_place,
    capitalised,
    cell_at,
    row_of,
    weighting_of,
)
from bench.reporting.tables.cells import Cell, Column, Table, with_best
from bench.reporting.tables.notes import BEST, protocol_note, runs_notes, stale_notes, training_notes
from bench.study.catalog import METRIC_TITLES, ROW_TITLES, WEIGHTING_TITLES

CLASS_METRIC_TITLES = {"accuracy": "Accuracy", "iou": "IoU", "boundary_f1": "Boundary F1"}
SIDE_BY_SIDE = 20  # classes that a page can hold; more are broken into bands
BAND = 13  # classes


def table_per_class(key: str, source: TableSource) -> Table:
    """Returns Table 2 or 5: the accuracy of every class in the paper's order, then the scores over all classes.

    The rows are all of the paper's; methods that are no network of ours have its numbers alone.
    """
    paper = paper_table(key)
    columns = _paper_columns(paper)
    found = class_scores(source.results)
    found = found[(found["split"] == "test") & (found["metric"] == "accuracy")]
    overall = scores(source.results)
    measured = by_place(found, source.stale) | by_place(overall[overall["split"] == "test"], source.stale)
    keys = [
        RowKey(name, row.model, row.title, paper.groups[row.group], weighting_of(paper, name))
        for name, row in paper.rows.items()
    ]
    rows = [
        row_of(key, [cell_at(paper, key, column, measured) for column in columns], columns[0].weighting) for key in keys
    ]
    notes = (
        *stale_notes(rows, source.stale),
        *training_notes(source.results, source.trials, source.tables),
        f"The paper's numbers: {paper.notes['accuracy']}.",
        *_unknown_classes(columns, found),
        *([BEST] if len(rows) > 1 else []),
        *runs_notes(rows),
        *([protocol_note(DEFAULT_PROTOCOL)] if any(column.metric == "boundary_f1" for column in columns) else []),
    )
    title = f"The paper's Table {key.removeprefix('T')}: {paper.title}"
    stacked = len(columns) > SIDE_BY_SIDE
    return Table(key, title, tuple(columns), with_best(rows, columns), source.notice, notes, stacked=stacked)


def _paper_columns(paper: PaperTable) -> list[Column]:
    """Returns the classes and then the scores over all, as the paper prints them."""
    classes = list(dict.fromkeys(address.class_name for address in paper.printed if address.class_name))
    metrics = dict.fromkeys(address.metric for address in paper.printed if not address.class_name)
    first = next(iter(paper.printed))
    columns = _bands(classes, "Accuracy per class (%)", first.metric, first.weighting, first.split, "")
    return columns + [
        Column(
            "All classes (%)", "", METRIC_TITLES[metric], metric, "percent", first.weighting, first.split,
            protocol=DEFAULT_PROTOCOL if metric == "boundary_f1" else "",
        )
        for metric in metrics
    ]  # fmt: skip


def _bands(
    classes: Sequence[str], section: str, metric: str, weighting: str, split: str, protocol: str
) -> list[Column]:
    """Returns a column per class, in one section, or in several where a page does not hold them side by side."""
    step = BAND if len(classes) > SIDE_BY_SIDE else len(classes)
    columns = []
    for start in range(0, len(classes), step or 1):
        names = classes[start : start + step]
        heading = section if step == len(classes) else f"{section}: {names[0]} to {names[-1]}"
        columns += [Column(heading, "", name, metric, "percent", weighting, split, name, protocol) for name in names]
    return columns


def _unknown_classes(columns: Sequence[Column], found: pd.DataFrame) -> list[str]:
    """Names the paper's classes that our data have not."""
    ours = set(found["class_name"])
    absent = [column.class_name for column in columns if column.class_name and column.class_name not in ours]
    return [f"Classes that our data do not have: {', '.join(absent)}."] if ours and absent else []


def class_table(
    class_scores: pd.DataFrame,
    metric: str,
    *,
    split: str = "test",
    notice: str = "",
    stale: Staleness = FRESH,
    notes: Sequence[str] = (),
) -> Table:
    """Returns accuracy, IoU or boundary F1 of each class (column) and model (row), by loss weighting.

    Args:
        class_scores: the frame of `bench.replication.scores.class_scores`.
        metric: a key of CLASS_METRIC_TITLES.
        split: test or train.
        notice: what to put on top, from `scale_notice`.
        stale: which results are to be marked as stale.
        notes: what else to say below.
    """
    frame = class_scores[(class_scores["metric"] == metric) & (class_scores["split"] == split)]
    found = set(frame["weighting"])
    protocol = str(frame["protocol"].iloc[0]) if len(frame) else ""
    classes = list(dict.fromkeys(frame["class_name"]))
    columns = [
        column
        for weighting, title in WEIGHTING_TITLES.items()
        if weighting in found
        for column in _bands(classes, capitalised(title), metric, weighting, split, protocol)
    ]
    measured = by_place(frame, stale)
    present = set(frame["model"])
    keys = [RowKey("", model, title, "") for model, title in ROW_TITLES.items() if model in present]
    cells: list[list[Cell]] = [[cell_at(None, key, column, measured) for column in columns] for key in keys]
    rows = [row_of(key, of_row) for key, of_row in zip(keys, cells, strict=True)]
    title = f"{CLASS_METRIC_TITLES[metric]} per class, {split} (%)"
    below = (*stale_notes(rows, stale), "Bold: the best value of the column.", *runs_notes(rows), *notes)
    if metric == "boundary_f1":
        below = (*below, protocol_note(protocol))
    key = f"classes_{metric}_{split}"
    stacked = len(classes) > SIDE_BY_SIDE
    return Table(key, title, tuple(columns), with_best(rows, columns), notice, below, False, stacked)
