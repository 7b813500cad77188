"""How much of the processors other programs take while something is measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC_STAT = Path("/proc/stat")
IDLE = (3, 4)  # columns of /proc/stat: idle, waiting for a disk
COUNTED = slice(0, 8)  # what is after them, the time of guests, is counted in the first ones already
SHORT_S = 0.3  # the system counts processor time in steps of 10 ms: over less than this it says nothing


class Neighbours:
    """Watches from its creation on how much of the processors others take."""

    def __init__(self) -> None:
        self._start, self._own, self._busy = time.perf_counter(), own_s(), busy_s()

    def share(self) -> float | None:
        """Returns the processor time of all other processes since then, as a fraction of what there was.

        None where the system does not say, or where less than SHORT_S have passed.
        """
        busy, elapsed = busy_s(), time.perf_counter() - self._start
        if busy is None or self._busy is None or elapsed < SHORT_S:
            return None
        others = busy - self._busy - (own_s() - self._own)
        return min(1.0, max(0.0, others / elapsed / (os.cpu_count() or 1)))


def own_s() -> float:
    """Returns the processor time of this process and of its children that have ended, s."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def busy_s(stat: Path = PROC_STAT) -> float | None:
    """Returns the time that all processors together were not idle since the system started, s; None off Linux.

    Time that the host of a virtual machine took away ("steal") counts.
    """
    try:
        with stat.open() as file:
            ticks = [int(part) for part in file.readline().split()[1:]][COUNTED]
    except (OSError, ValueError):
        return None
    return sum(count for column, count in enumerate(ticks) if column not in IDLE) / os.sysconf("SC_CLK_TCK")
