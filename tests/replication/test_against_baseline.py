"""Against an earlier result of ours: points, on the same machine, of the same seeds."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from replication.studies import STUDY, with_gaps, with_seeds
from results_factory import outdated, write

from bench.errors import ConfigError, ResultsError
from bench.replication.baseline import read_baseline, write_baseline
from bench.replication.check import Place, Verdict, counts, exit_code
from bench.replication.comparable import Machine, Measured, other_machine
from bench.replication.verdicts import save_baseline, verdicts_of
from bench.results.store import load_results
from bench.study.specs import Study
from bench.study.trials import Trial, plan

TRAINING, COST = plan(STUDY, "decoder-variants", "smoke", models=["segnet_basic"], weightings=["median_frequency"])
BOTH = [TRAINING, COST]
MIOU = "segnet_basic median_frequency test mean_iou"
TIMED = {("parameters", "learnable"): 1000.0, ("forward_ms", "interleaved"): 20.0}
MACHINE = {"device_name": "a processor", "kernels": "AVX2", "precision": "fp32", "threads": 2}
WITH_TIMES = with_gaps("baseline", "smoke", {"mean_iou": 0.03, "forward_ms": 0.1})

Stored = Callable[..., pd.DataFrame]


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    """Stores a training with a score and a measurement in the folder of a name, and reads it."""

    def rows(name="ours", value=0.5, costs=TIMED, trials=(TRAINING,), **machine) -> pd.DataFrame:
        for trial in trials:
            write(tmp_path / name, trial, value)
        write(tmp_path / name, COST, costs=costs, **(MACHINE | machine))
        return load_results(tmp_path / name).rows

    return rows


def checked(
    rows: pd.DataFrame, home: Path, study: Study = STUDY, trials: Sequence[Trial] = BOTH, against="baseline"
) -> dict[str, Verdict]:
    return {verdict.cell: verdict for verdict in verdicts_of(rows, trials, study, str(against), home)}


def test_a_run_equals_itself_and_a_changed_one_is_found(stored: Stored, tmp_path: Path) -> None:
    rows = stored()
    save_baseline(rows, BOTH, STUDY, tmp_path, "a test")

    found = checked(rows, tmp_path)
    assert counts(found.values())["within"] == len(found) == 7 + 1
    assert exit_code(found.values()) == 0

    found = checked(stored("ours", 0.54), tmp_path)
    assert (found[MIOU].verdict, found[MIOU].difference) == ("outside", pytest.approx(0.04))
    found = checked(stored("ours", 0.53, {("parameters", "learnable"): 1001.0}), tmp_path)
    assert found[MIOU].verdict == "within"  # the edge of three points
    assert found["segnet_basic parameters"].verdict == "outside"  # has to be equal


def test_one_run_is_enough_and_is_called_that(stored: Stored, tmp_path: Path) -> None:
    rows = stored()
    save_baseline(rows, BOTH, STUDY, tmp_path, "a test")

    found = checked(rows, tmp_path)
    assert (found[MIOU].reason, found[MIOU].n, found[MIOU].interval) == ("single run", 1, None)
    assert found["segnet_basic parameters"].reason == ""


def test_a_folder_is_a_reference_like_a_baseline(stored: Stored, tmp_path: Path) -> None:
    stored("theirs", 0.4)

    found = checked(stored("ours", 0.5), tmp_path, against=tmp_path / "theirs")

    assert (found[MIOU].verdict, found[MIOU].reference) == ("outside", 0.4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResultsError, match=r"empty' has no finished trial of suite decoder-variants, profile smoke"):
        checked(stored(), tmp_path, against=tmp_path / "empty")
    next((tmp_path / "theirs").rglob("*.cost-*.parquet")).write_bytes(b"PAR1")
    with pytest.raises(ResultsError, match=r"reference --against .*theirs: .* repair or remove the file"):
        checked(stored(), tmp_path, against=tmp_path / "theirs")


def test_times_are_compared_where_they_have_a_gap_and_the_machine_is_the_same(stored: Stored, tmp_path: Path) -> None:
    stored("theirs")

    def time_of(rows: pd.DataFrame, study: Study = WITH_TIMES) -> Verdict | None:
        return checked(rows, tmp_path, study, against=tmp_path / "theirs").get("segnet_basic forward_ms")

    assert time_of(stored(), STUDY) is None
    assert time_of(stored(costs={("forward_ms", "interleaved"): 22.0})).verdict == "within"
    slower = time_of(stored(costs={("forward_ms", "interleaved"): 22.1}))
    assert (slower.verdict, slower.reason, slower.tolerance) == ("outside", "", 2.0)


TIME = Place("segnet_basic", "", "", "forward_ms", "", "", "interleaved")
HERE = Machine("a processor", "AVX2", "fp32", "2")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"device_name": "another"}, "device another here, a processor there"),
        ({"kernels": "AVX512"}, "kernels AVX512 here, AVX2 there"),
        ({"precision": "bf16"}, "precision bf16 here, fp32 there"),
        ({"threads": "4"}, "threads 4 here, 2 there"),
        ({"threads": "4", "precision": "bf16"}, "precision bf16 here, fp32 there; threads 4 here, 2 there"),
        ({"device_name": ""}, "device unknown here, a processor there"),
    ],
)
def test_the_same_machine_is_one_of_the_same_device_kernels_precision_and_threads(change, reason) -> None:
    ours, theirs = Measured(20.0, machine=HERE._replace(**change)), Measured(20.0, machine=HERE)

    assert other_machine(TIME, ours, theirs) == reason
    assert other_machine(TIME._replace(metric="parameters"), ours, theirs) == ""  # is the same on all


def test_unknown_is_not_the_same_machine() -> None:
    assert other_machine(TIME, Measured(1.0), Measured(1.0)).startswith("device unknown here, unknown there; kernels")


def test_what_disturbed_either_side_is_said() -> None:
    calm, disturbed = Measured(20.0, machine=HERE), Measured(20.0, machine=HERE, disturbance="heat")

    assert other_machine(TIME, disturbed, calm) == "disturbed: heat"
    assert other_machine(TIME, calm, disturbed) == "in the reference disturbed: heat"


def test_times_of_another_machine_are_not_comparable(stored: Stored, tmp_path: Path) -> None:
    stored("theirs")

    verdict = checked(stored(threads=4), tmp_path, WITH_TIMES, against=tmp_path / "theirs")["segnet_basic forward_ms"]

    assert (verdict.verdict, verdict.reason) == ("not comparable", "threads 4 here, 2 there")
    assert exit_code([verdict]) == 2


def disturb(rows: pd.DataFrame) -> pd.DataFrame:
    cost = rows[rows["record"] == "cost"].iloc[[0]]
    busy = cost.assign(record="condition", metric="others_share", protocol="interleaved", value=0.5)
    return pd.concat([rows, busy], ignore_index=True)


def test_a_disturbed_time_is_not_comparable_and_not_kept(stored: Stored, tmp_path: Path) -> None:
    stored("theirs")
    rows = disturb(stored())

    verdict = checked(rows, tmp_path, WITH_TIMES, against=tmp_path / "theirs")["segnet_basic forward_ms"]
    assert verdict.verdict == "not comparable"
    assert verdict.reason == "disturbed: other programs took more than 5 % of the processors"

    baseline = read_baseline(save_baseline(rows, BOTH, WITH_TIMES, tmp_path, "a test"))
    assert "forward_ms" not in {place.metric for place in baseline.numbers}
    assert baseline.meta["left out"] == (
        "segnet_basic forward_ms interleaved: other programs took more than 5 % of the processors",
    )


def test_a_baseline_keeps_times_with_their_machine_where_they_have_a_gap(stored: Stored, tmp_path: Path) -> None:
    rows = stored()

    kept = read_baseline(save_baseline(rows, BOTH, WITH_TIMES, tmp_path, "a test")).numbers
    time = kept[Place("segnet_basic", "", "", "forward_ms", "", "", "interleaved")]
    assert (time.value, time.machine) == (20.0, Machine("a processor", "AVX2", "fp32", "2"))
    assert checked(rows, tmp_path, WITH_TIMES)["segnet_basic forward_ms"].verdict == "within"

    without = read_baseline(save_baseline(rows, BOTH, STUDY, tmp_path, "a test")).numbers
    assert "forward_ms" not in {place.metric for place in without}
    lacking = checked(rows, tmp_path, WITH_TIMES)["segnet_basic forward_ms"]
    assert (lacking.verdict, lacking.reason) == ("not comparable", "the reference has no such number")
    assert math.isnan(lacking.reference)


def test_a_time_is_compared_under_its_own_protocol(stored: Stored, tmp_path: Path) -> None:
    stored("theirs", costs={("forward_ms", "table-1"): 20.0})

    found = verdicts_of(stored(), BOTH, WITH_TIMES, str(tmp_path / "theirs"), tmp_path)

    times = {v.place.protocol: (v.verdict, v.reason) for v in found if v.metric == "forward_ms"}
    assert times == {
        "table-1": ("missing", "its results hold no such number"),
        "interleaved": ("not comparable", "the reference has no such number"),
    }


def test_seeds_in_common_are_compared_and_others_left_out(stored: Stored, tmp_path: Path) -> None:
    study = with_seeds("smoke", [0, 1])
    trials = plan(study, "decoder-variants", "smoke", models=["segnet_basic"], weightings=["median_frequency"])
    one, two, cost = trials
    write(tmp_path / "theirs", one, 0.4)
    write(tmp_path / "theirs", two, 0.6)
    write(tmp_path / "ours", one, 0.41)
    write(tmp_path / "ours", cost)

    rows = load_results(tmp_path / "ours").rows
    found = checked(rows, tmp_path, study, trials, tmp_path / "theirs")

    assert (found[MIOU].ours, found[MIOU].reference) == (0.41, 0.4)  # not the mean of both, 0.5
    assert (found[MIOU].verdict, found[MIOU].reason) == ("within", "over the common seeds 0")
    assert found["segnet_basic median_frequency s1 trial"].verdict == "missing"
    assert exit_code(found.values()) == 2


def test_no_seed_in_common_is_said(tmp_path: Path, stored: Stored) -> None:
    place = Place("segnet_basic", "median_frequency", "test", "mean_iou", "", "", "")
    meta = {"suite": "decoder-variants", "profile": "smoke"}
    write_baseline(tmp_path / "b.csv", {place: Measured(0.49, values={7: 0.49})}, meta)

    verdict = checked(stored(), tmp_path, against=tmp_path / "b.csv")[MIOU]

    assert (verdict.verdict, verdict.reason) == ("within", "other seeds: 0 here, 7 there")


def test_a_band_of_the_spread_is_that_of_the_reference(stored: Stored, tmp_path: Path) -> None:
    study = with_gaps("baseline", "smoke", {"mean_iou": {"spread": 2}})
    place = Place("segnet_basic", "median_frequency", "test", "mean_iou", "", "", "")
    meta = {"suite": "decoder-variants", "profile": "smoke"}
    values = {0: 0.48, 1: 0.52}
    write_baseline(tmp_path / "b.csv", {place: Measured(0.5, 0.028, 2, values)}, meta)

    verdict = checked(stored(value=0.53), tmp_path, study, against=tmp_path / "b.csv")[MIOU]
    assert (verdict.reference, verdict.tolerance, verdict.verdict) == (0.48, pytest.approx(0.056), "within")

    write_baseline(tmp_path / "b.csv", {place: Measured(0.5)}, meta)
    verdict = checked(stored(value=0.5), tmp_path, study, against=tmp_path / "b.csv")[MIOU]
    assert verdict.verdict == "inconclusive"
    assert verdict.reason == "the band is a multiple of the spread over seeds, and neither side has two"


def test_a_model_that_is_no_longer_planned_is_missing(stored: Stored, tmp_path: Path) -> None:
    save_baseline(stored(), BOTH, STUDY, tmp_path, "a test")
    other = plan(STUDY, "decoder-variants", "smoke", models=["fcn_basic"], weightings=["median_frequency"])

    found = checked(load_results(tmp_path / "ours").rows, tmp_path, trials=other)

    assert (found[MIOU].verdict, found[MIOU].reason) == ("missing", "no trial of it is planned")
    assert found["fcn_basic median_frequency s0 trial"].verdict == "missing"


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({"status": "failed", "reason": "it fell over", "selected_iteration": None}, "failed", "failed: it fell over"),
        (None, "stale", "changed since it ran: bench/training/loop.py"),
    ],
)
def test_what_has_no_result_says_why(stored: Stored, tmp_path: Path, change, verdict: str, reason: str) -> None:
    save_baseline(stored(), BOTH, STUDY, tmp_path, "a test")
    write(tmp_path / "new", TRAINING if change else outdated(TRAINING), **(change or {}))
    write(tmp_path / "new", COST)

    found = checked(load_results(tmp_path / "new").rows, tmp_path)

    assert (found[MIOU].verdict, found[MIOU].reason, found[MIOU].reference) == (verdict, reason, 0.5)
    assert [cell for cell in found if cell.endswith("trial")] == []
    assert exit_code(found.values()) == {"failed": 3, "stale": 2}[verdict]


def test_budgets_and_refined_rows_are_kept_and_compared(tmp_path: Path) -> None:
    planned = plan(STUDY, "road-scenes", "smoke", models=["segnet", "deeplab_largefov"])
    write(tmp_path, planned[0], 0.5)
    write(tmp_path, planned[1], 0.5, refined=0.75)
    rows = load_results(tmp_path).rows

    kept = read_baseline(save_baseline(rows, planned, STUDY, tmp_path, "a test")).numbers

    assert len(kept) == 2 * (7 + 2 * 4) + 4
    assert [one.value for place, one in kept.items() if place.model == "deeplab_largefov_dense_crf"] == [0.75] * 4
    found = checked(rows, tmp_path, trials=planned)
    assert len(found) == len(kept)
    assert exit_code(found.values()) == 0
    lower = rows.assign(value=rows["value"].where(rows["iteration"] != planned[0].budgets["40K"], 0.0))
    changed = checked(lower, tmp_path, trials=planned)
    assert sorted(cell for cell, verdict in changed.items() if verdict.verdict == "outside") == sorted(
        cell for cell in found if " 40K " in cell
    )


def test_classes_are_kept_and_compared_where_their_accuracy_has_a_gap(tmp_path: Path) -> None:
    study = with_gaps("baseline", "smoke", {"accuracy": 0.05})
    write(tmp_path, TRAINING, 0.5, classes=["Sky", "Sign, old"])
    write(tmp_path, COST)
    rows = load_results(tmp_path).rows
    save_baseline(rows, BOTH, study, tmp_path, "a test")

    lower = rows.assign(value=rows["value"].where(rows["class_name"] != "Sign, old", 0.4))
    found = checked(lower, tmp_path, study)

    name = "segnet_basic median_frequency test {} accuracy".format
    assert (found[name("Sky")].verdict, found[name("Sign, old")].verdict) == ("within", "outside")


def test_a_profile_without_tolerances_is_refused(stored: Stored, tmp_path: Path) -> None:
    tolerances = STUDY.tolerances.model_copy(update={"baseline": {}})
    study = STUDY.model_copy(update={"tolerances": tolerances})

    with pytest.raises(ConfigError, match=r"bench\.yaml has no tolerances\.baseline\.smoke; add the allowed gap"):
        checked(stored(), tmp_path, study)


def test_a_reference_that_is_not_there_or_of_another_suite_is_refused(stored: Stored, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file or folder .*smoke\.csv'; write one with --update-baseline"):
        checked(stored(), tmp_path)
    with pytest.raises(ConfigError, match="name paper, baseline, a file or a folder"):
        checked(stored(), tmp_path, against="nowhere")
    path = save_baseline(stored(), BOTH, STUDY, tmp_path, "a test")
    path.write_text(path.read_text().replace("profile: smoke", "profile: mini"))
    with pytest.raises(ConfigError, match="is a baseline of profile mini, not of smoke"):
        checked(stored(), tmp_path)


def test_no_baseline_of_a_half_finished_suite(tmp_path: Path) -> None:
    write(tmp_path, TRAINING)
    with pytest.raises(ResultsError, match="no baseline written: 1 of 2 trials are done; finish them first with"):
        save_baseline(load_results(tmp_path).rows, BOTH, STUDY, tmp_path, "a test")
