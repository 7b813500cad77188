"""What a GPU says of itself through NVML: clocks, temperature, power, throttling, who uses it, energy, memory.

`sensors_of` returns None where the device is no GPU or NVML cannot be used. A value that a GPU does not report is left
out of what is returned, never replaced by another one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvml
import torch

MIB = 2**20

# Reasons for a lower clock that come from heat or from the power supply. Others are no throttling: an idle device, a
# clock that the user has set, or waiting for another GPU.
THROTTLING = (
    pynvml.nvmlClocksThrottleReasonHwSlowdown
    | pynvml.nvmlClocksThrottleReasonSwThermalSlowdown
    | pynvml.nvmlClocksThrottleReasonHwThermalSlowdown
    | pynvml.nvmlClocksThrottleReasonHwPowerBrakeSlowdown
    | pynvml.nvmlClocksThrottleReasonSwPowerCap
)


class Sensors:
    """The sensors of one GPU.

    Args:
        nvml: the module pynvml, initialised, or one like it
        handle: of the GPU
    """

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle

    def state(self) -> dict[str, float]:
        """Returns clocks (MHz), temperature (°C), power (W), whether it throttles (0 or 1), other processes (count).

        In a container the driver may not know this process by its number; how many others there are is unknown then.
        """
        nvml, gpu = self._nvml, self._handle
        asked: dict[str, Callable[[], float]] = {
            "clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM),
            "memory_clock_mhz": lambda: nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_MEM),
            "temperature_c": lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU),
            "power_w": lambda: nvml.nvmlDeviceGetPowerUsage(gpu) / 1e3,
            "throttled": lambda: bool(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu) & THROTTLING),
            "other_processes": self._other_processes,
        }
        return {name: value for name, ask in asked.items() if (value := self._ask(ask)) is not None}

    def energy_j(self) -> float | None:
        """Returns the energy since the driver was loaded, J; None where the GPU has no such counter."""
        return self._ask(lambda: self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1e3)

    def process_mib(self) -> float | None:
        """Returns the memory of this process on the GPU, MiB, context and libraries included; None where unknown.

        In a container the driver may not know this process by its number; it is unknown then.
        """
        return self._ask(self._own_memory)

    def _own_memory(self) -> float:
        used = {one.pid: one.usedGpuMemory for one in self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle)}
        if used.get(os.getpid()) is None:
            raise self._nvml.NVMLError(self._nvml.NVML_ERROR_NOT_FOUND)
        return float(used[os.getpid()]) / MIB

    def _other_processes(self) -> float:
        used_by = {one.pid for one in self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handle)}
        if os.getpid() not in used_by:
            raise self._nvml.NVMLError(self._nvml.NVML_ERROR_NOT_FOUND)
        return len(used_by - _ancestors())

    def _ask(self, ask: Callable[[], float]) -> float | None:
        try:
            return float(ask())
        except self._nvml.NVMLError:
            return None


def _ancestors() -> set[int]:
    """Returns the numbers of this process and of those that it comes from, which may have asked for the GPU as well."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            break
        pid = int(words[1])
    return found


def sensors_of(device: torch.device) -> Sensors | None:
    """Returns the sensors of a CUDA device; None for a processor, and where NVML cannot be used."""
    if device.type != "cuda":
        return None
    try:
        pynvml.nvmlInit()
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        return Sensors(pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid))
    except pynvml.NVMLError:
        return None
