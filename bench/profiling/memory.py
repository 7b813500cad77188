"""Peak memory of a piece of work, by kind, reset before it.

    resident_set     the process in the machine's memory; on Linux, elsewhere `resident_set_since_start`, the
                     highest value since the process began, which cannot be reset
    cuda_allocated   what PyTorch's tensors took on the GPU
    cuda_reserved    what PyTorch took from the GPU for them, caches and fragments included
    device_process   what the process took from the GPU as NVML sees it (and nvidia-smi), CUDA's context and libraries
                     included

Memory that was freed but not given back to the system stays in a resident set, so work is measured in a fresh process,
from small to large.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from bench.profiling.sensors import Sensors

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # what the kernel wants written there
MIB = 2**20
KINDS = ("resident_set", "resident_set_since_start", "cuda_allocated", "cuda_reserved", "device_process")


def peak_mib(work: Callable[[], object], device: torch.device, sensors: Sensors | None = None) -> dict[str, float]:
    """Runs `work` once and returns its peak memory in MiB by kind (see above)."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.synchronize(device)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    resident = "resident_set" if reset_resident_peak() else "resident_set_since_start"
    work()
    found = {}
    if cuda:
        torch.cuda.synchronize(device)
        found["cuda_allocated"] = torch.cuda.max_memory_allocated(device) / MIB
        found["cuda_reserved"] = torch.cuda.max_memory_reserved(device) / MIB
        # PyTorch has not given anything back yet, so what is in use now is the peak
        if sensors and (process := sensors.process_mib()) is not None:
            found["device_process"] = process
    return found | {resident: resident_peak_mib()}


def reset_resident_peak() -> bool:
    """Sets the high-water mark of this process to what it uses now; returns whether the system can do that."""
    try:
        CLEAR.write_text(RESET_PEAK)
    except OSError:
        return False
    return True


def resident_peak_mib() -> float:
    """Returns the high-water mark of this process's resident set, MiB.

    Linux keeps the mark of this program image alone in VmHWM, while getrusage also inherits that of the program that
    started it; elsewhere getrusage is all there is.
    """
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)
