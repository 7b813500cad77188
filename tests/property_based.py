"""Runs a property a few times in the default suite and thousands of times under `-m slow`.

    @OFTEN
    def test_anything_is_refused_in_one_line(times):
        always(check, st.text(), times)

The few are the same in every run; the thousands are new ones each time, and hypothesis keeps what failed.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

FEW, MANY = 50, 2000
OFTEN = pytest.mark.parametrize("times", [FEW, pytest.param(MANY, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])


def always(check: Callable[[Any], None], examples: SearchStrategy[Any], times: int) -> None:
    """Calls `check` with `times` examples and shows the smallest one that fails."""
    rules = settings(
        max_examples=times,
        derandomize=times <= FEW,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    rules(given(examples)(check))()
