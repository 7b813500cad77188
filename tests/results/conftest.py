"""A results folder to hurt."""

import pytest
from stored_results import Stored, stored_in


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    return stored_in(tmp_path_factory.mktemp("results"))
