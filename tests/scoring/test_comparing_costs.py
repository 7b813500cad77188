"""Costs of two results: exact ones, times with their quartiles, and those that another machine measured."""

import pytest
from results_factory import trials, write

from bench.results.committed import Place
from bench.results.schema import VALUES
from bench.results.store import load_results
from bench.results.trial_file import write_trial
from bench.scoring.comparing import Selection, compare

COST = next(trial for trial in trials() if trial.kind == "cost")
MACHINE = {"device_name": "a processor", "kernels": "AVX2", "threads": 2, "precision": "fp32"}
TIMES = {("forward_ms", "ours"): 10.0, ("forward_ms_p25", "ours"): 9.0, ("forward_ms_p75", "ours"): 11.0}


def measured(folder, costs, **changes):
    write(folder, COST, costs=costs, **(MACHINE | changes))
    return folder


def slower(by):
    return {place: value + by for place, value in TIMES.items()}


def differences(a, b):
    found = compare(Place("A", a), Place("B", b), Selection())
    return {(one.row.metric, one.row.protocol): one for one in found.differences}


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(1000.0, 1001.0, "worse"), (1001.0, 1000.0, "better"), (1000.0, 1000.0, "no difference found")],
)
def test_parameters_are_exact(tmp_path, before, after, verdict):
    a = measured(tmp_path / "a", {("parameters", "x"): before, ("process_baseline_mib", "x"): 5.0})
    b = measured(tmp_path / "b", {("parameters", "x"): after, ("process_baseline_mib", "x"): 9.0}, device_name="other")
    found = differences(a, b)
    assert list(found) == [("parameters", "x")]
    assert (found["parameters", "x"].verdict, found["parameters", "x"].difference) == (verdict, after - before)


@pytest.mark.parametrize(
    ("by", "spread", "verdict"),
    [(1.5, (-0.5, 3.5), "no difference found"), (2.5, (0.5, 4.5), "worse"), (-2.5, (-4.5, -0.5), "better")],
)
def test_times_differ_where_their_quartiles_do_not_overlap(tmp_path, by, spread, verdict):
    found = differences(measured(tmp_path / "a", TIMES), measured(tmp_path / "b", slower(by)))
    assert list(found) == [("forward_ms", "ours")]
    one = found["forward_ms", "ours"]
    assert (one.difference, one.spread, one.verdict) == (by, spread, verdict)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"device_name": "another"}, "device_name a processor in A, another in B"),
        ({"kernels": "AVX512"}, "kernels AVX2 in A, AVX512 in B"),
        ({"threads": 8}, "threads 2 in A, 8 in B"),
        ({"precision": "bf16"}, "precision fp32 in A, bf16 in B"),
        ({"device_name": None}, "device_name a processor in A, nothing in B"),
    ],
)
def test_times_of_other_machines_are_not_comparable(tmp_path, changes, note):
    costs = TIMES | {("parameters", "x"): 7.0}
    found = differences(measured(tmp_path / "a", costs), measured(tmp_path / "b", costs, **changes))
    assert found["forward_ms", "ours"].verdict == "not comparable"
    assert found["forward_ms", "ours"].note == f"measured on other or unknown machines: {note}"
    assert found["parameters", "x"].verdict == "no difference found"


def test_times_of_unknown_machines_are_not_comparable(tmp_path):
    found = differences(*(measured(tmp_path / side, TIMES, device_name=None) for side in "ab"))
    assert (
        found["forward_ms", "ours"].note
        == "measured on other or unknown machines: device_name nothing in A, nothing in B"
    )


def test_memory_is_measured_once(tmp_path):
    costs = {("training_peak_mib", "x"): 700.0}
    one = differences(measured(tmp_path / "a", costs), measured(tmp_path / "b", costs))["training_peak_mib", "x"]
    assert (one.verdict, one.note) == ("single run", "measured once, so that nothing is known of its spread")


def test_disturbed_times_are_not_comparable(tmp_path):
    a, b = measured(tmp_path / "a", TIMES), measured(tmp_path / "b", slower(5))
    (path,) = b.rglob("*.parquet")
    rows = load_results(b).rows.astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    values = [{column.name: row[column.name] for column in VALUES} for row in rows]
    busy = values[-1] | {"record": "condition", "metric": "others_share", "value": 0.5, "protocol": "ours"}
    write_trial(path, {name: held for name, held in rows[0].items() if name not in busy}, [*values, busy])
    one = differences(a, b)["forward_ms", "ours"]
    assert one.verdict == "not comparable"
    assert one.note == "disturbed: other programs took more than 5 % of the processors in B"
