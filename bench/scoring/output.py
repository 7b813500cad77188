"""Scores as text: a table in percent for people, also as Markdown, CSV and JSON in fractions for programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.atomic import write_atomically
from bench.errors import ConfigError, one_line
from bench.scoring.definition import Measure
from bench.study.catalog import METRIC_TITLES

FORMATS = ("table", "markdown", "csv", "json")
MISSING = "—"
_CLASS_TITLES = {"accuracy": "accuracy", "iou": "IoU", "boundary_f1": "BF"}


def title_of(measure: Measure) -> str:
    """Returns the heading of a measure; a BF names its protocol."""
    title = METRIC_TITLES.get(measure.metric) or _CLASS_TITLES[measure.metric]
    return f"{title} {measure.protocol}".rstrip()


def percent(measure: Measure, value: float, std: float = math.nan, mark: str = "") -> str:
    """Returns a fraction in percent, BF with two decimals, others with one, as the paper prints them."""
    if math.isnan(value):
        return MISSING
    decimals = 2 if measure.metric == "boundary_f1" else 1
    spread = "" if math.isnan(std) else f" ± {100 * std:.{decimals}f}"
    return f"{100 * value:.{decimals}f}{spread}{mark}"


def as_table(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> str:
    """Returns columns of text: the first `texts` to the left, the numbers to the right."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    lines.insert(1, ["─" * width for width in widths])
    return "\n".join(
        "  ".join(
            text.ljust(width) if column < texts else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> str:
    """Returns columns of text as a Markdown table; arguments as for `as_table`."""
    rule = ["---" if column < texts else "---:" for column in range(len(heads))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, rule, *rows))


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns rows of equal keys as CSV; a value that does not exist is NaN."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "NaN" if value != value else value for key, value in row.items()})
    return out.getvalue().rstrip("\n")


def as_json(content: Any) -> str:
    """Returns JSON, in which a value that does not exist is null."""
    return json.dumps(_without_nan(content), indent=2, allow_nan=False, ensure_ascii=False)


def check_out(path: Path | None) -> None:
    """Raises ConfigError for a folder in place of a file to write; asked before anything is computed."""
    if path is not None and path.is_dir():
        raise ConfigError(f"--out '{one_line(path)}' is a folder; name a file")


def write_text(path: Path, text: str) -> None:
    """Writes a file whole or not at all; raises UnwritableError where it cannot be written."""
    data = f"{text}\n".encode()

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_atomically(path, write)


def _without_nan(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and math.isnan(content) else content
