"""A name may stand for several suites: every command that takes one takes the group."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from results_factory import trials, write

from bench.cli import main

ROOT = Path(__file__).parent.parent.parent
MEMBERS = ("published-split", "separate-drives", "road-scenes")


def bench(*words):
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return CliRunner().invoke(main, [str(word) for word in words])
    finally:
        os.chdir(before)


def write_group(results: Path, value=0.5) -> None:
    for suite in MEMBERS[:2]:
        for trial in trials(suite=suite):
            write(results, trial, value, other=value - 0.1)


def test_status_of_a_group_names_each_of_its_suites(tmp_path):
    write_group(tmp_path)
    done = bench("status", "--suite", "open-questions", "--results", tmp_path)
    assert done.exit_code == 0
    for suite in MEMBERS[:2]:
        assert suite in done.stdout


def test_a_group_has_a_page_of_its_own_beside_those_of_its_suites(tmp_path):
    write_group(tmp_path / "results")
    done = bench("report", "--suite", "open_questions", "--results", tmp_path / "results", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    for name in ("published-split", "separate-drives", "open-questions"):
        page = tmp_path / "out" / name / "smoke" / "index.html"
        assert page.is_file()
        assert f"report: {page}" in done.stdout
    alone = bench("report", "--suite", "separate-drives", "--results", tmp_path / "results", "--out", tmp_path / "one")
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written == ["index.html", "report.md", "separate-drives"], alone.output


def test_check_of_a_group_takes_the_worst_of_its_suites(tmp_path):
    study = tmp_path / "bench.yaml"
    study.write_text((ROOT / "bench.yaml").read_text().replace(", road-scenes]", "]"))
    write_group(tmp_path / "results")
    words = ("--config", study, "check", "--suite", "open-questions", "--results", tmp_path / "results")
    assert bench(*words, "--update-baseline", "--reason", "first").exit_code == 0
    assert {path.name for path in (tmp_path / "results/_baselines").iterdir()} == {
        "published-split-smoke.csv",
        "separate-drives-smoke.csv",
    }
    assert bench(*words).exit_code == 0
    for trial in trials(suite="published-split"):
        write(tmp_path / "results", trial, 0.1)  # the first of the two is outside, the second within
    assert bench(*words).exit_code == 1


def test_a_run_that_nobody_knows_names_suites_and_groups():
    done = bench("run", "--suite", "open-question")
    assert done.exit_code == 2
    assert "did you mean 'open-questions'" in done.stderr


@pytest.mark.parametrize("words", [("rescore",), ("export", "--format", "csv", "--out", "nowhere")])
def test_a_command_that_takes_one_suite_names_those_of_a_group(words):
    done = bench(*words, "--suite", "Open_Questions")
    assert done.exit_code == 2
    assert (
        f"'open-questions' is a group of suites, and this command takes one of them: {', '.join(MEMBERS)}"
        in done.stderr
    )
    assert "unknown suite 'open-question'" in bench(*words, "--suite", "open-question").stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("rescore",), "to score"),
        (("export", "--format", "matlab", "--out", "nowhere"), "to export; --format csv writes what it measured"),
    ],
)
def test_a_suite_that_trains_nothing_has_no_predictions(words, why):
    done = bench(*words, "--suite", "cost")
    assert done.exit_code == 2
    assert done.stderr == f"error: suite cost trains nothing, so it has no predictions {why}\n"


def test_list_names_groups():
    assert "open-questions" in bench("list").stdout
