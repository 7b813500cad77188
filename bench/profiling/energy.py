"""Energy of a pass on a GPU that counts its energy."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.profiling.sensors import Sensors
from bench.profiling.stopwatch import Stopwatch

AT_LEAST_S = 3.0  # the counter moves every 20 to 100 ms
AT_A_TIME = 10  # passes between two looks at the clock


def energy_per_pass_j(
    operation: Callable[[], object], stopwatch: Stopwatch, sensors: Sensors, at_least_s: float = AT_LEAST_S
) -> float | None:
    """Returns the energy of one call of `operation`, J, all of the GPU's draw included; None without a counter.

    The mean over passes in a row, without waiting in between, for at least that long.
    """
    stopwatch.synchronise()
    before, start, passes = sensors.energy_j(), time.perf_counter(), 0
    if before is None:
        return None
    while time.perf_counter() - start < at_least_s:
        for _ in range(AT_A_TIME):
            operation()
        passes += AT_A_TIME
        stopwatch.synchronise()  # or the host would queue work for minutes
    after = sensors.energy_j()
    return None if after is None else (after - before) / passes
