"""Which times are marked as disturbed, and with which words."""

import pytest

from bench.replication.conditions import BUSY_SHARE, disturbances, rounds_in_a_row
from bench.replication.scores import costs


def condition(results, metric, value, protocol="interleaved", round_=1):
    place = {"record": "condition", "metric": metric, "protocol": protocol, "iteration": round_, "value": value}
    results.rows.append(results.rows[-1] | place)
    return results


@pytest.fixture
def measured(results):
    results.cost("fcn_basic", {"forward_ms": 5.0, "parameters": 7.0}, protocol="interleaved")
    return results.cost("fcn_basic", {"forward_ms": 6.0}, protocol="table-1")


def test_a_quiet_machine_disturbs_nothing(measured):
    for metric, value in (
        ("load_average", 9.0),  # a minute's mean, our own threads among them: no measure of others
        ("others_share", BUSY_SHARE),
        ("throttled", 0.0),
        ("other_processes", 0.0),
        ("forward_warmup_steady", 1.0),
        ("forward_warmup_passes", 60.0),
    ):
        condition(measured, metric, value)
    assert disturbances(measured.frame) == {}
    assert set(costs(measured.frame)["disturbance"]) == {""}


@pytest.mark.parametrize(
    ("metric", "value", "reason"),
    [
        ("others_share", 0.126, "other programs took more than 5 % of the processors"),
        ("throttled", 1.0, "heat or the power supply lowered the GPU's clock"),
        ("other_processes", 2.0, "other processes used the GPU"),
        ("backward_warmup_steady", 0.0, "backward passes were still getting faster"),
    ],
)
def test_one_bad_round_is_named(measured, metric, value, reason):
    condition(condition(measured, metric, value, round_=2), "others_share", 0.01, round_=3)
    assert disturbances(measured.frame) == {("fcn_basic-cost", "interleaved"): reason}
    frame = costs(measured.frame).set_index(["metric", "protocol"])["disturbance"]
    assert frame["forward_ms", "interleaved"] == reason
    assert frame["forward_ms", "table-1"] == ""
    assert frame["parameters", "interleaved"] == ""  # a count is not disturbed


def test_energy_has_no_watch_of_its_own_and_is_disturbed_by_whatever_disturbed_a_time(measured):
    measured.cost("fcn_basic", {"forward_energy_j": 3.0}, protocol="passes in a row")
    assert set(costs(measured.frame)["disturbance"]) == {""}
    condition(condition(measured, "throttled", 1.0), "other_processes", 1.0, protocol="table-1")
    frame = costs(measured.frame).set_index("metric")["disturbance"]
    assert frame["forward_energy_j"] == (
        "heat or the power supply lowered the GPU's clock; other processes used the GPU"
    )
    assert frame["parameters"] == ""


def test_reasons_add_up_and_each_is_said_once(measured):
    for round_, share in ((1, 0.2), (2, 0.4), (3, 0.0)):
        condition(measured, "others_share", share, round_=round_)
    condition(measured, "throttled", 1.0)
    (why,) = disturbances(measured.frame).values()
    assert (
        why == "other programs took more than 5 % of the processors; heat or the power supply lowered the GPU's clock"
    )


@pytest.mark.parametrize(
    ("order", "in_a_row"),
    [
        (["fcn_basic", "segnet_basic"] * 3, []),
        (["fcn_basic"] * 3, ["fcn_basic"]),
        (["fcn_basic", "segnet_basic", "segnet_basic", "fcn_basic"], ["segnet_basic"]),
        ([], []),
    ],
)
def test_rounds_without_another_model_between_them_are_found(results, order, in_a_row):
    for second, model in enumerate(order):
        results.cost(model, {"forward_ms": 5.0}, protocol="interleaved", digest=f"{second}")
        condition(results, "begun", 1.7e9 + second)
    results.rows = list(reversed(results.rows))  # whatever the order of the files
    assert rounds_in_a_row(results.frame) == in_a_row
