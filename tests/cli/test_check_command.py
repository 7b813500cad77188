"""`bench check` as a user or a CI system calls it: exit codes, which suites, what stops it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from results_factory import trials, write
from small_check import ROOT, bench, check_of, fill, small_study, with_sizes_of_the_paper

from bench.study.config import load_study
from bench.study.trials import plan


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_study(tmp_path)


@pytest.fixture
def check(small: Path) -> Callable:
    return partial(check_of, small)


def test_exit_codes_against_a_baseline(small: Path, check: Callable) -> None:
    found = fill(small)
    results = small.parent / "results"
    done = check()
    assert done.exit_code == 4
    assert "write one with --update-baseline --reason TEXT" in done.stderr
    done = check("--update-baseline", "--reason", "first")
    assert (done.exit_code, done.output) == (0, f"baseline: {results}/_baselines/decoder-variants-smoke.csv\n")
    done = check()
    assert done.exit_code == 0, done.output
    assert "against baseline: 30 within, 0 outside\n" in done.output

    hurt = found[3]
    path = write(results, hurt, 0.3)
    done = check()
    assert done.exit_code == 1
    assert "7 outside" in done.output
    write(results, hurt, status="diverged", reason="the loss became nan", selected_iteration=None)
    done = check()
    assert done.exit_code == 3
    assert "1 failed" in done.output
    assert "diverged: the loss became nan" in done.output
    assert (
        f"next: bench --config {small} retry --suite decoder-variants --profile smoke --results {results}"
        in done.output
    )
    path.unlink()
    done = check()
    assert done.exit_code == 2  # although the cell has a value, of the other seed
    assert "1 missing" in done.output
    assert (
        f"next: bench --config {small} run --suite decoder-variants --profile smoke --results {results}" in done.output
    )


def test_no_baseline_of_a_half_finished_suite(small: Path, check: Callable) -> None:
    write(small.parent / "results", plan(load_study(small), "decoder-variants", "smoke")[0])
    done = check("--update-baseline", "--reason", "first")
    assert done.exit_code == 4
    assert "no baseline written: 1 of 10 trials are done" in done.stderr


def test_against_the_paper_the_scale_is_said_and_sizes_are_compared(small: Path, check: Callable) -> None:
    fill(small)
    done = check("--against", "paper", "--no-claims")
    assert done.exit_code == 1  # a thousand parameters
    assert "NOT AT THE PAPER'S SCALE: profile smoke trained on 96 images" in done.output
    assert "28 numbers: profile smoke is not at the paper's scale" in done.output
    assert "claims" not in done.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--suite decoder-variant", r"unknown suite 'decoder-variant', did you mean 'decoder-variants'\?"),
        ("--suite decoder-variants --profile mimi", r"unknown profile 'mimi', did you mean 'mini'\?"),
        ("--suite decoder-variants --results nowhere", r"no results folder 'nowhere'"),
        ("--results nowhere", r"no results of profile smoke in 'nowhere' yet; run `bench run --suite NAME` first"),
        ("--format xml", r"Invalid value for '--format': 'xml' is not one of 'table', 'json', 'junit'.* --help`"),
        ("--strict", r"No such option"),
        ("--suite decoder-variants --out tests", r"--out 'tests' is a folder; name a file"),
        ("--update-baseline --suite decoder-variants", r"--update-baseline needs --reason TEXT"),
        ("--update-baseline --reason why", r"--update-baseline needs --suite NAME"),
        (
            "--update-baseline --suite decoder-variants --reason why --against nonsense",
            r"--update-baseline writes the results as the baseline; leave out --against",
        ),
        ("--reason why", r"--reason goes with --update-baseline"),
        ("--against=", r"--against is empty; name paper, baseline, a file or a folder"),
        ("--no-claims", r"--no-claims goes with --against paper"),
        ("--exact --allow-inconclusive", r"--allow-inconclusive goes with verdicts"),
        ("--exact --format json", r"--exact prints a few lines; leave out --format and --out"),
        (
            "--update-baseline --suite decoder-variants --reason why --out x",
            r"--update-baseline prints a few lines; leave out",
        ),
        ("--suite upsampling --against paper --results tests", r"suite upsampling belongs to no table of the paper"),
    ],
)
def test_what_stops_it_is_one_line_and_exit_code_4(words: str, message: str) -> None:
    done = bench("check", *words.split())
    assert done.exit_code == 4
    line = done.stderr.strip()
    assert "\n" not in line
    assert re.match(rf"error: .*{message}", line)


def test_a_study_that_is_wrong_ends_check_with_4_and_other_commands_with_2(small: Path, check: Callable) -> None:
    small.write_text(small.read_text().replace("mean_iou: 0.02", "mean_iuo: 0.02"))
    assert check().exit_code == 4
    done = bench("--config", small, "list")
    assert done.exit_code == 2
    assert "unknown metric 'mean_iuo', did you mean 'mean_iou'" in done.stderr
    assert bench("--config", "nowhere.yaml", "check").exit_code == 4


def test_a_reference_that_cannot_be_read_is_exit_code_4(small: Path, check: Callable) -> None:
    fill(small)
    reference = small.parent / "other.csv"
    reference.write_text("# segnet-bench baseline 9\n")
    done = check("--against", reference)
    assert (done.exit_code, done.stderr.count("\n")) == (4, 1)
    assert "a baseline of format 9, and this version reads formats 1 to 2" in done.stderr
    done = check("--against", reference, suite=None)
    assert done.exit_code == 4
    assert "is a file, which is of one suite; name it with --suite" in done.stderr


def test_without_a_suite_all_with_results_and_a_reference_are_checked(small: Path, check: Callable) -> None:
    fill(small)
    fill(small, suite="upsampling")
    done = check(suite=None)
    assert done.exit_code == 4  # none of them has a baseline
    assert check("--update-baseline", "--reason", "first").exit_code == 0
    done = check(suite=None)
    assert done.exit_code == 0
    assert "left out: upsampling: has no baseline of profile smoke\n" in done.output
    assert check("--update-baseline", "--reason", "first", suite="upsampling").exit_code == 0
    done = check(suite=None)
    assert re.findall(r"^suite (\S+), profile smoke$", done.output, re.MULTILINE) == ["decoder-variants", "upsampling"]
    done = check("--against", "paper", "--no-claims", "--format", "json", suite=None)
    assert json.loads(done.stdout)["left_out"] == ["upsampling: belongs to no table of the paper"]


def test_another_folder_is_a_reference_for_every_suite_that_it_has(small: Path, check: Callable) -> None:
    fill(small)
    fill(small, suite="upsampling")
    other = small.parent / "other"
    for trial in plan(load_study(small), "decoder-variants", "smoke"):
        write(other, trial, 0.5)
    done = check("--against", other, suite=None)
    assert done.exit_code == 0, done.output
    assert f"left out: upsampling: has no results in '{other}'" in done.output


def test_inconclusive_numbers_pass_where_that_is_allowed(small: Path, check: Callable) -> None:
    small.write_text(small.read_text().replace("smoke: &sizes {", "smoke: &sizes {mean_iou: 0.02, "))
    with_sizes_of_the_paper(small, fill(small))
    words = ("--against", "paper", "--no-claims", "--format", "json")
    strict, allowed = check(*words), check(*words, "--allow-inconclusive")
    for done, code in ((strict, 2), (allowed, 0)):
        found = json.loads(done.stdout)
        assert (found["counts"]["inconclusive"], found["counts"]["within"], found["counts"]["missing"]) == (8, 4, 0)
        assert (done.exit_code, found["exit_code"], found["allow_inconclusive"]) == (code, code, code == 0)


def test_suites_of_a_group_without_a_table_are_left_out_and_named(tmp_path: Path) -> None:
    write(tmp_path, trials(suite="road-scenes")[0])
    done = bench("check", "--suite", "open-questions", "--against", "paper", "--no-claims", "--results", str(tmp_path))
    assert done.exit_code == 2  # the other trainings of road-scenes are missing
    assert "left out: published-split: belongs to no table of the paper" in done.output
    assert "left out: separate-drives: belongs to no table of the paper" in done.output


def test_check_never_imports_torch(small: Path) -> None:
    write(small.parent / "results", plan(load_study(small), "decoder-variants", "smoke")[0])
    code = (
        "import sys; from bench.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    words = (
        "--config",
        small,
        "check",
        "--results",
        small.parent / "results",
        "--against",
        "paper",
        "--format",
        "junit",
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "2 False", done.stderr
