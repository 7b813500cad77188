"""Writes a `Table` as an HTML fragment in the paper's layout.

The classes are table-scroll, paper-table, notice, notes, group, runs, and in a cell paper, ours, difference (with
above, below or equal), best and verdict; a cell with a verdict has its class (v-within, ...) as well. A cell with
something behind it has an id, by which report.js finds what to show, and every last heading of a column its number, by
which report.js sorts. Without script nothing is lost but these two.

A missing value is an em dash. All text is escaped.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from bench.reporting.rendering import with_code
from bench.reporting.tables.cells import MISSING, Cell, Column, Row, Table
from bench.reporting.tables.intervals import READING, intervals_of
from bench.reporting.verdict_marks import MEANING_OF_NUMBERS, Mark

NOT_COMPARABLE = "not comparable"
HOW_TO_READ = "Each cell: the paper's value, ours, the difference (in percentage points for the scores)."


def to_html(table: Table) -> str:
    """Returns the fragment: the notice, one table a band, the intervals of a table of the paper, the notes."""
    parts = [f'<p class="notice" role="note"><strong>{_h(table.notice)}</strong></p>'] if table.notice else []
    for place, numbers in enumerate(table.bands()):
        parts += _band(table, numbers, place)
    parts += _intervals(table) if table.beside_paper else []
    notes = [HOW_TO_READ, *_sign_notes(table), *table.notes] if table.beside_paper else list(table.notes)
    if notes:
        parts += ['<ul class="notes">', *(f"<li>{with_code(note)}</li>" for note in notes), "</ul>"]
    return "\n".join(parts) + "\n"


def _intervals(table: Table) -> list[str]:
    """Returns the intervals of each section that has any, folded away; nothing where none has."""
    parts: list[str] = []
    for section, numbers in table.sections().items():
        if found := intervals_of(table, numbers):
            label = _h(f"Intervals: {table.title}, {section}")
            heads = "".join(f'<th scope="col">{_h(table.columns[n].heading)}</th>' for n in found.columns)
            parts += [
                f'<div class="table-scroll" role="region" aria-label="{label}" tabindex="0">',
                f'<table class="paper-table"><caption>{_h(section)}</caption>',
                f'<thead><tr><th scope="col">Model</th>{heads}</tr></thead><tbody>',
            ]
            for row in found.rows:
                cells = "".join(f"<td>{_h(text)}</td>" for text in row.cells)
                parts.append(f'<tr><th scope="row">{_h(row.title)}</th>{cells}</tr>')
            parts.append("</tbody></table></div>")
    if not parts:
        return []
    return [f'<details class="intervals"><summary>Intervals</summary><p>{_h(READING)}</p>', *parts, "</details>"]


def _sign_notes(table: Table) -> list[str]:
    """Returns what the sign means that stands in cells without its word."""
    there = any(cell.verdict and cell.verdict.verdict == NOT_COMPARABLE for row in table.rows for cell in row.cells)
    meaning = MEANING_OF_NUMBERS[NOT_COMPARABLE]
    return [f"{Mark(NOT_COMPARABLE).text}: {meaning}; the cell says why when it is chosen."] if there else []


def _band(table: Table, numbers: Sequence[int], place: int) -> list[str]:
    """Returns some columns as a table of their own; `place` is its number among those of the same table."""
    label = _h(table.title if place == 0 else f"{table.title}, continued")
    part = _h(table.key if place == 0 else f"{table.key}-{place + 1}")
    parts = [
        f'<div class="table-scroll" role="region" aria-label="{label}" tabindex="0">',
        f'<table class="paper-table" id="{part}">',
        f"<caption>{label}</caption>",
        *_head([table.columns[number] for number in numbers]),
    ]
    for group, rows in table.groups():
        parts.append("<tbody>")
        if group:
            width = len(numbers) + 1
            parts.append(f'<tr class="group"><th scope="rowgroup" colspan="{width}">{_h(group)}</th></tr>')
        for row in rows:
            runs = table.runs(row, numbers)
            head = f'<th scope="row">{_h(row.title)} <span class="runs">{_h(runs)}</span></th>'
            cells = "".join(_cell(table, row, number) for number in numbers)
            parts.append(f"<tr>{head}{cells}</tr>")
        parts.append("</tbody>")
    return [*parts, "</table>", "</div>"]


def _head(columns: Sequence[Column]) -> list[str]:
    spanned = any(column.span for column in columns)
    widths = Counter(column.section for column in columns)
    sections = "".join(
        f'<th scope="colgroup" colspan="{width}">{_h(section)}</th>' for section, width in widths.items()
    )
    lines = [f'<thead><tr><th scope="col" rowspan="{3 if spanned else 2}">Model</th>{sections}</tr>']
    spans, titles = [], []
    for (_, span), members in groupby(enumerate(columns), key=lambda at: (at[1].section, at[1].span)):
        names = [(f'data-column="{number}"', _h(column.title)) for number, column in members]
        if spanned and not span:
            spans += [f'<th scope="col" rowspan="2" {number}>{name}</th>' for number, name in names]
        else:
            spans.append(f'<th scope="colgroup" colspan="{len(names)}">{_h(span)}</th>')
            titles += [f'<th scope="col" {number}>{name}</th>' for number, name in names]
    lines += [f"<tr>{''.join(spans)}</tr>"] if spanned else []
    return [*lines, f"<tr>{''.join(titles)}</tr></thead>"]


def _cell(table: Table, row: Row, number: int) -> str:
    cell = row.cells[number]
    mark = Mark(cell.verdict.verdict) if cell.verdict else None
    address = f' id="{_h(table.address(row, table.columns[number]))}"' if cell.has_details else ""
    colour = f' class="{_h(mark.css)}"' if mark else ""
    parts = [*_numbers(cell, table.sides(row)), *([_verdict(mark)] if mark else [])]
    return f"<td{address}{colour}>{' '.join(parts)}</td>"


def _numbers(cell: Cell, sides: str) -> list[str]:
    ours = _number("ours", cell.ours_text, cell.best_ours)
    if sides == "ours":
        return [ours]
    paper = _number("paper", cell.printed, cell.best_paper)
    if sides == "paper":
        return [paper]
    side = {"+": " above", "−": " below", MISSING: ""}.get(cell.difference_text[0], " equal")
    return [paper, ours, _span(f"difference{side}", cell.difference_text)]


def _verdict(mark: Mark) -> str:
    """Returns sign and word; of the one verdict that most cells of a table may have, and that is long, the sign."""
    if mark.verdict != NOT_COMPARABLE:
        return _span("verdict", mark.text)
    sign = f'<span aria-hidden="true">{_h(mark.sign)}</span>'
    return f'<span class="verdict" title="{_h(mark.verdict)}">{sign}{_span("unseen", mark.verdict)}</span>'


def _number(name: str, text: str, best: bool) -> str:
    return f'<span class="{name} best"><b>{_h(text)}</b></span>' if best else _span(name, text)


def _span(name: str, text: str) -> str:
    return f'<span class="{name}">{_h(text)}</span>'


def _h(text: str) -> str:
    return html.escape(text, quote=True)
