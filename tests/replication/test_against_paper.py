"""Every number that the paper prints of what was planned has one verdict, whatever became of the trials."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from replication.studies import STUDY, with_gaps, with_seeds
from results_factory import outdated, write

from bench.data.camvid_classes import CLASS_NAMES as CAMVID
from bench.data.sun_rgbd_classes import CLASS_NAMES as SUN_RGBD
from bench.errors import ConfigError
from bench.replication.against_paper import LENGTH, printed_numbers
from bench.replication.check import Place, Verdict, counts
from bench.replication.verdicts import verdicts_of
from bench.results.store import load_results
from bench.study.catalog import METRIC_TITLES
from bench.study.specs import Study
from bench.study.trials import Trial, plan

MEDIAN = ("segnet_basic", "median_frequency", "test")
SEEDS = with_seeds("paper", [0, 1, 2])
PAPER = plan(SEEDS, "decoder-variants", "paper", models=["segnet_basic"], weightings=["median_frequency"])
SMOKE = plan(STUDY, "decoder-variants", "smoke", models=["segnet_basic"])

Rows = Callable[..., pd.DataFrame]


@pytest.fixture
def rows_of(tmp_path: Path) -> Rows:
    def rows(*given: tuple) -> pd.DataFrame:
        (tmp_path / "stored").mkdir(exist_ok=True)
        for trial, values in given:
            write(tmp_path / "stored", trial, **values)
        return load_results(tmp_path / "stored").rows

    return rows


def checked(rows: pd.DataFrame, trials: Sequence[Trial], study: Study = STUDY) -> dict[str, Verdict]:
    found = verdicts_of(rows, trials, study, "paper", Path())
    assert len({verdict.place for verdict in found}) == len(found)
    return {verdict.cell: verdict for verdict in found}


def place(model: str, metric: str, weighting: str = "natural_frequency", **where: str) -> Place:
    empty = {"split": "test", "budget": "", "class_name": "", "protocol": ""}
    return Place(model=model, weighting=weighting, metric=metric, **(empty | where))


def test_every_number_of_table_1_is_printed() -> None:
    found = printed_numbers("T1")
    metrics = Counter(place.metric for place in found)

    assert sum(metrics[metric] for metric in METRIC_TITLES) == 8 * 2 * (4 + 3)
    assert (metrics["parameters"], metrics["storage_multiplier"], metrics["forward_ms"]) == (8, 7, 8)
    assert found[place("fcn_basic", "boundary_f1", "median_frequency", protocol="paper")] == 0.3811
    assert found[place("fcn_basic", "forward_ms", "", split="")] == 24.2


def test_numbers_of_the_tables_with_budgets_are_at_the_places_of_our_scores() -> None:
    t3, t4 = printed_numbers("T3"), printed_numbers("T4")

    assert t3[place("segnet", "mean_iou", budget="40K")] == 0.5002
    assert t3[place("segnet", "mean_iou")] == 0.6010
    assert t3[place("deeplab_largefov_dense_crf", "boundary_f1", protocol="paper")] == 0.4079
    assert t4[place("segnet", "mean_iou")] == 0.3184
    assert t4[place("segnet", "mean_iou", "median_frequency")] == 0.3208
    assert {p.budget for p in t3 if p.model == "deeplab_largefov_dense_crf"} == {""}  # the fixed points are n/a
    assert (len(t3), len(t4)) == ((5 * 3 + 1) * 4 + 6, (4 * 3 + 1 + 1) * 4 + 6)  # and a length each
    assert t4[place("segnet", LENGTH, split="")] == 240_000
    assert t4[place("segnet", LENGTH, "median_frequency", split="")] == 180_000


def test_numbers_per_class_and_of_costs_are_at_the_places_of_ours() -> None:
    t2, t5, t6 = (printed_numbers(table) for table in ("T2", "T5", "T6"))

    assert {place.model for place in t2} == {"segnet"}  # the other methods are no models of ours
    assert t2[place("segnet", "accuracy", class_name="Sky")] == 0.961
    assert t5[place("segnet", "accuracy", class_name="Shower curtain")] == 0.0003
    assert t6[place("segnet", "training_peak_mib", "", split="")] == 6803
    assert (len(t2), len(t5), len(t6)) == (11 + 4, 37, 4 * 5)
    assert sorted(p.class_name for p in t2 if p.class_name) == sorted(CAMVID)
    assert sorted(p.class_name for p in t5) == sorted(SUN_RGBD)


def test_three_seeds_at_the_papers_scale_are_an_interval(rows_of: Rows) -> None:
    # 47.7 is printed, 2 points are allowed: [45.7, 49.7]
    values = (0.470, 0.475, 0.480)  # 47.5 ± 4.303 · 0.5 / √3 = ± 1.24
    found = checked(rows_of(*((t, {"value": v}) for t, v in zip(PAPER, values, strict=False))), PAPER, SEEDS)

    verdict = found["segnet_basic median_frequency test mean_iou"]
    assert (verdict.verdict, verdict.reason, verdict.n, verdict.reference) == ("within", "", 3, 0.477)
    assert verdict.interval == (pytest.approx(0.46258, abs=1e-5), pytest.approx(0.48742, abs=1e-5))
    assert (verdict.difference, verdict.tolerance) == (pytest.approx(-0.002), 0.02)
    assert verdict.trials == tuple(trial.digest for trial in PAPER[:3])
    assert found["segnet_basic median_frequency test global_accuracy"].verdict == "outside"  # 82.7 is printed
    assert found["segnet_basic parameters"].verdict == "missing"
    assert len(found) == 7 + 3


def test_too_few_seeds_are_inconclusive_however_near(rows_of: Rows) -> None:
    found = checked(rows_of((PAPER[0], {"value": 0.477})), PAPER, SEEDS)

    verdict = found["segnet_basic median_frequency test mean_iou"]
    assert (verdict.verdict, verdict.reason) == ("inconclusive", "single run; it takes 3 seeds at least")
    assert verdict.interval is None
    two = with_gaps("paper", "paper", {"mean_iou": 0.02}, SEEDS, seeds=2)
    rows = rows_of((PAPER[0], {"value": 0.477}), (PAPER[1], {"value": 0.477}))
    assert checked(rows, PAPER[:2], two)["segnet_basic median_frequency test mean_iou"].verdict == "within"


def test_a_gap_may_be_a_multiple_of_the_spread_over_seeds(rows_of: Rows) -> None:
    study = with_gaps("paper", "paper", {"mean_iou": {"spread": 3.0}}, SEEDS)
    values = (0.47, 0.48, 0.49)
    rows = rows_of(*((t, {"value": v}) for t, v in zip(PAPER, values, strict=False)))

    verdict = checked(rows, PAPER, study)["segnet_basic median_frequency test mean_iou"]

    assert verdict.tolerance == pytest.approx(0.03)
    assert verdict.verdict == "within"  # 0.4552 to 0.5048 in 0.447 to 0.507
    single = checked(rows_of(), PAPER[:1], study)["segnet_basic median_frequency test mean_iou"]
    assert (single.verdict, single.reason) == ("inconclusive", "single run; it takes 3 seeds at least")


def test_scores_of_another_scale_are_not_comparable_but_sizes_are(rows_of: Rows) -> None:
    costs = {
        ("parameters", "learnable"): 1_415_040,
        ("storage_multiplier", "paper"): 2.0,
        ("forward_ms", "table-1"): 9.0,
    }
    rows = rows_of(*((t, {"costs": costs} if t.kind == "cost" else {"value": 0.477}) for t in SMOKE))

    found = checked(rows, SMOKE)

    score = found["segnet_basic median_frequency test mean_iou"]
    assert (score.verdict, score.reason) == ("not comparable", "profile smoke is not at the paper's scale")
    assert (score.ours, score.reference) == (0.477, 0.477)
    assert math.isnan(score.tolerance)
    assert found["segnet_basic parameters"].verdict == "within"  # 1.425 M is printed
    assert found["segnet_basic storage_multiplier"].verdict == "outside"  # 1 is printed
    assert counts(found.values()) | {"within": 1, "outside": 1, "not comparable": 15} == counts(found.values())


def test_a_profile_with_a_gap_for_a_metric_is_compared_at_any_scale(rows_of: Rows) -> None:
    study = with_gaps("paper", "smoke", {"mean_iou": 0.02}, with_seeds("smoke", [0, 1, 2]))
    trials = plan(study, "decoder-variants", "smoke", models=["segnet_basic"], weightings=["median_frequency"])

    found = checked(rows_of(*((trial, {"value": 0.477}) for trial in trials)), trials, study)

    assert found["segnet_basic median_frequency test mean_iou"].verdict == "within"
    assert found["segnet_basic median_frequency test global_accuracy"].verdict == "not comparable"


def test_at_the_papers_scale_a_metric_without_a_gap_says_so(rows_of: Rows) -> None:
    study = with_gaps("paper", "paper", {}, SEEDS)
    found = checked(rows_of(*((trial, {}) for trial in PAPER)), PAPER, study)

    verdict = found["segnet_basic median_frequency test mean_iou"]
    assert verdict.verdict == "not comparable"
    assert verdict.reason == "tolerances.paper.paper in bench.yaml has no gap for mean_iou"


def test_times_and_memory_of_another_machine_are_not_comparable(rows_of: Rows) -> None:
    trials = plan(STUDY, "cost", "paper", models=["segnet"])
    costs = {
        ("forward_ms", "interleaved"): 8.0,
        ("forward_ms", "table-6"): 9.0,
        ("training_peak_mib", "resident_set, batch 4, 90x120"): 1.0,
        ("training_peak_mib", "resident_set, batch 4, 360x480"): 2.0,
        ("training_peak_mib", "device_process, batch 4, 360x480"): 3.0,
        ("inference_peak_mib", "resident_set, batch 1, 360x480"): 4.0,
        ("model_size_mb", "fp32"): 117.9,
    }

    found = checked(rows_of((trials[0], {"costs": costs, "device_name": "a processor"})), trials)

    names = ("forward_ms", "training_peak_mib", "inference_peak_mib", "model_size_mb")
    assert {name: (found[f"segnet {name}"].ours, found[f"segnet {name}"].verdict) for name in names} == {
        "forward_ms": (9.0, "not comparable"),
        "training_peak_mib": (3.0, "not comparable"),
        "inference_peak_mib": (4.0, "not comparable"),
        "model_size_mb": (117.9, "within"),
    }  # fmt: skip
    assert found["segnet forward_ms"].reason == "measured on a processor, the paper's on a GPU that it does not name"
    missing = found["segnet backward_ms"]
    assert (missing.verdict, missing.reason) == ("missing", "its results hold no such number")


ROADS = plan(STUDY, "road-scenes", "smoke")
SEGNET, DEEPLAB = ROADS[:2]
REFINED = "deeplab_largefov_dense_crf natural_frequency test mean_iou"


def test_budgets_and_refined_rows_have_their_own_numbers(rows_of: Rows) -> None:
    rows = rows_of((SEGNET, {"value": 0.6010}), (DEEPLAB, {"value": 0.5388, "refined": 0.5474}))
    found = checked(rows, ROADS)

    name = "segnet natural_frequency test {}mean_iou".format
    said = {budget: (found[name(budget)].ours, found[name(budget)].reference) for budget in ("40K ", "80K ", "")}
    assert said == {
        "40K ": (pytest.approx(0.6010 / 3), 0.5002),
        "80K ": (pytest.approx(0.6010 * 2 / 3), 0.5718),
        "": (0.6010, 0.6010),
    }
    assert (found[REFINED].ours, found[REFINED].reference) == (0.5474, 0.5474)
    assert found["deeplab_largefov natural_frequency test mean_iou"].reference == 0.5388
    scores = [verdict for verdict in found.values() if verdict.metric in METRIC_TITLES]
    assert len(scores) == (5 * 3 + 1) * 4  # Table 2's row of SegNet is Table 3's
    assert len([verdict for verdict in found.values() if verdict.metric == "accuracy"]) == 11
    assert [cell for cell in found if cell.endswith("trial")] == ["deconvnet_no_fc natural_frequency s0 trial"]
    assert found["fcn natural_frequency test mean_iou"].reason == "not run yet"
    length = found["segnet natural_frequency max_iterations"]
    assert (length.ours, length.reference, length.verdict) == (36, 140_000, "not comparable")
    assert length.reason == "the length of a training is a setting"
    (segnet,) = (trial for trial in plan(STUDY, "road-scenes", "smoke") if trial.model == "segnet")
    assert length.trials == (segnet.digest,)


def test_a_budget_that_the_profile_has_not_is_not_comparable(rows_of: Rows) -> None:
    run = STUDY.suites["road-scenes"].runs["smoke"].model_copy(update={"budgets": {"40K": 12}})
    suite = STUDY.suites["road-scenes"].model_copy(update={"runs": {"smoke": run}})
    study = STUDY.model_copy(update={"suites": STUDY.suites | {"road-scenes": suite}})
    trials = plan(study, "road-scenes", "smoke", models=["segnet"])

    verdict = checked(rows_of(), trials, study)["segnet natural_frequency test 80K mean_iou"]

    assert (verdict.verdict, verdict.ours, verdict.reason) == (
        "not comparable",
        None,
        "profile smoke has no budget 80K",
    )


def test_a_stale_training_is_named_for_its_refined_row_too(rows_of: Rows) -> None:
    found = checked(rows_of((outdated(DEEPLAB), {})), ROADS)

    reason = "changed since it ran: bench/training/loop.py"
    assert (found[REFINED].verdict, found[REFINED].reason) == ("stale", reason)
    assert found["deeplab_largefov natural_frequency test 40K mean_iou"].reason == reason
    # each training of the table is spoken of by its cells, the one that the paper has not by itself
    assert [cell for cell in found if cell.endswith("trial")] == ["deconvnet_no_fc natural_frequency s0 trial"]


def test_what_failed_is_failed_with_the_reason(rows_of: Rows) -> None:
    failed = (SEGNET, {"status": "diverged", "reason": "the loss became nan", "selected_iteration": None})
    found = checked(rows_of(failed), ROADS)

    verdict = found["segnet natural_frequency test 40K mean_iou"]
    assert (verdict.verdict, verdict.reason) == ("failed", "diverged: the loss became nan")
    assert found["segnet natural_frequency max_iterations"].verdict == "not comparable"  # settings have no result


def test_a_seed_that_failed_is_named_beside_the_mean_of_the_others(rows_of: Rows) -> None:
    failed = {"status": "killed", "reason": None, "selected_iteration": None}
    found = checked(rows_of((PAPER[0], {"value": 0.4}), (PAPER[1], failed)), PAPER, SEEDS)

    assert found["segnet_basic median_frequency test mean_iou"].n == 1
    one, two = (found[f"segnet_basic median_frequency s{seed} trial"] for seed in (1, 2))
    assert (one.verdict, one.reason, two.verdict, two.reason) == ("failed", "killed", "missing", "not run yet")


def test_classes_are_compared_where_their_accuracy_has_a_gap(rows_of: Rows) -> None:
    study = with_seeds("smoke", [0, 1, 2], with_gaps("paper", "smoke", {"accuracy": 0.01}))
    trials = plan(study, "indoor-scenes", "smoke", models=["segnet"])
    rows = rows_of(*((trial, {"value": 0.1983, "classes": ["Towel", "Wall"]}) for trial in trials))

    found = checked(rows, trials, study)

    name = "segnet natural_frequency test {} accuracy".format
    assert [found[name(one)].verdict for one in ("Towel", "Wall")] == ["within", "outside"]
    absent = found[name("Floor mat")]
    assert (absent.verdict, absent.reason) == ("not comparable", "our data have no class Floor mat")
    assert len([verdict for verdict in found.values() if verdict.metric == "accuracy"]) == 37


def test_the_balanced_row_of_table_4_is_a_target_of_its_optional_weighting_alone(rows_of: Rows) -> None:
    usual = plan(STUDY, "indoor-scenes", "smoke", models=["segnet"])
    balanced = plan(STUDY, "indoor-scenes", "smoke", models=["segnet"], weightings=["median_frequency"])
    rows = rows_of((balanced[0], {"value": 0.3208}))

    found = checked(rows, balanced)

    assert len(found) == 4 + 1
    assert found["segnet median_frequency test mean_iou"].reference == 0.3208
    assert found["segnet median_frequency max_iterations"].reference == 180_000
    assert {verdict.weighting for verdict in checked(rows, usual).values()} == {"natural_frequency"}


def test_boundary_f1_is_never_compared_across_protocols(rows_of: Rows) -> None:
    rows = rows_of((SEGNET, {"value": 0.4}))
    other = rows.assign(protocol=rows["protocol"].where(rows["protocol"] != "paper", "distance"))

    verdict = checked(other, ROADS)["segnet natural_frequency test boundary_f1"]

    assert verdict.verdict == "not comparable"
    assert verdict.reason == "measured under protocol distance, needed under paper"


def test_a_score_that_is_not_a_number_is_outside(rows_of: Rows) -> None:
    rows = rows_of(*((trial, {"value": math.nan}) for trial in PAPER if trial.kind == "training"))

    verdict = checked(rows, PAPER, SEEDS)["segnet_basic median_frequency test mean_iou"]

    assert (verdict.verdict, verdict.reason) == ("outside", "not a number")


def test_a_suite_without_a_table_says_what_it_can_be_checked_against(rows_of: Rows) -> None:
    with pytest.raises(ConfigError, match="suite upsampling belongs to no table of the paper; check it --against a"):
        checked(rows_of(), plan(STUDY, "upsampling", "smoke"))


def test_the_parameter_counts_of_the_layers_are_within_three_percent_of_the_printed_ones(rows_of: Rows) -> None:
    weights = (612224, 1415040, 1415040, 624768, 645312, 643200, 1660800, 1660800)
    trials = [trial for trial in plan(STUDY, "decoder-variants", "smoke") if trial.kind == "cost"]
    costs = [(t, {"costs": {("parameters", "learnable"): n}}) for t, n in zip(trials, weights, strict=True)]

    found = [v for v in checked(rows_of(*costs), trials).values() if v.metric == "parameters"]

    assert counts(found)["within"] == 8
    assert sum(abs(v.difference + 0.05 * v.ours) > v.tolerance for v in found) > 4  # 5 % more would be told


def test_the_papers_own_numbers_are_within_no_gap_at_all(rows_of: Rows) -> None:
    study = with_gaps("paper", "paper", dict.fromkeys(METRIC_TITLES, 0.0), SEEDS)
    trials = [t for t in plan(study, "decoder-variants", "paper", models=["fcn_basic"]) if t.kind == "training"]
    rows = rows_of(*((trial, {}) for trial in trials))
    printed = {(p.model, p.weighting, p.split, p.metric): value for p, value in printed_numbers("T1").items()}
    columns = (rows[name] for name in ("model", "weighting", "split", "metric", "value"))
    rows["value"] = [
        printed.get(where, value) for *where, value in zip(*columns, strict=True) for where in [tuple(where)]
    ]

    found = checked(rows, trials, study)

    assert counts(found.values())["within"] == len(found) == 2 * 7


def test_a_verdict_under_an_exception_says_why_and_the_others_do_not(rows_of: Rows) -> None:
    wide = {"against": "paper", "suite": "cost", "model": "deeplab_largefov", "metric": "model_size_mb"}
    study = with_gaps(
        "paper", "mini", {"model_size_mb": 0.01}, exceptions=[wide | {"relative": 0.02, "why": "rounding"}]
    )
    trials = plan(study, "cost", "mini", models=["deeplab_largefov", "segnet"])
    sizes = {"deeplab_largefov": 82.16, "segnet": 117.9}
    rows = rows_of(*((trial, {"costs": {("model_size_mb", ""): sizes[trial.model]}}) for trial in trials))
    found = checked(rows, trials, study)

    deeplab, segnet = (found[f"{model} model_size_mb"] for model in ("deeplab_largefov", "segnet"))
    assert (deeplab.verdict, deeplab.reason) == ("within", "gap by exception: rounding")
    assert (segnet.verdict, segnet.reason) == ("within", "")
