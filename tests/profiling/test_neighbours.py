"""The share of other programs: by hand, with two clocks that are given, and beside a program that is really there."""

import os
import subprocess
import sys
import time

import pytest

from bench.profiling import neighbours
from bench.profiling.neighbours import Neighbours, busy_s, own_s


@pytest.mark.parametrize(
    ("busy", "own", "expected"),
    [
        ([100.0, 104.0], [7.0, 11.0], 0.0),  # all of it was ours
        ([100.0, 106.0], [7.0, 9.0], 0.5),  # 4 of 8 processor seconds were others'
        ([100.0, 100.0], [7.0, 8.0], 0.0),  # the two clocks differ by a moment
    ],
)
def test_share_of_others(busy, own, expected, monkeypatch):
    for name, values in (("busy_s", iter(busy)), ("own_s", iter(own))):
        monkeypatch.setattr(neighbours, name, lambda values=values: next(values))
    monkeypatch.setattr(neighbours.time, "perf_counter", iter([0.0, 4.0]).__next__)
    monkeypatch.setattr(neighbours.os, "cpu_count", lambda: 2)
    assert Neighbours().share() == expected


def test_children_that_have_ended_are_ours():
    before = own_s()
    code = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert own_s() - before >= 0.15


@pytest.mark.parametrize("broken", ["unknown system", "too short"])
def test_a_share_that_cannot_be_known_is_not_guessed(broken, monkeypatch):
    monkeypatch.setattr(neighbours, "busy_s", lambda: None if broken == "unknown system" else 1.0)
    assert Neighbours().share() is None


def test_a_program_beside_us_is_seen():
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        time.sleep(0.2)
        watch = Neighbours()
        time.sleep(1.0)
        share = watch.share()
        other.kill()
    assert share > 0.6 / (os.cpu_count() or 1)  # it takes one processor


def test_what_proc_stat_says_is_added_up_without_guests_and_idleness(tmp_path):
    stat = tmp_path / "stat"
    # user nice system idle iowait irq softirq steal guest guest_nice: a guest's time is in user's already
    stat.write_text("cpu  100 10 20 5000 300 1 2 7 50 5\ncpu0 1 2 3\n")
    assert busy_s(stat) == (100 + 10 + 20 + 1 + 2 + 7) / os.sysconf("SC_CLK_TCK")
    assert busy_s(tmp_path / "none") is None
