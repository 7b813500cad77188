"""The paper's printed numbers, read from paper_tables.yaml.

A cell has an `Address` (which row, weighting, split, metric, ...) and the text the paper prints there. The
number of decimals is taken from that text, so that ours can be shown with as many. Coordinates are in the words of
`bench.replication.scores`: the last of several training lengths, which the file calls final, is budget "".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench.errors import UnknownNameError
from bench.results.schema import COST_METRICS
from bench.study.catalog import METRIC_TITLES, ROW_TITLES, WEIGHTING_TITLES

PATH = Path(__file__).with_name("paper_tables.yaml")
NOT_PRINTED = "n/a"  # what the paper prints where it gives no number
FINAL = "final"  # what the file calls the best point after the last budget: the checkpoint that we report
SPLITS = ("train", "val", "test")
TIME_PROTOCOLS = {"T1": "table-1", "T6": "table-6"}  # by which the times of a table were measured

# One printed unit in the unit that results are stored in (schema.py): 1 percent is the fraction 0.01.
STORED_PER_PRINTED = {
    "percent": 0.01, "million": 1e6, "thousand": 1e3, "ratio": 1.0, "ms": 1.0, "MB": 1.0, "MiB": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A published number in the unit that the paper prints."""

    value: float
    unit: str  # a key of STORED_PER_PRINTED
    decimals: int  # as printed

    @property
    def stored(self) -> float:
        """The number in the unit of our results: a fraction, a count, a ratio or ms."""
        return round(self.value * STORED_PER_PRINTED[self.unit], self.decimals + 4)


class Address(NamedTuple):
    """Where a cell stands; a coordinate that a table does not have is the empty string."""

    row: str
    metric: str
    weighting: str = ""
    split: str = ""
    budget: str = ""
    class_name: str = ""


class PaperRow(NamedTuple):
    """One row: the name the paper prints, the key of its group, and our key of what it is a row of.

    `model` differs from the row's own key where a model has several rows, trained with other loss weightings.
    """

    title: str
    group: str
    model: str


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper; `printed` holds every cell's text in the printed order."""

    title: str
    section: str
    groups: dict[str, str]  # key -> heading, in the printed order
    notes: dict[str, str]  # metric -> how it was measured
    rows: dict[str, PaperRow]  # in the printed order
    printed: dict[Address, str]
    units: dict[str, str]  # metric -> printed unit

    @property
    def budgets(self) -> tuple[str, ...]:
        """The fixed training lengths, in the printed order; the final point, budget "", is not one of them."""
        return tuple(dict.fromkeys(address.budget for address in self.printed if address.budget))

    def target(self, address: Address) -> Target | None:
        """Returns the number at an address; None where the paper prints none."""
        text = self.printed.get(address, NOT_PRINTED)
        if text == NOT_PRINTED:
            return None
        return Target(float(text), self.units[address.metric], len(text.partition(".")[2]))


@cache
def paper_tables(path: Path = PATH) -> dict[str, PaperTable]:
    """Returns every table of a file in the format of paper_tables.yaml, by its key ("T1")."""
    # A base loader leaves every scalar as the text it is: 62.0 keeps its decimal. The one in C is quicker.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    metrics: dict[str, dict[str, str]] = content["metrics"]
    return {key: _table(table, metrics) for key, table in content["tables"].items()}


def paper_table(key: str) -> PaperTable:
    """Returns one table of the paper.

    Raises:
        UnknownNameError: there is no such table.
    """
    _known("paper table", key, paper_tables())
    return paper_tables()[key]


def target(
    table: str,
    model: str,
    weighting: str | None,
    split: str | None,
    metric: str,
    *,
    budget: str = "",
    class_name: str = "",
) -> Target | None:
    """Returns the number that the paper prints in a cell, or None where it prints none.

    Args:
        table: "T1".
        model: a key of ROW_TITLES, for one of the table's rows a `PaperRow.model`, or the key of a row.
        weighting: a key of WEIGHTING_TITLES; None for a number that has no weighting, such as a cost.
        split: train, val or test; None for a cost.
        metric: a key of METRIC_TITLES, COST_METRICS or one that the table has.
        budget: which fixed training length, in a table that has some; "" is the final point.
        class_name: which class, in a table of per-class numbers.

    Raises:
        UnknownNameError: a name that neither the table nor the study knows.
    """
    cells = paper_table(table)
    _known("model", model, [*ROW_TITLES, *cells.rows])
    _known("metric", metric, [*METRIC_TITLES, *COST_METRICS, *cells.units])
    if weighting is not None:
        _known("weighting", weighting, WEIGHTING_TITLES)
    if split is not None:
        _known("split", split, SPLITS)
    if budget:
        _known(f"budget of table {table}", budget, [address.budget for address in cells.printed])
    if class_name:
        _known(f"class of table {table}", class_name, [address.class_name for address in cells.printed])
    rows = [model, *(key for key, row in cells.rows.items() if row.model == model)]
    found = (cells.target(Address(row, metric, weighting or "", split or "", budget, class_name)) for row in rows)
    return next((cell for cell in found if cell), None)


def _known(what: str, got: str, known: Iterable[str]) -> None:
    names = [name for name in dict.fromkeys(known) if name]
    if got not in names:
        raise UnknownNameError(what, got, names)


def _table(content: dict[str, Any], metrics: dict[str, dict[str, str]]) -> PaperTable:
    """Returns one table of the file, its nested rows flattened into addresses."""
    printed: dict[Address, str] = {}
    for row, entry in content["rows"].items():
        assert entry["group"] in content["groups"], f"{row}: no group {entry['group']}"
        for name, block in content["blocks"].items():
            for path, text in _leaves(entry.get(name, {})):
                place = dict(zip(block["levels"], path, strict=True)) | block["fixed"]
                place["metric"] = metrics[place["metric"]]["name"]
                if place.get("budget") == FINAL:
                    place["budget"] = ""
                if "weighting" in place:
                    place["weighting"] = entry.get("weighting", place["weighting"])
                printed[Address(row=row, **place)] = text
    units = {metric["name"]: metric["unit"] for metric in metrics.values()}
    return PaperTable(
        title=content["title"],
        section=content["section"],
        groups=content["groups"],
        notes=content["notes"],
        rows={
            row: PaperRow(entry["title"], entry["group"], entry.get("model", row))
            for row, entry in content["rows"].items()
        },
        printed=printed,
        units=units,
    )


def _leaves(tree: dict[str, Any] | str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the path to every text of a nested mapping, and the text."""
    if isinstance(tree, str):
        yield path, tree
    else:
        for key, branch in tree.items():
            yield from _leaves(branch, (*path, key))
