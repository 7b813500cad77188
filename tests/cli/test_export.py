"""`bench export` of values as a user types it; of label maps see test_scoring.py."""

import csv
import re

import click
import pytest
from click.testing import CliRunner
from results_factory import ROOT, trials, write

from bench.cli import ErrorsInOneLine
from bench.cli.export import export


@click.group(cls=ErrorsInOneLine)
@click.pass_context
def group(ctx):
    ctx.obj = ROOT / "bench.yaml"


group.add_command(export)
DONE = [trial for trial in trials(models=["fcn_basic"]) if trial.kind == "cost" or trial.seed == 0]


def bench(*words):
    done = CliRunner().invoke(group, ["export", "--suite", "decoder-variants", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def results(tmp_path):
    for trial in DONE:
        write(tmp_path / "results", trial)
    return tmp_path / "results"


def test_csv_again_and_elsewhere(results, tmp_path):
    out = tmp_path / "values"
    words = ("--results", results, "--format", "csv", "--out", out)
    done = bench(*words)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"export: {len(DONE)} trials in '{out}'; read {out / 'README.txt'}\n"
    left_out = len(trials()) - len(DONE)
    assert done.stderr == f"not done yet, and left out: {left_out} trials\n"
    with (out / "values.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["trial"] for row in rows} == {trial.id for trial in DONE}
    assert bench(*words, "--model", "fcn-basic").stderr == ""
    assert re.search("holds an export of format csv, not matlab", bench(*words[:3], "matlab", "--out", out).stderr)
    (out / "values.csv").write_text("")
    again = bench(*words)
    assert again.exit_code == 2
    assert "an earlier export in which 'values.csv' was changed" in again.stderr


def test_wrong_words(results, tmp_path):
    for words, message in (
        (("--format", "csv", "--out", tmp_path), r"--out '.*' is not empty, and nothing is overwritten"),
        (("--format", "csv"), r"Missing option '--out'"),
        (("--format", "excel", "--out", tmp_path / "x"), r"'excel' is not one of 'csv', 'mlflow', 'tensorboard', 'mat"),
        (("--format", "csv", "--out", tmp_path / "x", "--model", "segnot"), r"unknown model of suite decoder-variants"),
        (
            ("--format", "csv", "--out", tmp_path / "x", "--model", "segnet_basic"),
            r"no trial of suite decoder-variants in profile smoke is done in '.*'; `bench run --suite decoder-variants",
        ),
    ):
        done = bench("--results", results, *words)
        assert done.exit_code == 2
        assert re.search(message, done.stderr), done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "x").exists()
