"""What goes on beside a measurement: on this machine, and on a GPU that a fake NVML describes."""

import os
import time

import pytest
import torch

from bench.profiling import sensors as sensors_module
from bench.profiling.conditions import LOOK_EVERY, Watch
from bench.profiling.energy import energy_per_pass_j
from bench.profiling.neighbours import SHORT_S
from bench.profiling.sensors import THROTTLING, Sensors, sensors_of
from bench.profiling.stopwatch import ProcessorStopwatch

pynvml = sensors_module.pynvml


class Process:
    def __init__(self, pid, used):
        self.pid, self.usedGpuMemory = pid, used


class FakeNvml:
    """A GPU in a good state; attributes change it, and what is named in `missing` it does not report."""

    NVMLError = pynvml.NVMLError
    NVML_ERROR_NOT_FOUND = pynvml.NVML_ERROR_NOT_FOUND
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = (
        pynvml.NVML_CLOCK_SM, pynvml.NVML_CLOCK_MEM, pynvml.NVML_TEMPERATURE_GPU,
    )  # fmt: skip

    def __init__(self):
        self.clock, self.temperature, self.reasons, self.energy_mj = 1980, 40, 0, 0
        self.processes = [Process(os.getpid(), 512 << 20)]
        self.missing = ()

    def __getattr__(self, name):
        answers = {
            "nvmlDeviceGetClockInfo": lambda _, kind: self.clock if kind == self.NVML_CLOCK_SM else 2619,
            "nvmlDeviceGetTemperature": lambda *_: self.temperature,
            "nvmlDeviceGetPowerUsage": lambda _: 123_000,
            "nvmlDeviceGetCurrentClocksThrottleReasons": lambda _: self.reasons,
            "nvmlDeviceGetComputeRunningProcesses": lambda _: self.processes,
            "nvmlDeviceGetTotalEnergyConsumption": lambda _: self.energy_mj,
        }

        def answer(*arguments):
            if name in self.missing:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
            return answers[name](*arguments)

        return answer


@pytest.fixture
def nvml():
    return FakeNvml()


@pytest.fixture
def gpu(nvml):
    return Sensors(nvml, object())


def test_the_state_of_a_gpu_has_its_units(gpu):
    assert gpu.state() == {
        "clock_mhz": 1980,
        "memory_clock_mhz": 2619,
        "temperature_c": 40,
        "power_w": 123,
        "throttled": 0,
        "other_processes": 0,
    }
    assert gpu.process_mib() == 512


@pytest.mark.parametrize(
    ("reason", "throttled"),
    [
        (pynvml.nvmlClocksThrottleReasonGpuIdle, 0),
        (pynvml.nvmlClocksThrottleReasonApplicationsClocksSetting, 0),
        (pynvml.nvmlClocksThrottleReasonHwThermalSlowdown, 1),
        (pynvml.nvmlClocksThrottleReasonSwPowerCap | pynvml.nvmlClocksThrottleReasonGpuIdle, 1),
    ],
)
def test_heat_and_power_throttle_an_idle_or_a_set_clock_does_not(nvml, gpu, reason, throttled):
    nvml.reasons = reason
    assert gpu.state()["throttled"] == throttled
    assert bool(reason & THROTTLING) == bool(throttled)


def test_what_a_gpu_does_not_report_is_left_out(nvml, gpu):
    nvml.missing = ("nvmlDeviceGetPowerUsage", "nvmlDeviceGetTotalEnergyConsumption")
    assert "power_w" not in gpu.state()
    assert gpu.energy_j() is None
    assert energy_per_pass_j(lambda: None, ProcessorStopwatch(), gpu, 0.01) is None
    nvml.processes = [Process(os.getpid() + 1, 1 << 20)]  # a container: the driver knows us by another number
    assert gpu.process_mib() is None
    assert "other_processes" not in gpu.state()


def test_the_process_that_started_this_one_is_no_other(nvml, gpu):
    nvml.processes = [Process(pid, 1 << 20) for pid in (os.getpid(), os.getppid(), 2**22 + 1)]
    assert gpu.state()["other_processes"] == 1


def test_a_watch_keeps_the_worst_of_what_it_saw(nvml, gpu):
    watch = Watch(gpu)
    for number in range(3 * LOOK_EVERY):
        if number == LOOK_EVERY:
            nvml.clock, nvml.temperature, nvml.reasons = 1200, 85, pynvml.nvmlClocksThrottleReasonSwThermalSlowdown
            nvml.processes = [*nvml.processes, Process(2**22 + 1, 0)]
        if number == 2 * LOOK_EVERY:
            nvml.clock, nvml.temperature, nvml.reasons = 1900, 60, 0
        watch.look()
    found = watch.read()
    assert (found["clock_mhz"], found["temperature_c"], found["throttled"], found["other_processes"]) == (
        1200,
        85,
        1,
        1,
    )


def test_a_processor_has_load_and_the_share_of_others():
    watch = Watch(None)
    assert set(watch.read()) == {"begun", "load_average"}  # so soon, nothing is known of others
    time.sleep(SHORT_S)
    found = watch.read()
    assert set(found) == {"begun", "load_average", "others_share"}
    assert 0 <= found["others_share"] <= 1
    assert abs(found["begun"] - time.time()) < 60


def test_energy_is_the_counters_difference_over_the_passes(nvml, gpu):
    def use() -> None:
        nvml.energy_mj += 250

    assert energy_per_pass_j(use, ProcessorStopwatch(), gpu, 0.01) == pytest.approx(0.25)


def test_a_processor_has_no_sensors():
    assert sensors_of(torch.device("cpu")) is None
