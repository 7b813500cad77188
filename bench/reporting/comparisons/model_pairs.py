"""Every pair of models of a suite: by how much they differ in a score, seed by seed, and how often one is the better.

Trainings of one seed have the same order of images, so that a difference is taken over the seeds that both models have.
Intervals are not widened for the number of pairs.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from io import StringIO
from itertools import combinations
from typing import NamedTuple

from bench.replication.statistics import Interval, paired, probability_of_improvement, t_interval
from bench.reporting.comparisons.comparison import DECIMALS, Side, signed
from bench.reporting.comparisons.suite_results import SuiteResults
from bench.reporting.staleness import MARK
from bench.reporting.tables.cells import MISSING
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES, WEIGHTING_TITLES

READING = (
    "Each cell: the first model minus the second in points, the mean over the seeds that both have, with its 95 % "
    "interval (Student's t) in brackets; P: how probable it is that a run of the first scores higher than one of the "
    "second, by all pairs of these runs. Intervals are not widened for the number of pairs: about one in twenty misses "
    "the true difference by chance. Where both have one seed in common, the difference of two single runs stands alone."
)
CSV_COLUMNS = (
    "notice", "weighting", "first", "second", "metric", "unit", "difference", "low", "high",
    "probability_of_improvement", "n", "stale",
)  # fmt: skip


class PairScore(NamedTuple):
    """The first of two models minus the second in a metric, in points, over `n` seeds."""

    metric: str
    difference: float
    interval: Interval | None  # None of single runs
    probability: float  # NaN of single runs
    n: int

    @property
    def text(self) -> str:
        """The difference, its interval and the probability."""
        if not self.n:
            return MISSING
        decimals = DECIMALS.get(self.metric, 1)
        mean = signed(self.difference, decimals)
        if self.interval is None:
            return mean
        ends = " to ".join(signed(end, decimals) for end in self.interval)
        return f"{mean} [{ends}], P {self.probability:.2f}"


class ModelPair(NamedTuple):
    """Two models by their names in the study, and a score for each of METRIC_TITLES."""

    first: str
    second: str
    scores: tuple[PairScore, ...]
    stale: bool

    @property
    def title(self) -> str:
        """The two models, marked where a result is stale."""
        return f"{MODEL_TITLES[self.first]} − {MODEL_TITLES[self.second]}" + (f" {MARK}" if self.stale else "")

    @property
    def runs(self) -> str:
        """How many seeds both have."""
        n = max(score.n for score in self.scores)
        return "single runs" if n == 1 else f"{n} seeds"


class PairTable(NamedTuple):
    """The pairs of models that were trained with one loss weighting and have a seed in common."""

    weighting: str
    pairs: tuple[ModelPair, ...]

    @property
    def title(self) -> str:
        """The weighting in words, and how many pairs there are."""
        words = WEIGHTING_TITLES[self.weighting]
        return f"{words[:1].upper()}{words[1:]}: {len(self.pairs)} pair{'s' * (len(self.pairs) != 1)}"


def pair_tables(suite: SuiteResults) -> list[PairTable]:
    """Returns the pairs of models of a suite by test scores at the reported checkpoint, a table a loss weighting."""
    found = suite.scored()
    tables = []
    for weighting in suite.weightings:
        sides = {model: found[model, weighting] for model in suite.models if (model, weighting) in found}
        pairs = [_pair(first, second, sides) for first, second in combinations(sides, 2)]
        known = tuple(pair for pair in pairs if any(score.n for score in pair.scores))
        tables += [PairTable(weighting, known)] if known else []
    return tables


def pairs_csv(tables: Sequence[PairTable], notice: str) -> str:
    """Returns one line per pair and metric with CSV_COLUMNS; what is not known is NaN."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for table in tables:
        for pair in table.pairs:
            for score in pair.scores:
                low, high = score.interval or (math.nan, math.nan)
                numbers = (_number(value) for value in (score.difference, low, high, score.probability))
                place = (table.weighting, pair.first, pair.second, score.metric, "points")
                writer.writerow((notice, *place, *numbers, score.n, str(pair.stale)))
    return text.getvalue()


def _pair(first: str, second: str, sides: dict[str, Side]) -> ModelPair:
    left, right = sides[first], sides[second]
    return ModelPair(first, second, tuple(_score(left, right, metric) for metric in METRIC_TITLES),
                     left.stale or right.stale)  # fmt: skip


def _score(left: Side, right: Side, metric: str) -> PairScore:
    ours, theirs = left.values.get(metric, {}), right.values.get(metric, {})
    differences = {seed: 100 * value for seed, value in paired(ours, theirs).items()}
    n = len(differences)
    mean = math.fsum(differences.values()) / n if n else math.nan
    probability = math.nan
    if n > 1:
        probability = probability_of_improvement([ours[s] for s in differences], [theirs[s] for s in differences])
    return PairScore(metric, mean, t_interval(list(differences.values())), probability, n)


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else format(value, ".6g")
