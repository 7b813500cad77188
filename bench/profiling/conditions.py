"""Under which conditions something was timed: what else the machine did, and the state of the GPU.

A time that was measured while others used the machine, or while the GPU lowered its clock, says something about them,
not about the model. So it is stored beside the time, and reports mark it (see replication/conditions.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.profiling.sensors import Sensors

PROC_STAT = Path("/proc/stat")
LOOK_EVERY = 10  # passes: reading the sensors takes about as long as a short pass
IDLE = (3, 4)  # columns of /proc/stat: idle, waiting for a disk
GUEST = slice(0, 8)  # what is after them is counted a second time

# How the readings of one piece of work are put together: the state at its worst for a measurement.
WORST: Mapping[str, Callable[[list[float]], float]] = {
    "clock_mhz": min,
    "memory_clock_mhz": min,
    "temperature_c": max,
    "power_w": max,
    "throttled": max,
    "other_processes": max,
}


class Watch:
    """Watches the machine from its creation to `read`; `look` is to be called after every pass, outside its time.

    Args:
        sensors: of the GPU that is measured; None for a processor
    """

    def __init__(self, sensors: Sensors | None) -> None:
        self._sensors = sensors
        self._passes = 0
        self._seen: list[dict[str, float]] = []
        self._start, self._own, self._busy = time.perf_counter(), time.process_time(), busy_s()

    def look(self) -> None:
        """Reads the sensors, every so many passes."""
        self._passes += 1
        if self._sensors and self._passes % LOOK_EVERY == 1:
            self._seen.append(self._sensors.state())

    def read(self) -> dict[str, float]:
        """Returns the conditions so far.

        Returns:
            `load_average`: processes, 1-minute mean; `others_share`: processor time that others took, of all
            processors (fraction; absent where the system does not say); of a GPU, at their worst: `clock_mhz`,
            `memory_clock_mhz`, `temperature_c`, `power_w`, `throttled` (0 or 1), `other_processes` (count).
        """
        found = {"load_average": os.getloadavg()[0]}
        busy, elapsed = busy_s(), time.perf_counter() - self._start
        if busy is not None and self._busy is not None and elapsed > 0:
            others = busy - self._busy - (time.process_time() - self._own)
            found["others_share"] = min(1.0, max(0.0, others / elapsed / (os.cpu_count() or 1)))
        for name, worst in WORST.items():
            if readings := [state[name] for state in self._seen if name in state]:
                found[name] = worst(readings)
        return found


def busy_s(stat: Path = PROC_STAT) -> float | None:
    """Returns the time that all processors together were not idle since the system started, s; None off Linux.

    Time that the host of a virtual machine took away ("steal") counts.
    """
    try:
        with stat.open() as file:
            ticks = [int(part) for part in file.readline().split()[1:]][GUEST]
    except (OSError, ValueError):
        return None
    busy = sum(count for column, count in enumerate(ticks) if column not in IDLE)
    return busy / os.sysconf("SC_CLK_TCK")
