"""Whatever the text of bench.yaml, the outcome is a study that can be planned or one line; never a traceback."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st
from property_based import FEW, OFTEN, always

from bench.errors import ConfigError
from bench.study.config import load_study, study_from
from bench.study.specs import Study
from bench.study.trials import plan
from bench.study.yaml_source import parse_yaml

HERE = Path(__file__).resolve().parent
TEXTS = [(HERE / "study.yaml").read_text(encoding="utf-8"), (HERE.parents[1] / "bench.yaml").read_text("utf-8")]
TOKENS = sorted({token for line in TEXTS[0].splitlines() for token in line.split()})
DATA = [parse_yaml(text, "bench.yaml").data for text in TEXTS]

# What YAML, Python and file systems give a meaning of their own.
ODD = [
    *("", "~", "true", "no", "-1", "0", "1e999", ".nan", "-.inf", "9" * 30, "9" * 5000, "0x7f", "1_0", "2016-10-10"),
    *("[]", "{}", "*paper", "&a", "<<:", "!!int x", "!!python/object/apply:os.system [id]", "|", ">", "- ", "? ", ": "),
    *("\t", "'", '"', "#", "%", "@", "---", "...", '"\\uD800"', '"\\0"', "\x85", "\u2028", "\ufeff", "\0", "\x1b[2J"),
    *("{a: {b", "../../etc/passwd", "<script>", "$x$", "\u202ea", "a" * 5000, "[" * 50, "&a [*a]", "{{ 7 * 7 }}"),
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([word for word in ODD if "\0" not in word] + TOKENS)
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TOKENS) | st.text(max_size=5), inner),
    max_leaves=12,
)


def copied(data: Any) -> Any:
    """Returns a copy in which nothing is shared, so that a change stays where it is made."""
    if isinstance(data, dict):
        return {key: copied(value) for key, value in data.items()}
    return [copied(value) for value in data] if isinstance(data, list) else data


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yields every mapping and list with each of its keys."""
    for key in list(data) if isinstance(data, dict) else range(len(data)):
        yield data, key
        if isinstance(data[key], dict | list):
            yield from places(data[key])


VALUES = [copied(place[key]) for data in DATA for place, key in places(data)]


@st.composite
def broken_words(draw: st.DrawFn) -> str:
    """Returns a study's text with up to three places cut, replaced or repeated."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):  # a whole word, so that the YAML often stays valid
            old = draw(st.sampled_from(TOKENS))
            numbers = st.integers().map(str) | st.floats().map(str)
            new = draw(st.sampled_from(TOKENS + ODD) | st.text(max_size=6) | numbers)
            text = text.replace(old, new, draw(st.integers(1, 3)))
        else:
            start = draw(st.integers(0, len(text)))
            end = min(len(text), start + draw(st.integers(0, 40)))
            text = text[:start] + draw(st.sampled_from([*ODD, text[start:end] * 2])) + text[end:]
    return text


@st.composite
def broken_lines(draw: st.DrawFn) -> str:
    """Returns a study's text with up to three lines dropped, repeated, swapped, moved in or out, or given a value."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 3))):
        one, two = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        change = draw(st.sampled_from(["drop", "repeat", "swap", "indent", "dedent", "value"]))
        if change == "drop":
            del lines[one]
        elif change == "repeat":
            lines.insert(two, lines[one])
        elif change == "swap":
            lines[one], lines[two] = lines[two], lines[one]
        elif change == "indent":
            lines[one] = " " * draw(st.integers(1, 4)) + lines[one]
        elif change == "dedent":
            lines[one] = lines[one].removeprefix(" " * draw(st.integers(1, 4)))
        else:
            lines[one] = lines[one].partition(":")[0] + ": " + draw(st.sampled_from(TOKENS + ODD))
    return "\n".join(lines)


@st.composite
def broken_data(draw: st.DrawFn) -> str:
    """Returns a study, as YAML, in which up to three values anywhere are dropped, renamed or replaced."""
    data = copied(draw(st.sampled_from(DATA)))
    for _ in range(draw(st.integers(1, 3))):
        place, key = draw(st.sampled_from(list(places(data))))
        change = draw(st.sampled_from(["alike", "alike", "alike", "other", "drop", "rename"]))
        if change == "alike":  # a value that stands elsewhere in the study, so that the study often stays valid
            alike = [value for value in VALUES if type(value) is type(place[key])]
            place[key] = copied(draw(st.sampled_from(alike))) if alike else None
        elif change == "other":
            place[key] = draw(DOCUMENTS)
        else:
            value = place.pop(key)
            if change == "rename" and isinstance(place, dict):
                place[draw(st.sampled_from(TOKENS) | st.text(max_size=5))] = value
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=draw(st.booleans()))


NESTED = DOCUMENTS.map(lambda data: yaml.safe_dump(data, allow_unicode=True))
SALAD = st.lists(st.sampled_from(TOKENS + ODD + ["\n", "\n  ", " "])).map("".join)


@pytest.fixture
def check(tmp_path: Path) -> Callable[[str | bytes], None]:
    """Loads a text as bench.yaml: a study must be one that can be planned, an error one line that names the file."""
    path = tmp_path / "bench.yaml"

    def checked(content: str | bytes) -> None:
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        path.write_bytes(content)
        study, message = None, ""
        try:
            study = load_study(path)
        except ConfigError as error:
            message = str(error)
        if study is None:
            assert message.startswith(f"{path}:")
            assert message.isprintable()
            assert len(message) < 1000
        else:
            check_plans(study)

    return checked


def check_plans(study: Study) -> None:
    for name, suite in study.suites.items():
        for profile in suite.runs:
            trials = plan(study, name, profile)
            assert trials
            assert len({trial.id for trial in trials}) == len(trials)
            assert len({trial.digest for trial in trials}) == len(trials)
            assert all(trial.id.isascii() and trial.id.isprintable() and "/" not in trial.id for trial in trials)


@OFTEN
@pytest.mark.parametrize("examples", [broken_words(), broken_lines(), broken_data()], ids=["words", "lines", "data"])
def test_a_study_that_was_changed_anywhere(
    check: Callable[[str | bytes], None], examples: st.SearchStrategy[str], times: int
) -> None:
    always(check, examples, times)


@OFTEN
@pytest.mark.parametrize(
    "examples", [st.text(), SALAD, NESTED, st.binary(max_size=200)], ids=["text", "words", "nested", "bytes"]
)
def test_anything_else(
    check: Callable[[str | bytes], None], examples: st.SearchStrategy[str | bytes], times: int
) -> None:
    always(check, examples, times)


def test_the_texts_that_are_changed_are_good_ones() -> None:
    """Otherwise every change would be refused for the same reason, and nothing tried."""
    for text in TEXTS:
        check_plans(study_from(parse_yaml(text, "bench.yaml")))


def test_many_changes_leave_a_study_that_can_be_planned() -> None:
    """Otherwise plans would hardly be tried."""
    good = []

    def count(text: str) -> None:
        with contextlib.suppress(ConfigError):
            good.append(study_from(parse_yaml(text, "bench.yaml")))

    always(count, broken_data(), FEW)
    assert len(good) > FEW / 10
