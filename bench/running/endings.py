"""How a trial ended, and how that is told from what its process left behind: an exception, an exit code, a signal."""

from __future__ import annotations

import contextlib
import errno
import signal
from pathlib import Path
from typing import NamedTuple

import torch

from bench.errors import BenchError, DivergedError, UnwritableError, one_line

# What the system says when nothing more can be stored; OSErrors of other kinds concern one file.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
# Lack of memory that arrives as a RuntimeError: torch's CPU allocator on Linux and Windows, C++, cuBLAS and cuDNN
NO_MEMORY = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "bad_alloc",
    "CUDA error: out of memory",
    "_STATUS_ALLOC_FAILED",
)
OUR_GROUPS = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
FAULTS = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGTRAP")


class Ending(NamedTuple):
    """How a trial ended, and why.

    status: "done"; "failed", "out_of_memory", "killed", "diverged" or "timed_out", which are stored with the reason;
        "paused" (its next turn comes later), "interrupted" (it can go on) and "taken_over" (it is another process's
        now), of which nothing is stored.
    """

    status: str
    reason: str = ""


def ending_of(error: Exception) -> Ending:
    """Returns how a trial ended that raised `error`; status "unwritable" is for `run_isolated` alone."""
    text = one_line(f"{error}".strip().partition("\n")[0])
    code = getattr(error, "errno", None)
    short = isinstance(error, MemoryError | torch.OutOfMemoryError) or code == errno.ENOMEM
    if short or (isinstance(error, RuntimeError) and any(part in text for part in NO_MEMORY)):
        return Ending("out_of_memory", f"there was not enough memory{': ' if text else ''}{text}")
    if isinstance(error, DivergedError):
        return Ending("diverged", text)
    if isinstance(error, UnwritableError) or code in UNWRITABLE:
        return Ending("unwritable", text)
    if isinstance(error, BenchError):
        return Ending("failed", text)
    return Ending("failed", f"{type(error).__name__}: {text}")


def ending_by(exitcode: int | None, oom_kills: int) -> Ending:
    """Returns how a trial ended whose process died without a word.

    Args:
        exitcode: of the process; negative for a signal
        oom_kills: how many processes the kernel killed for lack of memory while it ran, see `oom_kills_so_far`
    """
    if exitcode is None or exitcode >= 0:
        return Ending("failed", f"its process left with exit code {exitcode}")
    known = {number.value: number.name for number in signal.Signals}
    name = known.get(-exitcode, f"signal {-exitcode}")
    if name == "SIGKILL" and oom_kills > 0:
        return Ending("out_of_memory", "its process was killed by the system, which had no more memory")
    if name in FAULTS:
        return Ending("failed", f"its process crashed with {name}")
    return Ending("killed", f"its process was killed by {name}")


def oom_kills_so_far() -> int:
    """Returns how many processes of our control group the kernel has killed for lack of memory; 0 where unknown.

    Linux counts them, in memory.events (version 2 of control groups) or memory.oom_control (version 1).
    """
    try:
        groups = OUR_GROUPS.read_text().splitlines()
    except OSError:
        return 0
    for line in groups:
        _, controllers, group = line.split(":", 2)
        if controllers in ("", "memory"):
            root = GROUPS / controllers
            for place in (root / group.strip("/"), root):  # a container often sees its own group as the root
                with contextlib.suppress(OSError, ValueError, KeyError):
                    file = place / ("memory.oom_control" if controllers else "memory.events")
                    return int(dict(line.split() for line in file.read_text().splitlines())["oom_kill"])
    return 0
