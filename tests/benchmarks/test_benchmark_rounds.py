"""Turns, agreement, and what the machine did meanwhile."""

import numpy as np
import pages
import pytest
import rounds
from rounds import Way, WrongResultError, measure


def way(name, work=lambda: None, **more):
    return Way(name, f"what {name} means", work, **more)


def test_ways_take_turns_after_one_that_does_not_count():
    turns = []
    measured = measure([way("ours", lambda: turns.append("ours")), way("other", lambda: turns.append("other"))], 3)
    assert turns == ["ours", "other"] * 4
    assert [len(times.seconds) for times in measured.times] == [3, 3]


def test_the_device_is_waited_for_before_the_clock_stops():
    events = []
    measure([way("ours", lambda: events.append("work"))], 2, synchronise=lambda: events.append("wait"))
    assert events == ["work", "wait"] * 3


def test_seconds_are_those_of_one_unit(monkeypatch):
    clock = iter([0.0, 10.0, 18.0, 20.0, 24.0, 30.0])  # the watch, a turn of 8 s, one of 4 s, the watch
    monkeypatch.setattr(rounds.time, "perf_counter", lambda: next(clock))
    measured = measure([way("ours", units=4)], 2, warm_up=False)
    assert measured.times[0].seconds == [2.0, 1.0]
    assert measured.times[0].median == 1.5


def test_a_wrong_result_stops_before_anything_is_timed():
    timed = []
    right = way("ours", lambda: timed.append("ours"), result=lambda: np.array([1, 2]))
    wrong = way("other", lambda: timed.append("other"), result=lambda: np.array([1, 3]))
    with pytest.raises(WrongResultError, match="'other' and 'ours' give different results; nothing is timed"):
        measure([right, wrong], 1)
    assert timed == []


def test_a_way_may_bring_its_own_comparison():
    measure([way("ours", result=lambda: 1.0), way("other", result=lambda: 1.01, agrees=lambda a, b: b - a < 0.1)], 1)


def test_a_busy_machine_is_marked_above_5_percent():
    assert "⚠" in pages.busy(0.06)
    assert "others took 6% of the processors" in pages.busy(0.06)
    assert "⚠" not in pages.busy(0.05)


def test_a_table_has_median_range_rate_and_ratio():
    ours, other = way("ours", units=10), way("other", units=2)
    measured = rounds.Measured([rounds.Times(ours, [0.002, 0.001, 0.004]), rounds.Times(other, [0.5, 0.3, 0.4])], 0.0)
    header, rule, first, second = pages.timing_table(measured, "image").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, first, second)]
    assert cells == [
        ["way", "ms/image", "range", "images/s", "to ours", "images a round"],
        ["ours", "2", "1 – 4", "500", "", "10"],
        ["other", "400", "300 – 500", "2.5", "200×", "2"],
    ]
    assert set(rule) == set("|-: ")
    assert len({len(line) for line in (header, rule, first, second)}) == 1
