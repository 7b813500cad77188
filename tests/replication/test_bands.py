"""The width of each band: what gaps and exceptions in bench.yaml come to."""

import math
from collections.abc import Callable

import pytest
from results_factory import ROOT

from bench.errors import ConfigError
from bench.replication.against_paper import printed_numbers
from bench.replication.bands import Bands, bands_of, check_reach, half_width
from bench.replication.check import Place
from bench.replication.paper import paper_tables
from bench.study.config import study_from
from bench.study.specs import GapSpec, Study
from bench.study.yaml_source import parse_yaml

TEXT = (ROOT / "bench.yaml").read_text()
SCORE = Place("segnet", "natural_frequency", "test", "mean_iou", "", "", "")
SIZE = Place("segnet", "", "", "model_size_mb", "", "", "")


def study_with(exceptions: str) -> Study:
    return study_from(parse_yaml(f"{TEXT}\n  exceptions:\n{exceptions}", "bench.yaml"))


@pytest.fixture
def paper() -> Callable[[str], Bands]:
    return lambda exceptions: bands_of(study_with(exceptions), "paper", "road-scenes", "paper")


@pytest.mark.parametrize(
    ("gap", "width"),
    [
        ({"absolute": 0.02}, 0.02),
        ({"relative": 0.1}, 0.04),
        ({"spread": 2}, 0.06),
        ({"absolute": 0.02, "relative": 0.1, "spread": 2}, 0.06),
        ({"absolute": 0.05, "relative": 0.1}, 0.05),
    ],
)
def test_the_widest_of_the_measures_counts(gap: dict[str, float], width: float) -> None:
    assert half_width(GapSpec(**gap), 0.4, 0.03) == pytest.approx(width)


def test_a_spread_that_is_not_known_widens_nothing() -> None:
    assert half_width(GapSpec(absolute=0.02, spread=2), 0.4, math.nan) == 0.02
    assert math.isnan(half_width(GapSpec(spread=2), 0.4, math.nan))


def test_a_relative_gap_of_a_negative_reference_is_positive() -> None:
    assert half_width(GapSpec(relative=0.5), -2.0, math.nan) == 1.0


def test_plain_numbers_are_absolute_for_scores_and_relative_for_costs(paper) -> None:
    bands = bands_of(study_with("    []"), "paper", "road-scenes", "paper")

    assert bands.gap(SCORE) == GapSpec(absolute=0.02)
    assert bands.gap(SIZE) == GapSpec(relative=0.01)
    assert bands.gap(SIZE._replace(metric="parameters")) == GapSpec(relative=0.03)  # built in
    assert bands.gap(SIZE._replace(metric="forward_flops")) is None


ANY = "    - {against: paper, model: segnet, absolute: 0.05, why: a test}\n"
ONE = "    - {against: paper, model: segnet, budget: 40K, metric: mean_iou, absolute: 0.07, why: a test}\n"


def test_the_exception_that_names_most_of_a_place_counts(paper: Callable[[str], Bands]) -> None:
    bands = paper(ANY + ONE)

    assert bands.gap(SCORE).absolute == 0.05
    assert bands.gap(SCORE._replace(budget="40K")).absolute == 0.07
    assert bands.gap(SCORE._replace(budget="40K", metric="boundary_f1")).absolute == 0.05
    assert bands.gap(SCORE._replace(model="fcn")).absolute == 0.02


def test_an_exception_without_a_metric_is_one_of_scores_over_all_classes(paper: Callable[[str], Bands]) -> None:
    bands = paper(ANY)

    assert bands.gap(SIZE) == GapSpec(relative=0.01)
    assert bands.gap(SCORE._replace(metric="accuracy", class_name="Sky")) == GapSpec(absolute=0.05)


def test_an_exception_gives_no_gap_to_a_profile_without_one() -> None:
    bands = bands_of(study_with(ANY), "paper", "road-scenes", "mini")

    assert bands.gap(SCORE) is None


@pytest.mark.parametrize("where", ["profile: mini", "suite: indoor-scenes"])
def test_an_exception_of_another_profile_or_suite_is_not_used(where: str) -> None:
    study = study_with(f"    - {{against: baseline, {where}, model: segnet, absolute: 0.5, why: a test}}\n")

    assert bands_of(study, "baseline", "road-scenes", "smoke").gap(SCORE) == GapSpec(absolute=0.03)
    assert bands_of(study, "baseline", "indoor-scenes", "mini").gap(SCORE).absolute == 0.5


def test_an_exception_of_the_other_reference_is_not_used() -> None:
    assert bands_of(study_with(ANY), "baseline", "road-scenes", "paper").gap(SCORE) == GapSpec(absolute=0.03)


def test_two_exceptions_that_name_equally_much_are_refused(paper: Callable[[str], Bands]) -> None:
    other = "    - {against: paper, split: test, absolute: 0.04, why: a test}\n"
    bands = paper(ANY + other)

    with pytest.raises(ConfigError, match=r"exceptions\[0\] and \[1\] .* match segnet natural_frequency test mean_iou"):
        bands.gap(SCORE)
    both = "    - {against: paper, model: segnet, split: test, absolute: 0.06, why: a test}\n"
    assert paper(ANY + other + both).gap(SCORE).absolute == 0.06


PRINTED = {table: list(printed_numbers(table)) for table in paper_tables()}


@pytest.mark.parametrize(
    ("exception", "named"),
    [
        ("metric: accuracy, class_name: Skye", "metric accuracy, class_name Skye"),
        ("model: u_net", "model u_net"),
        ("model: segnet, split: train", "model segnet, split train"),
        ("suite: indoor-scenes, budget: 40K", "suite indoor-scenes, budget 40K"),
    ],
)
def test_an_exception_that_matches_no_printed_number_is_refused(exception: str, named: str) -> None:
    # its order is that of the places, not that of the file
    study = study_with(f"    - {{against: paper, {exception}, absolute: 0.1, why: a test}}\n")

    with pytest.raises(
        ConfigError, match=r"exceptions\[0\] in bench\.yaml matches no number of the paper's tables"
    ) as e:
        check_reach(study, PRINTED)
    for part in named.split(", "):
        assert part in str(e.value)


def test_exceptions_that_match_are_not_refused() -> None:
    sky = "    - {against: paper, metric: accuracy, class_name: Sky, absolute: 0.1, why: a test}\n"
    baseline = "    - {against: baseline, model: u_net, absolute: 0.1, why: a test}\n"
    check_reach(study_with(ANY + ONE + sky + baseline), PRINTED)
