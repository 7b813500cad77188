"""Times against work whose time is known, and against a device that notes everything that is asked of it."""

import time

import numpy as np
import pytest

from bench.profiling.rounds import measure_round
from bench.profiling.stopwatch import ProcessorStopwatch
from bench.profiling.timing import (
    MAX_WINDOWS,
    PAPER_PROTOCOLS,
    WINDOW,
    Pass,
    backward_operation,
    forward_operation,
    summary,
    time_passes,
    times_by_clock,
    warm_up,
)
from models import MODELS

PROCESSOR = ProcessorStopwatch()


class FakeDevice:
    """Works off its queue only when it is waited for; its clock moves by what each piece of work takes."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.queue: list[float] = []
        self.clock_ms = 0.0

    def work(self, takes_ms: float = 1.0) -> None:
        self.calls.append("work")
        self.queue.append(takes_ms)

    def synchronise(self) -> None:
        self.calls.append("wait")
        self.clock_ms += sum(self.queue)
        self.queue.clear()

    def mark(self) -> list[float]:
        self.calls.append("mark")
        return [self.clock_ms + sum(self.queue)]

    def between_ms(self, first: list[float], last: list[float]) -> float:
        assert not self.queue, "asked for a time before the device was done"
        return last[0] - first[0]


def test_a_sleep_of_10_ms_measures_10_ms():
    passes = time_passes(lambda: time.sleep(0.01), PROCESSOR, 9)
    assert len(passes) == 9
    assert all(one.device_ms is None for one in passes)
    times = summary([one.wall_ms for one in passes])
    assert 10 <= times.p25_ms <= times.centre_ms <= times.p75_ms
    assert min(one.wall_ms for one in passes) < 12  # the longer ones are the scheduler's
    assert times.n == 9


def test_the_device_is_waited_for_once_before_the_first_pass_and_once_after_each():
    device = FakeDevice()
    time_passes(device.work, device, 3)
    assert device.calls == ["wait"] + ["mark", "work", "mark", "wait"] * 3


def test_the_devices_clock_counts_the_work_between_its_marks_and_nothing_else():
    device = FakeDevice()
    device.work(1000.0)  # still in the queue when the measurement begins
    passes = time_passes(lambda: device.work(2.5), device, 4)
    assert [one.device_ms for one in passes] == [2.5] * 4


def test_what_is_done_between_the_passes_is_not_in_their_time():
    seen = []

    def slow() -> None:
        time.sleep(0.05)
        seen.append(1)

    passes = time_passes(lambda: None, PROCESSOR, 3, slow)
    assert len(seen) == 3
    assert all(one.wall_ms < 20 for one in passes)


def taking(times_ms):
    """Returns an operation that sleeps for one of the times after the other, and for the last one from then on."""
    left = list(times_ms)
    return lambda: time.sleep((left.pop(0) if len(left) > 1 else left[0]) / 1e3)


def test_a_warm_up_ends_when_passes_no_longer_get_faster():
    assert warm_up(taking([30] * WINDOW + [10] * WINDOW + [5]), PROCESSOR) == (4 * WINDOW, True)
    assert warm_up(taking([5]), PROCESSOR).passes <= 3 * WINDOW  # two windows, or one more if the machine stumbles


def test_a_warm_up_that_does_not_end_is_broken_off_and_says_so():
    ever_faster = [100 * 0.9**window for window in range(MAX_WINDOWS) for _ in range(WINDOW)]
    assert warm_up(taking(ever_faster), PROCESSOR) == (MAX_WINDOWS * WINDOW, False)


def test_median_mean_and_quartiles_are_those_of_the_passes():
    samples = [1.0, 2.0, 3.0, 4.0, 40.0]
    assert summary(samples) == (3.0, 2.0, 4.0, 5)
    assert summary(samples, np.mean) == (10.0, 2.0, 4.0, 5)


def test_a_time_has_the_name_of_its_clock():
    assert times_by_clock("forward", [Pass(2.0, None)]) == {"forward_ms": [2.0]}
    both = times_by_clock("backward", [Pass(2.0, 1.5), Pass(3.0, 2.5)])
    assert both == {"backward_ms": [2.0, 3.0], "backward_device_ms": [1.5, 2.5]}


def test_the_papers_protocols_are_those_it_states():
    assert PAPER_PROTOCOLS["table-1"] == (50, False)
    assert PAPER_PROTOCOLS["table-6"] == (10, True)


def test_forward_and_backward_are_what_they_say():
    model = MODELS["fcn_basic"](3)
    size = {"height": 32, "width": 40, "bf16": False, "channels_last": True}
    logits = forward_operation(model, **size)()
    assert logits.shape == (1, 3, 32, 40)
    assert not logits.requires_grad
    assert not model.training
    gradients = backward_operation(model, **size)()
    assert model.training
    assert [gradient.shape for gradient in gradients] == [parameter.shape for parameter in model.parameters()]


@pytest.mark.parametrize("backward", [True, False])
def test_a_round_has_its_passes_its_warm_up_and_its_conditions(backward):
    model = MODELS["fcn_basic"](3)
    found = measure_round(model, 32, 32, bf16=False, channels_last=True, passes=4, backward=backward, sensors=None)
    kinds = ["forward", "backward"] if backward else ["forward"]
    assert list(found.passes) == list(found.warm_ups) == kinds
    assert all(len(passes) == 4 for passes in found.passes.values())
    assert all(warm.passes >= 2 * WINDOW for warm in found.warm_ups.values())
    assert "load_average" in found.conditions
