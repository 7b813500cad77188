"""The tables of the report: which number stands where, beside which number of the paper.

`table_1` has the paper's layout, `class_table` one column per class. Both give a `Table`, which
`bench.reporting.table_formats` writes as Markdown, HTML, LaTeX and CSV.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pandas as pd

from bench.replication.conditions import MARK as DISTURBED
from bench.replication.paper import STORED_PER_PRINTED, TIME_PROTOCOLS, Address, PaperTable, paper_table
from bench.replication.scores import DEFAULT_PROTOCOL
from bench.reporting.cells import MISSING, Cell, Column, Row, Table, with_best
from bench.reporting.staleness import FRESH, Staleness
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES

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
CLASS_METRIC_TITLES = {"accuracy": "Accuracy", "iou": "IoU", "boundary_f1": "Boundary F1"}
PROTOCOLS = {
    "paper": "predicted and labelled boundary pixels are matched one to one within 0.75 % of the image "
    "diagonal; a class counts in an image where it has a boundary in the labels or in the prediction",
    "distance": "a boundary pixel matches if one of the other map is within 0.75 % of the image diagonal; "
    "this gives higher values than the paper's one-to-one matching, so there is no difference to show",
}
# Decimals where the paper prints no number; 1 for all others.
_DECIMALS = {"parameters": 3, "storage_multiplier": 0, "boundary_f1": 2}


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
    """
    paper = paper_table("T1")
    columns = [Column("Cost", "", title, metric, paper.units[metric]) for metric, title in COST_TITLES.items()]
    for weighting in weightings:
        section = _capitalised(WEIGHTING_TITLES[weighting])
        for split, metrics in SPLIT_METRICS.items():
            columns += [
                Column(
                    section, split, METRIC_TITLES[metric], metric, "percent", weighting, split,
                    protocol=protocol if metric == "boundary_f1" else "",
                )
                for metric in metrics
            ]  # fmt: skip
    shown = _as_in_paper(costs)
    measured = _by_place(scores, stale) | _by_place(shown, stale)
    rows = [
        Row(
            model,
            row.title,
            paper.groups[row.group],
            tuple(_cell(paper, model, column, measured) for column in columns),
        )
        for model, row in paper.rows.items()
        if models is None or model in models
    ]
    notes = (
        *_stale_notes(rows, stale),
        "Bold: the best score of the column, of the paper's and of ours.",
        *_runs_notes(rows),
        protocol_note(protocol),
        *_time_notes(paper, shown, f" at {timing_size[0]}×{timing_size[1]}" if timing_size else ""),
    )
    return Table("T1", f"The paper's Table 1: {paper.title}", tuple(columns), with_best(rows, columns), notice, notes)


def class_table(
    class_scores: pd.DataFrame, metric: str, *, split: str = "test", notice: str = "", stale: Staleness = FRESH
) -> Table:
    """Returns accuracy, IoU or boundary F1 of each class (column) and model (row), by loss weighting.

    Args:
        class_scores: the frame of `bench.replication.scores.class_scores`.
        metric: a key of CLASS_METRIC_TITLES.
        split: test or train.
        notice: what to put on top, from `scale_notice`.
        stale: which results are to be marked as stale.
    """
    frame = class_scores[(class_scores["metric"] == metric) & (class_scores["split"] == split)]
    found = set(frame["weighting"])
    protocol = str(frame["protocol"].iloc[0]) if len(frame) else ""
    columns = [
        Column(_capitalised(title), "", name, metric, "percent", weighting, split, name, protocol)
        for weighting, title in WEIGHTING_TITLES.items()
        if weighting in found
        for name in dict.fromkeys(frame["class_name"])
    ]
    measured = _by_place(frame, stale)
    paper = paper_table("T1")
    present = set(frame["model"])
    rows = [
        Row(model, title, "", tuple(_cell(paper, model, column, measured) for column in columns))
        for model, title in MODEL_TITLES.items()
        if model in present
    ]
    title = f"{CLASS_METRIC_TITLES[metric]} per class, {split} (%)"
    notes = (*_stale_notes(rows, stale), "Bold: the best value of the column.", *_runs_notes(rows))
    if metric == "boundary_f1":
        notes = (*notes, protocol_note(protocol))
    return Table(f"classes_{metric}_{split}", title, tuple(columns), with_best(rows, columns), notice, notes, False)


def protocol_note(protocol: str) -> str:
    """Returns what boundary F1 means under a protocol, in one sentence."""
    meaning = PROTOCOLS.get(protocol)
    return f"BF: boundary F1, protocol '{protocol}'" + (f": {meaning}." if meaning else ".")


Place = tuple[str, str, str, str, str]  # model, weighting, split, metric, class
Measured = tuple[float, float, int, bool, bool]  # value, standard deviation, n, stale, disturbed


def _by_place(frame: pd.DataFrame, stale: Staleness) -> dict[Place, Measured]:
    """Returns what was measured by place."""
    classes = frame["class_name"] if "class_name" in frame else [""] * len(frame)
    disturbed = frame["disturbance"] if "disturbance" in frame else [""] * len(frame)
    columns = [frame[name] for name in ("model", "weighting", "split", "metric")]
    values = zip(frame["value"], frame["std"], frame["n"], frame["trials"], disturbed, strict=True)
    places = zip(*columns, classes, strict=True)
    return {
        place: (float(value), float(std), int(n), stale.holds(trials), bool(why))
        for place, (value, std, n, trials, why) in zip(places, values, strict=True)
    }


def _as_in_paper(costs: pd.DataFrame) -> pd.DataFrame:
    """Returns one row a cost: that of the paper's protocol, which `costs` has last, or of the first one."""
    of_table = costs[costs["protocol"] == TIME_PROTOCOLS["T1"]]
    return pd.concat([of_table, costs]).drop_duplicates(["model", "metric"])


def _cell(paper: PaperTable, model: str, column: Column, measured: dict[Place, Measured]) -> Cell:
    address = Address(model, column.metric, column.weighting, column.split, class_name=column.class_name)
    target = paper.target(address)
    printed = paper.printed.get(address, MISSING)
    decimals = target.decimals if target else _DECIMALS.get(column.metric, 1)
    comparable = column.protocol in ("", DEFAULT_PROTOCOL)
    cell = Cell(target.value if target else None, decimals=decimals, printed=printed, comparable=comparable)
    place = (model, column.weighting, column.split, column.metric, column.class_name)
    if place not in measured:
        return cell
    value, std, n, stale, disturbed = measured[place]
    scale = STORED_PER_PRINTED[column.unit]
    return replace(cell, ours=value / scale, std=std / scale, n=n, stale=stale, disturbed=disturbed)


def _stale_notes(rows: Sequence[Row], stale: Staleness) -> tuple[str, ...]:
    """Returns what is to be said of stale values where a cell has one."""
    if not any(cell.stale for row in rows for cell in row.cells):
        return ()
    return (stale.legend, "A stale value is bold only where its column has no current one.")


def _runs_notes(rows: Sequence[Row]) -> tuple[str, ...]:
    ns = {cell.n for row in rows for cell in row.cells if cell.n}
    if not ns:
        return ()
    if ns == {1}:
        return ("Ours: single run (one seed) per cell, so small differences between models mean nothing.",)
    return ("Ours: mean ± standard deviation over seeds; 'single run' where there is one seed.",)


def _time_notes(paper: PaperTable, costs: pd.DataFrame, size: str) -> list[str]:
    times = costs[costs["metric"] == "forward_ms"]
    ours = dict.fromkeys(
        f"protocol {protocol}, {passes} passes{size} on {device or 'an unnamed device'}"
        for protocol, passes, device in times[["protocol", "passes", "device_name"]].itertuples(index=False)
    )
    measured = " / ".join(ours) or "not measured"
    notes = [f"Infer time: the paper's is the {paper.notes['forward_ms']}; ours: {measured}."]
    if disturbed := [why for why in dict.fromkeys(times["disturbance"]) if why]:
        notes.append(f"{DISTURBED} While the time was measured, {'; '.join(disturbed)}.")
    return notes


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
