"""Writes a `Table` as Markdown, HTML or CSV; every format carries the notice, and all but CSV the notes.

LaTeX is in table_latex.py.

A missing value is an em dash, in CSV `NaN`, never a blank or 0. All text is escaped for its format.
"""

from __future__ import annotations

import csv
import html
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import groupby

from bench.reporting.cells import MISSING, Cell, Column, Row, Table, runs_label

HOW_TO_READ = "Each cell: paper → ours (difference; in percentage points for the scores)."
HOW_TO_READ_STACKED = "Each cell: the paper's value, ours, the difference (in percentage points for the scores)."
CSV_COLUMNS = (
    "notice", "table", "group", "model", "title", "weighting", "split", "budget", "metric", "class_name", "protocol",
    "unit", "paper", "ours", "difference", "std", "n", "runs", "stale", "disturbed",
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
    lines += [f"- {_md(note)}" for note in table.notes]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_section(table: Table, numbers: Sequence[int]) -> list[str]:
    columns = [table.columns[number] for number in numbers]
    with_runs = any(column.weighting for column in columns)
    heads = ["Model", *(_md(f"{column.span} {column.title}".strip()) for column in columns)]
    heads += ["Runs"] if with_runs else []
    lines = [_pipes(heads), _pipes(["---", *["---:"] * len(columns), *(["---"] if with_runs else [])])]
    for group, rows in table.groups():
        if group:
            lines.append(_pipes([f"*{_md(group)}*", *[""] * (len(heads) - 1)]))
        for row in rows:
            cells = [_markdown_cell(row.cells[number], _sides(table, row)) for number in numbers]
            lines.append(_pipes([_md(row.title), *cells, *([table.runs(row, numbers)] if with_runs else [])]))
    return lines


def _sides(table: Table, row: Row) -> str:
    return row.sides if table.beside_paper else "ours"


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


def to_html(table: Table) -> str:
    """Returns an HTML fragment in the paper's layout; the classes are table-scroll, paper-table, notice, notes,
    group, runs, and in a cell paper, ours, difference (with above, below or equal) and best."""
    parts = [f'<p class="notice" role="note"><strong>{_h(table.notice)}</strong></p>'] if table.notice else []
    for place, numbers in enumerate(table.bands()):
        parts += _html_band(table, numbers, place)
    notes = [HOW_TO_READ_STACKED, *table.notes] if table.beside_paper else list(table.notes)
    parts += ['<ul class="notes">', *(f"<li>{_h(note)}</li>" for note in notes), "</ul>"]
    return "\n".join(parts) + "\n"


def _html_band(table: Table, numbers: Sequence[int], place: int) -> list[str]:
    """Returns some columns as a table of their own; `place` is its number among those of the same table."""
    label = _h(table.title if place == 0 else f"{table.title}, continued")
    part = _h(table.key if place == 0 else f"{table.key}-{place + 1}")
    parts = [
        f'<div class="table-scroll" role="region" aria-label="{label}" tabindex="0">',
        f'<table class="paper-table" id="{part}">',
        f"<caption>{label}</caption>",
        *_html_head([table.columns[number] for number in numbers]),
    ]
    for group, rows in table.groups():
        parts.append("<tbody>")
        if group:
            width = len(numbers) + 1
            parts.append(f'<tr class="group"><th scope="rowgroup" colspan="{width}">{_h(group)}</th></tr>')
        for row in rows:
            runs = table.runs(row, numbers)
            head = f'<th scope="row">{_h(row.title)} <span class="runs">{_h(runs)}</span></th>'
            cells = "".join(_html_cell(row.cells[number], _sides(table, row)) for number in numbers)
            parts.append(f"<tr>{head}{cells}</tr>")
        parts.append("</tbody>")
    return [*parts, "</table>", "</div>"]


def _html_head(columns: Sequence[Column]) -> list[str]:
    spanned = any(column.span for column in columns)
    widths = Counter(column.section for column in columns)
    sections = "".join(
        f'<th scope="colgroup" colspan="{width}">{_h(section)}</th>' for section, width in widths.items()
    )
    lines = [f'<thead><tr><th scope="col" rowspan="{3 if spanned else 2}">Model</th>{sections}</tr>']
    spans, titles = [], []
    for (_, span), members in groupby(columns, key=lambda column: (column.section, column.span)):
        names = [_h(column.title) for column in members]
        if spanned and not span:
            spans += [f'<th scope="col" rowspan="2">{name}</th>' for name in names]
        else:
            spans.append(f'<th scope="colgroup" colspan="{len(names)}">{_h(span)}</th>')
            titles += [f'<th scope="col">{name}</th>' for name in names]
    lines += [f"<tr>{''.join(spans)}</tr>"] if spanned else []
    return [*lines, f"<tr>{''.join(titles)}</tr></thead>"]


def _html_cell(cell: Cell, sides: str) -> str:
    ours = _html_number("ours", cell.ours_text, cell.best_ours)
    if sides == "ours":
        return f"<td>{ours}</td>"
    paper = _html_number("paper", cell.printed, cell.best_paper)
    if sides == "paper":
        return f"<td>{paper}</td>"
    side = {"+": " above", "−": " below", MISSING: ""}.get(cell.difference_text[0], " equal")
    difference = f'<span class="difference{side}">{_h(cell.difference_text)}</span>'
    return f"<td>{paper} {ours} {difference}</td>"


def _html_number(name: str, text: str, best: bool) -> str:
    return f'<span class="{name} best"><b>{_h(text)}</b></span>' if best else f'<span class="{name}">{_h(text)}</span>'


def _h(text: str) -> str:
    return html.escape(text, quote=True)


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
        _number(difference), _number(cell.std), cell.n, _runs(table, row, column, cell), str(cell.stale),
        str(cell.disturbed),
    ]  # fmt: skip


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
