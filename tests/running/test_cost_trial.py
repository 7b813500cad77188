"""Turns of a measurement: models alternate, what is measured is kept between turns, and nobody else gets between."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_suite import run
from test_trial import tiny
from tiny_suite import leftovers

from bench.results.store import checkpoints_path, load_results, outcome
from bench.running import suite
from bench.running.checkpoints import checkpoints_of
from bench.running.cost_trial import run_cost
from bench.running.device import decides_bits
from bench.running.lease import Holder, Lease, acquire
from bench.running.leftovers import leases_path
from bench.running.signals import Signals, Stopped

CPU = torch.device("cpu")


def cost(model="fcn_basic", **changes):
    small = {"timing_height": 32, "timing_width": 40, "timing_rounds": 2, "timing_iterations": 3, "timing_paper": None}
    return replace(tiny(model=model, determinism="strict"), kind="cost", weighting=None, seed=None, **(small | changes))


ONE, TWO = cost(), cost("bilinear_interpolation")


def at(results, trial, threads=1):
    return checkpoints_of(results, trial, decides_bits(CPU, threads))


def test_models_take_turns_and_each_is_stored_after_its_last(tmp_path):
    summary, text = run([ONE, TWO], tmp_path)
    assert (summary.ran, summary.failed) == (2, [])
    turns = re.findall(r"\] (\w+)\.cost (turn \d of 3 measured|done)", text)
    assert turns == [
        (model, what)
        for what in ("turn 1 of 3 measured", "turn 2 of 3 measured", "done")
        for model in ("fcn_basic", "bilinear_interpolation")
    ]
    rows = load_results(tmp_path).rows
    for trial in (ONE, TWO):
        mine = rows[(rows["digest"] == trial.digest)]
        passes = mine[(mine["record"] == "pass") & (mine["metric"] == "forward_ms")]
        assert passes["iteration"].tolist() == [1, 2, 3, 4, 5, 6]
        centre = mine[(mine["record"] == "cost") & (mine["metric"] == "forward_ms")]["value"].item()
        assert centre == pytest.approx(passes["value"].median())
        assert set(mine.loc[mine["record"] == "condition", "iteration"]) == {1, 2}
    assert leftovers(tmp_path) == []


def test_an_interrupted_measurement_goes_on_with_its_next_turn(tmp_path):
    assert run_cost(ONE, CPU, lambda _: None, at(tmp_path, ONE)) is None
    assert outcome(tmp_path, ONE)[:2] == ("interrupted", "at turn 1 of 3")
    first = at(tmp_path, ONE).newest()[0]["rows"]
    assert run_cost(ONE, CPU, lambda _: None, at(tmp_path, ONE)) is None
    rows = run_cost(ONE, CPU, lambda _: None, at(tmp_path, ONE)).rows
    assert rows[: len(first)] == first
    assert [row["metric"] for row in rows].count("parameters") == 1


def test_rounds_of_another_machine_are_not_mixed_with_ours(tmp_path):
    run_cost(ONE, CPU, lambda _: None, at(tmp_path, ONE, threads=7))
    notices = []
    assert run_cost(ONE, CPU, notices.append, at(tmp_path, ONE)) is None
    assert [notice.text for notice in notices] == [
        "the measurement starts afresh: it was begun on another machine or under other versions"
    ]
    assert [path.stem for path in checkpoints_path(tmp_path, ONE).iterdir()] == ["00000000"]


def test_nobody_else_takes_a_turn_of_a_measurement_that_is_under_way(tmp_path, monkeypatch):
    seen = []

    def between(trial, *arguments, **options):
        if trial == TWO:
            seen.append(acquire(leases_path(tmp_path), f"{ONE.id}-{ONE.digest}"))
            if isinstance(seen[-1], Lease):
                seen[-1].release()
        return whole(trial, *arguments, **options)

    whole = suite.run_isolated
    monkeypatch.setattr(suite, "run_isolated", between)
    run([ONE, TWO], tmp_path)
    assert [type(found) for found in seen] == [Holder, Holder, Lease]  # free after its last turn
    assert leftovers(tmp_path) == []


def test_a_stop_between_two_turns_says_where_and_gives_the_leases_back(tmp_path, monkeypatch):
    signals = Signals()

    def stop_after(*arguments, **options):
        ending = whole(*arguments, **options)
        signals.stop = 15
        return ending

    whole = suite.run_isolated
    monkeypatch.setattr(suite, "run_isolated", stop_after)
    with pytest.raises(Stopped, match=rf"stopped at turn 1 of 3 of {ONE.id}"):
        run([ONE, TWO], tmp_path, signals=signals)
    assert not list(leases_path(tmp_path).glob("*.json"))
    monkeypatch.setattr(suite, "run_isolated", whole)
    summary, _ = run([ONE, TWO], tmp_path)
    assert summary.ran == 2


def test_the_papers_table_6_has_its_own_batch(tmp_path):
    trial = cost(timing_paper="table-6", timing_rounds=1)
    every = run_cost(trial, CPU, lambda _: None).rows
    rows = [row for row in every if row["record"] == "cost"]
    training = [row["protocol"] for row in rows if row["metric"] == "training_peak_mib"]
    assert training == ["resident_set, batch 2, 32x40", "resident_set, batch 4, 32x40"]
    assert [row["value"] for row in rows if row["metric"] == "backward_ms_n"] == [10, 3]
    for protocol, statistic in (("table-6", np.mean), ("interleaved", np.median)):
        of_protocol = [row for row in every if row["protocol"] == protocol and row["metric"] == "forward_ms"]
        (stored,) = (row["value"] for row in of_protocol if row["record"] == "cost")
        assert stored == statistic([row["value"] for row in of_protocol if row["record"] == "pass"])
