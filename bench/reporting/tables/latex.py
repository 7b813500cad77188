"""Writes a `Table` as LaTeX, with the notice and the notes.

A missing value is an em dash. All text is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.reporting.rendering import CODE
from bench.reporting.tables.cells import Row, Table
from bench.reporting.tables.intervals import READING, intervals_of

WIDEST = 16  # columns of numbers side by side
NO_WIDER = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%"


def to_latex(table: Table) -> str:
    r"""Returns a `table*` float in the paper's layout, three lines a model (paper, ours, difference); then intervals.

    It needs `\usepackage{booktabs}` and `\usepackage{graphicx}`.
    """
    lines = [
        r"% needs \usepackage{booktabs} and \usepackage{graphicx}",
        r"\begin{table*}",
        r"\centering",
        rf"\caption{{{_tex(table.title)}}}",
        *([rf"\par\textbf{{{_tex(table.notice)}}}\par\medskip"] if table.notice else []),
    ]
    for place, numbers in enumerate(_bands(table)):
        lines += [r"\par\medskip"] if place else []
        lines += _latex_band(table, numbers)
    lines += [rf"\par\footnotesize {_tex_with_code(note)}" for note in table.notes]
    if intervals := [line for numbers in table.sections().values() for line in _latex_intervals(table, numbers)]:
        # a float of their own, since none can be longer than a page
        caption = rf"\caption{{{_tex(table.title)}: intervals}}"
        lines += [r"\end{table*}", r"\begin{table*}", r"\centering", caption, *intervals]
    return "\n".join([*lines, r"\end{table*}"]) + "\n"


def _bands(table: Table) -> list[list[int]]:
    """Returns the numbers of the columns that stand side by side: sections as long as a page can still be read."""
    found: list[list[int]] = []
    for band in table.bands():
        sections = [[number for number in numbers if number in band] for numbers in table.sections().values()]
        for place, numbers in enumerate(filter(None, sections)):
            if place and len(found[-1]) + len(numbers) <= WIDEST:
                found[-1] += numbers
            else:
                found.append(list(numbers))
    return found


def _latex_band(table: Table, numbers: Sequence[int]) -> list[str]:
    """Returns some columns as a tabular of their own."""
    lead = 2 if table.beside_paper else 1
    columns = [table.columns[number] for number in numbers]
    heads, rules, first = [], [], lead + 1
    for section, width in Counter(column.section for column in columns).items():
        heads.append(rf"\multicolumn{{{width}}}{{c}}{{{_tex(section)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    titles = [_tex(column.heading) for column in columns]
    lines = [
        NO_WIDER,
        rf"\begin{{tabular}}{{{'l' * lead}{'r' * len(columns)}}}",
        r"\toprule",
        rf"{' & ' * lead}{' & '.join(heads)} \\",
        " ".join(rules),
        rf"Model{' & ' * lead}{' & '.join(titles)} \\",
        r"\midrule",
    ]
    for group, rows in table.groups():
        if group:
            lines.append(rf"\multicolumn{{{lead + len(columns)}}}{{l}}{{\emph{{{_tex(group)}}}}} \\")
        for row in rows:
            lines += _latex_row(table, row, numbers)
    return [*lines, r"\bottomrule", r"\end{tabular}}"]


def _latex_intervals(table: Table, numbers: Sequence[int]) -> list[str]:
    """Returns the intervals behind some columns as a smaller tabular below the others; nothing where there are none."""
    found = intervals_of(table, numbers)
    if found is None:
        return []
    columns = [table.columns[number] for number in found.columns]
    titles = [_tex(column.heading) for column in columns]
    return [
        rf"\par\medskip\footnotesize {_tex(columns[0].section)}: {_tex(READING)}\par",
        NO_WIDER,
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        rf"Model & {' & '.join(titles)} \\",
        r"\midrule",
        *(rf"{_tex(row.title)} & {' & '.join(_tex(text) for text in row.cells)} \\" for row in found.rows),
        r"\bottomrule",
        r"\end{tabular}}",
    ]


def _latex_row(table: Table, row: Row, numbers: Sequence[int]) -> list[str]:
    cells = [row.cells[number] for number in numbers]
    ours = [_tex(cell.ours_text, cell.best_ours) for cell in cells]
    runs = table.runs(row, numbers)
    if not table.beside_paper:
        return [rf"{_tex(row.title)} ({runs}) & {' & '.join(ours)} \\"]
    paper = [_tex(cell.printed, cell.best_paper) for cell in cells]
    if row.sides == "ours":
        return [rf"{_tex(row.title)} & ours ({runs}) & {' & '.join(ours)} \\"]
    if row.sides == "paper":
        return [rf"{_tex(row.title)} & paper & {' & '.join(paper)} \\"]
    difference = [_tex(cell.difference_text) for cell in cells]
    return [
        rf"{_tex(row.title)} & paper & {' & '.join(paper)} \\",
        rf" & ours ({runs}) & {' & '.join(ours)} \\",
        rf" & difference & {' & '.join(difference)} \\",
    ]


_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "—": "---", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "†": r"$^\dagger$", "‡": r"$^\ddagger$",
    "→": r"$\to$", "\n": " ",
}  # fmt: skip


def _tex(text: str, bold: bool = False) -> str:
    escaped = "".join(_TEX.get(character, character) for character in text)
    return rf"\textbf{{{escaped}}}" if bold else escaped


def _tex_with_code(text: str) -> str:
    """Returns escaped LaTeX in which `words in backticks` are set as code."""
    return "".join(rf"\texttt{{{_tex(part)}}}" if n % 2 else _tex(part) for n, part in enumerate(CODE.split(text)))
