"""Writes a `Table` as Markdown or CSV; both carry the notice, and Markdown the notes.

HTML is in html.py, LaTeX in latex.py.

A missing value is an em dash, in CSV `NaN`, never a blank or 0. All text is escaped for its format.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from io import StringIO

from bench.replication.paper import STORED_PER_PRINTED
from bench.replication.statistics import Interval
from bench.reporting.rendering import CODE
from bench.reporting.tables.cells import Cell, Column, Row, Table, runs_label
from bench.reporting.tables.intervals import READING, intervals_of

HOW_TO_READ = "Each cell: paper → ours (difference; in percentage points for the scores)."
CSV_COLUMNS = (
    "notice", "table", "group", "model", "title", "weighting", "split", "budget", "metric", "class_name", "protocol",
    "unit", "paper", "ours", "difference", "std", "n", "low", "high", "image_low", "image_high", "runs", "verdict",
    "tolerance", "reason", "stale", "disturbed",
)  # fmt: skip


def to_markdown(table: Table, level: int = 2) -> str:
    """Returns one Markdown table per section, so that a page of usual width holds it.

    Args:
        table: what to write.
        level: of the heading; sections are one below.
    """
    lines = [f"{'#' * level} {_md(table.title)}", ""]
    if table.notice:
        lines += [f"> **{_md(table.notice)}**", ""]
    if table.beside_paper:
        lines += [HOW_TO_READ, ""]
    for section, numbers in table.sections().items():
        # A section is often copied on its own, so each heading repeats the warning.
        mark = " (not at the paper's scale, see above)" if table.notice else ""
        lines += [f"{'#' * (level + 1)} {_md(section)}{mark}", "", *_markdown_section(table, numbers), ""]
    lines += _markdown_intervals(table, level)
    lines += [f"- {_md_with_code(note)}" for note in table.notes]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_section(table: Table, numbers: Sequence[int]) -> list[str]:
    columns = [table.columns[number] for number in numbers]
    with_runs = any(column.weighting for column in columns)
    heads = ["Model", *(_md(column.heading) for column in columns)]
    heads += ["Runs"] if with_runs else []
    lines = [_pipes(heads), _pipes(["---", *["---:"] * len(columns), *(["---"] if with_runs else [])])]
    for group, rows in table.groups():
        if group:
            lines.append(_pipes([f"*{_md(group)}*", *[""] * (len(heads) - 1)]))
        for row in rows:
            cells = [_markdown_cell(row.cells[number], table.sides(row)) for number in numbers]
            lines.append(_pipes([_md(row.title), *cells, *([table.runs(row, numbers)] if with_runs else [])]))
    return lines


def _markdown_intervals(table: Table, level: int) -> list[str]:
    """Returns a second, smaller table for each section that has intervals."""
    lines: list[str] = []
    for section, numbers in table.sections().items():
        if found := intervals_of(table, numbers):
            columns = [table.columns[number] for number in found.columns]
            heads = ["Model", *(_md(column.heading) for column in columns)]
            lines += [f"{'#' * (level + 1)} Intervals: {_md(section)}", ""]
            lines += [_pipes(heads), _pipes(["---", *["---:"] * len(columns)])]
            lines += [_pipes([_md(row.title), *map(_md, row.cells)]) for row in found.rows]
            lines += [""]
    return [*lines, READING, ""] if lines else []


def _markdown_cell(cell: Cell, sides: str) -> str:
    ours = f"**{cell.ours_text}**" if cell.best_ours else cell.ours_text
    if sides == "ours":
        return ours
    paper = f"**{cell.printed}**" if cell.best_paper else cell.printed
    if sides == "paper":
        return paper
    difference = f" ({cell.difference_text})" if cell.difference is not None else ""
    return f"{paper} → {ours}{difference}"


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _md(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text.replace("\n", " "))


def _md_with_code(text: str) -> str:
    """Returns escaped Markdown in which `words in backticks` stay code."""
    return "".join(f"`{part}`" if n % 2 else _md(part) for n, part in enumerate(CODE.split(text)))


def to_csv(table: Table) -> str:
    """Returns one line per cell with CSV_COLUMNS, numbers in the printed unit; the notice is a column.

    `pandas.read_csv` reads it as it is. Ours is not rounded to the printed decimals, so that `difference` here may
    differ from the other formats by a rounding.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            writer.writerow(_csv_line(table, row, column, cell))
    return text.getvalue()


def _csv_line(table: Table, row: Row, column: Column, cell: Cell) -> list[str | int]:
    ours = math.nan if cell.ours is None else cell.ours
    paper = math.nan if cell.paper is None else cell.paper
    difference = ours - paper if cell.comparable else math.nan
    weighting = (row.weighting or column.weighting) if column.weighting else ""
    return [
        table.notice, table.key, row.group, row.model, row.title, weighting, column.split, column.budget,
        column.metric, column.class_name, column.protocol, column.unit, _number(paper), _number(ours),
        _number(difference), _number(cell.std), cell.n, *_ends(cell.interval), *_ends(cell.images),
        _runs(table, row, column, cell), *_verdict(cell, column), str(cell.stale), str(bool(cell.disturbance)),
    ]  # fmt: skip


def _ends(interval: Interval | None) -> tuple[str, str]:
    low, high = interval or (math.nan, math.nan)
    return _number(low), _number(high)


def _verdict(cell: Cell, column: Column) -> tuple[str, str, str]:
    """Returns the verdict, the allowed gap in the printed unit, and the reason on one line."""
    if cell.verdict is None:
        return "", _number(math.nan), ""
    tolerance = cell.verdict.tolerance / STORED_PER_PRINTED[column.unit]
    return cell.verdict.verdict, _number(tolerance), " ".join(cell.verdict.reason.split())


def _runs(table: Table, row: Row, column: Column, cell: Cell) -> str:
    if row.sides == "paper":
        return table.runs(row, ())
    if column.weighting:
        return runs_label([cell.n])
    if cell.ours is not None and not cell.n:
        return "as planned"  # a setting, such as the length of the training
    return "measured once" if cell.n else "not run"


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else format(value, ".6g")
