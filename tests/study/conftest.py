"""A study with fixed numbers, and a way to change one place of its text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.study.config import load_study, study_from
from bench.study.specs import Study
from bench.study.yaml_source import parse_yaml

STUDY_YAML = Path(__file__).resolve().parent / "study.yaml"


@pytest.fixture(scope="session")
def study_text() -> str:
    return STUDY_YAML.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def study() -> Study:
    return load_study(STUDY_YAML)


@pytest.fixture
def changed(study_text: str) -> Callable[[str, str], Study]:
    """Loads the study with the first occurrence of one text replaced by another, as if it were bench.yaml."""

    def load(old: str, new: str) -> Study:
        assert old in study_text
        return study_from(parse_yaml(study_text.replace(old, new, 1), "bench.yaml"))

    return load
