"""What every test of running trials needs."""

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def cache_elsewhere(tmp_path_factory):
    """Keeps the cache out of the user's folder, and strict determinism inside the module that asked for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield
    torch.use_deterministic_algorithms(False)
