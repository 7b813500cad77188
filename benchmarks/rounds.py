"""Rounds in which several ways to one result take turns, so that a busy moment hits all of them.

Each way is called once before the clock starts: that warms it up, compiles what has to be compiled, and its result must
agree with that of the first way, ours. A time beside a wrong result is worth nothing, so the script stops there.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.profiling.neighbours import Neighbours


class WrongResultError(BenchError):
    """A way does not give what ours gives, or fails."""

    exit_code = 1


def equal(expected: Any, got: Any) -> bool:
    """Says whether two results are the same arrays."""
    return np.array_equal(expected, got)


@dataclass(frozen=True)
class Way:
    """One way to compute something.

    name: in the table
    meaning: what it calls, one line of Markdown
    work: one round of it
    units: how many images, calls or iterations a round does
    result: what has to agree with ours; None: nothing to compare
    agrees: when the two agree
    """

    name: str
    meaning: str
    work: Callable[[], object]
    units: int = 1
    result: Callable[[], Any] | None = None
    agrees: Callable[[Any, Any], bool] = equal


@dataclass(frozen=True)
class Times:
    """Seconds a unit of one way, one value a round."""

    way: Way
    seconds: list[float]

    @property
    def median(self) -> float:
        """Returns the median over the rounds, s."""
        return float(np.median(self.seconds))


@dataclass(frozen=True)
class Measured:
    """Times of all ways, ours first, and the share of the processors that others took meanwhile (None: not known)."""

    times: list[Times]
    others_share: float | None


def measure(
    ways: Sequence[Way],
    rounds: int,
    *,
    warm_up: bool = True,
    synchronise: Callable[[], object] = lambda: None,
) -> Measured:
    """Compares the results of all ways, then times them in turns.

    Args:
        ways: ours first
        rounds: how often each has its turn
        warm_up: run one more round of each before the first that counts
        synchronise: waits until the device is idle

    Raises:
        WrongResultError: a way gives something else than the first.
    """
    check(ways)
    for way in ways if warm_up else ():
        way.work()
    synchronise()
    seconds: list[list[float]] = [[] for _ in ways]
    watch = Neighbours()
    for _ in range(rounds):
        for way, record in zip(ways, seconds, strict=True):
            start = time.perf_counter()
            way.work()
            synchronise()
            record.append((time.perf_counter() - start) / way.units)
    share = watch.share()
    return Measured([Times(way, record) for way, record in zip(ways, seconds, strict=True)], share)


def check(ways: Sequence[Way]) -> None:
    """Raises WrongResultError unless every way that has a result gives what the first gives."""
    first = ways[0]
    expected = first.result() if first.result else None
    for way in ways[1:]:
        if way.result and not way.agrees(expected, way.result()):
            raise WrongResultError(
                f"'{way.name}' and '{first.name}' give different results; nothing is timed. One of them is wrong: "
                "find out which before you compare their speed"
            )


def optional(module: str) -> Any:
    """Returns a module that the project does not depend on; None where it is not installed."""
    return importlib.import_module(module) if importlib.util.find_spec(module.split(".")[0]) else None
