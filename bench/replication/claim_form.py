"""What a claim is once it is read: comparisons of cells of the paper's tables, and what they have to come to.

    Claim ── Part, all of which have to hold ── Case ── Pair of Quantities, all of which have to be allowed

Most parts have one case. A part of kind `count` counts the cases that hold, one of kind `rank_correlation` correlates
the quantities of its cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isnan, nan
from typing import Literal, NamedTuple

from bench.replication.paper import Address

Kind = Literal["ordering", "margin", "ratio", "equivalence", "rank_correlation", "count", "range", "excess"]
Threshold = Literal["ours", "paper", ""]
Number = float | Fraction

SINGLE_RUN = "single run"  # what reasons begin with that say nothing else


class Cell(NamedTuple):
    """A number of the paper's tables, and the place of ours beside it."""

    table: str  # "T1"
    address: Address


Quantity = tuple[Cell, ...]  # the sum of some cells, most often of one


class Pair(NamedTuple):
    """What is compared with what; `under` is empty where a quantity is held against bounds alone."""

    over: Quantity
    under: Quantity = ()


class Case(NamedTuple):
    """Pairs that all have to be allowed; `name` says which of several cases it is."""

    name: str
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Allowed:
    """The values that a comparison may come to, in printed units; a bound is allowed itself unless it is open."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    def holds(self, value: Number) -> bool:
        """Whether a value is allowed; NaN is not."""
        low, high = self._ends(value)
        above = low is None or value > low or (value == low and not self.low_open)
        below = high is None or value < high or (value == high and not self.high_open)
        return above and below and not isnan(value)

    def excludes(self, first: Number, last: Number) -> bool:
        """Whether no value from the first to the last is allowed; never where one is NaN."""
        (low, _), (_, high) = self._ends(last), self._ends(first)
        too_low = low is not None and (last < low or (last == low and self.low_open))
        too_high = high is not None and (first > high or (first == high and self.high_open))
        return too_low or too_high

    def slack(self, value: Number) -> Number:
        """Returns how far a value is from the nearest bound, negative where it is beyond it."""
        low, high = self._ends(value)
        return min(([value - low] if low is not None else []) + ([high - value] if high is not None else []))

    def _ends(self, value: Number) -> tuple[Number | None, Number | None]:
        """Returns the bounds as numbers of the kind of `value`: the binary fraction 0.3 is not three tenths."""
        if not isinstance(value, float):
            return self.low, self.high
        return None if self.low is None else float(self.low), None if self.high is None else float(self.high)

    def words(self, unit: str = "") -> str:
        """Returns the bounds in words, such as "at least 5 points"; `unit` is that of several."""
        last = self.low if self.high is None else self.high
        after = f" {unit.removesuffix('s') if last == 1 else unit}" if unit else ""
        if self.low is not None and self.low == self.high:
            return f"exactly {plain(self.low)}{after}"
        if self.low is not None and self.high == -self.low:
            return f"at most ±{plain(self.high)}{after}"
        parts = []
        if self.low is not None:
            parts.append(f"{'above' if self.low_open else 'at least'} {plain(self.low)}")
        if self.high is not None:
            parts.append(f"{'below' if self.high_open else 'at most'} {plain(self.high)}")
        return " and ".join(parts) + after


ABOVE = Allowed(Fraction(0), low_open=True)


@dataclass(frozen=True)
class Part:
    """One test of a claim; `place` says in words where it compares numbers, `asks` what with what."""

    kind: Kind
    place: str
    asks: str
    cases: tuple[Case, ...]
    allowed: Allowed
    needed: str  # `allowed` in words

    @property
    def question(self) -> str:
        """What it asks, in words."""
        return f"{self.place}: {self.asks}"

    @property
    def of_pairs(self) -> Allowed:
        """What each pair may come to; `allowed` itself unless the part counts or correlates."""
        return ABOVE if self.kind == "count" else self.allowed

    @property
    def pairs(self) -> list[Pair]:
        """The pairs of all cases."""
        return [pair for case in self.cases for pair in case.pairs]


@dataclass(frozen=True)
class Claim:
    """A statement of the paper, in our words, and what it says about numbers; `parts` is empty where it says nothing.

    Attributes:
        section: of the paper, or which table or caption.
        tables: the tables that it is about; the first one is where it belongs.
        threshold: who chose the numbers that its parts name; "" where they name none.
        note: what else is to be said about it; may be empty.
        no_number: why the tables cannot test it; "" where they can.
    """

    id: str
    section: str
    tables: tuple[str, ...]
    statement: str
    threshold: Threshold
    note: str
    no_number: str
    parts: tuple[Part, ...]

    @property
    def comparisons(self) -> int:
        """How many comparisons it takes: of pairs, and of correlations."""
        return sum(1 if part.kind == "rank_correlation" else len(part.pairs) for part in self.parts)

    @property
    def cells(self) -> list[Cell]:
        """Every cell that it is about."""
        return [cell for part in self.parts for pair in part.pairs for cell in (*pair.over, *pair.under)]


def compare(kind: Kind, over: Number, under: Number | None = None) -> Number:
    """Returns what a comparison comes to: a ratio, a difference, or the value itself where `under` is None.

    Edge cases:
        A ratio to 0 is NaN.
    """
    if under is None:
        return over
    if kind == "ratio":
        return over / under if under else nan
    return over - under


def rank_correlation(first: Sequence[Number], second: Sequence[Number]) -> float:
    """Returns Spearman's rank correlation; equal values share the mean of their ranks.

    Returns: NaN where all values of one side are equal, or one is NaN.
    """
    if any(isnan(value) for value in (*first, *second)):
        return nan
    x, y = _ranks(first), _ranks(second)
    mean = Fraction(len(x) + 1, 2)
    product = sum(((a - mean) * (b - mean) for a, b in zip(x, y, strict=True)), Fraction(0))
    squares = [sum(((rank - mean) ** 2 for rank in ranks), Fraction(0)) for ranks in (x, y)]
    return float(product) / float(squares[0] * squares[1]) ** 0.5 if all(squares) else nan


def plain(value: Fraction) -> str:
    """Returns a bound as it was written: 0.5, 11, −1."""
    return f"{float(value):g}".replace("-", "−")


def _ranks(values: Sequence[Number]) -> list[Fraction]:
    below = [sum(other < value for other in values) for value in values]
    equal = [sum(other == value for other in values) for value in values]
    return [less + Fraction(same + 1, 2) for less, same in zip(below, equal, strict=True)]
