import math
from dataclasses import replace

import pandas as pd
import pytest

from bench.data.camvid_classes import CLASS_NAMES as CAMVID
from bench.data.sun_rgbd_classes import CLASS_NAMES as SUN_RGBD
from bench.replication.check import (
    Verdict,
    against_baseline,
    against_paper,
    compare,
    counts,
    exit_code,
    paper_targets,
)
from bench.replication.scores import KEYS, reported
from bench.study.catalog import METRIC_TITLES, MODEL_TITLES

CELL = ("segnet_basic", "median_frequency", "test", "mean_iou", "", "", "")
BOUNDARY = ("segnet_basic", "median_frequency", "test", "boundary_f1", "", "")
TOLERANCES = dict.fromkeys(METRIC_TITLES, 0.02)


def ours(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame([(*row, 1) for row in rows], columns=[*KEYS, "value", "n"])


def targets(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEYS, "value"])


def outcome(value: float, reference: float, tolerance: float = 0.02) -> Verdict:
    (verdict,) = compare(ours((*CELL, value)), targets((*CELL, reference)), {"mean_iou": tolerance})
    return verdict


def test_a_verdict_says_what_was_compared() -> None:
    assert outcome(0.5, 0.25, 0.125) == Verdict(
        cell="segnet_basic median_frequency test mean_iou",
        model="segnet_basic",
        weighting="median_frequency",
        metric="mean_iou",
        ours=0.5,
        reference=0.25,
        difference=0.25,
        tolerance=0.125,
        verdict="outside",
        n=1,
    )


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.50, "within"), (0.52, "within"), (0.48, "within"), (0.5201, "outside"), (0.4799, "outside")],
)
def test_scores_are_compared_by_their_absolute_difference(value: float, verdict: str) -> None:
    assert outcome(value, 0.5).verdict == verdict


@pytest.mark.parametrize(("value", "reference"), [(math.nan, 0.5), (0.5, math.nan), (math.nan, math.nan)])
def test_nan_is_outside(value: float, reference: float) -> None:
    verdict = outcome(value, reference)

    assert (verdict.verdict, verdict.reason) == ("outside", "not a number")


def test_a_value_that_is_not_there_is_missing() -> None:
    (verdict,) = compare(ours(), targets((*CELL, 0.5)), TOLERANCES)

    assert (verdict.verdict, verdict.ours, verdict.difference, verdict.n) == ("missing", None, None, 0)
    assert verdict.reason == "no finished trial"


def test_boundary_f1_is_never_compared_across_protocols() -> None:
    measured = ours((*BOUNDARY, "distance", 0.3578))

    (verdict,) = compare(measured, targets((*BOUNDARY, "paper", 0.3578)), TOLERANCES)

    assert verdict.verdict == "missing"
    assert verdict.reason == "measured under protocol distance, needed under paper"


def test_costs_are_compared_relative_to_the_reference() -> None:
    def verdict(value: float) -> str:
        cell = ("segnet_basic", "", "", "parameters", "", "", "")
        return compare(ours((*cell, value)), targets((*cell, 1e6)), {"parameters": 0.03})[0].verdict

    assert [verdict(value) for value in (0.97e6, 1.03e6, 0.9699e6, 1.0301e6)] == [
        "within", "within", "outside", "outside",
    ]  # fmt: skip


def test_a_time_is_compared_under_its_protocol_but_parameters_have_none() -> None:
    measured = ours(
        ("segnet_basic", "", "", "forward_ms", "", "", "360x480", 50.0),
        ("segnet_basic", "", "", "parameters", "", "", "360x480", 10.0),
    )
    earlier = targets(
        ("segnet_basic", "", "", "forward_ms", "", "", "60x80", 50.0),
        ("segnet_basic", "", "", "forward_ms", "", "", "360x480", 50.0),
        ("segnet_basic", "", "", "forward_ms", "", "", "", 50.0),
        ("segnet_basic", "", "", "parameters", "", "", "60x80", 10.0),
    )

    verdicts = compare(measured, earlier, {"forward_ms": 0.1, "parameters": 0.0})

    assert [verdict.verdict for verdict in verdicts] == ["missing", "within", "within", "within"]


def test_a_metric_without_a_tolerance_is_not_checked() -> None:
    assert compare(ours((*CELL, 0.1)), targets((*CELL, 0.9)), {"boundary_f1": 0.02}) == []


def test_every_number_of_table_1_is_a_target() -> None:
    frame = paper_targets()

    assert len(frame[frame["metric"].isin(list(METRIC_TITLES))]) == 8 * 2 * (4 + 3) == 112
    assert frame["metric"].value_counts()[["parameters", "storage_multiplier"]].tolist() == [8, 7]
    row = frame[(frame["model"] == "fcn_basic") & (frame["metric"] == "boundary_f1")].iloc[0]
    assert (row["protocol"], row["value"]) == ("paper", 0.3811)


def by_place(*tables: str) -> dict[str, pd.DataFrame]:
    return {table: paper_targets(table).set_index([*KEYS])["value"] for table in tables}


def test_targets_of_the_tables_with_budgets_are_at_the_addresses_of_our_scores() -> None:
    frames = by_place("T3", "T4")
    where = ("natural_frequency", "test")

    assert frames["T3"]["segnet", *where, "mean_iou", "40K", "", ""] == 0.5002
    assert frames["T3"]["segnet", *where, "mean_iou", "", "", ""] == 0.6010
    assert frames["T3"]["deeplab_largefov_dense_crf", *where, "boundary_f1", "", "", "paper"] == 0.4079
    assert frames["T4"]["segnet", *where, "mean_iou", "", "", ""] == 0.3184
    assert frames["T4"]["segnet", "median_frequency", "test", "mean_iou", "", "", ""] == 0.3208
    refined = [place for place in frames["T3"].index if place[0] == "deeplab_largefov_dense_crf"]
    assert {place[4] for place in refined} == {""}  # the fixed points are n/a
    assert [len(frame) for frame in frames.values()] == [(5 * 3 + 1) * 4, (4 * 3 + 1 + 1) * 4]


def test_targets_per_class_and_of_costs_are_what_can_be_compared() -> None:
    frames = by_place("T2", "T5", "T6")

    assert {place[0] for place in frames["T2"].index} == {"segnet"}  # the other methods are no models of ours
    assert frames["T2"]["segnet", "natural_frequency", "test", "accuracy", "", "Sky", ""] == 0.961
    assert frames["T5"]["segnet", "natural_frequency", "test", "accuracy", "", "Shower curtain", ""] == 0.0003
    assert {place[3] for place in frames["T6"].index} == {"model_size_mb"}  # the rest is of the authors' machine
    assert [len(frame) for frame in frames.values()] == [11 + 4, 37, 4]


@pytest.mark.parametrize(("table", "names"), [("T2", CAMVID), ("T5", SUN_RGBD)])
def test_the_classes_of_the_tables_are_those_of_the_data(table: str, names: tuple[str, ...]) -> None:
    classes = paper_targets(table).query("metric == 'accuracy'")["class_name"]

    assert sorted(classes) == sorted(names)


def test_a_number_that_two_tables_print_is_compared_once() -> None:
    verdicts = against_paper(ours(), TOLERANCES, ["T3", "T2"], models=["segnet"])

    assert [verdict.cell for verdict in verdicts] == [
        f"segnet natural_frequency test {budget}{metric}" for budget in ("40K ", "80K ", "") for metric in METRIC_TITLES
    ]


def test_a_class_is_named_before_its_metric() -> None:
    verdicts = against_paper(ours(), {"accuracy": 0.05}, ["T4", "T5"])

    assert len(verdicts) == 37
    assert verdicts[19].cell == "segnet natural_frequency test Floor mat accuracy"


def test_the_papers_own_numbers_are_within(results) -> None:
    frame = paper_targets().assign(n=1)

    verdicts = against_paper(frame, dict.fromkeys(METRIC_TITLES, 0.0))

    assert len(verdicts) == 112 + 8 + 7
    assert exit_code(verdicts) == 0


def test_the_parameter_counts_of_the_layers_are_within_three_percent_of_the_printed_ones() -> None:
    weights = (612224, 1415040, 1415040, 624768, 645312, 643200, 1660800, 1660800)
    derived = dict(zip(list(MODEL_TITLES)[:8], weights, strict=True))
    frame = ours(*((model, "", "", "parameters", "", "", "", value) for model, value in derived.items()))

    verdicts = [v for v in against_paper(frame, {}) if v.metric == "parameters"]

    assert counts(verdicts) == {"within": 8, "outside": 0, "missing": 0}
    frame["value"] *= 1.05
    assert counts(against_paper(frame, {}))["outside"] > 4


@pytest.mark.parametrize(("value", "verdict"), [(11.0, "within"), (10.99, "outside"), (2.75, "outside")])
def test_the_storage_multiplier_must_be_equal(value: float, verdict: str) -> None:
    frame = ours(("fcn_basic", "", "", "storage_multiplier", "", "", "", value))

    (found,) = [v for v in against_paper(frame, {}, models=["fcn_basic"]) if v.metric == "storage_multiplier"]

    assert found.verdict == verdict


def test_against_paper_can_be_limited_to_what_was_run() -> None:
    verdicts = against_paper(ours(), TOLERANCES, models=["segnet_basic"], weightings=["median_frequency"])

    assert len(verdicts) == 7 + 2
    assert {verdict.reason for verdict in verdicts} == {"no finished trial", "no finished cost trial"}


def test_a_run_equals_itself_and_a_changed_one_is_found(results) -> None:
    results.training("segnet_basic", "median_frequency", {("test", "mean_iou"): 0.4}, boundary={"paper": 0.3})
    results.cost("segnet_basic", {"parameters": 1416075})
    frame = reported(results.frame)

    assert counts(against_baseline(frame, frame, dict.fromkeys(METRIC_TITLES, 0.0))) == {
        "within": 3, "outside": 0, "missing": 0,
    }  # fmt: skip
    changed = frame.assign(value=frame["value"] + [0.03, 0.0, 1.0])
    assert [v.verdict for v in against_baseline(changed, frame, TOLERANCES)] == [
        "outside",
        "within",
        "outside",
    ]
    assert against_baseline(frame.iloc[1:], frame, TOLERANCES)[0].verdict == "missing"


def test_exit_codes() -> None:
    within, outside = outcome(0.5, 0.5), outcome(0.5, 0.9)
    missing = replace(within, verdict="missing")

    assert exit_code([within, within]) == 0
    assert exit_code([within, outside, missing]) == 1
    assert exit_code([within, missing]) == 2
    assert exit_code([]) == 2  # nothing compared is not a pass
