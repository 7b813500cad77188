"""How a verdict looks: a sign and its word, which a colour repeats, and one sentence on what it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.reporting.staleness import MARK as STALE


@dataclass(frozen=True)
class Mark:
    """A verdict as it is shown; `count` where many are summed up."""

    verdict: str
    count: int = 0

    @property
    def sign(self) -> str:
        """A character that stands for it."""
        return SIGNS.get(self.verdict, "·")

    @property
    def css(self) -> str:
        """The class that colours it."""
        return f"v-{self.verdict.replace(' ', '-')}"

    @property
    def text(self) -> str:
        """Sign and word."""
        return f"{self.sign} {self.verdict}"

    @property
    def tally(self) -> str:
        """Sign, count and word."""
        word = self.verdict if self.count == 1 else PLURALS.get(self.verdict, self.verdict)
        return f"{self.sign} {self.count} {word}"


SIGNS = {
    "within": "✓",
    "outside": "✗",
    "inconclusive": "?",
    "missing": "○",
    "stale": STALE,
    "failed": "!",
    "not comparable": "≠",
    "replicated": "✓",
    "contradicted": "✗",
    "not tested": "○",
    "holds": "✓",
    "does not hold": "✗",
    "no number": "○",
}
PLURALS = {"holds": "hold", "does not hold": "do not hold", "no number": "have no number"}
# In the order in which they are listed and counted.
OF_NUMBERS = ("within", "outside", "inconclusive", "not comparable", "stale", "failed", "missing")
OF_CLAIMS = ("replicated", "contradicted", "inconclusive", "not tested")
ON_PAPER = ("holds", "does not hold", "no number")
# One sentence on each, without its end.
MEANING_OF_NUMBERS = {
    "within": "our interval over seeds lies inside the tolerance around the paper's number",
    "outside": "it lies wholly outside, on one side",
    "inconclusive": "it crosses the edge of the tolerance, or there are too few seeds for an interval; the reason says "
    "how many would decide",
    "not comparable": "the two numbers are not of one kind: another scale, device, precision or protocol",
    "stale": "measured under other settings or source than are planned now, so it does not count",
    "failed": "the trial ended without a result",
    "missing": "not run yet",
}
MEANING_OF_CLAIMS = {
    "replicated": "every comparison of the claim lies on the right side of its threshold, interval and all",
    "contradicted": "one comparison lies wholly on the wrong side, its interval widened for the number of comparisons "
    "in the claim",
    "inconclusive": "neither replicated nor contradicted: an interval crosses its threshold, or lies beyond it by less "
    "than so many comparisons in one claim ask for (the widened interval stands beside it), or there is a single run",
    "not tested": "our results do not have the numbers, or not at the scale that the claim needs",
}
MEANING_ON_PAPER = {
    "holds": "the paper's own tables bear the statement out",
    "does not hold": "the paper's own tables contradict the statement",
    "no number": "the paper prints no number for it",
}


def legend(meanings: Mapping[str, str]) -> list[tuple[Mark, str]]:
    """Returns the marks of some verdicts, each with its meaning."""
    return [(Mark(verdict), meaning) for verdict, meaning in meanings.items()]


def counted(verdicts: Iterable[str], order: Iterable[str]) -> list[Mark]:
    """Returns how often each verdict occurs, in an order; those that do not occur are left out."""
    found = Counter(verdicts)
    return [Mark(verdict, found[verdict]) for verdict in dict.fromkeys([*order, *found]) if found[verdict]]
