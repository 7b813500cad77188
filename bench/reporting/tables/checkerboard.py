"""What of a model's output repeats with its upsampling, beside what that upsampling scores and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from bench.replication.checkpoints import current_rows, over_seeds
from bench.replication.scores import DEFAULT_PROTOCOL, KEYS, costs, scores
from bench.reporting.staleness import FRESH, Staleness
from bench.reporting.tables.beside_paper import Measured, measured_rows
from bench.reporting.tables.cells import Cell, Column, Place, Row, Table, with_best
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES

TITLES = {
    "contrast_constant": "contrast, constant image",
    "energy_images": "energy, test images",
    "energy_labels": "energy, their labels",
}
READING = (
    "A pattern of period p is what repeats every p pixels. A transposed convolution whose kernel is no multiple of its "
    "stride adds up more terms at some pixels than at others, so that a checkerboard repeats with the stride; other "
    "ways up need not make one, but can learn one (Odena, Dumoulin and Olah 2016, who judge by eye). The measure is "
    "our own, defined in bench/evaluation/checkerboard.py. Contrast: the amplitude of what repeats in the logits of an "
    "image that is the same everywhere, relative to those logits; all of it is the network's making. Energy: the share "
    "of what repeats in the variation within windows of four periods, in the logits of test images and, as the "
    "reference, in the labels of the same images, since edges alone have some."
)
SCORES = ("global_accuracy", "mean_iou", "boundary_f1")
_DECIMALS = {"parameters": 3, "boundary_f1": 2} | dict.fromkeys(TITLES, 2)

Key = tuple[str, str, str, str]  # model, weighting, metric, protocol


def checkerboard_table(results: pd.DataFrame, *, notice: str = "", stale: Staleness = FRESH) -> Table | None:
    """Returns contrast and energies by model and period, with parameters, test G, mIoU and boundary F1.

    Models stand in the order of the paper and of the study. Several weightings have a section each.

    Args:
        results: rows of one suite and profile, one configuration of each trial.
        notice: what to put on top, from `scale_notice`.
        stale: which results are to be marked as stale.

    Returns: None where no training has stored the measure.
    """
    measured = over_seeds(current_rows(results, None, "checkerboard"), KEYS)
    if measured.empty:
        return None
    scored = scores(results)
    cost = costs(results).drop_duplicates(["model", "metric"])
    parameters = cost[cost["metric"] == "parameters"].assign(protocol="")
    known = pd.concat([part for part in (measured, scored[scored["split"] == "test"], parameters) if len(part)])
    places = zip(*(known[name] for name in ("model", "weighting", "metric", "protocol")), strict=True)
    values = dict(zip(places, measured_rows(known, stale), strict=True))
    columns = _columns(measured)
    rows = [
        Row(model, MODEL_TITLES[model], "", tuple(_cell(values, model, column) for column in columns))
        for model in MODEL_TITLES
        if model in set(measured["model"])
    ]
    notes = ["Bold: the best score of the column. Of contrast and energy, less is less of a pattern."]
    ns = {cell.n for row in rows for cell in row.cells if cell.n}
    if ns == {1}:
        notes.append("Single run (one seed) per model, so small differences between models mean nothing.")
    if any(cell.stale for row in rows for cell in row.cells):
        notes.insert(0, stale.legend)
    # a pattern is no score, of which the largest would be the best
    ranked = [replace(column, weighting="") if column.metric in TITLES else column for column in columns]
    title = "Checkerboard patterns beside accuracy and size (contrast, energy and scores in %)"
    return Table("checkerboard", title, tuple(columns), with_best(rows, ranked), notice, tuple(notes), False)


def _columns(measured: pd.DataFrame) -> list[Column]:
    periods = sorted(measured["protocol"].unique(), key=_pixels)
    weightings = [weighting for weighting in WEIGHTING_TITLES if weighting in set(measured["weighting"])]
    columns = [Column("Size", "", "Params (M)", "parameters", "million")]
    for weighting in weightings:
        of = f", {WEIGHTING_TITLES[weighting]}" if len(weightings) > 1 else ""
        columns += [
            Column(f"Test scores{of}", "", METRIC_TITLES[metric], metric, "percent", weighting, "test",
                   protocol=DEFAULT_PROTOCOL if metric == "boundary_f1" else "")
            for metric in SCORES
        ]  # fmt: skip
        columns += [
            Column(f"{period.capitalize()} px{of}", "", title, metric, "percent", weighting, protocol=period)
            for period in periods
            for metric, title in TITLES.items()
        ]
    return columns


def _cell(values: Mapping[Key, Measured], model: str, column: Column) -> Cell:
    decimals = _DECIMALS.get(column.metric, 1)
    key = (model, column.weighting, column.metric, column.protocol)
    if key not in values:
        return Cell(decimals=decimals)
    place = Place(model, column.weighting, column.split, column.metric, "", "")
    return values[key].within(Cell(decimals=decimals), column.unit, place)


def _pixels(period: str) -> int:
    """Returns the number in "period 4"; 0 of a protocol without one."""
    number = period.rpartition(" ")[2]
    return int(number) if number.isdecimal() else 0
