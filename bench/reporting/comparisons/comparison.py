"""Two sets of trainings beside each other: what each scores, and by how much the second differs from the first.

A difference is that of the two numbers as they are shown; its spread is that of the differences seed by seed, since two
trainings of one seed have the same order of images. A single run has no spread, and is called one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.replication.statistics import t_interval
from bench.reporting.staleness import MARK
from bench.reporting.tables.cells import MISSING, runs_label
from bench.study.catalog import METRIC_TITLES

DECIMALS = {"boundary_f1": 2}  # of percent; 1 for the other scores, as the paper prints them
NAMED = 4  # pairs of models in a sentence
WHERE = ("device_name", "kernels", "torch")  # columns that tell machines apart
SINGLE_RUN = (
    "Single runs (one seed): how much another seed changes these numbers is not known, so that no difference here is "
    "evidence."
)


SPREAD = ", ± one standard deviation over seeds; that of a difference is of the differences seed by seed"


class Pair(NamedTuple):
    """A cell: the first value, the second, and the second minus the first, as shown; "" where there is none."""

    left: str
    right: str
    difference: str = ""

    @property
    def text(self) -> str:
        """The cell in one line."""
        return f"{self.left} → {self.right}" + (f" ({self.difference})" if self.difference else "")

    @property
    def side(self) -> str:
        """Where the second lies: above, below, equal, or "" where there is no difference."""
        if not self.difference or self.difference == MISSING:
            return ""
        return {"+": "above", "−": "below"}.get(self.difference[0], "equal")


class ComparisonRow(NamedTuple):
    """One comparison; `group` is the heading that it stands under, `runs` how many runs are behind it."""

    title: str
    cells: tuple[Pair, ...]
    runs: str = ""
    group: str = ""


@dataclass(frozen=True)
class Comparison:
    """A table of comparisons, ready for the templates.

    Attributes:
        key: fit for an anchor.
        sides: what stands first in each cell, and what second.
        headings: of the cells.
    """

    key: str
    title: str
    sides: tuple[str, str]
    headings: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]
    notes: tuple[str, ...] = ()
    stands_for: str = "Model"  # heading of the rows

    @property
    def groups(self) -> tuple[str, ...]:
        """The headings that rows stand under, in order."""
        return tuple(dict.fromkeys(row.group for row in self.rows))

    @property
    def reading(self) -> str:
        """How to read a cell."""
        spread = any("±" in cell.text for row in self.rows for cell in row.cells)
        return (
            f"Each cell: {self.sides[0]} → {self.sides[1]} (the second minus the first; of scores in points)"
            f"{SPREAD if spread else ''}."
        )


@dataclass(frozen=True)
class Side:
    """What some trainings of several seeds scored.

    Attributes:
        values: by metric and seed; fractions.
        stale: whether one of them was measured under other settings or source than are planned now.
        machines: on which they ran, with the version of PyTorch.
    """

    values: Mapping[str, Mapping[int, float]]
    stale: bool = False
    machines: frozenset[str] = frozenset()

    def mean(self, metric: str) -> float:
        """Returns the mean over seeds; NaN where there is none."""
        values = list(self.values.get(metric, {}).values())
        return float(np.mean(values)) if values else math.nan

    @property
    def runs(self) -> int:
        """The number of seeds."""
        return max((len(seeds) for seeds in self.values.values()), default=0)


NOTHING = Side({})


def sides(rows: pd.DataFrame, stale: Iterable[str] = ()) -> dict[tuple[str, str], Side]:
    """Returns what was scored, by model and loss weighting.

    Args:
        rows: of record "score", one checkpoint a trial and one split; columns of the schema.
        stale: digests of the stale results.
    """
    old = set(stale)
    found: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    marked = set()
    columns = ["model", "weighting", "metric", "seed", "digest", "value"]
    for model, weighting, metric, seed, digest, value in rows[columns].itertuples(index=False, name=None):
        found.setdefault((model, weighting), {}).setdefault(metric, {})[int(seed)] = float(value)
        marked |= {(model, weighting)} if digest in old else set()
    machines: dict[tuple[str, str], set[str]] = {}
    for model, weighting, *where in rows[["model", "weighting", *WHERE]].drop_duplicates().itertuples(index=False):
        machines.setdefault((model, weighting), set()).add(_machine(*where))
    return {cell: Side(values, cell in marked, frozenset(machines[cell])) for cell, values in found.items()}


def score_pairs(left: Side, right: Side, metrics: Sequence[str] = tuple(METRIC_TITLES)) -> tuple[Pair, ...]:
    """Returns one cell a metric, in percent."""
    return tuple(_pair(left, right, metric) for metric in metrics)


def score_comparison(
    key: str,
    title: str,
    sides: tuple[str, str],
    pairs: Mapping[str, tuple[Side, Side]],
    ranked: bool = True,
) -> Comparison:
    """Returns a table with a row of scores for each pair of which something is known.

    Args:
        key, title, sides: of the table.
        pairs: what is compared, by the title of its row.
        ranked: whether the rows are alternatives to each other; a note then says which of them change places.
    """
    known = {row: pair for row, pair in pairs.items() if pair[0].runs or pair[1].runs}
    rows = tuple(ComparisonRow(row, score_pairs(*pair), runs_of(*pair)) for row, pair in known.items())
    left, right = ({row: pair[number] for row, pair in known.items()} for number in (0, 1))
    order = swaps(left, right, {row: row for row in known}) if ranked else ""
    notes = (*sureness(known), order)
    return Comparison(key, title, sides, tuple(METRIC_TITLES.values()), rows, tuple(filter(None, notes)))


def sureness(pairs: Mapping[str, tuple[Side, Side]]) -> list[str]:
    """Returns what is to be said of how sure differences are: their intervals, too few seeds, two machines.

    Args:
        pairs: what is compared, by the title of its row.
    """
    return [text for text in (decided(pairs), undecidable(pairs), apart(pairs)) if text]


def decided(pairs: Mapping[str, tuple[Side, Side]]) -> str:
    """Says which differences have a 95 % interval (Student's t, seed by seed) without 0; "" where none has any.

    Args:
        pairs: what is compared, by the title of its row.
    """
    found: dict[str, list[str]] = {}
    count = clear = 0
    for row, (left, right) in pairs.items():
        for metric, name in METRIC_TITLES.items():
            interval = t_interval(_differences(left, right, metric))
            if interval is None:
                continue
            count += 1
            if interval.low > 0 or interval.high < 0:
                ends = (signed(end, DECIMALS.get(metric, 1)) for end in interval)
                found.setdefault(row, []).append(f"{name} {' to '.join(ends)}")
                clear += 1
    if not count:
        return ""
    said = "; ".join(f"{row}: {', '.join(metrics)}" for row, metrics in found.items())
    rest = f"the other {count - clear} of {count} leave open which way" if count > clear else f"that is all {count}"
    return f"Differences whose 95 % interval leaves out 0 (Student's t, seed by seed): {said or 'none'}; {rest}."


def undecidable(pairs: Mapping[str, tuple[Side, Side]]) -> str:
    """Says of which differences no interval is known, since less than two seeds are in common; "" of none."""
    rows = [
        row
        for row, (left, right) in pairs.items()
        if left.runs and right.runs and all(len(_differences(left, right, metric)) < 2 for metric in METRIC_TITLES)
    ]
    if not rows:
        return ""
    return f"Less than two seeds in common, so that no difference is evidence: {', '.join(rows)}."


def apart(pairs: Mapping[str, tuple[Side, Side]]) -> str:
    """Says on what the two sides ran where that was not the same; "" where it was."""
    mixed = [
        (left, right)
        for left, right in pairs.values()
        if left.machines and right.machines and left.machines != right.machines
    ]
    if not mixed:
        return ""
    theirs = (
        " and ".join(sorted(frozenset.union(*(side.machines for side in of_side))))
        for of_side in zip(*mixed, strict=True)
    )
    first, second = theirs
    return (
        f"The first ran on {first}, the second on {second}. They round differently, so that part of a difference may "
        "be theirs."
    )


def runs_of(*compared: Side) -> str:
    """Returns how many runs are behind a comparison: "single run each", "mean of 2 runs each", "1 and 2 runs"."""
    counts = [side.runs for side in compared]
    if len(set(counts)) > 1:
        return f"{' and '.join(map(str, counts))} runs"
    return f"{runs_label(counts)} each" if counts and counts[0] else runs_label(counts)


def number_pair(left: float | None, right: float | None, decimals: int) -> Pair:
    """Returns a cell of two numbers that have no spread, such as model sizes."""
    shown = [MISSING if value is None else f"{value:,.{decimals}f}" for value in (left, right)]
    if left is None or right is None:
        return Pair(shown[0], shown[1])
    return Pair(shown[0], shown[1], signed(round(right, decimals) - round(left, decimals), decimals))


def signed(value: float, decimals: int) -> str:
    """Returns a difference with its sign; what rounds to 0 has none."""
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return ("+" if value > 0 else "−") + text


def swaps(left: Mapping[str, Side], right: Mapping[str, Side], titles: Mapping[str, str]) -> str:
    """Says which pairs of models the metrics rank the other way round on the two sides; "" of less than two models.

    Where there are three models or more, with Kendall's τ of the two rankings by each metric in which a pair swaps:
    (pairs in the same order - pairs that swap) / all pairs; a tie is neither.

    Args:
        left, right: sides by model.
        titles: names of the models.
    """
    found = {name: _swapped(left, right, metric) for metric, name in METRIC_TITLES.items()}
    known = {name: orders for name, orders in found.items() if orders}
    if not known:
        return ""
    parts, same = [], []
    for name, orders in known.items():
        pairs = [f"{titles[one]} / {titles[other]}" for (one, other), order in orders.items() if order < 0]
        if not pairs:
            same.append(name)
            continue
        named = ", ".join(pairs[:NAMED]) + (", …" if len(pairs) > NAMED else "")
        tau = f", τ {signed(sum(orders.values()) / len(orders), 2)}" if len(orders) > 1 else ""
        parts.append(f"by {name}, {len(pairs)} of {len(orders)} ({named}{tau})")
    if not parts:
        return f"No two models change places, by {' or by '.join(same)}."
    parts += [f"by {' and by '.join(same)}, none"] if same else []
    return f"Pairs of models that change places: {'; '.join(parts)}."


def _swapped(left: Mapping[str, Side], right: Mapping[str, Side], metric: str) -> dict[tuple[str, str], float]:
    """Returns for each pair of models that both sides know whether they rank it alike: 1, 0 (a tie) or -1."""
    means = {model: (left[model].mean(metric), right[model].mean(metric)) for model in left if model in right}
    known = {model: both for model, both in means.items() if all(map(math.isfinite, both))}
    return {
        (one, other): float(np.sign(known[other][0] - known[one][0]) * np.sign(known[other][1] - known[one][1]))
        for one, other in combinations(known, 2)
    }


def _pair(left: Side, right: Side, metric: str) -> Pair:
    decimals = DECIMALS.get(metric, 1)
    texts = [_text(side, metric, decimals) for side in (left, right)]
    means = [100 * side.mean(metric) for side in (left, right)]
    if not all(map(math.isfinite, means)):
        return Pair(texts[0], texts[1])
    difference = signed(round(means[1], decimals) - round(means[0], decimals), decimals)
    spread = _std(_differences(left, right, metric))
    return Pair(texts[0], texts[1], difference + (f" ± {spread:.{decimals}f}" if math.isfinite(spread) else ""))


def _differences(left: Side, right: Side, metric: str) -> list[float]:
    """Returns the second minus the first in points, one a seed that both have."""
    ours, theirs = left.values.get(metric, {}), right.values.get(metric, {})
    return [100 * (theirs[seed] - ours[seed]) for seed in sorted(ours.keys() & theirs.keys())]


def _machine(device: object, kernels: object, torch: object) -> str:
    named = f"{device} ({kernels})" if isinstance(kernels, str) and kernels else str(device)
    return f"{named}, PyTorch {torch}"


def _text(side: Side, metric: str, decimals: int) -> str:
    mean = 100 * side.mean(metric)
    if not math.isfinite(mean):
        return MISSING
    spread = _std([100 * value for value in side.values[metric].values()])
    text = f"{mean:.{decimals}f}" + (f" ± {spread:.{decimals}f}" if math.isfinite(spread) else "")
    return f"{text} {MARK}" if side.stale else text


def _std(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
