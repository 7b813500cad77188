"""How two numbers, or a number and an interval, are judged, and what a command ends with."""

import math
from dataclasses import replace

import pytest

from bench.replication.check import OUTCOMES, Place, Verdict, by_interval, by_point, counts, exit_code
from bench.replication.statistics import t_interval

PLACE = Place("segnet_basic", "median_frequency", "test", "mean_iou", "", "", "")
VERDICT = Verdict(PLACE, 0.5, 0.5, 0.0, 0.02, "within", 1)


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(0.50, "within"), (0.52, "within"), (0.48, "within"), (0.5201, "outside"), (0.4799, "outside")],
)
def test_points_are_compared_by_their_difference_and_the_edge_is_allowed(value: float, verdict: str) -> None:
    assert by_point(value, 0.5, 0.02) == (verdict, "")


@pytest.mark.parametrize(
    ("value", "reference"), [(math.nan, 0.5), (0.5, math.nan), (math.nan, math.nan), (math.inf, 0.5)]
)
def test_what_is_no_number_is_outside(value: float, reference: float) -> None:
    assert by_point(value, reference, 0.02) == ("outside", "not a number")
    assert by_interval(value, math.nan, None, 1, reference, 0.02, 3) == ("outside", "not a number")


def judged(values: list[float], reference: float, tolerance: float, least: int = 3) -> tuple[str, str]:
    n = len(values)
    mean = sum(values) / n
    std = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1)) if n > 1 else math.nan
    return by_interval(mean, std, t_interval(values), n, reference, tolerance, least)


# mean 0.51, standard deviation 0.01, so the interval is 0.51 ± 4.303 · 0.01 / √3 = 0.4852 to 0.5348
THREE = [0.50, 0.51, 0.52]


@pytest.mark.parametrize(
    ("reference", "tolerance", "verdict"),
    [
        (0.51, 0.0249, "within"),
        (0.50, 0.0349, "within"),
        (0.51, 0.0248, "inconclusive"),  # the interval is wider than the band
        (0.50, 0.0347, "inconclusive"),  # its upper end is 0.5348
        (0.45, 0.035, "outside"),  # its lower end is 0.4852
        (0.45, 0.036, "inconclusive"),
        (0.60, 0.06, "outside"),
        (0.60, 0.066, "inconclusive"),
    ],
)
def test_an_interval_is_inside_outside_or_across_the_edge(reference: float, tolerance: float, verdict: str) -> None:
    assert judged(THREE, reference, tolerance)[0] == verdict


def test_seeds_that_agree_are_a_point() -> None:
    assert judged([0.5, 0.5, 0.5], 0.5, 0.0) == ("within", "")
    assert judged([0.5, 0.5, 0.5], 0.52, 0.02) == ("within", "")
    assert judged([0.5, 0.5, 0.5], 0.53, 0.02) == ("outside", "")


def test_what_is_inconclusive_says_how_many_seeds_would_decide() -> None:
    # 0.02 from the edge: t(n - 1) · 0.01 / √n is 0.0248 with 3 seeds and 0.0159 with 4
    assert judged(THREE, 0.51, 0.02) == (
        "inconclusive",
        "the interval crosses the edge; 4 seeds would decide, should mean and spread stay",
    )
    assert judged(THREE, 0.49, 0.02)[1] == (
        "the interval crosses the edge; not even 100 seeds would decide, should mean and spread stay"
    )
    assert judged([0.5], 0.5, 0.02) == ("inconclusive", "single run; it takes 3 seeds at least")
    assert judged([0.5, 0.5], 0.5, 0.02, least=3) == (
        "inconclusive",
        "2 seeds of at least 3; 3 seeds would decide, should mean and spread stay",
    )
    assert judged([0.5, 0.5], 0.5, 0.02, least=2)[0] == "within"


def test_a_band_of_unknown_width_is_inconclusive() -> None:
    assert judged([0.5], 0.5, math.nan) == ("inconclusive", "single run; it takes 3 seeds at least")


def verdicts(*outcomes: str) -> list[Verdict]:
    return [replace(VERDICT, verdict=outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("outcomes", "claims", "code"),
    [
        (["within", "within"], [], 0),
        (["within", "not comparable"], [], 0),
        (["within", "outside", "failed", "missing"], [], 1),
        (["within", "failed", "missing", "stale", "inconclusive"], [], 3),
        (["within", "missing"], [], 2),
        (["within", "stale"], [], 2),
        (["within", "inconclusive"], [], 2),
        ([], [], 2),  # nothing compared is not a pass
        (["not comparable"], [], 2),
        (["not comparable"], ["not tested"], 2),
        (["not comparable"], ["replicated"], 0),
        (["within"], ["replicated", "not tested"], 0),
        (["within"], ["inconclusive"], 2),
        (["failed"], ["contradicted"], 1),
    ],
)
def test_exit_codes(outcomes: list[str], claims: list[str], code: int) -> None:
    assert exit_code(verdicts(*outcomes), claims) == code


@pytest.mark.parametrize(
    ("outcomes", "claims", "code"),
    [
        (["inconclusive"], [], 0),
        (["within"], ["inconclusive"], 0),
        (["inconclusive", "missing"], [], 2),
        (["inconclusive", "stale"], [], 2),
        (["inconclusive", "outside"], [], 1),
        (["inconclusive", "failed"], [], 3),
        (["not comparable"], [], 2),
    ],
)
def test_allowing_what_is_inconclusive_lets_nothing_else_pass(outcomes, claims, code) -> None:
    assert exit_code(verdicts(*outcomes), claims, allow_inconclusive=True) == code


def test_counts_name_every_verdict() -> None:
    found = counts(verdicts("within", "stale", "within"))

    assert found == dict.fromkeys(OUTCOMES, 0) | {"within": 2, "stale": 1}


def test_a_place_in_words_has_the_model_first_and_the_metric_last() -> None:
    assert VERDICT.cell == "segnet_basic median_frequency test mean_iou"
    of_class = Place("segnet", "natural_frequency", "test", "accuracy", "40K", "Floor mat", "")
    assert of_class.cell == "segnet natural_frequency test 40K Floor mat accuracy"
    assert (VERDICT.model, VERDICT.weighting, VERDICT.metric) == ("segnet_basic", "median_frequency", "mean_iou")
