"""Which trials somebody is working on at the moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.results.store import Outcome
from bench.running.lease import is_held
from bench.running.leftovers import leases_path
from bench.study.trials import Trial

RUNNING = "running"


def under_way(results: Path, trials: Sequence[Trial], outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """Yields each trial's outcome, as "running" where it has not ended and a process, here or elsewhere, has its lease.

    Args:
        results: the folder.
        trials, outcomes: each with its other.
    """
    for trial, found in zip(trials, outcomes, strict=True):
        open_still = found.status in ("missing", "interrupted")
        if open_still and is_held(leases_path(results), f"{trial.id}-{trial.digest}"):
            at = f"last checkpoint {found.reason}" if found.status == "interrupted" else None
            yield found._replace(status=RUNNING, reason=at, stale=False)
        else:
            yield found
