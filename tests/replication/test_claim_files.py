"""What is wrong with a file of claims is one line with the file, its line and the claim."""

from pathlib import Path

import pytest

from bench.errors import ConfigError
from bench.replication.claim_file import BOUNDS, read_claims

GOOD = """
lists:
  nets: [segnet, fcn]
places:
  T3: {table: T3, weighting: natural_frequency, split: test}
claims:
  X-1:
    section: "4.1"
    statement: One is better.
    tests:
      - {kind: ordering, in: T3, metric: mean_iou, over: segnet, under: fcn}
"""
TEST = "{kind: ordering, in: T3, metric: mean_iou, over: segnet, under: fcn}"


def read(folder: Path, text: str):
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return read_claims(path)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (found,) = read(tmp_path, GOOD).values()
    assert (found.id, found.section, found.statement, found.tables) == ("X-1", "4.1", "One is better.", ("T3",))
    assert (found.threshold, found.note, found.no_number, found.comparisons) == ("", "", "", 1)
    assert [part.question for part in found.parts] == ["T3 test mIoU at the end: SegNet > FCN"]


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{kind: order, in: T3, metric: mean_iou, over: segnet, under: fcn}",
         r"claims\.X-1\.tests\[0\]\.kind: unknown kind 'order', did you mean 'ordering'\?; known: ordering, margin"),
        ("{kind: ordering, in: T4, metric: mean_iou, over: segnet, under: fcn}",
         r"X-1\.tests\[0\]\.in: unknown place 'T4'.*known: T3"),
        ("{kind: ordering, table: T1, metric: mean_iou, over: segnet_basic, under: fcn_basic}",
         r"table T1 prints no number for segnet_basic, mean_iou; it needs `weighting` \(median_frequency, "
         r"natural_frequency\) and `split` \(test, train\)$"),
        ("{kind: ordering, table: T1, split: test, metric: mean_iou, over: segnet_basic, under: fcn_basic}",
         r"prints no number for segnet_basic, mean_iou, test; it needs `weighting` \(median_frequency, natural_f"),
        ("{kind: ordering, table: T7, metric: mean_iou, over: segnet, under: fcn}",
         r"X-1\.tests\[0\]: unknown table 'T7', did you mean 'T[1-6]'\?; known: T1, T2, T3, T4, T5, T6"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: segnett, under: fcn}",
         r"unknown row of table T3 'segnett', did you mean 'segnet'\?; known: segnet, "),
        ("{kind: ordering, in: T3, metric: mean_iuo, over: segnet, under: fcn}",
         r"unknown column of table T3 'mean_iuo', did you mean 'mean_iou'\?"),
        ("{kind: ordering, in: T3, metric: parameters, over: segnet, under: fcn}",
         r"unknown column of table T3 'parameters'.*known: max_iterations, global_accuracy"),
        ("{kind: ordering, in: T3, budget: 50K, metric: mean_iou, over: segnet, under: fcn}",
         r"unknown budget of table T3 '50K', did you mean '[48]0K'\?; known: 40K, 80K, final"),
        ("{kind: ordering, in: T3, weighting: median_frequency, metric: mean_iou, over: segnet, under: fcn}",
         r"unknown weighting of table T3 'median_frequency'.*known: natural_frequency"),
        ("{kind: ordering, in: T3, split: train, metric: mean_iou, over: segnet, under: fcn}",
         r"unknown split of table T3 'train'; known: test"),
        ("{kind: ordering, in: T3, class_name: Sky, metric: mean_iou, over: segnet, under: fcn}",
         r"X-1\.tests\[0\]: table T3 has no class, got 'Sky'"),
        ("{kind: ordering, in: T3, budget: 40K, metric: mean_iou, over: segnet, under: deeplab_largefov_dense_crf}",
         r"table T3 prints no number for deeplab_largefov_dense_crf, mean_iou, natural_frequency, test, 40K"),
        ("{kind: ordering, in: T3, budget: 40K, metric: mean_iou, over: segnet, under: deeplab_largefov_dense_crf, "
         "skip_unprinted: true}", r"tests\[0\]: the paper prints none of the numbers of one side"),
        ("{kind: ordering, in: T3, metric: max_iterations, over: segnet, under: fcn}",
         r"table T3 prints no number for segnet, max_iterations, natural_frequency, test"),
        ("{kind: ordering, in: T3, over: segnet, under: fcn}", r"X-1\.tests\[0\]: needs a metric"),
        ("{kind: ordering, metric: mean_iou, over: segnet, under: fcn}", r"X-1\.tests\[0\]: needs a table"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: {budget: 40K}, under: fcn}",
         r"X-1\.tests\[0\]: needs a row"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: segnet}",
         r"kind ordering has over and under, and `under` is missing"),
        ("{kind: range, in: T3, metric: mean_iou, over: segnet, under: fcn, below: 3}",
         r"kind range has of, not over"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: segnet, under: fcn, of: fcn}",
         r"has over and under, not of"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: nets, under: fcn}",
         r"X-1\.tests\[0\]: compares fcn, mean_iou, natural_frequency, test with itself"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: [segnet, segnet], under: fcn}",
         r"tests\[0\]\.over\.?\w*: names something twice"),
        ("{kind: ordering, in: T3, metric: [], over: segnet, under: fcn}",
         r"tests\[0\]\.metric: must be a text or a list of texts, got a list"),
        ("{kind: ordering, in: T3, metric: 5, over: segnet, under: fcn}",
         r"tests\[0\]\.metric: must be a text or a list of texts, got 5"),
        ("{kind: ordering, in: T3, metrics: mean_iou, over: segnet, under: fcn}",
         r"tests\[0\]\.metrics: unknown key 'metrics', did you mean 'metric'\?"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: {rows: segnet}, under: fcn}",
         r"tests\[0\]\.over\.rows: unknown key 'rows', did you mean 'row'\?"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: 1}",
         r"tests\[0\]\.at_least: kind ordering has no bound, not at_least"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn}",
         r"tests\[0\]: kind margin needs a bound: at_least, above, at_most, below"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, within: 1}",
         r"kind margin has at_least, above, at_most, below, not within"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: one}",
         r"tests\[0\]\.at_least: must be a number, got 'one'"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: .nan}",
         r"tests\[0\]\.at_least: must be a number, got nan"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: true}",
         r"tests\[0\]\.at_least: must be a number, got true"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: 1, above: 2}",
         r"tests\[0\]: at_least and above contradict each other"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: 3, at_most: 2}",
         r"tests\[0\]: no number is at_least 3 and at_most 2"),
        ("{kind: margin, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: 3, below: 3}",
         r"tests\[0\]: no number is at_least 3 and below 3"),
        ("{kind: equivalence, in: T3, metric: mean_iou, over: segnet, under: fcn, within: -1}",
         r"tests\[0\]\.within: must not be negative, got -1"),
        ("{kind: count, in: T3, metric: mean_iou, over: segnet, under: fcn, at_least: 1}",
         r"kind count needs several cases: a list beside over and under"),
        ("{kind: ordering, table: T6, metric: forward_ms, sum_of: [backward_ms], over: segnet, under: deconvnet}",
         r"tests\[0\]\.sum_of: stands in place of `metric`"),
        ("{kind: ordering, table: T6, sum_of: [forward_ms, model_size_mb], over: segnet, under: deconvnet}",
         r"tests\[0\]: compares numbers in ms and MB"),
        ("{kind: ordering, table: T6, row: segnet, over: {metric: forward_ms}, under: {metric: model_size_mb}}",
         r"tests\[0\]: compares numbers in ms and MB"),
        ("{kind: ratio, table: T1, metric: storage_multiplier, over: fcn_basic, under: bilinear_interpolation, "
         "below: 1}",
         r"tests\[0\]: divides by the 0 of bilinear_interpolation"),
        ("{kind: ordering, in: T3, metric: mean_iou, over: segnet, under: fcn, skip_unprinted: yes}",
         r"tests\[0\]\.skip_unprinted: must be true or false, got 'yes'"),
        ("{kind: margin, in: T3, metric: mean_iou, than: boundary_f1, over: segnet, under: fcn, above: 0}",
         r"tests\[0\]\.than: kind margin has no than; kind excess has"),
        ("{kind: excess, in: T3, metric: mean_iou, over: segnet, under: fcn, above: 0}",
         r"tests\[0\]: kind excess needs `metric` and, to be exceeded, `than`, all of them printed"),
        ("{kind: excess, in: T3, sum_of: [mean_iou], than: boundary_f1, over: segnet, under: fcn, above: 0}",
         r"tests\[0\]: kind excess needs `metric` and"),
        ("{kind: excess, in: T3, metric: mean_iou, than: [boundary_f1, mean_iou], over: segnet, under: fcn, above: 0}",
         r"tests\[0\]\.than: is to be another metric than mean_iou"),
        ("{kind: excess, in: T3, metric: mean_iou, than: boundary_f1, over: segnet, under: fcn}",
         r"tests\[0\]: kind excess needs a bound: at_least, above, at_most, below"),
        ("{kind: excess, table: T6, metric: forward_ms, than: model_size_mb, over: segnet, under: deconvnet, above: 0}",
         r"tests\[0\]: compares numbers in ms and MB"),
        ("segnet > fcn", r"X-1\.tests\[0\]: must be a mapping, got 'segnet > fcn'"),
    ],
)  # fmt: skip
def test_a_bad_test_is_told_in_one_line(tmp_path: Path, test: str, message: str) -> None:
    text = GOOD.replace(TEST, test)
    if any(f"{bound}:" in test for bound in BOUNDS):
        text = text.replace("    tests:", "    threshold: ours\n    tests:")
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)
    assert f"{tmp_path / 'mine.yaml'}:" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (GOOD, "", "mine.yaml: empty; it must hold a mapping"),
        (GOOD, "lists: {}", "needs `claims`, by id"),
        (GOOD, "claims: [X-1]", "claims: must be a mapping, got a list"),
        ("lists:", "list:", r"unknown key 'list', did you mean 'lists'\?; known: lists, places, claims"),
        ("nets: [segnet, fcn]", "nets: segnet", r"lists\.nets: must be a text or a list of texts, got 'segnet'"),
        ("{table: T3, ", "{tables: T3, ", r"places\.T3\.tables: unknown key 'tables', did you mean 'table'\?"),
        ('    section: "4.1"\n', "", "claims.X-1: needs a section"),
        ('section: "4.1"', "section: 4.1", r"claims\.X-1\.section: must be a text, got 4\.1"),
        ("    statement: One is better.\n", "", "claims.X-1: needs a statement"),
        ("statement:", "statment:", r"claims\.X-1\.statment: unknown key 'statment', did you mean 'statement'\?"),
        (f"    tests:\n      - {TEST}", "", "X-1: needs either `tests` or `no_number`"),
        ("    tests:", "    no_number: none\n    table: T3\n    tests:", "X-1: needs either `tests` or `no_number`"),
        (f"    tests:\n      - {TEST}", "    no_number: none", "X-1: needs a table"),
        (f"    tests:\n      - {TEST}", "    no_number: none\n    table: T9", "X-1.table: unknown table 'T9'"),
        (f"tests:\n      - {TEST}", f"tests: {TEST}", r"X-1\.tests: must be a list of tests, got a mapping"),
        ("    tests:", "    threshold: ours\n    tests:", r"X-1\.threshold: none of the tests names a number"),
        ("ordering", "equivalence, within: 1", "X-1: needs `threshold: ours` or `threshold: paper`"),
        ("  X-1:", '  "X\\u0001":', "an id has 1 to 40 printable characters"),
        ("claims:\n", f"claims:\n  X-1: {{section: s, statement: t, tests: [{TEST}]}}\n",
         r"mine\.yaml:8: claims: key 'X-1' appears twice, first on line 7"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=message) as error:
        read(tmp_path, GOOD.replace(old, new))
    assert "\n" not in str(error.value)


def test_a_test_that_compares_too_much_is_refused(tmp_path: Path) -> None:
    names = ", ".join(f"a{number}" for number in range(40))
    test = f"{{kind: ordering, in: T3, metric: mean_iou, over: [{names}], under: [{names}]}}"
    with pytest.raises(ConfigError, match="makes 1600 comparisons; 1000 are the most"):
        read(tmp_path, GOOD.replace(TEST, test))


def test_of_many_names_those_that_are_like_the_given_one_come_first(tmp_path: Path) -> None:
    places = "".join(f"  place {number}: {{table: T3}}\n" for number in range(20))
    text = GOOD.replace("places:\n", f"places:\n{places}  elsewhere: {{table: T3}}\n").replace("in: T3", "in: elswhere")
    with pytest.raises(ConfigError, match="did you mean 'elsewhere'.; known: elsewhere, .* and 10 more$") as error:
        read(tmp_path, text)
    assert str(error.value).partition("known: ")[2].count(",") == 11


def test_a_file_without_places_says_so(tmp_path: Path) -> None:
    text = GOOD[GOOD.index("claims:") :]
    with pytest.raises(ConfigError, match="unknown place 'T3'; the file defines no place$"):
        read(tmp_path, text)


def test_there_has_to_be_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere.yaml: no such file"):
        read_claims(tmp_path / "nowhere.yaml")


def test_nothing_in_a_file_is_evaluated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tag .* is not allowed"):
        read(tmp_path, GOOD.replace("One is better.", "!!python/name:os.system x"))
    (found,) = read(tmp_path, GOOD.replace("One is better.", "__import__('os').getcwd()")).values()
    assert found.statement == "__import__('os').getcwd()"
