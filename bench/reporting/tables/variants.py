"""Table 1: the variants of SegNet-Basic and FCN-Basic, what they cost and their scores under two loss weightings."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from bench.replication.paper import TIME_PROTOCOLS, paper_table
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.reporting.staleness import FRESH, Staleness
from bench.reporting.tables.beside_paper import RowKey, by_place, capitalised, cell_at, row_of
from bench.reporting.tables.cells import Column, Table, with_best
from bench.reporting.tables.notes import BEST, protocol_note, runs_notes, stale_notes, time_notes
from bench.study.catalog import METRIC_TITLES, WEIGHTING_TITLES

WEIGHTINGS = ("median_frequency", "natural_frequency")
COST_TITLES = {
    "parameters": "Params (M)",
    "storage_multiplier": "Storage multiplier",
    "forward_ms": "Infer time (ms)",
}
SPLIT_METRICS = {  # paper Table 1: boundary F1 on test only
    "test": ("global_accuracy", "class_average_accuracy", "mean_iou", "boundary_f1"),
    "train": ("global_accuracy", "class_average_accuracy", "mean_iou"),
}


def table_1(
    scores: pd.DataFrame,
    costs: pd.DataFrame,
    *,
    notice: str = "",
    stale: Staleness = FRESH,
    protocol: str = DEFAULT_PROTOCOL,
    weightings: Sequence[str] = WEIGHTINGS,
    models: Collection[str] | None = None,
    timing_size: tuple[int, int] | None = None,
    notes: Sequence[str] = (),
) -> Table:
    """Returns Table 1: cost, then test and train scores of each loss weighting, the paper's beside ours.

    Args:
        scores, costs: the frames of `bench.replication.scores`, of one suite and profile.
        notice: what to put on top, from `scale_notice`.
        stale: which results are to be marked as stale.
        protocol: the boundary F1 protocol of `scores`.
        weightings: one section each; one that the paper does not have is shown without its value.
        models: rows to show, in the paper's order; None means all eight, whether they were run or not.
        timing_size: height and width at which time was measured, px; None leaves it out of the note.
        notes: what else to say.
    """
    paper = paper_table("T1")
    columns = [Column("Cost", "", title, metric, paper.units[metric]) for metric, title in COST_TITLES.items()]
    for weighting in weightings:
        section = capitalised(WEIGHTING_TITLES[weighting])
        for split, metrics in SPLIT_METRICS.items():
            columns += [
                Column(
                    section, split, METRIC_TITLES[metric], metric, "percent", weighting, split,
                    protocol=protocol if metric == "boundary_f1" else "",
                )
                for metric in metrics
            ]  # fmt: skip
    shown = _as_in_paper(costs)
    measured = by_place(scores, stale) | by_place(shown, stale)
    keys = [
        RowKey(model, model, row.title, paper.groups[row.group])
        for model, row in paper.rows.items()
        if models is None or model in models
    ]
    rows = [row_of(key, [cell_at(paper, key, column, measured) for column in columns]) for key in keys]
    size = f" at {timing_size[0]}×{timing_size[1]}" if timing_size else ""
    below = (
        *stale_notes(rows, stale),
        BEST,
        *runs_notes(rows),
        protocol_note(protocol),
        *notes,
        *time_notes("Infer time", paper, shown[shown["metric"] == "forward_ms"], size),
    )
    return Table("T1", f"The paper's Table 1: {paper.title}", tuple(columns), with_best(rows, columns), notice, below)


def _as_in_paper(costs: pd.DataFrame) -> pd.DataFrame:
    """Returns one row a cost: that of the paper's protocol, which `costs` has last, or of the first one."""
    of_table = costs[costs["protocol"] == TIME_PROTOCOLS["T1"]]
    return pd.concat([of_table, costs]).drop_duplicates(["model", "metric"])
