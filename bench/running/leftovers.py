"""Removes what killed processes left in a results folder: half-written files, checkpoints of no more use, dead leases.

Whoever writes a trial's files holds its lease. So what is half-written while nobody else holds one is nobody's.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from bench.results.store import checkpoints_path, outcome, panels_path, path_of, predictions_path
from bench.running.lease import Lease, acquire
from bench.study.trials import Trial

LEASES = "_leases"


def leases_path(results: Path) -> Path:
    """Returns the folder of the leases of all trials."""
    return results / LEASES


def remove_leftovers(results: Path, trials: Sequence[Trial]) -> None:
    """Tidies up; to be called while this process holds no lease.

    Args:
        results: the folder; nothing is removed while somebody else is at work there
        trials: whose half-written files are removed, and whose checkpoints where they are done

    Raises:
        ResultsError: the folder cannot be written.
    """
    for trial in trials:
        checkpoints = checkpoints_path(results, trial)
        if checkpoints.exists() and outcome(results, trial).status == "done":
            shutil.rmtree(checkpoints, ignore_errors=True)  # whoever stored the results may be at it as well
    # in this order: a file that was there before we looked for leases belongs to a lease that we see, or to none
    folders = {path_of(results, trial).parent for trial in trials}
    folders |= {of(results, trial) for of in (panels_path, predictions_path, checkpoints_path) for trial in trials}
    half_written = [path for folder in folders for path in folder.rglob("_*.tmp") if _HALF_WRITTEN.fullmatch(path.name)]
    alone = True
    for name in {match[1] for path in leases_path(results).glob("*.json") if (match := _LEASE.fullmatch(path.name))}:
        found = acquire(leases_path(results), name)
        if isinstance(found, Lease):
            found.release()  # with its file
        else:
            alone = False
    if alone:
        for path in half_written:
            with contextlib.suppress(OSError):  # the next run tries again
                path.unlink()


_HALF_WRITTEN = re.compile(r"_.+\.[0-9a-f]{8}\.tmp")  # as atomic.py names them
_LEASE = re.compile(r"(.+)\.[0-9]+\.json")
