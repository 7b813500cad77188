"""What a script prints: Markdown that reads well in a terminal too, figures with their rounds, and a mark for doubt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from rounds import Measured, Times, Way

from bench.replication.conditions import BUSY_SHARE


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a Markdown table; the first column is text, the others are numbers."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join([row[0].ljust(widths[0]), *numbers])} |"

    rule = ["-" * widths[0], *["-" * (width - 1) + ":" for width in widths[1:]]]
    return "\n".join([line(cells[0]), line(rule), *[line(row) for row in cells[1:]]])


def timing_table(measured: Measured, unit: str) -> str:
    """Returns one row a way: median and range of ms a unit, the rate, and how many times as long as ours it takes."""
    ours = measured.times[0].median
    header = ["way", f"ms/{unit}", "range", f"{unit}s/s", "to ours", f"{unit}s a round"]
    rows = []
    for times in measured.times:
        ratio = f"{times.median / ours:.3g}×" if times is not measured.times[0] else ""
        rows.append([times.way.name, ms(times), spread(times), rate(times), ratio, str(times.way.units)])
    return table(header, rows)


def ms(times: Times) -> str:
    """Returns the median, ms."""
    return figure(times.median * 1e3)


def rate(times: Times) -> str:
    """Returns units per second."""
    return figure(1 / times.median)


def spread(times: Times) -> str:
    """Returns the least and the largest round, ms."""
    return f"{figure(min(times.seconds) * 1e3)} – {figure(max(times.seconds) * 1e3)}"


def figure(number: float) -> str:
    """Returns a number with three digits, more only before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def caption(rounds: int, others_share: float | None) -> str:
    """Returns what the figures of a table rest on, with a mark where others used the machine meanwhile."""
    return f"Median and range of {rounds} round{'s' if rounds > 1 else ''}. {busy(others_share)}"


def busy(share: float | None) -> str:
    """Returns how much of the processors others took, marked where that is too much."""
    if share is None:
        return "What others took of the processors meanwhile is not known: too short, or a system that does not say."
    if share > BUSY_SHARE:
        return f"⚠ **Busy machine**: others took {share:.0%} of the processors meanwhile."
    return f"Others took {share:.1%} of the processors meanwhile."


def meanings(ways: Iterable[Way]) -> str:
    """Returns a list that says what each row means."""
    return "\n".join(f"- **{way.name}**: {way.meaning}" for way in ways)


def load() -> str:
    """Returns the load average, as it is before a measurement."""
    return f"Load average before: {os.getloadavg()[0]:.2f}."


def show(*blocks: str) -> None:
    """Prints blocks of Markdown, each followed by an empty line, at once."""
    for block in blocks:
        if block:
            print(block, end="\n\n", flush=True)


def left_out(packages: Mapping[str, object]) -> str:
    """Returns a line that names the packages that are not installed, so that their ways are missing."""
    missing = [name for name, module in packages.items() if module is None]
    return f"Left out, because not installed: {', '.join(missing)}." if missing else ""
