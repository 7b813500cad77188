"""The paper's sentences on the paper's own numbers."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from replication.claim_files import T1, claim
from scipy.stats import spearmanr

from bench.replication.claim_form import Allowed, rank_correlation
from bench.replication.claims import claims, on_paper

DO_NOT_HOLD = (
    "T1-BIL-1", "T1-BIL-3", "T1-SF-9", "T1-SF-10", "T1-BAL-2", "T1-BAL-3", "T1-BAL-4", "T1-BAL-6", "T1-SUM-1b",
    "T1-SUM-1c", "T2-2", "T3-5", "T3-6", "T4-4", "T6-5",
)  # fmt: skip
NO_NUMBER = ("T1-QUAL-1", "T3-13", "T5-1")
COSTS = {"table": "T1"}


def failing(key: str) -> list[str]:
    return [part.place for part in on_paper(claims()[key]).failing]


def test_of_71_claims_53_hold_on_the_papers_own_numbers_15_do_not_and_3_have_none() -> None:
    outcomes = {key: on_paper(found).outcome for key, found in claims().items()}
    assert Counter(outcomes.values()) == {"holds": 53, "does not hold": 15, "no number": 3}
    assert tuple(key for key, outcome in outcomes.items() if outcome == "does not hold") == DO_NOT_HOLD
    assert tuple(key for key, outcome in outcomes.items() if outcome == "no number") == NO_NUMBER


def test_every_claim_says_where_it_stands_and_what_it_needs() -> None:
    for key, found in claims().items():
        assert found.id == key
        assert found.section
        assert found.statement.endswith((".", ")."))
        assert key.startswith(("ABS", "SEC")) or found.tables[0] == key.partition("-")[0]
        assert bool(found.parts) != bool(found.no_number)
    assert [key for key, found in claims().items() if len(found.tables) > 1] == ["T3-2", "T3-8", "ABS-1"]
    assert Counter(found.threshold for found in claims().values()) == {"": 45, "ours": 20, "paper": 6}


def test_what_fails_in_a_claim_that_does_not_hold() -> None:
    assert failing("T1-BIL-1") == ["T1 test C, median frequency"]
    assert failing("T1-SF-10") == ["T1 test BF, median frequency"]
    assert failing("T1-BAL-2") == ["T1 test mIoU, Bilinear-Interpolation", "T1 test mIoU, FCN-Basic-NoAddition"]
    assert failing("T3-5") == ["T3 test C at 40K", "T3 test mIoU at 40K"]
    assert failing("T3-6") == ["T3 test G at the end"]
    assert failing("T4-4") == ["T4 test G at the end, SegNet"]
    assert failing("T6-5") == ["T6 model size (MB)", "T6 forward time (ms)"]


def test_the_numbers_stand_beside_what_does_not_hold() -> None:
    (part,) = on_paper(claims()["T1-BIL-1"]).failing
    assert part.text == "T1 test C, median frequency: the variants that learn > Bilinear-Interpolation"
    assert part.numbers == "FCN-Basic-NoAddition 58.6 > Bilinear-Interpolation 61.1? −2.5 (worst of 7 pairs)"
    (part,) = on_paper(claims()["T2-2"]).failing
    assert part.numbers == "SegNet > the three methods with a CRF in how many of 11 cases: 9 (not Sky, SignSymbol)"
    assert part.needed == "exactly 8"


@pytest.mark.parametrize(
    ("test", "holds", "numbers"),
    [
        # SegNet-Basic and FCN-Basic have 46.3 and 45.0
        ({"kind": "ordering", "over": "segnet_basic", "under": "fcn_basic"}, True,
         "SegNet-Basic 46.3 > FCN-Basic 45.0? +1.3"),
        ({"kind": "ordering", "over": "fcn_basic", "under": "segnet_basic"}, False,
         "FCN-Basic 45.0 > SegNet-Basic 46.3? −1.3"),
        ({"kind": "margin", "over": "segnet_basic", "under": "fcn_basic", "at_least": 1.3}, True,
         "SegNet-Basic 46.3 − FCN-Basic 45.0 = +1.3"),
        ({"kind": "margin", "over": "segnet_basic", "under": "fcn_basic", "above": 1.3}, False,
         "SegNet-Basic 46.3 − FCN-Basic 45.0 = +1.3"),
        ({"kind": "margin", "over": "segnet_basic", "under": "fcn_basic", "above": 0, "below": 1.3}, False,
         "SegNet-Basic 46.3 − FCN-Basic 45.0 = +1.3"),
        ({"kind": "margin", "over": "fcn_basic", "under": "segnet_basic", "at_most": -1.3}, True,
         "FCN-Basic 45.0 − SegNet-Basic 46.3 = −1.3"),
        ({"kind": "equivalence", "over": "fcn_basic", "under": "segnet_basic", "within": 1.3}, True,
         "FCN-Basic 45.0 − SegNet-Basic 46.3 = −1.3"),
        ({"kind": "equivalence", "over": "fcn_basic", "under": "segnet_basic", "within": 1.2}, False,
         "FCN-Basic 45.0 − SegNet-Basic 46.3 = −1.3"),
        ({"kind": "range", "of": "segnet_basic", "at_least": 46.3, "at_most": 46.3}, True, "SegNet-Basic 46.3"),
        ({"kind": "range", "of": "segnet_basic", "equals": 46.3}, True, "SegNet-Basic 46.3"),
        ({"kind": "range", "of": ["segnet_basic", "fcn_basic"], "below": 46}, False,
         "SegNet-Basic 46.3 (worst of 2 pairs)"),
        ({"kind": "ordering", "over": ["segnet_basic", "fcn_basic"],
          "under": ["bilinear_interpolation", "fcn_basic_no_addition"]}, True,
         "FCN-Basic 45.0 > FCN-Basic-NoAddition 44.2? +0.8 (closest of 4 pairs)"),
        # G: 84.0, 83.9 and 82.3 against 83.5 of two others
        ({"kind": "count", "metric": "global_accuracy", "row": ["segnet_basic", "fcn_basic", "fcn_basic_no_addition"],
          "over": {"split": "test"}, "under": {"row": "fcn_basic_no_dim_reduction"}, "equals": 2}, True,
         "SegNet-Basic, FCN-Basic and FCN-Basic-NoAddition > FCN-Basic-NoDimReduction in how many of 3 cases: 2 "
         "(not FCN-Basic-NoAddition)"),
        # a tie, 83.5 and 83.5, is not above
        ({"kind": "count", "metric": "global_accuracy", "row": ["segnet_basic_single_channel_decoder", "fcn_basic"],
          "over": {"split": "test"}, "under": {"row": "fcn_basic_no_dim_reduction"}, "at_least": 2}, False,
         "SegNet-Basic-SingleChannelDecoder and FCN-Basic > FCN-Basic-NoDimReduction in how many of 2 cases: 1 "
         "(not SegNet-Basic-SingleChannelDecoder)"),
    ],
)  # fmt: skip
def test_each_kind_of_test(tmp_path: Path, test: dict, holds: bool, numbers: str) -> None:
    (part,) = on_paper(claim(tmp_path, T1 | test)).parts
    assert (part.holds, part.numbers) == (holds, numbers)


def test_a_tie_is_no_order(tmp_path: Path) -> None:
    balanced = T1 | {"weighting": "median_frequency", "metric": "global_accuracy", "kind": "ordering"}
    pair = ("fcn_basic_no_addition", "fcn_basic_no_addition_no_dim_reduction")  # 80.5 both
    for over, under in (pair, pair[::-1]):
        assert on_paper(claim(tmp_path, balanced | {"over": over, "under": under})).outcome == "does not hold"


def test_ratios_and_sums(tmp_path: Path) -> None:
    half = claim(tmp_path, COSTS | {"kind": "ratio", "metric": "storage_multiplier", "over": "segnet_basic",
                                    "under": "segnet_basic_encoder_addition", "equals": 0.015625})  # fmt: skip
    assert on_paper(half).outcome == "holds"  # 1 / 64
    both = {"table": "T6", "kind": "ratio", "sum_of": ["forward_ms", "backward_ms"]}
    (part,) = on_paper(claim(tmp_path, both | {"over": "segnet", "under": "deeplab_largefov", "above": 3})).parts
    assert part.numbers == "SegNet 911.21 / DeepLab-LargeFOV 270.79 = 3.365"
    assert part.text == "T6 forward time (ms) + backward time (ms): SegNet / DeepLab-LargeFOV"


def test_a_difference_in_one_metric_less_that_in_others(tmp_path: Path) -> None:
    test = T1 | {"weighting": "median_frequency", "kind": "excess", "metric": "boundary_f1", "above": 0}
    test |= {"over": "fcn_basic", "under": "fcn_basic_no_addition"}
    than = ["global_accuracy", "class_average_accuracy"]  # BF 38.11 − 31.96; 81.7 − 80.5; 62.4 − 58.6
    (part,) = on_paper(claim(tmp_path, test | {"than": than})).parts
    assert part.holds
    assert part.text == (
        "T1 test BF, median frequency: FCN-Basic − FCN-Basic-NoAddition, less the same in G and C"
    )  # fmt: skip
    assert part.numbers == "FCN-Basic − FCN-Basic-NoAddition: BF less C = +2.35 (closest of 2 pairs)"
    assert on_paper(claim(tmp_path, test | {"than": than, "above": 2.35})).outcome == "does not hold"
    assert on_paper(claim(tmp_path, test | {"than": than[0], "above": 4.94, "at_most": 4.95})).outcome == "holds"


def test_a_rank_correlation(tmp_path: Path) -> None:
    rows = ["bilinear_interpolation", "fcn_basic_no_addition", "segnet_basic"]
    test = {"table": "T1", "split": "test", "row": rows, "over": {"weighting": "median_frequency"},
            "under": {"weighting": "natural_frequency"}, "kind": "rank_correlation", "at_least": 0.5}  # fmt: skip
    (part,) = on_paper(claim(tmp_path, test | {"metric": "mean_iou"})).parts  # 43.3 44.1 47.7, 43.8 44.2 46.3
    assert (part.holds, part.numbers) == (True, "median frequency in the order of natural frequency: "
                                          "Spearman's ρ of 3 = 1.00")  # fmt: skip
    test |= {"metric": "class_average_accuracy"}  # 61.1 58.6 62.0, 52.5 53.9 54.6
    (part,) = on_paper(claim(tmp_path, test)).parts
    assert (part.holds, part.numbers[-4:]) == (True, "0.50")
    assert on_paper(claim(tmp_path, test | {"at_least": 0.51})).outcome == "does not hold"


@pytest.mark.parametrize(
    ("first", "second"), [([1, 2, 3, 4], [2, 1, 4, 3]), ([1, 1, 2, 5], [3, 1, 1, 1]), ([5.5, 0.1, 0.1], [1, 1, 2])]
)
def test_ties_share_the_mean_of_their_ranks(first: list, second: list) -> None:
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_a_rank_correlation_needs_two_values_that_differ() -> None:
    assert str(rank_correlation([1, 1], [1, 2])) == "nan"
    assert str(rank_correlation([1, 2], [1, float("nan")])) == "nan"


def test_bounds_at_equality_and_in_words() -> None:
    closed, half_open = Allowed(Fraction("0.3"), Fraction(2)), Allowed(Fraction("0.3"), Fraction(2), True, True)
    assert [closed.holds(value) for value in (0.3, Fraction(3, 10), 2, 2.1, float("nan"))] == [True] * 3 + [False] * 2
    assert [half_open.holds(value) for value in (0.3, Fraction(3, 10), 1.0, 2)] == [False, False, True, False]
    assert [closed.excludes(*ends) for ends in ((2, 3), (2.1, 3), (-1, 0.2), (-1, 0.3))] == [False, True, True, False]
    assert [half_open.excludes(*ends) for ends in ((2, 3), (-1, 0.3), (1, 5))] == [True, True, False]
    assert (closed.words("points"), half_open.words()) == ("at least 0.3 and at most 2 points", "above 0.3 and below 2")
    assert Allowed(Fraction(-1), Fraction(1)).words("points") == "at most ±1 point"
    assert Allowed(Fraction(-5), Fraction(-5)).words() == "exactly −5"


def test_cells_without_a_number_are_left_out_where_the_test_says_so(tmp_path: Path) -> None:
    test = {"kind": "ordering", "table": "T2", "weighting": "natural_frequency", "split": "test", "metric": "accuracy",
            "class_name": "SignSymbol", "over": "boosting", "under": ["local_label_descriptors", "segnet"]}  # fmt: skip
    (part,) = on_paper(claim(tmp_path, test | {"skip_unprinted": True})).parts
    assert part.numbers == "Boosting 58.5 > SegNet 52.7? +5.8"


def test_the_claims_are_read_once() -> None:
    assert claims() is claims()
