"""The paper's sentences on our numbers: intervals over seeds, exact sizes, times between quartiles, what stops them."""

import math
from functools import cache
from pathlib import Path

import pytest
from replication.claim_files import NAN, T1, claim, cost, frame, time_of, training
from replication.studies import STUDY, with_seeds
from results_factory import outdated

from bench.errors import UnknownNameError
from bench.replication.claim_verdicts import ClaimVerdict, claim_verdicts
from bench.replication.claims import claims
from bench.study.trials import Trial, plan

SEEDS = with_seeds("mini", [0, 1, 2])
PAPER = with_seeds("paper", [0, 1, 2])
WEIGHTINGS = {"indoor-scenes": ("natural_frequency", "median_frequency")}
SB, FB = "segnet_basic", "fcn_basic"
ORDER = T1 | {"kind": "ordering", "over": SB, "under": FB}
SIZES, TIMES = {"table": "T1"}, {"table": "T1", "metric": "forward_ms"}


@cache
def planned(suite: str, profile: str) -> list[Trial]:
    return plan(PAPER if profile == "paper" else SEEDS, suite, profile, weightings=WEIGHTINGS.get(suite, ()))


def trial(model: str, seed: int | None = 0, weighting: str = "natural_frequency", suite: str = "decoder-variants",
          profile: str = "mini") -> Trial:  # fmt: skip
    wanted = (model, None, None) if seed is None else (model, weighting, seed)
    return next(one for one in planned(suite, profile) if (one.model, one.weighting, one.seed) == wanted)


def trained(model: str, *values: float, metric: str = "mean_iou", **which) -> list[dict]:
    """Rows of one training a value, with seeds 0, 1, 2."""
    return [row for n, value in enumerate(values) for row in training(trial(model, n, **which), {metric: value})]


def measured(model: str, values: dict[str, float], suite: str = "decoder-variants", **how) -> list[dict]:
    return cost(trial(model, None, suite=suite), values, **how)


def verdict(folder: Path, rows: list, *tests: dict, study=SEEDS, profile: str = "mini", **more) -> ClaimVerdict:
    known = {"X-1": claim(folder, *tests, **more)}
    (found,) = claim_verdicts(frame(*rows), study, profile, known=known)
    return found


# Differences of 10 and 11 points: mean 10.5, deviation 0.707, t(1 degree of freedom, 97.5 %) = 12.706, so ± 6.353.
TWO = [trained(SB, 0.50, 0.52), trained(FB, 0.40, 0.41)]


def test_two_seeds_that_agree_replicate(tmp_path: Path) -> None:
    found = verdict(tmp_path, TWO, ORDER)
    assert (found.verdict, found.on_paper) == ("replicated", "holds")
    (part,) = found.parts
    assert part.text == "T1 test mIoU, natural frequency: SegNet-Basic > FCN-Basic"
    assert part.ours == "SegNet-Basic 51.0 > FCN-Basic 40.5? +10.5 [+4.1, +16.9] over 2 seeds"
    assert (part.needed, part.verdict, part.reason) == ("above 0", "replicated", "")
    assert set(part.trials) == {trial(model, seed).digest for model in (SB, FB) for seed in (0, 1)}
    assert found.reason == f"T1 test mIoU, natural frequency: {part.ours}"
    assert found.notice.startswith("NOT AT THE PAPER'S SCALE: profile mini trained on 367 images")


def test_an_interval_wholly_on_the_wrong_side_contradicts(tmp_path: Path) -> None:
    found = verdict(tmp_path, TWO, ORDER | {"over": FB, "under": SB})
    assert found.verdict == "contradicted"
    assert found.reason.endswith("FCN-Basic 40.5 > SegNet-Basic 51.0? −10.5 [−16.9, −4.1] over 2 seeds")


def test_of_two_comparisons_each_has_to_be_surer_to_contradict(tmp_path: Path) -> None:
    """With 2 comparisons an interval of 97.5 % has to be on the wrong side: t = 25.452, so 10.5 ± 12.7 does not do.

    To replicate, each is taken at 95 %.
    """
    one, two = ORDER | {"over": FB, "under": SB}, ORDER | {"metric": "global_accuracy"}
    rows = [*TWO, *([row | {"metric": "global_accuracy"} for row in part if row["record"] == "score"] for part in TWO)]
    assert verdict(tmp_path, rows, one).verdict == "contradicted"
    found = verdict(tmp_path, rows, one, two)
    assert [part.verdict for part in found.parts] == ["inconclusive", "replicated"]
    assert found.verdict == "inconclusive"
    assert found.reason == (
        "1 of 2 parts: T1 test mIoU, natural frequency: FCN-Basic 40.5 > SegNet-Basic 51.0? −10.5 [−16.9, −4.1] over 2 "
        "seeds, widened for 2 comparisons [−23.2, +2.2]"
    )
    assert verdict(tmp_path, rows, ORDER, two).verdict == "replicated"
    assert verdict(tmp_path, rows, ORDER, two).reason == "all 2 parts hold"


def test_of_several_parts_that_decide_the_first_is_shown_as_one_of_them(tmp_path: Path) -> None:
    rows = [trained(SB, 0.5, 0.5), trained(FB, 0.4, 0.4)]
    found = verdict(tmp_path, rows, *[ORDER | {"metric": metric} for metric in ("boundary_f1", "global_accuracy")])
    assert found.verdict == "not tested"
    assert found.reason == f"2 of 2 parts, the first of them: {found.parts[0].reason}"


def test_an_interval_across_the_threshold_decides_nothing(tmp_path: Path) -> None:
    found = verdict(tmp_path, [trained(SB, 0.50, 0.52), trained(FB, 0.40, 0.51)], ORDER)
    assert found.verdict == "inconclusive"
    assert "+5.5 [−51.7, +62.7] over 2 seeds" in found.reason


def test_three_seeds_and_the_difference_is_taken_seed_by_seed(tmp_path: Path) -> None:
    """The values scatter by 10 points, their differences are 1, 2 and 3: 2 ± 4.303 · 1 / √3 = 2 ± 2.48."""
    rows = [trained(SB, 0.31, 0.42, 0.53), trained(FB, 0.30, 0.40, 0.50)]
    (part,) = verdict(tmp_path, rows, ORDER).parts
    assert (part.verdict, part.ours[-36:]) == ("inconclusive", "40.0? +2.0 [−0.5, +4.5] over 3 seeds")
    (part,) = verdict(tmp_path, rows, ORDER | {"kind": "margin", "at_most": 5}).parts
    assert part.verdict == "replicated"


def test_only_seeds_that_both_have_count(tmp_path: Path) -> None:
    rows = [trained(SB, 0.50, 0.52, 0.99), trained(FB, 0.40, 0.41)]
    assert "SegNet-Basic 51.0 > FCN-Basic 40.5?" in verdict(tmp_path, rows, ORDER).reason
    apart = [training(trial(SB, 0), {"mean_iou": 0.5}), training(trial(FB, 1), {"mean_iou": 0.4})]
    found = verdict(tmp_path, apart, ORDER)
    assert (found.verdict, found.reason) == ("not tested", "no seed that both have")


def test_a_single_run_decides_nothing_but_says_what_its_values_do(tmp_path: Path) -> None:
    rows = [trained(SB, 0.50), trained(FB, 0.40)]
    found = verdict(tmp_path, rows, ORDER)
    assert (found.verdict, found.reason) == ("inconclusive", "single run, whose values hold")
    assert found.parts[0].ours == "SegNet-Basic 50.0 > FCN-Basic 40.0? +10.0 in a single run"
    found = verdict(tmp_path, rows, ORDER | {"over": FB, "under": SB})
    assert found.verdict == "inconclusive"
    assert found.reason == (
        "single run, whose values do not hold: T1 test mIoU, natural frequency: "
        "FCN-Basic 40.0 > SegNet-Basic 50.0? −10.0"
    )


def test_equal_values_are_no_order_and_equality_is_within_the_bound(tmp_path: Path) -> None:
    rows = [trained(SB, 0.51, 0.53), trained(FB, 0.50, 0.52)]  # 0.51 - 0.50 is a little more than 0.01
    assert verdict(tmp_path, rows, ORDER | {"kind": "equivalence", "within": 1}).verdict == "replicated"
    assert verdict(tmp_path, rows, ORDER | {"kind": "margin", "above": 1}).verdict == "contradicted"
    same = [trained(SB, 0.51, 0.53), trained(FB, 0.51, 0.53)]
    assert verdict(tmp_path, same, ORDER).verdict == "contradicted"
    assert verdict(tmp_path, same, ORDER | {"kind": "margin", "at_least": 0}).verdict == "replicated"


def test_what_is_not_a_number_decides_nothing(tmp_path: Path) -> None:
    found = verdict(tmp_path, [trained(SB, 0.5, NAN), trained(FB, 0.4, 0.41)], ORDER)
    assert (found.verdict, found.reason) == ("inconclusive", "a value is not a number")


def test_of_a_list_every_pair_counts_and_the_worst_is_shown(tmp_path: Path) -> None:
    third = "bilinear_interpolation"
    test = ORDER | {"over": [SB, FB], "under": third}
    found = verdict(tmp_path, [*TWO, trained(third, 0.20, 0.20)], test)
    assert found.verdict == "replicated"
    assert found.parts[0].ours.endswith("+20.5 [+14.1, +26.9] over 2 seeds (closest of 2 pairs)")
    found = verdict(tmp_path, [*TWO, trained(third, 0.52, 0.52)], test)
    assert found.verdict == "inconclusive"  # −11.5 ± 6.4 would do alone, of two it takes ± 12.7
    found = verdict(tmp_path, [*TWO, trained(third, 0.90, 0.90)], test)
    assert found.verdict == "contradicted"
    assert found.parts[0].ours.startswith("FCN-Basic 40.5 > Bilinear-Interpolation 90.0? −49.5")
    assert found.parts[0].ours.endswith("(worst of 2 pairs)")


def test_missing_stale_and_failed_results_are_named(tmp_path: Path) -> None:
    found = verdict(tmp_path, [trained(SB, 0.5, 0.52)], ORDER)
    assert (found.verdict, found.reason) == ("not tested", "FCN-Basic: not run yet")
    old = [training(outdated(trial(FB, seed)), {"mean_iou": 0.4}) for seed in (0, 1)]
    found = verdict(tmp_path, [trained(SB, 0.5, 0.52), *old], ORDER)
    assert found.verdict == "not tested"
    assert found.reason.startswith("FCN-Basic: stale, ")
    assert "bench/training/loop.py" in found.reason
    bad = training(trial(FB), {}, status="failed", reason="it fell over", selected_iteration=None)
    found = verdict(tmp_path, [trained(SB, 0.5, 0.52), bad], ORDER)
    assert (found.verdict, found.reason) == ("not tested", "FCN-Basic: failed, failed: it fell over")


def test_what_the_study_does_not_have_is_named(tmp_path: Path) -> None:
    rows = frame(trained(SB, 0.5))
    reasons = {found.claim.id: found.reason for found in claim_verdicts(rows, SEEDS, "mini", tables=["T4", "T5"])}
    assert reasons["T4-3"] == "suite indoor-scenes has no profile mini"
    assert reasons["T5-1"] == "the paper does not print how large the classes are"
    alone = STUDY.model_copy(update={"suites": {"cost": STUDY.suites["cost"]}})
    found = verdict(tmp_path, [trained(SB, 0.5)], ORDER, study=alone)
    assert found.reason == "no suite of the study replicates table T1"
    with pytest.raises(UnknownNameError, match="unknown profile 'mimi', did you mean 'mini'"):
        claim_verdicts(rows, STUDY, "mimi")


def test_sizes_are_exact_whatever_the_scale(tmp_path: Path) -> None:
    rows = [measured(SB, {"storage_multiplier": 1, "parameters": 1_415_040}),
            measured(FB, {"storage_multiplier": 11, "parameters": 645_312})]  # fmt: skip
    ratio = SIZES | {"kind": "ratio", "metric": "storage_multiplier", "over": FB, "under": SB}
    found = verdict(tmp_path, rows, ratio | {"equals": 11})
    assert (found.verdict, found.notice) == ("replicated", "")
    assert found.reason == "T1 storage multiplier: FCN-Basic 11 / SegNet-Basic 1 = 11.000"
    assert verdict(tmp_path, rows, ratio | {"equals": 12}).verdict == "contradicted"
    level = SIZES | {"kind": "range", "metric": "parameters", "of": [SB, FB], "below": 1.5}
    assert verdict(tmp_path, rows, level).verdict == "replicated"
    assert verdict(tmp_path, rows, level).parts[0].ours == "SegNet-Basic 1.415 (closest of 2 pairs)"
    assert verdict(tmp_path, [measured(SB, {"parameters": 1})], ratio | {"equals": 11}).reason == (
        "FCN-Basic: not run yet"
    )


@pytest.mark.parametrize(
    ("low", "high", "outcome", "interval"),
    [
        (14, 16, "replicated", "+4.0 [+2.0, +6.0] between quartiles"),
        (11, 16, "inconclusive", "+2.5 [−1.0, +6.0] between quartiles"),
        (8, 10, "contradicted", "−2.0 [−4.0, +0.0] between quartiles"),  # not above 0, even at best
        (11, 11, "inconclusive", "+0.0 [−1.0, +1.0] between quartiles"),
    ],
)
def test_times_stand_for_their_quartiles(tmp_path: Path, low: float, high: float, outcome: str, interval: str) -> None:
    rows = [measured(FB, time_of("forward_ms", 10, 12)), measured(SB, time_of("forward_ms", low, high))]
    found = verdict(tmp_path, rows, TIMES | {"kind": "ordering", "over": SB, "under": FB})
    assert found.verdict == outcome
    assert found.parts[0].ours.endswith(interval)
    assert found.notice == (
        "ANOTHER MACHINE: times and memory are measured on a GPU, the paper's on an NVIDIA Titan with cuDNN v3."
    )


def test_ratios_and_sums_of_times_take_the_ends(tmp_path: Path) -> None:
    one = time_of("forward_ms", 10, 12) | time_of("backward_ms", 20, 30)
    two = time_of("forward_ms", 5, 6) | time_of("backward_ms", 10, 12)
    rows = [measured("segnet", one, suite="cost"), measured("deconvnet", two, suite="cost")]
    both = {"table": "T6", "sum_of": ["forward_ms", "backward_ms"], "kind": "ratio"}
    found = verdict(tmp_path, rows, both | {"over": "segnet", "under": "deconvnet", "above": 1.5})
    # 30..42 by 15..18
    assert found.verdict == "replicated"
    assert found.parts[0].ours == "SegNet 36.00 / DeconvNet 16.50 = 2.182 [1.667, 2.800] between quartiles"


def test_a_sum_of_scores_is_taken_seed_by_seed(tmp_path: Path) -> None:
    test = {name: part for name, part in ORDER.items() if name != "metric"}
    rows = [
        training(trial(model, seed), {"mean_iou": low, "global_accuracy": low + 0.2})
        for model, lows in ((SB, (0.4, 0.5)), (FB, (0.3, 0.4)))
        for seed, low in enumerate(lows)
    ]
    (part,) = verdict(tmp_path, rows, test | {"sum_of": ["mean_iou", "global_accuracy"]}).parts
    assert part.ours == "SegNet-Basic 110.0 > FCN-Basic 90.0? +20.0 [+20.0, +20.0] over 2 seeds"


def test_an_excess_is_taken_seed_by_seed(tmp_path: Path) -> None:
    test = ORDER | {"kind": "excess", "metric": "boundary_f1", "than": "global_accuracy", "above": 0}
    rows = [
        training(trial(model, seed), {"boundary_f1": bf, "global_accuracy": g})
        # the first is ahead by 30 and 20 points of BF, and by 10 and 2 of G
        for model, scores in ((SB, ((0.6, 0.9), (0.5, 0.8))), (FB, ((0.3, 0.8), (0.3, 0.78))))
        for seed, (bf, g) in enumerate(scores)
    ]
    (part,) = verdict(tmp_path, rows, test).parts
    assert part.ours == "SegNet-Basic − FCN-Basic: BF less G = +19.00 [+6.29, +31.71] over 2 seeds"
    assert (part.verdict, len(part.trials)) == ("replicated", 4)
    (part,) = verdict(tmp_path, rows, test | {"above": 7}).parts
    assert part.verdict == "inconclusive"


def test_times_of_two_machines_disturbed_times_and_times_without_quartiles(tmp_path: Path) -> None:
    test = TIMES | {"kind": "ordering", "over": SB, "under": FB}
    fast, slow = time_of("forward_ms", 10, 12), time_of("forward_ms", 14, 16)
    found = verdict(tmp_path, [measured(FB, fast), measured(SB, slow, device_name="another GPU", threads=4)], test)
    assert found.verdict == "not tested"
    assert found.reason == ("measured under different conditions: device_name another GPU and a GPU, threads 4 and 1")
    found = verdict(tmp_path, [measured(FB, fast, busy=0.5), measured(SB, slow)], test)
    assert found.verdict == "inconclusive"
    assert found.reason == "disturbed: other programs took more than 5 % of the processors"
    found = verdict(tmp_path, [measured(FB, {"forward_ms": 11}), measured(SB, slow)], test)
    assert (found.verdict, found.reason) == ("not tested", "FCN-Basic: its results hold no quartiles of forward_ms")
    level = TIMES | {"kind": "range", "of": SB, "below": 20}
    found = verdict(tmp_path, [measured(SB, slow)], level)
    assert (found.verdict, found.reason) == ("not tested", "a level of time or memory is that of one machine")


def test_memory_is_that_of_a_gpu_and_of_one_kind(tmp_path: Path) -> None:
    test = {"table": "T6", "kind": "ordering", "metric": "inference_peak_mib", "over": "deconvnet", "under": "segnet"}

    def rows(*kinds: str) -> list:
        values = [
            {f"inference_peak_mib as {kind}, batch 1, 360x480": mib}
            for kind, mib in zip(kinds, (900, 700), strict=True)
        ]
        return [
            measured(model, peak, suite="cost") for model, peak in zip(("deconvnet", "segnet"), values, strict=True)
        ]

    found = verdict(tmp_path, rows("device_process", "device_process"), test)
    assert (found.verdict, found.parts[0].ours) == ("replicated", "DeconvNet 900 > SegNet 700? +200")
    found = verdict(tmp_path, rows("device_process", "cuda_reserved"), test)
    assert found.reason == "measured as device_process and as cuda_reserved"
    found = verdict(tmp_path, rows("resident_set", "resident_set"), test)
    assert (found.verdict, found.reason) == (
        "not tested", "DeconvNet: memory was measured without a GPU, and the claim is about that of a GPU"
    )  # fmt: skip


def test_levels_and_other_methods_need_the_papers_scale(tmp_path: Path) -> None:
    level = T1 | {"kind": "range", "of": SB, "at_least": 40}
    found = verdict(tmp_path, TWO, level)
    assert (found.verdict, found.reason) == (
        "not tested", "it names a level, so that it takes a run at the paper's scale"
    )  # fmt: skip
    full = [training(trial(SB, n, profile="paper"), {"mean_iou": v}) for n, v in enumerate((0.45, 0.46))]
    found = verdict(tmp_path, full, level, study=PAPER, profile="paper")
    assert (found.verdict, found.notice) == ("inconclusive", "")
    assert found.parts[0].ours == "SegNet-Basic 45.5 [39.1, 51.9] over 2 seeds"
    others = {"table": "T2", "weighting": "natural_frequency", "split": "test", "metric": "global_accuracy"}
    rows = [trained("segnet", 0.9, 0.9, metric="global_accuracy", suite="road-scenes")]
    found = verdict(tmp_path, rows, others | {"kind": "ordering", "over": "segnet", "under": "boosting"})
    assert found.verdict == "not tested"
    assert found.reason == (
        "it compares with the printed numbers of Boosting, so that it takes a run at the paper's scale"
    )


def test_counts_are_sure_on_both_sides_or_undecided(tmp_path: Path) -> None:
    rows = ["segnet_basic", "fcn_basic", "fcn_basic_no_addition"]
    test = T1 | {"kind": "count", "row": rows, "over": {"split": "test"}, "under": {"row": "bilinear_interpolation"}}
    base = [trained("bilinear_interpolation", 0.30, 0.30), trained(SB, 0.90, 0.90), trained(FB, 0.10, 0.10)]
    # 90 and 10 are decided; 33 and 29 are not
    all_of_them = [*base, trained("fcn_basic_no_addition", 0.33, 0.29)]
    assert verdict(tmp_path, all_of_them, test | {"at_least": 1}).verdict == "replicated"
    assert verdict(tmp_path, all_of_them, test | {"equals": 3}).verdict == "contradicted"
    found = verdict(tmp_path, all_of_them, test | {"equals": 2})
    assert found.verdict == "inconclusive"
    assert found.parts[0].ours == (
        "SegNet-Basic, FCN-Basic and FCN-Basic-NoAddition > Bilinear-Interpolation in how many of 3 cases: 1, "
        "not in 1, undecided in 1: FCN-Basic-NoAddition 31.0 > Bilinear-Interpolation 30.0? +1.0 [−24.4, +26.4] "
        "over 2 seeds"
    )
    found = verdict(tmp_path, base, test | {"at_least": 2})
    assert (found.verdict, found.reason) == ("not tested", "FCN-Basic-NoAddition: not run yet")
    single = [part[: len(part) // 2] for part in all_of_them]
    found = verdict(tmp_path, single, test | {"at_least": 2})
    assert (found.verdict, found.reason) == ("inconclusive", "single run, whose values hold")
    assert verdict(tmp_path, single, test | {"equals": 3}).reason.startswith("single run, whose values do not hold")


def test_a_rank_correlation_has_a_value_for_each_seed(tmp_path: Path) -> None:
    models = ["bilinear_interpolation", SB, FB]
    test = {"table": "T1", "split": "test", "metric": "mean_iou", "row": models, "kind": "rank_correlation",
            "over": {"weighting": "median_frequency"}, "under": {"weighting": "natural_frequency"},
            "at_least": 0.85}  # fmt: skip
    rows = [trained(model, low, low + 0.01) for model, low in zip(models, (0.1, 0.2, 0.3), strict=True)]
    same = [
        trained(model, low, low, weighting="median_frequency")
        for model, low in zip(models, (0.5, 0.6, 0.7), strict=True)
    ]
    found = verdict(tmp_path, [*rows, *same], test)
    assert found.verdict == "replicated"
    assert found.parts[0].ours.endswith("Spearman's ρ of 3 = 1.00 [1.00, 1.00] over 2 seeds")
    other = [
        trained(model, low, low, weighting="median_frequency")
        for model, low in zip(models, (0.7, 0.6, 0.5), strict=True)
    ]
    assert verdict(tmp_path, [*rows, *other], test).verdict == "contradicted"
    flat = [trained(model, 0.5, 0.5, weighting="median_frequency") for model in models]
    assert verdict(tmp_path, [*rows, *flat], test).reason == "a value is not a number"
    assert verdict(tmp_path, rows, test).reason == "Bilinear-Interpolation: not run yet"


def test_budgets_train_scores_classes_and_refined_rows(tmp_path: Path) -> None:
    scores = {"mean_iou": 0.5, "40K mean_iou": 0.3, "80K mean_iou": 0.4}
    rows = [
        training(trial("deeplab_largefov", n, suite="road-scenes"), scores, refined={"mean_iou": 0.6}) for n in (0, 1)
    ]
    place = {"table": "T3", "weighting": "natural_frequency", "split": "test", "metric": "mean_iou", "kind": "ordering"}
    growing = place | {"row": "deeplab_largefov", "over": {"budget": "final"}, "under": {"budget": "80K"}}
    (part,) = verdict(tmp_path, rows, growing).parts
    assert (part.verdict, part.ours[:35]) == ("replicated", "at the end 50.00 > at 80K 40.00? +1")
    crf = place | {"over": "deeplab_largefov_dense_crf", "under": "deeplab_largefov"}
    assert verdict(tmp_path, rows, crf).parts[0].ours.startswith("DeepLab-LargeFOV-denseCRF 60.00 > ")
    train = [training(trial(model, n), {"train mean_iou": v}) for model, v in ((SB, 0.9), (FB, 0.8)) for n in (0, 1)]
    assert verdict(tmp_path, train, ORDER | {"split": "train"}).verdict == "replicated"
    assert verdict(tmp_path, train, ORDER).reason == "SegNet-Basic: its results hold no mean_iou"
    sky = {"table": "T2", "weighting": "natural_frequency", "split": "test", "metric": "accuracy", "kind": "margin"}
    rows = [
        training(trial("segnet", n, suite="road-scenes"), {"accuracy of Sky": 0.9, "accuracy of Car": 0.7})
        for n in (0, 1)
    ]
    sky |= {"row": "segnet", "over": {"class_name": "Sky"}, "under": {"class_name": "Car"}, "at_least": 20}
    found = verdict(tmp_path, rows, sky)
    assert found.verdict == "replicated"
    assert found.parts[0].ours == "Sky 90.0 − Car 70.0 = +20.0 [+20.0, +20.0] over 2 seeds"


def test_the_length_of_a_training_is_that_of_the_reported_checkpoint_and_needs_the_papers_scale(tmp_path: Path) -> None:
    test = {"table": "T4", "metric": "max_iterations", "kind": "ordering", "over": "deconvnet", "under": "segnet"}
    rows = [
        training(trial(model, seed, suite="indoor-scenes", profile="paper"), {}, selected_iteration=at)
        for model, lengths in (("deconvnet", (320_000, 320_500)), ("segnet", (220_000, 220_000)))
        for seed, at in enumerate(lengths)
    ]
    found = verdict(tmp_path, rows, test, study=PAPER, profile="paper")
    assert found.verdict == "replicated"
    assert found.parts[0].ours == "DeconvNet 320.25 > SegNet 220? +100.25 [+97.0734, +103.427] over 2 seeds"
    rows = [training(trial(model, 0, suite="road-scenes"), {}) for model in ("deconvnet", "segnet")]
    found = verdict(tmp_path, rows, test | {"table": "T3"})
    assert found.verdict == "not tested"
    assert found.reason.startswith("the lengths of trainings are settings of the study, so that it takes a run at")


def test_all_claims_have_a_verdict_and_tables_select_by_the_first() -> None:
    rows = frame(*TWO, measured(SB, {"storage_multiplier": 1}), measured(FB, {"storage_multiplier": 11}))
    found = claim_verdicts(rows, SEEDS, "mini")
    assert [one.claim.id for one in found] == list(claims())
    assert {one.claim.id: one.verdict for one in found if one.verdict != "not tested"} == {"T1-COST-2": "replicated"}
    assert [one.on_paper for one in found].count("does not hold") == 15
    of_cost = claim_verdicts(rows, SEEDS, "mini", tables=["T6"])
    assert [one.claim.id for one in of_cost] == [f"T6-{number}" for number in range(1, 9)]


def test_nothing_was_run_at_all() -> None:
    found = claim_verdicts(frame(), SEEDS, "mini")
    assert {one.verdict for one in found} == {"not tested"}
    assert not any(one.notice for one in found)
    assert math.isclose(len(found), 71)
