"""Everything that is reported is defined, and the pictures show what is counted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from bench.cli import main
from bench.cli.explain import explain
from bench.data.split import IGNORE_INDEX
from bench.errors import ConfigError, UnknownNameError, UnwritableError
from bench.evaluation.boundary import boundary_counts
from bench.evaluation.boundary_scores import DIVISORS, PROTOCOLS, STORED, VOID_RULES, boundary_f1, boundary_tolerance_px
from bench.evaluation.region_scores import AVERAGES, region_scores
from bench.profiling.neighbours import SHORT_S
from bench.profiling.timing import MAX_WINDOWS, PAPER_PROTOCOLS, STEADY, WINDOW
from bench.replication.conditions import BUSY_SHARE
from bench.reporting.definitions.average_pictures import MATRIX, scene_maps
from bench.reporting.definitions.explain import ALIASES, DEFINITIONS, by_group, definition_of, undefined
from bench.reporting.definitions.match_picture import CROP, match_maps, match_radius, matched_pairs, near_pixels
from bench.reporting.definitions.picture_canvas import boundary_mask
from bench.reporting.definitions.pictures import PICTURES, boundary_maps, write_pictures
from bench.results.schema import CHECKERBOARD_METRICS, COST_METRICS, REFINEMENT_METRICS
from bench.scoring.regions import REGION_RULES
from bench.study.catalog import METRIC_TITLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
MEMORY_KINDS = ("resident_set", "cuda_allocated", "cuda_reserved", "device_process")


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("bench.study.catalog.METRIC_TITLES", METRIC_TITLES),
        ("bench.results.schema.COST_METRICS", COST_METRICS),
        ("bench.evaluation.boundary_scores.STORED", STORED),
        ("bench.evaluation.boundary_scores.VOID_RULES", VOID_RULES),
        ("bench.evaluation.boundary_scores.DIVISORS", DIVISORS),
        ("bench.evaluation.region_scores.AVERAGES", AVERAGES),
        ("bench.scoring.regions.REGION_RULES", REGION_RULES),
        ("bench.profiling.timing.PAPER_PROTOCOLS", ("interleaved", *PAPER_PROTOCOLS)),
        ("bench.results.schema.REFINEMENT_METRICS", REFINEMENT_METRICS),
        ("bench.results.schema.CHECKERBOARD_METRICS", CHECKERBOARD_METRICS),
        ("the memory kinds", MEMORY_KINDS),
        ("the marks and per-class values", ("disturbed", "accuracy", "iou", "class_frequency", "class_weight")),
    ],
)
def test_everything_that_is_reported_is_defined(what, names):
    assert undefined(list(names)) == [], f"without a definition in bench/reporting/definitions, see {what}"


def test_a_name_without_a_definition_is_pointed_at():
    assert undefined(["mean_iou", "mIoU", "joules_per_image"]) == ["joules_per_image"]


def test_a_definition_says_what_and_from_where():
    for definition in DEFINITIONS.values():
        assert definition.meaning.endswith("."), definition.name
        assert definition.source.startswith(("paper", "released script", "other:")), definition.name
        assert definition.title
        for text in (definition.meaning, definition.divides_by, definition.edge_cases, definition.deviation):
            assert "  " not in text, definition.name
            assert "—" not in text, definition.name


def test_void_and_divisor_are_said_of_every_score():
    for name in (*METRIC_TITLES, *STORED):
        assert DEFINITIONS[name].void, name
        assert DEFINITIONS[name].divides_by, name


def test_stored_protocols_are_defined_with_their_void_rule():
    for name, (_, void) in STORED.items():
        assert DEFINITIONS[name].void.lower().startswith(void), name


def test_numbers_in_the_texts_are_those_of_the_code(study):
    for name, protocol in PAPER_PROTOCOLS.items():
        assert f"{protocol.passes} forward" in DEFINITIONS[name].meaning
        assert ("backward" in DEFINITIONS[name].meaning) == protocol.backward
    timings = [profile.timing for profile in study.profiles.values()]
    timings += [run.timing for suite in study.suites.values() for run in suite.runs.values() if run.timing]
    assert {(timing.rounds, timing.iterations) for timing in timings} == {(3, 30), (3, 5)}
    assert "3 rounds of 30 passes; of 5 where" in DEFINITIONS["interleaved"].meaning
    assert "of all rounds, 90 of them, or 15" in DEFINITIONS["interleaved"].divides_by
    few = [name for name, suite in study.suites.items() for run in suite.runs.values() if run.timing]
    assert set(few) == {"cost"}
    assert f"more than {100 * BUSY_SHARE:g} %" in DEFINITIONS["disturbed"].meaning
    assert f"after {WINDOW * MAX_WINDOWS} passes" in DEFINITIONS["disturbed"].meaning
    steady = f"window of {WINDOW} passes is steady if its median is at least {100 * STEADY:g} %"
    assert steady in DEFINITIONS["disturbed"].edge_cases
    assert f"less than {SHORT_S:g} s" in DEFINITIONS["disturbed"].edge_cases


def test_groups_are_whole():
    groups = [group for group, _ in by_group()]
    assert len(groups) == len(set(groups))
    assert sum(len(members) for _, members in by_group()) == len(DEFINITIONS)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mean_iou", "mean_iou"),
        ("MEAN-IOU", "mean_iou"),
        ("G", "global_accuracy"),
        ("bf", "boundary_f1"),
        ("Paper_Void-Masked", "paper-void-masked"),
        ("fixed", "authors"),
        ("table1", "table-1"),
    ],
)
def test_a_definition_is_found_by_any_spelling(given, name):
    assert definition_of(given).name == name


def test_no_two_spellings_are_one():
    plain = [re.sub("[-_]", "", name).lower() for name in (*DEFINITIONS, *ALIASES)]
    assert len(plain) == len(set(plain))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown metric 'mean_iu', did you mean 'mean_iou'\?; known: .*davis"):
        definition_of("mean_iu")


def test_the_command_prints_all_or_one():
    everything = CliRunner().invoke(explain, ["metrics"])
    assert everything.exit_code == 0
    for definition in DEFINITIONS.values():
        assert f"{definition.name}  {definition.title}" in everything.output
    assert max(map(len, everything.output.splitlines())) <= 80
    one = CliRunner().invoke(explain, ["metrics", "Mean-IoU"]).output
    assert one.startswith("mean_iou  mIoU")
    assert "source" in one
    assert "global_accuracy" not in one


def test_the_command_refuses_a_name_beside_pictures(tmp_path):
    result = CliRunner().invoke(explain, ["metrics", "BF", "--pictures", str(tmp_path)])
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == "--pictures writes all pictures; leave out the name 'BF'"


def test_definitions_are_printed_without_torch_numba_and_pandas():
    code = (
        "import sys\nfrom bench.cli.explain import explain\nexplain(['metrics'], standalone_mode=False)\n"
        "sys.exit(', '.join({'torch', 'numba', 'pandas', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_pictures_are_written_and_equal_each_time(tmp_path):
    first, again = write_pictures(tmp_path / "1"), write_pictures(tmp_path / "2")
    assert [path.stem for path in first] == list(PICTURES)
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
        with Image.open(one) as picture:
            assert picture.format == "PNG"
            assert len(np.unique(np.asarray(picture))) > 10
    assert len(list((tmp_path / "1").iterdir())) == len(PICTURES)


def test_the_pictures_of_the_page_are_those_that_are_drawn(tmp_path):
    """As near as other fonts let them be, and the few pixels with which tests draw."""
    for path in write_pictures(tmp_path):
        with Image.open(path) as drawn, Image.open(ROOT / "docs/figures" / path.name) as shown:
            assert shown.width == 6 * drawn.width, path.name  # 300 dpi
            assert abs(shown.height - 6 * drawn.height) < 6, path.name
            small = shown.convert("L").resize(drawn.size, Image.Resampling.BOX)
            pixels = [np.asarray(picture, np.float64) for picture in (drawn.convert("L"), small)]
        assert np.abs(pixels[0] - pixels[1]).mean() < 12, path.name  # two of them differ by 21 and more


def test_pictures_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match="cannot be written"):
        write_pictures(tmp_path / "file")


@pytest.mark.parametrize("masked", [False, True])
def test_the_drawn_boundary_follows_the_block_rule(masked):
    maps = boundary_maps()
    for name, classes in maps.items():
        labels = maps["void"] if name in ("void", "prediction") else classes
        found = boundary_mask(classes, labels, 1, 2, masked=masked)
        for y, x in np.ndindex(classes.shape):
            block = classes[y : y + 2, x : x + 2] == 1
            touches = masked and (labels[y : y + 2, x : x + 2] == IGNORE_INDEX).any()
            assert found[y, x] == (block.any() and not block.all() and not touches)


def drawn_boundaries():
    labels, prediction = match_maps()
    return [boundary_mask(classes, labels, 1, 2, masked=False) for classes in (prediction, labels)]


def test_the_picture_of_matches_shows_the_whole_boundary():
    for mask in drawn_boundaries():
        assert mask[CROP].sum() == mask.sum()
    assert boundary_tolerance_px(120, 160) == 1.5


def test_the_drawn_pairs_are_a_largest_matching():
    predicted, label = drawn_boundaries()
    pairs = matched_pairs(predicted, label, match_radius("paper", 120, 160))
    lefts, rights = zip(*pairs, strict=True)
    assert len(set(lefts)) == len(set(rights)) == len(pairs) == 16
    assert all((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 <= 2.25 for a, b in pairs)
    labels, prediction = match_maps()
    assert boundary_counts(labels[None], prediction[None], 2)[0, 1].tolist() == [34, 20, 16, 16]


@pytest.mark.parametrize("seed", range(5))
def test_pairs_equal_the_maximum_flow(seed):
    predicted, label = np.random.default_rng(seed).random((2, 9, 9)) < 0.3
    lefts, rights = np.argwhere(predicted), np.argwhere(label)
    near = ((lefts[:, None] - rights[None]) ** 2).sum(axis=2) <= 2
    size = 2 + len(lefts) + len(rights)
    capacity = np.zeros((size, size), np.int32)
    capacity[0, 1 : 1 + len(lefts)] = 1
    capacity[1 : 1 + len(lefts), 1 + len(lefts) : -1] = near
    capacity[1 + len(lefts) : -1, -1] = 1
    flow = maximum_flow(csr_array(capacity), 0, size - 1).flow_value
    assert len(matched_pairs(predicted, label, 1.5)) == flow


@pytest.mark.parametrize("protocol", PROTOCOLS[1:])
def test_drawn_disks_cover_what_is_counted(protocol):
    predicted, label = drawn_boundaries()
    labels, prediction = match_maps()
    radius = match_radius(protocol, 120, 160)
    near = [near_pixels(predicted, label, radius).sum(), near_pixels(label, predicted, radius).sum()]
    assert boundary_counts(labels[None], prediction[None], 2, protocol)[0, 1, 2:].tolist() == near


def test_the_page_states_the_numbers_of_its_pictures():
    labels, prediction = match_maps()
    shown = [
        boundary_f1(boundary_counts(labels[None], prediction[None], 2, protocol)).class_boundary_f1[1]
        for protocol in PROTOCOLS
    ]
    assert "F1 is {:.1f} %, {:.1f} % and {:.1f} %".format(*(100 * value for value in shown)) in PAGE.replace("\n", " ")
    labels, prediction = scene_maps()
    counts = boundary_counts(labels[None], prediction[None], 4)
    union, gt = (100 * boundary_f1(counts, divisor).boundary_f1 for divisor in DIVISORS)
    assert f"image {union:.1f} percent; gt averages three, {gt:.1f} percent" in PAGE
    rules = [region_scores(MATRIX, average) for average in AVERAGES]
    (c, iou), (c2, iou2) = ((100 * rule.class_average_accuracy, 100 * rule.mean_iou) for rule in rules)
    assert f"C is {c:.1f} and mIoU {iou:.1f}, under present C is {c2:.1f} and mIoU {iou2:.1f}" in PAGE


def test_the_page_defines_every_name_and_shows_every_picture():
    assert [name for name in DEFINITIONS if f"`{name}`" not in PAGE] == []
    for name in PICTURES:
        assert f"](figures/{name}.png)" in PAGE
        assert (ROOT / f"docs/figures/{name}.png").is_file()


def test_the_page_has_the_rescored_table_of_all_protocols():
    words = ["rescore", "--suite", "decoder-variants", "--profile", "mini", "--protocol", "all", "--format", "markdown"]
    done = CliRunner().invoke(main, ["--config", str(ROOT / "bench.yaml"), *words, "--results", str(ROOT / "results")])
    assert done.exit_code == 0, done.output
    rows = [line for line in done.output.splitlines() if line.startswith("|")]
    assert [row.replace(" †", "") for row in rows] == rescored(), "run python docs/refresh.py"
    assert len(rescored()) == 2 + 2 * 8 + 2  # the head, both halves of Table 1, two networks with the authors' weights


def rescored():
    """Returns the lines of the page's table."""
    block = re.search(r"<!-- rescore: begin -->\n(.*)<!-- rescore: end -->", PAGE, re.DOTALL)[1]
    return [line for line in block.splitlines() if line.startswith("|")]


def test_the_ranges_in_the_text_are_those_of_the_table():
    heads, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in rescored())

    def moved(name):
        column = heads.index(f"BF {name}")
        found = [float(row[column].split()[0]) - float(row[heads.index("BF paper")].split()[0]) for row in rows]
        return min(found), max(found)

    text = " ".join(PAGE.split())
    near, wide, void = (moved(name) for name in ("distance", "davis", "paper-void-masked"))
    assert f"in place of one to one adds {near[0]:.2f} to {near[1]:.2f} points" in text
    assert f"rounded up to whole pixels {wide[0]:.2f} to {wide[1]:.2f};" in text
    assert f"that touch void changes it by {void[0]:+.2f} to {void[1]:+.2f}.".replace("-", "−") in text
