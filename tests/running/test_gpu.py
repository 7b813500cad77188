"""The same recipe on a CUDA device: numbers like the CPU's, memory by the allocator. Skipped without one."""

import pytest
import torch
from single_rows import single_rows
from test_trial import tiny, values

from bench.profiling.memory import KINDS
from bench.profiling.sensors import sensors_of
from bench.running.cost_trial import run_cost
from bench.running.device import use_arithmetic
from bench.running.training_trial import run_training
from models import MODELS

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device that PyTorch can use"),
]

TABLE_1 = list(MODELS)[:8]


@pytest.mark.parametrize("name", TABLE_1)
def test_logits_on_the_gpu_equal_those_on_the_cpu(name):
    torch.manual_seed(0)
    model, images = MODELS[name](11).eval(), torch.randn(2, 3, 45, 60)
    with torch.no_grad():
        expected = model(images)
        logits = model.cuda()(images.cuda()).cpu()
    assert torch.allclose(logits, expected, atol=5e-2, rtol=1e-2)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_a_training_on_the_gpu_starts_like_one_on_the_cpu(precision):
    first = [
        values(run_training(tiny(precision=precision), torch.device(device), lambda _: None), metric="loss")[0]
        for device in ("cpu", "cuda")
    ]
    assert first[0] == pytest.approx(first[1], rel=2e-2)


@pytest.mark.parametrize("model", TABLE_1)
def test_strict_determinism_forbids_nothing_in_training_and_repeats_bit_for_bit(model):
    trial = tiny(model=model, determinism="strict")
    try:
        once, twice = (run_training(trial, torch.device("cuda"), lambda _: None) for _ in range(2))
    finally:
        use_arithmetic("fp32", "seeded")
    timeless = [[row for row in single_rows(rows.rows) if row["metric"] != "images_per_s"] for rows in (once, twice)]
    assert repr(timeless[0]) == repr(timeless[1])


def test_memory_is_the_allocators():
    one = tiny(timing_height=32, timing_width=40, timing_rounds=1, timing_iterations=3)
    rows = run_cost(one, torch.device("cuda"), lambda _: None).rows
    kinds = {row["protocol"].split(",")[0] for row in rows if row["metric"] == "training_peak_mib"}
    assert {"cuda_allocated", "cuda_reserved", "resident_set"} <= kinds <= {*KINDS}


def test_the_devices_own_clock_does_not_exceed_the_wall_clock():
    one = tiny(timing_height=64, timing_width=80, timing_rounds=1, timing_iterations=20)
    rows = run_cost(one, torch.device("cuda"), lambda _: None).rows
    times = {
        row["metric"]: row["value"] for row in rows if row["record"] == "cost" and row["protocol"] == "interleaved"
    }
    for kind in ("forward", "backward"):
        assert 0 < times[f"{kind}_device_ms"] <= times[f"{kind}_ms"]


def test_the_sensors_of_the_gpu_are_read():
    sensors = sensors_of(torch.device("cuda"))
    assert sensors is not None
    assert {"clock_mhz", "temperature_c"} <= set(sensors.state())
