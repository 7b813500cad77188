"""What `tolerances` in bench.yaml may hold, and how it is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.study.config import json_schema, study_from
from bench.study.specs import GapSpec, Study
from bench.study.tolerances import as_spec, gaps_of
from bench.study.yaml_source import parse_yaml

ROOT = Path(__file__).parents[2]
Changed = Callable[[str, str], Study]
FIRST = "{global_accuracy: 0.02"  # in tolerances.paper.smoke, which all profiles share


@pytest.fixture
def excepted(study_text: str) -> Callable[..., Study]:
    """Loads the study with exceptions, each the inside of a mapping."""

    def load(*exceptions: str) -> Study:
        listed = "".join(f"    - {{{exception}}}\n" for exception in exceptions)
        return study_from(parse_yaml(f"{study_text}  exceptions:\n{listed}", "bench.yaml"))

    return load


def test_plain_numbers_are_what_they_were(study: Study) -> None:
    assert study.tolerances.paper["smoke"]["mean_iou"] == 0.02
    assert (study.tolerances.seeds, study.tolerances.exceptions) == (3, [])
    assert as_spec("mean_iou", 0.02) == GapSpec(absolute=0.02)
    assert as_spec("accuracy", 0.02) == GapSpec(absolute=0.02)
    assert as_spec("forward_ms", 0.02) == GapSpec(relative=0.02)


def test_a_gap_may_name_several_measures(changed: Changed) -> None:
    study = changed(FIRST, "{global_accuracy: {absolute: 0.01, relative: 0.1, spread: 2}")

    assert study.tolerances.paper["paper"]["global_accuracy"] == GapSpec(absolute=0.01, relative=0.1, spread=2)


def test_built_in_gaps_hold_unless_they_are_overruled(changed: Changed) -> None:
    study = changed(FIRST, "{parameters: 0.5, global_accuracy: 0.02")

    assert gaps_of(study, "paper", "smoke")["parameters"] == 0.5
    assert gaps_of(study, "paper", "smoke")["storage_multiplier"] == 0.0
    assert gaps_of(study, "baseline", "smoke")["parameters"] == 0.0


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        ("{}", r"global_accuracy: needs a number, or one or more of absolute, relative and spread"),
        ("{absolute: null}", r"global_accuracy: needs a number, or one or more of"),
        ("[0.1]", r"global_accuracy: must be a number, got a list"),
        ("true", r"global_accuracy: must be a number, got true"),
        ("two", r"global_accuracy: must be a number, got 'two'"),
        ("-0.1", r"global_accuracy: must be greater than or equal to 0, got -0\.1"),
        ("{absolut: 0.1}", r"global_accuracy\.absolut: unknown key, did you mean 'absolute'\?; known: absolute, rel"),
        ("{absolute: '0.1'}", r"global_accuracy\.absolute: must be a number, got '0\.1'"),
        ("{absolute: 2}", r"global_accuracy: must be a fraction from 0 to 1 .*, got absolute: 2\.0"),
        ("{relative: .nan}", r"global_accuracy\.relative: must be a finite number, got nan"),
        ("{spread: 0}", r"global_accuracy\.spread: must be greater than 0, got 0"),
    ],
)
def test_a_gap_is_refused_in_one_line(changed: Changed, gap: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"^bench\.yaml:\d+: tolerances\.paper\.smoke\." + message):
        changed(FIRST, f"{{global_accuracy: {gap}")


def test_a_cost_has_no_spread(changed: Changed) -> None:
    with pytest.raises(ConfigError, match="parameters: has a `spread`, but a cost is measured once and has none over"):
        changed(FIRST, "{parameters: {spread: 2}, global_accuracy: 0.02")
    assert changed(FIRST, "{parameters: {absolute: 1000}, global_accuracy: 0.02")


def test_a_metric_called_like_a_form_of_gaps_is_named(changed: Changed) -> None:
    with pytest.raises(ConfigError, match=r"paper\.smoke\.number: must be a number, got 'x'"):
        changed(FIRST, "{number: x, global_accuracy: 0.02")


@pytest.mark.parametrize("seeds", ["1", "101", "2.5"])
def test_the_least_number_of_seeds_gives_an_interval(study_text: str, seeds: str) -> None:
    with pytest.raises(ConfigError, match=r"tolerances\.seeds: must be"):
        study_from(parse_yaml(f"{study_text}  seeds: {seeds}\n", "bench.yaml"))


@pytest.mark.parametrize(
    ("exception", "message"),
    [
        (
            "model: segnet_basik, absolute: 0.1",
            r"\[0\]\.model: unknown model 'segnet_basik', did you mean 'segnet_basic'",
        ),
        (
            "weighting: median, absolute: 0.1",
            r"\[0\]\.weighting: unknown weighting 'median'.*; known: median_frequency",
        ),
        ("split: val, absolute: 0.1", r"\[0\]\.split: must be 'train' or 'test', got 'val'"),
        ("split: test, metric: miou, absolute: 0.1", r"\[0\]\.metric: unknown metric 'miou', did you mean 'mean_iou'"),
        ("budget: 40K, absolute: 0.1", r"\[0\]\.budget: unknown budget '40K'; known: none"),
        ("suite: decoder, absolute: 0.1", r"\[0\]\.suite: unknown suite 'decoder', did you mean 'decoder-variants'"),
        (
            "profile: big, split: test, absolute: 0.1",
            r"\[0\]\.profile: unknown profile 'big'; known: smoke, mini, paper",
        ),
        ("table: T9, absolute: 0.1", r"\[0\]\.table: unknown key.*; known: absolute, relative, spread, against, why"),
        ("model: segnet_basic", r"\[0\]: needs a number, or one or more of absolute, relative and spread"),
        ("metric: mean_iou, absolute: 0.1", r"\[0\]: must name at least one of suite, model, weighting, split, budget"),
        ("model: segnet_basic, absolute: 3", r"\[0\]: must be a fraction from 0 to 1 .*, got absolute: 3"),
        ("model: segnet_basic, metric: parameters, spread: 2", r"\[0\]: has a `spread`, but a cost is measured once"),
        ("split: test, metric: parameters, relative: 1", r"\[0\]\.split: goes with a score, and parameters is a cost"),
        ("model: segnet_basic, metric: forward_ms, relative: 1", r"\[0\]: is time or memory of the authors' machine"),
        ("class_name: Sky, absolute: 0.1", r"\[0\]\.class_name: goes with `metric: accuracy`"),
        (
            "metric: accuracy, class_name: Sky, absolute: 0.1",
            r"\[0\]: changes nothing: tolerances\.paper has no gap for accuracy",
        ),
    ],
)
def test_an_exception_is_refused_in_one_line(excepted: Callable[..., Study], exception: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"^bench\.yaml:\d+: tolerances\.exceptions" + message):
        excepted(f"against: paper, why: a test, {exception}")


@pytest.mark.parametrize("needed", ["against", "why"])
def test_an_exception_says_against_what_and_why(excepted: Callable[..., Study], needed: str) -> None:
    given = {"against": "against: paper", "why": "why: a test"}
    del given[needed]
    with pytest.raises(ConfigError, match=rf"exceptions\[0\]\.{needed}: missing; it is: "):
        excepted(f"{next(iter(given.values()))}, model: segnet_basic, absolute: 0.1")


def test_two_gaps_for_the_same_numbers_are_refused(excepted: Callable[..., Study]) -> None:
    one = "model: segnet_basic, absolute: 0.1, why: one"
    with pytest.raises(ConfigError, match=r"exceptions\[2\]: is a second gap for the numbers of exceptions\[0\]; keep"):
        excepted(
            f"against: paper, {one}",
            f"against: baseline, {one}",
            "against: paper, model: segnet_basic, relative: 1, why: x",
        )
    assert len(excepted(f"against: paper, {one}", f"against: baseline, {one}").tolerances.exceptions) == 2


def test_the_example_in_the_documentation_is_a_good_one() -> None:
    text = (ROOT / "docs/checking.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    study_text = (ROOT / "bench.yaml").read_text(encoding="utf-8")
    before = study_text[: study_text.index("\ntolerances:\n") + 1]

    study = study_from(parse_yaml(before + example, "bench.yaml"))

    assert study.tolerances.paper["paper"]["mean_iou"] == GapSpec(absolute=0.02, spread=2)
    assert study.tolerances.exceptions[0].split == "train"


def test_the_schema_describes_gaps_and_exceptions() -> None:
    shapes = json_schema()["$defs"]

    for name in ("GapSpec", "ToleranceExceptionSpec", "TolerancesSpec"):
        assert [field for field, of in shapes[name]["properties"].items() if not of.get("description")] == []
    profile = shapes["TolerancesSpec"]["properties"]["paper"]["additionalProperties"]
    number, mapping = profile["additionalProperties"]["oneOf"]
    assert (number["type"], mapping) == ("number", {"$ref": "#/$defs/GapSpec"})
