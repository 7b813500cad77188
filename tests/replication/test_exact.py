"""Two results folders, bit for bit: what counts, what cannot repeat, what is refused."""

import math
import re
import struct

import pandas as pd
import pytest
from click.testing import CliRunner
from results_factory import ROOT, constants, outdated, trials

from bench.cli import main
from bench.errors import ResultsError
from bench.replication.exact import CONDITIONS, Comparison, compare_exactly
from bench.results.schema import COLUMNS
from bench.results.store import load_results, path_of
from bench.results.trial_file import write_trial
from bench.study.config import load_study
from bench.study.trials import plan

MACHINE = {
    "device": "cpu",
    "device_name": "a processor",
    "threads": 2,
    "kernels": "AVX2",
    "torch": "2.6.0",
    "numpy": "2.1.0",
    "precision": "bf16",
    "channels_last": True,
    "determinism": "strict",
    "dataset_digest": "0123456789abcdef",
}
PLANNED = trials()
TRAINING, OTHER, COST = PLANNED[0], PLANNED[1], PLANNED[-1]
LOSS = {"record": "curve", "metric": "loss", "iteration": 1, "unit": "nat", "value": 2.0}
ROWS = [
    LOSS,
    {"record": "class_score", "metric": "iou", "split": "val", "iteration": 100, "class_name": "A", "value": 0.25},
    {"record": "class_score", "metric": "iou", "split": "val", "iteration": 100, "class_name": "B", "value": math.nan},
    {"record": "image_boundary", "metric": "label_pixels", "image": "a", "class_name": "Sky", "value": 7.0},
    {"record": "image_boundary", "metric": "label_pixels", "image": "b", "class_name": "Sky", "value": 8.0},
    {"record": "image_confusion", "metric": "pixels", "image": "a", "class_name": "Sky", "predicted_class": "Car",
     "value": 9.0},
]  # fmt: skip


def store(folder, trial, rows=ROWS, **changes):
    write_trial(path_of(folder, trial), constants(trial, **(MACHINE | changes)), rows)


@pytest.fixture(autouse=True)
def whatever_is_stored(monkeypatch):
    """Lets files hold values that no trial stores, so that every column is seen to count."""
    monkeypatch.setattr("bench.results.trial_file.check_contents", lambda table, path: None)


@pytest.fixture
def ours(tmp_path):
    return tmp_path / "ours"


@pytest.fixture
def theirs(tmp_path):
    return tmp_path / "theirs"


def compared(ours, theirs, planned=(TRAINING,)) -> list[Comparison]:
    return compare_exactly(*(load_results(folder, without=()).rows for folder in (ours, theirs)), planned)


def outcome(ours, theirs, mine, other, trial=TRAINING) -> Comparison:
    store(ours, trial, mine)
    store(theirs, trial, other)
    (found,) = compared(ours, theirs, [trial])
    return found


def test_the_same_values_are_identical_in_whatever_order(ours, theirs):
    assert outcome(ours, theirs, ROWS, ROWS[::-1]) == Comparison(TRAINING.id, "identical", 6)


def test_refined_predictions_are_compared_with_refined_ones(ours, theirs):
    own = {"record": "score", "metric": "mean_iou", "split": "test", "iteration": 100, "value": 0.25}
    refined = own | {"refinement": "dense_crf", "value": 0.5}
    assert outcome(ours, theirs, [own, refined], [refined, own]).state == "identical"
    found = outcome(ours, theirs, [own, refined], [own, refined | {"value": 0.75}])
    assert "iteration 100 refinement dense_crf: 0.5 here, 0.75 there; 1 of 2 values differ" in found.detail


@pytest.mark.parametrize("row", range(len(ROWS)))
def test_the_last_bit_of_any_value_counts(ours, theirs, row):
    changed = [dict(values) for values in ROWS]
    value = changed[row]["value"]
    changed[row]["value"] = 0.0 if math.isnan(value) else math.nextafter(value, math.inf)
    found = outcome(ours, theirs, ROWS, changed)
    assert found.state == "differs"
    assert f"{value!r} here, {changed[row]['value']!r} there; 1 of 6 values differ" in found.detail


def test_the_first_difference_says_where(ours, theirs):
    found = outcome(ours, theirs, ROWS, [row | {"value": 1.5} for row in ROWS])
    assert found.detail == "record curve metric loss iteration 1: 2.0 here, 1.5 there; 6 of 6 values differ"


@pytest.mark.parametrize("column", ["split", "protocol", "class_name", "predicted_class", "image", "metric", "record"])
def test_a_value_at_another_place_is_another_value(ours, theirs, column):
    found = outcome(ours, theirs, [*ROWS, LOSS | {"iteration": 2}], [*ROWS, LOSS | {"iteration": 2, column: "x"}])
    assert "2.0 here, no value there; 2 of 8 values differ" in found.detail


def test_a_value_that_is_there_twice_on_one_side_differs(ours, theirs):
    assert "2.0 here, no value there; 1 of 7 values differ" in outcome(ours, theirs, [*ROWS, LOSS], ROWS).detail


def test_zero_and_minus_zero_differ_and_all_nans_are_the_same(ours, theirs):
    odd_nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000123))[0]
    assert outcome(ours, theirs, [LOSS | {"value": odd_nan}], [LOSS | {"value": math.nan}]).state == "identical"
    assert outcome(ours, theirs, [LOSS | {"value": 0.0}], [LOSS | {"value": -0.0}]).state == "differs"


COSTS = {"record": "cost", "protocol": "x"}
NEVER_THE_SAME = ["forward_ms", "forward_ms_p25", "backward_ms_p75", "backward_ms_n", "training_peak_mib"]


@pytest.mark.parametrize("metric", NEVER_THE_SAME)
def test_times_and_memory_do_not_count(ours, theirs, metric):
    rows = [
        [COSTS | {"metric": "parameters", "value": 9.0}, COSTS | {"metric": metric, "value": v}] for v in (1.0, 2.0)
    ]
    assert outcome(ours, theirs, *rows, trial=COST) == Comparison(COST.id, "identical", 1)


@pytest.mark.parametrize("metric", ["parameters", "stored_encoder_mib", "forward_flops"])
def test_costs_that_are_counted_do(ours, theirs, metric):
    rows = [[COSTS | {"metric": metric, "value": value}] for value in (1.0, 2.0)]
    assert outcome(ours, theirs, *rows, trial=COST).state == "differs"


def test_the_speed_of_a_training_does_not_count(ours, theirs):
    speed = LOSS | {"metric": "images_per_s"}
    assert outcome(ours, theirs, [LOSS, speed], [LOSS, speed | {"value": 3.0}]).values == 1


@pytest.mark.parametrize("column", [*CONDITIONS, "dataset_digest"])
def test_other_conditions_are_refused_by_name_and_values(ours, theirs, column):
    now = MACHINE[column]
    other = not now if isinstance(now, bool) else now + 1 if isinstance(now, int) else "else"
    store(ours, TRAINING)
    store(theirs, TRAINING, **{column: other})
    message = f"^{re.escape(TRAINING.id)} cannot be compared bit for bit: {column} {now} here, {other} there$"
    with pytest.raises(ResultsError, match=message):
        compared(ours, theirs)


@pytest.mark.parametrize("column", CONDITIONS)
def test_unknown_conditions_are_refused(ours, theirs, column):
    for folder in (ours, theirs):
        store(folder, TRAINING, **{column: None})
    with pytest.raises(ResultsError, match=f"{column} unknown here, unknown there$"):
        compared(ours, theirs)


def test_all_reasons_are_given_and_the_other_trials_counted(ours, theirs):
    for trial in (TRAINING, OTHER):
        store(ours, trial)
        store(theirs, trial, threads=4, torch="2.7.0")
    reasons = r"threads 2 here, 4 there; torch 2\.6\.0 here, 2\.7\.0 there \(1 more are refused\)$"
    with pytest.raises(ResultsError, match=reasons):
        compared(ours, theirs, [TRAINING, OTHER])


def test_another_source_is_refused_by_the_name_of_its_file(ours, theirs):
    store(ours, TRAINING)
    store(theirs, outdated(TRAINING, "bench/training/loop.py"))
    digests = f"digest {TRAINING.digest} here, {outdated(TRAINING).digest} there"
    with pytest.raises(ResultsError, match=rf"{digests}; changed since the run there: bench/training/loop\.py$"):
        compared(ours, theirs)


def test_the_present_configuration_is_compared_where_there_are_several_and_else_the_latest(ours, theirs):
    before, long_before = outdated(TRAINING), outdated(TRAINING, "bench/training/order.py")
    store(ours, TRAINING)
    store(ours, before, started_at="2027-01-01T00:00:00+00:00")
    store(theirs, TRAINING)
    assert compared(ours, theirs)[0].state == "identical"
    path_of(ours, TRAINING).unlink()
    path_of(theirs, TRAINING).unlink()
    store(ours, long_before, [], started_at="2025-01-01T00:00:00+00:00")
    store(theirs, before)
    assert compared(ours, theirs) == [Comparison(TRAINING.id, "identical", 6)]


def test_a_training_that_went_on_under_other_conditions_is_refused(ours, theirs):
    store(ours, TRAINING, resumptions="300; 450")
    store(theirs, TRAINING)
    assert compared(ours, theirs)[0].state == "identical"
    store(theirs, TRAINING, resumptions="300; 450 (threads 4, now 2)")
    with pytest.raises(ResultsError, match=r"resumed there under other conditions: 300; 450 \(threads 4, now 2\)$"):
        compared(ours, theirs)


def test_only_strict_determinism_promises_the_same_bits(ours, theirs):
    for folder, value in ((ours, 1.0), (theirs, 2.0)):
        store(folder, TRAINING, [LOSS | {"value": value}], determinism="seeded")
    assert compared(ours, theirs)[0].detail.endswith("; determinism is seeded, only strict promises the same bits")


def test_what_is_done_on_one_side_only_is_missing(ours, theirs):
    for trial in (TRAINING, OTHER):
        store(ours, trial)
    store(theirs, TRAINING)
    store(theirs, OTHER, status="diverged")
    store(theirs, COST)
    assert compared(ours, theirs, PLANNED) == [
        Comparison(TRAINING.id, "identical", 6),
        Comparison(OTHER.id, "missing", 0, "done here only"),
        Comparison(COST.id, "missing", 0, "done there only"),
    ]


def test_nothing_in_common_is_nothing_to_compare(ours, theirs):
    store(ours, TRAINING)
    store(theirs, OTHER)
    with pytest.raises(
        ResultsError, match=r"of 24 trials of suite .*, 1 are done here, 1 are done there and none on b"
    ):
        compared(ours, theirs, PLANNED)
    empty = pd.DataFrame(columns=[column.name for column in COLUMNS])
    with pytest.raises(ResultsError, match="0 are done here, 0 are done there"):
        compare_exactly(empty, empty, PLANNED)


def check(ours, *words):
    command = ["--config", ROOT / "bench.yaml", "check", "--suite", "decoder-variants", "--results", ours, "--exact"]
    return CliRunner().invoke(main, [str(word) for word in (*command, *words)])


def test_exit_codes_and_summary(ours, theirs):
    for folder in (ours, theirs):
        store(folder, TRAINING)
    done = check(ours, "--against", theirs)
    assert done.exit_code == 2, done.output  # nothing is known of the others
    summary = "1 trials identical bit for bit (6 values), 0 different, 0 done on one side only, 23 on none\n"
    assert done.output == summary

    store(ours, OTHER)
    done = check(ours, "--against", theirs)
    assert done.exit_code == 1
    assert f"missing  {OTHER.id}: done here only\n" in done.output
    store(theirs, OTHER, [LOSS])
    done = check(ours, "--against", theirs)
    assert done.exit_code == 1
    assert f"differs  {OTHER.id}: record class_score metric iou split val iteration 100 class_name A: " in done.output

    store(theirs, OTHER, threads=4)
    done = check(ours, "--against", theirs)
    assert done.exit_code == 2
    assert done.stderr == f"error: {OTHER.id} cannot be compared bit for bit: threads 2 here, 4 there\n"

    for folder in (ours, theirs):
        for trial in plan(load_study(ROOT / "bench.yaml"), "decoder-variants", "smoke"):
            store(folder, trial)
    done = check(ours, "--against", theirs)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("24 trials identical bit for bit")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--exact compares two results folders, and 'baseline' is none; name one with --against DIR"),
        (("--against", "paper"), "and 'paper' is none"),
        (("--against", ROOT / "bench.yaml"), "bench.yaml' is none"),
        (("--against", ROOT, "--update-baseline"), "--exact only compares; leave out --update-baseline and --reason"),
        (("--against", ROOT, "--reason", "why"), "--exact only compares"),
    ],
)
def test_wrong_use_is_one_line(ours, words, message):
    done = check(ours, *words)
    assert done.exit_code == 4
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_damaged_file_is_named_and_its_trial_is_missing(ours, theirs):
    for trial in (TRAINING, OTHER):
        store(ours, trial)
        store(theirs, trial)
    path_of(theirs, OTHER).write_bytes(b"PAR1 nothing")
    done = check(ours, "--against", theirs)
    assert done.exit_code == 1
    assert f"warning: '{path_of(theirs, OTHER)}' cannot be read" in done.stderr
    assert "1 done on one side only" in done.output
