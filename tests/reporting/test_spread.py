from __future__ import annotations

import math

import numpy as np
import pytest

from bench.reporting.figures.spread import spread, spread_said


def test_two_seeds_span_least_to_greatest_and_three_a_standard_deviation() -> None:
    two = spread([[1.0, 5.0], [3.0, 5.0]])
    assert [values.tolist() for values in two] == [[2.0, 5.0], [1.0, 5.0], [3.0, 5.0]]
    three = spread([[1.0], [2.0], [3.0]])  # deviation 1 with n - 1
    assert [values.tolist() for values in three] == [[2.0], [1.0], [3.0]]


def test_a_single_run_has_no_limits() -> None:
    one = spread([[1.0, 2.0]])
    assert one.mean.tolist() == [1.0, 2.0]
    assert np.isnan([one.low, one.high]).all()


def test_where_a_seed_has_no_value_there_is_a_mean_and_no_limit() -> None:
    found = spread([[1.0, math.nan], [3.0, math.nan], [math.nan, math.nan]])
    assert found.mean[0] == 2.0
    assert math.isnan(found.mean[1])
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([1, 1], "Single runs"),
        ([2, 2], "Band: least to greatest of 2 seeds"),
        ([3], "Band: mean ± standard deviation of 3\nseeds"),
        ([3, 5], "Band: mean ± standard deviation of 3 to\n5 seeds"),
        ([1, 2], "Band: least to greatest of 2 seeds;\nwithout: single run"),
    ],
)
def test_what_a_band_spans_is_said(counts: list[int], said: str) -> None:
    assert spread_said(counts, "Band") == said
