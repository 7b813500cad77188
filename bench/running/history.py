"""When a trial began and how often it was taken up again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class History:
    """A trial's start, and what it went through before this process.

    started_at: UTC, ISO 8601; earlier_s: wall time in earlier processes; resumptions: the iterations at which it was
    taken up again, each with what had changed since, if anything.
    """

    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    earlier_s: float = 0.0
    resumptions: list[str] = field(default_factory=list)
    _start: float = field(default_factory=time.perf_counter)

    @property
    def elapsed_s(self) -> float:
        """Wall time so far, in all processes that worked on the trial; s."""
        return self.earlier_s + time.perf_counter() - self._start
