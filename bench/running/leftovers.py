"""Removes what killed processes left in a results folder: half-written files, checkpoints of no more use, dead leases.

Whoever writes a trial's files holds its lease. So what is half-written while nobody else holds one is nobody's.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from bench.results.store import checkpoints_path, outcome
from bench.running.lease import Lease, acquire
from bench.study.trials import Trial

LEASES = "_leases"


def leases_path(results: Path) -> Path:
    """Returns the folder of the leases of all trials."""
    return results / LEASES


def remove_leftovers(results: Path, trials: Iterable[Trial]) -> None:
    """Tidies up; to be called while this process holds no lease.

    Args:
        results: whose half-written files are removed, unless somebody else is at work there
        trials: whose checkpoints are removed where they are done

    Raises:
        ResultsError: the folder cannot be written.
    """
    for trial in trials:
        checkpoints = checkpoints_path(results, trial)
        if checkpoints.exists() and outcome(results, trial).status == "done":
            shutil.rmtree(checkpoints, ignore_errors=True)  # whoever stored the results may be at it as well
    # in this order: a file that was there before we looked for leases belongs to a lease that we see, or to none
    half_written = [path for path in results.rglob("_*.tmp") if LEASES not in path.relative_to(results).parts]
    alone = True
    for name in {match[1] for path in leases_path(results).glob("*.json") if (match := _LEASE.fullmatch(path.name))}:
        found = acquire(leases_path(results), name)
        if isinstance(found, Lease):
            found.release()  # with its file
        else:
            alone = False
    if alone:
        for path in half_written:
            path.unlink(missing_ok=True)


_LEASE = re.compile(r"(.+)\.[0-9]+\.json")
