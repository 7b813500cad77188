"""What the paper says in words, as data, and whether its own tables bear it out.

    claims.yaml ─► claim_file.py ─► claims as pairs of cells (claim_form.py) ─┬─► on_paper: the printed numbers
                                                                              └─► claim_verdicts.py: ours

A claim holds when every part of it does. Printed numbers are compared as the decimals that they are, so that 62.0 and
61.4 are 0.6 apart, not a little more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Literal

from bench.replication.claim_file import read_claims
from bench.replication.claim_form import Claim, Number, Pair, Part, Quantity, compare, rank_correlation
from bench.replication.claim_words import closest_words, comparison, rank_words
from bench.replication.paper import paper_table

PATH = Path(__file__).with_name("claims.yaml")
OnPaper = Literal["holds", "does not hold", "no number"]


@dataclass(frozen=True)
class PartOnPaper:
    """A part of a claim on the paper's numbers: where and what it asks, the numbers, what is needed, if it holds."""

    place: str
    text: str  # the place and the question
    numbers: str
    needed: str
    holds: bool


@dataclass(frozen=True)
class ClaimOnPaper:
    """What the paper's own numbers say about a claim; `parts` is empty where they say nothing."""

    outcome: OnPaper
    parts: tuple[PartOnPaper, ...]

    @property
    def failing(self) -> list[PartOnPaper]:
        """The parts that do not hold."""
        return [part for part in self.parts if not part.holds]


@cache
def claims(path: Path = PATH) -> Mapping[str, Claim]:
    """Returns every claim of a file in the form of claims.yaml, by id, in its order.

    Raises:
        ConfigError: something in the file is not allowed; one line with file, line and claim.
    """
    return read_claims(path)


def on_paper(claim: Claim) -> ClaimOnPaper:
    """Returns whether the paper's tables bear a claim out."""
    parts = tuple(_part(part) for part in claim.parts)
    if not parts:
        return ClaimOnPaper("no number", ())
    return ClaimOnPaper("holds" if all(part.holds for part in parts) else "does not hold", parts)


def value_on_paper(quantity: Quantity) -> Fraction:
    """Returns the exact decimal that the paper prints, in the printed unit; of several cells their sum."""
    return sum((Fraction(paper_table(cell.table).printed[cell.address]) for cell in quantity), Fraction(0))


def _part(part: Part) -> PartOnPaper:
    if part.kind == "rank_correlation":
        sides = [[value_on_paper(pair[side]) for pair in part.pairs] for side in (0, 1)]
        found = rank_correlation(*sides)
        numbers, holds = f"{part.asks}: {rank_words(found, len(part.cases))}", part.allowed.holds(found)
    elif part.kind == "count":
        missed = [
            case.name for case in part.cases if not all(part.of_pairs.holds(_result(part, p)) for p in case.pairs)
        ]
        count = len(part.cases) - len(missed)
        numbers = f"{part.asks}: {count}" + (f" (not {', '.join(missed)})" if missed else "")
        holds = part.allowed.holds(count)
    else:
        closest = min(part.pairs, key=lambda pair: part.allowed.slack(_result(part, pair)))
        sides_there = [value_on_paper(quantity) for quantity in closest if quantity]
        holds = all(part.allowed.holds(_result(part, pair)) for pair in part.pairs)
        numbers = comparison(part.kind, closest, sides_there, _result(part, closest)) + closest_words(part, holds)
    return PartOnPaper(part.place, part.question, numbers, part.needed, holds)


def _result(part: Part, pair: Pair) -> Number:
    return compare(part.kind, *(value_on_paper(quantity) for quantity in pair if quantity))
