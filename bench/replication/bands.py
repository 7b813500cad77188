"""How far each number may be from its reference: the gaps of bench.yaml, and its exceptions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.errors import ConfigError
from bench.replication.check import Place
from bench.study.catalog import METRIC_TITLES
from bench.study.specs import Gaps, GapSpec, Study, ToleranceExceptionSpec
from bench.study.tolerances import COORDINATES, PLACES, as_spec, gaps_of


@dataclass(frozen=True)
class Bands:
    """The gaps of one suite and profile against one kind of reference.

    Attributes:
        gaps: by metric.
        exceptions: those of this kind, profile and suite, with their number in bench.yaml.
    """

    gaps: Gaps
    exceptions: tuple[tuple[int, ToleranceExceptionSpec], ...] = ()

    def gap(self, place: Place) -> GapSpec | None:
        """Returns the gap of a number: that of the exception that names most of its place, or of its metric.

        Returns: None where the metric has no gap at all; an exception changes one, it gives none.

        Raises:
            ConfigError: two exceptions match and name equally much.
        """
        if place.metric not in self.gaps:
            return None
        found = [(_names(spec), number, spec) for number, spec in self.exceptions if matches(spec, place)]
        if not found:
            return as_spec(place.metric, self.gaps[place.metric])
        most = max(names for names, *_ in found)
        first, *others = [(number, spec) for names, number, spec in found if names == most]
        if others:
            raise ConfigError(
                f"tolerances.exceptions[{first[0]}] and [{others[0][0]}] in bench.yaml match {place.cell} and name "
                "equally much; name more of the place in one of them"
            )
        return first[1]


def bands_of(study: Study, against: str, suite: str, profile: str) -> Bands:
    """Returns the gaps of a suite and profile against "paper" or "baseline"."""
    exceptions = tuple(
        (number, spec)
        for number, spec in enumerate(study.tolerances.exceptions)
        if spec.against == against and spec.profile in (None, profile) and spec.suite in (None, suite)
    )
    return Bands(gaps_of(study, against, profile), exceptions)


def half_width(gap: GapSpec, reference: float, std: float) -> float:
    """Returns half the width of the band around a reference: the largest that the gap names.

    Args:
        gap: how far a number may be from the reference.
        reference: in the unit of the number.
        std: over seeds; NaN where it is not known.

    Returns: in the unit of the number; NaN where the gap is a multiple of a spread that is not known, and nothing else.
    """
    widths = [
        math.nan if gap.absolute is None else gap.absolute,
        math.nan if gap.relative is None else gap.relative * abs(reference),
        math.nan if gap.spread is None else gap.spread * std,
    ]
    return max((width for width in widths if not math.isnan(width)), default=math.nan)


def matches(spec: ToleranceExceptionSpec, place: Place) -> bool:
    """Whether an exception is one for a number; without a metric it is one for the scores over all classes."""
    named = {name: getattr(spec, name) for name in PLACES if name != "suite"}
    if any(part is not None and part != getattr(place, name) for name, part in named.items()):
        return False
    return place.metric == spec.metric if spec.metric else place.metric in METRIC_TITLES


def check_reach(study: Study, printed: Mapping[str, Sequence[Place]]) -> None:
    """Refuses exceptions that match none of the paper's printed numbers, as one with a misspelt class.

    Args:
        study: for its exceptions, and which tables its suites replicate.
        printed: the places of all numbers, by table.

    Raises:
        ConfigError: names the first of them.
    """
    for number, spec in enumerate(study.tolerances.exceptions):
        tables = study.suites[spec.suite].tables if spec.suite else list(printed)
        if spec.against == "paper" and not any(matches(spec, place) for table in tables for place in printed[table]):
            named = ", ".join(f"{name} {value}" for name in COORDINATES if (value := getattr(spec, name)) is not None)
            raise ConfigError(
                f"tolerances.exceptions[{number}] in bench.yaml matches no number of the paper's tables: {named}"
            )


def _names(spec: ToleranceExceptionSpec) -> int:
    return sum(getattr(spec, name) is not None for name in COORDINATES)
