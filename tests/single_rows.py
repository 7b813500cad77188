"""Rows of a trial one by one, for tests that look at each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def single_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Gives every row, and of one that stands for many (see bench/results/trial_table.py) each of them."""
    for row in rows:
        if getattr(row["value"], "ndim", 0) == 0:
            yield dict(row)
            continue
        coded = {name: held for name, held in row.items() if isinstance(held, Mapping)}
        texts = {name: [held["texts"][code] for code in held["codes"].tolist()] for name, held in coded.items()}
        for number, value in enumerate(row["value"].tolist()):
            yield {**row, **{name: column[number] for name, column in texts.items()}, "value": float(value)}
