import math

import numpy as np
import pandas as pd
import pytest

from bench.errors import ResultsError
from bench.replication.scores import (
    COST_COLUMNS,
    SCORE_COLUMNS,
    class_scores,
    costs,
    reported,
    scores,
)

IOU = ("test", "mean_iou")
TRIAL = ("segnet_basic", "median_frequency")


def test_the_value_at_the_selected_iteration_of_test_and_train_is_reported(results) -> None:
    results.training(*TRIAL, {IOU: 0.4, ("train", "mean_iou"): 0.8})

    frame = scores(results.frame)

    assert list(frame.columns) == list(SCORE_COLUMNS)
    assert list(zip(frame["split"], frame["value"], strict=True)) == [("test", 0.4), ("train", 0.8)]
    assert frame["trials"].tolist() == [("segnet_basic-median_frequency-0",)] * 2


def test_mean_standard_deviation_and_n_are_over_seeds(results) -> None:
    for seed, value in enumerate((0.4, 0.5, 0.6)):
        results.training(*TRIAL, {IOU: value}, seed=seed)

    row = scores(results.frame).iloc[0]

    assert (row["value"], row["std"], row["n"]) == (pytest.approx(0.5), pytest.approx(0.1), 3)
    assert len(row["trials"]) == 3


def test_a_single_run_has_no_standard_deviation(results) -> None:
    results.training(*TRIAL, {IOU: 0.4})

    row = scores(results.frame).iloc[0]

    assert row["n"] == 1
    assert math.isnan(row["std"])


def test_a_nan_in_one_seed_is_not_left_out(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}, seed=0).training(*TRIAL, {IOU: math.nan}, seed=1)

    row = scores(results.frame).iloc[0]

    assert math.isnan(row["value"])
    assert row["n"] == 2


@pytest.mark.parametrize(("protocol", "value"), [("paper", 0.3), ("distance", 0.45)])
def test_boundary_f1_is_that_of_one_protocol(results, protocol: str, value: float) -> None:
    results.training(*TRIAL, {}, boundary={"distance": 0.45, "paper": 0.3})

    frame = scores(results.frame, protocol=protocol)

    assert frame[["protocol", "value"]].to_numpy().tolist() == [[protocol, value]]


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_only_trials_that_are_done_count(results, status: str) -> None:
    results.training(*TRIAL, {IOU: 0.4}).training(*TRIAL, {IOU: 0.9}, seed=1, status=status)

    frame = scores(results.frame)

    assert frame[["value", "n"]].to_numpy().tolist() == [[0.4, 1]]


def test_two_configurations_of_a_trial_are_not_mixed(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}, digest="aaaa").training(*TRIAL, {IOU: 0.6}, digest="bbbb")

    with pytest.raises(
        ResultsError, match=r"segnet_basic\.median_frequency\.s0 is stored in 2 configurations \(aaaa, bbbb\)"
    ):
        scores(results.frame)


def test_digests_choose_the_configuration(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}, digest="aaaa").training(*TRIAL, {IOU: 0.6}, digest="bbbb")

    assert scores(results.frame, {"bbbb"})["value"].tolist() == [0.6]


def test_two_configurations_are_not_mixed_across_weightings_or_seeds_either(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}).training("segnet_basic", "natural_frequency", {IOU: 0.6})

    assert len(scores(results.frame)) == 2


def test_profiles_are_not_mixed(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}).training(*TRIAL, {IOU: 0.6}, profile="smoke", digest="other")

    with pytest.raises(ResultsError, match=r"results of 2 profiles \(mini, smoke\) cannot share a table"):
        scores(results.frame)


def test_a_trial_that_is_there_twice_is_an_error(results) -> None:
    results.training(*TRIAL, {IOU: 0.4})
    frame = pd.concat([results.frame, results.frame])

    with pytest.raises(ResultsError, match="two values of segnet_basic median_frequency test mean_iou"):
        scores(frame)


def test_class_scores_keep_the_order_of_the_classes(results) -> None:
    results.training(
        *TRIAL,
        {},
        classes={("test", "iou", "Sky"): 0.9, ("test", "iou", "Pole"): 0.1, ("train", "iou", "Sky"): 1.0},
    )

    frame = class_scores(results.frame)

    assert frame[["split", "class_name", "value"]].to_numpy().tolist() == [
        ["test", "Sky", 0.9],
        ["test", "Pole", 0.1],
        ["train", "Sky", 1.0],
    ]


def test_costs_come_with_device_and_passes(results) -> None:
    results.cost(
        "segnet_basic",
        {"parameters": 1416075, "forward_ms": 50.0, "forward_ms_p25": 49.0, "forward_ms_n": 30},
    )

    frame = costs(results.frame)

    assert list(frame.columns) == list(COST_COLUMNS)
    assert frame[["metric", "value", "passes", "device_name", "weighting", "split"]].to_numpy().tolist() == [
        ["parameters", 1416075, 0, "a processor", "", ""],
        ["forward_ms", 50.0, 30, "a processor", "", ""],
    ]


def test_reported_leaves_out_what_depends_on_the_machine(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}).cost("segnet_basic", {"parameters": 1416075, "forward_ms": 50.0})

    assert reported(results.frame)["metric"].tolist() == ["mean_iou", "parameters"]


def test_nothing_done_gives_empty_frames_with_columns(results) -> None:
    results.training(*TRIAL, {IOU: 0.4}, status="failed")

    for frame in (scores(results.frame), reported(results.frame)):
        assert frame.empty
        assert list(frame.columns) == list(SCORE_COLUMNS)
    assert list(costs(results.frame).columns) == list(COST_COLUMNS)
    assert class_scores(results.frame).empty


@pytest.mark.parametrize("dtype", ["category", "object", "string"])
def test_whatever_engine_read_the_text_columns(results, dtype: str) -> None:
    frame = results.training(*TRIAL, {IOU: 0.4}, boundary={"paper": 0.3}).frame
    frame["iteration"] = frame["iteration"].astype("float64")  # plain pandas reads a nullable integer so
    for name in frame.columns[frame.dtypes == "string"]:
        frame[name] = frame[name].astype(dtype)

    assert scores(frame)["value"].tolist() == [0.4, 0.3]
    assert np.all(scores(frame)["protocol"] == ["", "paper"])


def test_costs_under_several_protocols_stand_below_each_other_ours_first(results) -> None:
    results.cost("fcn_basic", {"forward_ms": 3.0}, digest="c").cost("segnet_basic", {"forward_ms": 1.0}, digest="c2")
    results.cost("segnet_basic", {"forward_ms": 2.0, "forward_ms_n": 50}, protocol="table-1", digest="c2")

    frame = costs(results.frame)

    assert frame[["model", "protocol", "value", "passes"]].to_numpy().tolist() == [
        ["fcn_basic", "steady", 3.0, 0],
        ["segnet_basic", "steady", 1.0, 0],
        ["segnet_basic", "table-1", 2.0, 50],
    ]
