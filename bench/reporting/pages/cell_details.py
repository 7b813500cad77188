"""What a page shows of a number when its cell is opened: verdict, values by seed, intervals, and where it comes from.

It is written into the page once, as JSON that report.js reads; all numbers are texts already, in the printed unit.

    cells   by address: title, verdict, reason, facts [name, text], runs [text, number of the trial or null],
            sort [the paper's, ours, difference] (null where there is none)
    trials  id, digest, file, href, facts, config: what they do not share
    shared  facts and config that all trials have alike
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bench.replication.paper import STORED_PER_PRINTED
from bench.reporting.provenance.trial_records import TrialRecord, shared
from bench.reporting.tables.cells import MISSING, Cell, Column, Row, Table, runs_label
from bench.reporting.tables.notes import protocol_note
from bench.reporting.verdict_marks import Mark

UNITS = {"percent": " %", "million": " million", "thousand": " thousand", "ratio": "", "ms": " ms", "MB": " MB"}
GAPS = UNITS | {"percent": " points"}  # of differences
MORE_DECIMALS = 2  # at most, than in the table


def page_data(tables: Iterable[Table], records: Mapping[str, TrialRecord]) -> dict[str, Any]:
    """Returns what is behind every cell of some tables, ready to be written as JSON.

    Args:
        tables: those of one page.
        records: of the trials behind them, by digest.
    """
    numbers = {digest: number for number, digest in enumerate(records)}
    facts, config = ([getattr(record, name) for record in records.values()] for name in ("facts", "config"))
    shared_facts, shared_config = shared(facts), shared(config)
    return {
        "cells": {
            table.address(row, column): _details(row, column, cell, numbers)
            for table in tables
            for row in table.rows
            for column, cell in zip(table.columns, row.cells, strict=True)
            if cell.has_details
        },
        "trials": [
            {
                "id": record.trial,
                "digest": record.digest,
                "file": record.file,
                "href": record.href,
                "facts": [[name, text] for name, text in record.facts.items() if name not in shared_facts],
                "config": {name: value for name, value in record.config.items() if name not in shared_config},
            }
            for record in records.values()
        ],
        "shared": {"facts": [[name, text] for name, text in shared_facts.items()], "config": shared_config},
    }


def _details(row: Row, column: Column, cell: Cell, numbers: Mapping[str, int]) -> dict[str, Any]:
    mark = Mark(cell.verdict.verdict) if cell.verdict else None
    cell = replace(cell, decimals=_decimals(cell))
    return {
        "title": f"{row.title}: {column.section}, {column.span} {column.title}".replace(",  ", ", "),
        "verdict": [mark.css, mark.text] if mark else None,
        "reason": " ".join(cell.verdict.reason.split()) if cell.verdict else "",
        "facts": [[name, text] for name, text in _facts(column, cell).items() if text],
        "runs": _runs(cell, numbers),
        "sort": [_finite(cell.paper), _finite(cell.ours), _finite(cell.difference)],
    }


def _decimals(cell: Cell) -> int:
    """Returns with how many decimals a cell is shown here: those of the table, or more where unlike numbers look alike.

    Compared are ours with the paper's, the ends of each interval, and the standard deviation with 0.
    """
    pairs = [tuple(interval) for interval in (cell.interval, cell.images) if interval]
    if cell.comparable and cell.ours is not None and cell.paper is not None:
        pairs.append((cell.ours, cell.paper))
    if cell.n > 1:
        pairs.append((cell.std, 0.0))
    unlike = [(one, other) for one, other in pairs if math.isfinite(one - other) and one != other]
    for decimals in range(cell.decimals, cell.decimals + MORE_DECIMALS):
        if all(f"{one:.{decimals}f}" != f"{other:.{decimals}f}" for one, other in unlike):
            return decimals
    return cell.decimals + MORE_DECIMALS


def _facts(column: Column, cell: Cell) -> dict[str, str]:
    unit, gap = UNITS.get(column.unit, f" {column.unit}"), GAPS.get(column.unit, f" {column.unit}")
    several = f"95 % interval over {cell.n} seeds (t)" if cell.n > 1 else "95 % interval over seeds"
    return {
        "The paper's": f"{cell.printed}{unit}" if cell.paper is not None else cell.printed.replace(MISSING, ""),
        "Ours": _ours(column, cell, unit),
        "Ours minus the paper's": f"{cell.difference_text}{gap}" if cell.difference is not None else "",
        "Allowed difference": _tolerance(column, cell, gap),
        several: f"{cell.between(cell.interval)}{unit}" if cell.interval else _no_interval(column, cell),
        "95 % interval over test images (bootstrap, first seed)": f"{cell.between(cell.images)}{unit}"
        if cell.images
        else "",
        "Definition": protocol_note(column.protocol) if column.metric == "boundary_f1" else "",
        "While it was measured": cell.disturbance,
    }


def _ours(column: Column, cell: Cell, unit: str) -> str:
    """Returns our value with how many runs are behind it; nothing where there is none."""
    if not cell.n and cell.ours is None:
        return ""
    value = "no value" if cell.number_text == MISSING else f"{cell.number_text}{unit}"
    runs = runs_label([cell.n]) if cell.n > 1 or column.weighting else "measured once" if cell.n else "as planned"
    return f"{value}, {runs.replace('mean of', 'mean ± standard deviation of')}"


def _no_interval(column: Column, cell: Cell) -> str:
    """Returns why a number has no interval over seeds; nothing where seeds do not matter."""
    if not cell.n or not column.weighting:
        return ""
    return "none: single run" if cell.n == 1 else "none: a seed has no value"


def _tolerance(column: Column, cell: Cell, gap: str) -> str:
    verdict = cell.verdict
    if verdict is None or cell.paper is None or not math.isfinite(verdict.tolerance):
        return ""
    half = verdict.tolerance / STORED_PER_PRINTED[column.unit]
    decimals = max(cell.decimals, 1)
    low, high = cell.paper - half, cell.paper + half
    return f"±{half:.{decimals}f}{gap}, from {low:.{decimals}f} to {high:.{decimals}f}".replace("-", "−")


def _runs(cell: Cell, numbers: Mapping[str, int]) -> list[list[Any]]:
    """Returns a line for each run behind a number, with the number of its trial."""
    digits = cell.decimals + 1
    texts = [f"Seed {seed}: {value:.{digits}f}".replace("-", "−") for seed, value in cell.values.items()]
    if cell.place and not cell.place.weighting:
        texts = [f"Measured: {value:.{digits}f}" for value in cell.values.values()]
    return [[text, numbers.get(digest)] for text, digest in zip(texts, cell.trials, strict=False)]


def _finite(value: float | None) -> float | None:
    """Returns a number that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None
