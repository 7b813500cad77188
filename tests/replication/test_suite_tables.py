"""`bench check` of suites of Section 4: several tables, budgets, refined rows, classes; suites that have none of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from results_factory import ROOT, outdated, trials, write

from bench.errors import ConfigError
from bench.replication.baseline import read_baseline
from bench.replication.check import Verdict, exit_code
from bench.replication.verdicts import compared, save_baseline, verdicts_of
from bench.results.store import load_results
from bench.study.config import load_study
from bench.study.trials import Trial

STUDY = load_study(ROOT / "bench.yaml")
ROADS = trials(suite="road-scenes")
SEGNET, DEEPLAB = ROADS[:2]
REFINED = "deeplab_largefov_dense_crf natural_frequency test mean_iou"

Check = Callable[..., dict[str, Verdict]]


@pytest.fixture
def rows_of(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    def rows(*given: tuple) -> pd.DataFrame:
        (tmp_path / "stored").mkdir()
        for trial, values in given:
            write(tmp_path / "stored", trial, **values)
        return load_results(tmp_path / "stored").rows

    return rows


def checked(rows: pd.DataFrame, planned: Sequence[Trial], against: str, home: Path) -> dict[str, Verdict]:
    return {verdict.cell: verdict for verdict in verdicts_of(rows, planned, STUDY, against, home)}


def test_budgets_and_refined_rows_are_compared_with_their_own_numbers(rows_of, tmp_path: Path) -> None:
    rows = rows_of((SEGNET, {"value": 0.6010}), (DEEPLAB, {"value": 0.5388, "refined": 0.5474}))
    found = checked(rows, ROADS, "paper", tmp_path)

    place = "segnet natural_frequency test {}mean_iou".format
    said = {budget: (found[place(budget)].ours, found[place(budget)].reference) for budget in ("40K ", "80K ", "")}
    assert said == {
        "40K ": (pytest.approx(0.6010 / 3), 0.5002),
        "80K ": (pytest.approx(0.6010 * 2 / 3), 0.5718),
        "": (0.6010, 0.6010),
    }
    assert [found[place(budget)].verdict for budget in ("40K ", "80K ", "")] == ["outside", "outside", "within"]
    assert (found[REFINED].reference, found[REFINED].verdict) == (0.5474, "within")
    assert found["deeplab_largefov natural_frequency test mean_iou"].reference == 0.5388
    scores = [verdict for verdict in found.values() if verdict.metric not in ("accuracy", "trial")]
    assert len(scores) == (5 * 3 + 1) * 4  # Table 2's row of SegNet is Table 3's
    assert len([verdict for verdict in found.values() if verdict.metric == "accuracy"]) == 11
    assert [cell for cell in found if cell.endswith("trial")] == ["deconvnet_no_fc natural_frequency s0 trial"]
    assert found["fcn natural_frequency test mean_iou"].reason == "no finished trial"


def test_a_stale_training_is_named_for_its_refined_row_too(rows_of, tmp_path: Path) -> None:
    found = checked(rows_of((outdated(DEEPLAB), {})), ROADS, "paper", tmp_path)

    assert found[REFINED].reason == "stale: bench/training/loop.py"
    assert found["deeplab_largefov natural_frequency test 40K mean_iou"].reason == "stale: bench/training/loop.py"
    # each training of the table is spoken of by its cells, the one that the paper has not by itself
    assert [cell for cell in found if cell.endswith("trial")] == ["deconvnet_no_fc natural_frequency s0 trial"]


def test_classes_are_compared_where_their_accuracy_has_a_tolerance(rows_of, tmp_path: Path) -> None:
    planned = trials(suite="indoor-scenes", models=["segnet"])
    rows = rows_of((planned[0], {"value": 0.1983, "classes": ["Towel", "Wall"]}))

    found = {v.cell: v for v in compared(rows, planned, STUDY, "paper", {"accuracy": 0.01}, tmp_path)}

    assert len(found) == 37
    place = "segnet natural_frequency test {} accuracy".format
    assert [found[place(name)].verdict for name in ("Towel", "Wall", "Floor mat")] == ["within", "outside", "missing"]
    without = compared(rows, planned, STUDY, "paper", {"mean_iou": 0.01}, tmp_path)
    assert {verdict.metric for verdict in without} == {"mean_iou"}


def test_the_balanced_row_of_table_4_is_a_target_of_its_optional_weighting_alone(rows_of, tmp_path: Path) -> None:
    usual = trials(suite="indoor-scenes", models=["segnet"])
    balanced = trials(suite="indoor-scenes", models=["segnet"], weightings=["median_frequency"])
    rows = rows_of((balanced[0], {"value": 0.3208}))

    found = checked(rows, balanced, "paper", tmp_path)

    assert len(found) == 4
    assert found["segnet median_frequency test mean_iou"].verdict == "within"
    assert {cell.split()[1] for cell in checked(rows, usual, "paper", tmp_path)} == {"natural_frequency"}


def test_a_suite_without_trainings_is_checked_by_what_it_measures(rows_of, tmp_path: Path) -> None:
    planned = trials(suite="cost", models=["segnet", "u_net"])
    rows = rows_of((planned[0], {"costs": {("model_size_mb", "x"): 117.9, ("forward_ms", "table-6"): 9.0}}))

    verdicts = compared(rows, planned, STUDY, "paper", {"model_size_mb": 0.01}, tmp_path)

    assert [(verdict.cell, verdict.verdict) for verdict in verdicts] == [("segnet model_size_mb", "within")]
    with pytest.raises(ConfigError, match=r"names nothing that can be compared with T6; .* model_size_mb$"):
        compared(rows, planned, STUDY, "paper", {"mean_iou": 0.01}, tmp_path)


def test_a_suite_without_a_table_says_what_it_can_be_checked_against(rows_of, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="suite upsampling belongs to no table of the paper; check it --against a"):
        verdicts_of(rows_of(), trials(suite="upsampling"), STUDY, "paper", tmp_path)


def test_a_baseline_keeps_budgets_and_refined_rows(rows_of, tmp_path: Path) -> None:
    planned = [SEGNET, DEEPLAB]
    rows = rows_of((SEGNET, {"value": 0.5}), (DEEPLAB, {"value": 0.5, "refined": 0.75}))

    path = save_baseline(rows, planned, tmp_path, "a test")
    frame = read_baseline(path).frame

    assert len(frame) == 2 * (7 + 2 * 4) + 4
    assert frame.loc[frame["model"] == "deeplab_largefov_dense_crf", "value"].tolist() == [0.75] * 4
    found = checked(rows, planned, "baseline", tmp_path)
    assert len(found) == len(frame)
    assert exit_code(found.values()) == 0
    lower = rows.assign(value=rows["value"].where(rows["iteration"] != SEGNET.budgets["40K"], 0.0))
    changed = checked(lower, planned, "baseline", tmp_path)
    assert sorted(cell for cell, verdict in changed.items() if verdict.verdict == "outside") == sorted(
        cell for cell in found if " 40K " in cell
    )
