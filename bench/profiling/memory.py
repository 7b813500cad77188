"""Peak memory of a piece of work: of the process on a CPU, of the allocator on a GPU.

On a CPU the figure is the high-water mark of the resident set of the whole process, which never falls. So it is taken
in a fresh process, smallest piece of work first. On a GPU it is what PyTorch allocated, reset between the pieces.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import torch


def peak_mib(work: Callable[[], object], device: torch.device) -> dict[str, float]:
    """Runs `work` once and returns its peak memory in MiB by protocol.

    Returns: on a CPU {"resident_set": ...}; on a GPU {"cuda_allocated": ..., "cuda_reserved": ...}.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return {
            "cuda_allocated": torch.cuda.max_memory_allocated(device) / 2**20,
            "cuda_reserved": torch.cuda.max_memory_reserved(device) / 2**20,
        }
    work()
    return {"resident_set": resident_peak_mib()}


def resident_peak_mib() -> float:
    """Returns the highest resident set this process has had, MiB.

    Linux keeps the mark of this program image alone in VmHWM, while getrusage also inherits that of the program that
    started it; elsewhere getrusage is all there is.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)
