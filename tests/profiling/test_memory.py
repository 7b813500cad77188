"""Peak memory against allocations of known size."""

import pytest
import torch

from bench.profiling import memory
from bench.profiling.memory import peak_mib, reset_resident_peak, resident_peak_mib

CPU = torch.device("cpu")


def test_peak_memory_sees_a_large_allocation_that_is_gone_again():
    reset_resident_peak()
    before = resident_peak_mib()
    found = peak_mib(lambda: torch.ones(60, 2**20).sum(), CPU)  # 240 MiB
    assert list(found) == ["resident_set"]
    assert 230 <= found["resident_set"] - before < 400


def test_a_small_piece_of_work_after_a_large_one_is_small():
    large = peak_mib(lambda: torch.ones(60, 2**20).sum(), CPU)["resident_set"]
    small = peak_mib(lambda: torch.ones(8).sum(), CPU)["resident_set"]
    assert small < large - 200


def test_where_the_peak_cannot_be_reset_the_figure_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "missing" / "clear_refs")
    peaks = [peak_mib(lambda: torch.ones(1), CPU) for _ in range(2)]
    assert [list(peak) for peak in peaks] == [["resident_set_since_start"]] * 2
    assert peaks[1]["resident_set_since_start"] >= peaks[0]["resident_set_since_start"]


def test_what_nvml_cannot_say_is_left_out(monkeypatch):
    class Nothing:
        def process_mib(self):
            return None

    for name in ("synchronize", "empty_cache", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 3 << 20)
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda _: 5 << 20)
    found = peak_mib(lambda: None, torch.device("cuda"), Nothing())
    assert {kind: found[kind] for kind in found if kind != "resident_set"} == {"cuda_allocated": 3, "cuda_reserved": 5}
    Nothing.process_mib = lambda _: 700.0
    found = peak_mib(lambda: None, torch.device("cuda"), Nothing())
    assert found["device_process"] == 700
    assert set(found) <= set(memory.KINDS)


@pytest.mark.parametrize("kind", memory.KINDS)
def test_every_kind_of_memory_is_explained(kind):
    assert f"    {kind} " in memory.__doc__ or f"`{kind}`" in memory.__doc__
