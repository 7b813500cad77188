"""Intervals and probabilities against numbers from tables and by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.replication.statistics import (
    Interval,
    paired,
    probability_of_improvement,
    seeds_needed,
    t_interval,
)


def test_three_seeds_by_hand():
    # mean 2, s = 1, t(2 degrees of freedom, 95 %) = 4.302653
    low, high = t_interval([1.0, 2.0, 3.0])
    assert low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)
    assert high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_as_in_scipy(confidence):
    values = [0.41, 0.43, 0.40, 0.44, 0.46]
    wanted = stats.t.interval(confidence, 4, loc=np.mean(values), scale=stats.sem(values))
    assert t_interval(values, confidence) == pytest.approx(wanted)


def test_it_holds_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(0.4, 0.02, size=(4000, 3))
    held = [interval.low <= 0.4 <= interval.high for interval in map(t_interval, draws) if interval]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("values", [[], [0.4], [0.4, math.nan], [0.4, math.inf]])
def test_without_a_spread_there_is_no_interval(values):
    assert t_interval(values) is None


def test_equal_values_have_an_interval_of_no_width():
    assert t_interval([0.5, 0.5]) == Interval(0.5, 0.5)


def test_differences_are_taken_seed_by_seed():
    assert paired({0: 0.5, 1: 0.7, 2: 0.9}, {1: 0.6, 0: 0.1}) == pytest.approx({0: 0.4, 1: 0.1})


def test_improvement_counts_pairs_and_half_of_ties():
    # (3, 1) (3, 2) (3, 3) (1, 1) (1, 2) (1, 3): two above, two ties
    assert probability_of_improvement([3, 1], [1, 2, 3]) == pytest.approx((2 + 0.5 + 0.5) / 6)
    assert probability_of_improvement([1], [0]) == 1
    assert math.isnan(probability_of_improvement([], [1]))
    assert math.isnan(probability_of_improvement([math.nan], [1]))


def test_an_interval_is_within_beyond_or_neither():
    assert Interval(1, 2).within(1, 2)
    assert not Interval(1, 2).beyond(2, 3)
    assert Interval(1, 2).beyond(2.1, 3)
    assert not Interval(1, 2.05).within(1, 2)


def test_the_seeds_that_would_decide():
    # s = 1 and a margin of 1: t / √n ≤ 1 first at n = 7 (2.447 / 2.646)
    assert seeds_needed(gap=1, std=1, tolerance=2) == 7
    assert seeds_needed(gap=3, std=1, tolerance=2) == 7
    assert seeds_needed(gap=2, std=1, tolerance=2) is None
    assert seeds_needed(gap=0, std=0, tolerance=2) == 2
