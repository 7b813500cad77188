"""Whatever the text, the outcome is a study or one line; never a traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import ConfigError
from bench.study.config import load_study, study_from
from bench.study.specs import Study
from bench.study.trials import plan
from bench.study.yaml_source import parse_yaml

TEXT = (Path(__file__).resolve().parent / "study.yaml").read_text(encoding="utf-8")
TOKENS = sorted({token for line in TEXT.splitlines() for token in line.split()})
ODD = [
    "",
    "~",
    "true",
    "no",
    "-1",
    "0",
    "1e999",
    ".nan",
    "9" * 30,
    "[]",
    "{}",
    "*paper",
    "&a",
    "<<:",
    "!!int x",
    "|",
    ">",
]
ODD += [
    "- ",
    "? ",
    ": ",
    "\t",
    "'",
    '"',
    "#",
    "%",
    "@",
    "---",
    "...",
    '"\\uD800"',
    "\x85",
    "\u2028",
    "\ufeff",
    "\0",
    "{a: {b",
]

quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Returns a study's text with up to three places cut, replaced or repeated."""
    text = TEXT
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):  # a whole word, so that the YAML often stays valid
            old = draw(st.sampled_from(TOKENS))
            new = draw(
                st.sampled_from(TOKENS + ODD) | st.text(max_size=6) | st.integers().map(str) | st.floats().map(str)
            )
            text = text.replace(old, new, draw(st.integers(1, 3)))
        else:
            start = draw(st.integers(0, len(text)))
            end = min(len(text), start + draw(st.integers(0, 40)))
            text = text[:start] + draw(st.sampled_from([*ODD, text[start:end] * 2])) + text[end:]
    return text


def check_text(text: str) -> None:
    message = message_of(lambda: study_from(parse_yaml(text, "bench.yaml")))
    assert message.startswith("bench.yaml:") or not message


def message_of(load: Callable[[], Study]) -> str:
    """Returns the error message, which must be one printable line, or "" for a study that can be planned."""
    try:
        study = load()
    except ConfigError as error:
        message = str(error)
    else:
        for name, suite in study.suites.items():
            for profile in suite.runs:
                trials = plan(study, name, profile)
                assert len({trial.id for trial in trials}) == len(trials)
                assert len({trial.digest for trial in trials}) == len(trials)
        return ""
    assert len(message.splitlines()) == 1
    assert message.encode("utf-8")
    return message


@quick
@given(mutations())
def test_mutated_studies(text: str) -> None:
    check_text(text)


@quick
@given(st.text())
def test_arbitrary_text(text: str) -> None:
    check_text(text)


@quick
@given(content=st.binary(max_size=200))
def test_arbitrary_bytes(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "bench.yaml"
    path.write_bytes(content)
    assert message_of(lambda: load_study(path))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@thorough
@given(mutations())
def test_mutated_studies_thoroughly(text: str) -> None:
    check_text(text)


@pytest.mark.slow
@thorough
@given(st.text() | st.lists(st.sampled_from(TOKENS + ODD + ["\n", "\n  ", " "])).map("".join))
def test_arbitrary_text_thoroughly(text: str) -> None:
    check_text(text)
