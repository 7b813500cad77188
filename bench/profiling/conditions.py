"""Under which conditions something was timed: what else the machine did, and the state of the GPU.

A time that was measured while others used the machine, or while the GPU lowered its clock, says something about them,
not about the model. So it is stored beside the time, and reports mark it (see replication/conditions.py).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from bench.profiling.neighbours import Neighbours
from bench.profiling.sensors import Sensors

LOOK_EVERY = 10  # passes: reading the sensors takes about as long as a short pass

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
        self._begun, self._neighbours = time.time(), Neighbours()

    def look(self) -> None:
        """Reads the sensors, every so many passes."""
        self._passes += 1
        if self._sensors and self._passes % LOOK_EVERY == 1:
            self._seen.append(self._sensors.state())

    def read(self) -> dict[str, float]:
        """Returns the conditions so far.

        Returns:
            `begun`: when it began, s since 1970; `load_average`: processes, 1-minute mean; `others_share`: processor
            time that others took, of all processors (fraction; absent where the system does not say, and over less
            than 0.3 s); of a GPU, at their worst: `clock_mhz`, `memory_clock_mhz`, `temperature_c`, `power_w`,
            `throttled` (0 or 1), `other_processes` (count).
        """
        found = {"begun": self._begun, "load_average": os.getloadavg()[0]}
        if (share := self._neighbours.share()) is not None:
            found["others_share"] = share
        for name, worst in WORST.items():
            if readings := [state[name] for state in self._seen if name in state]:
                found[name] = worst(readings)
        return found
