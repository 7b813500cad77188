"""`bench compare` as a user types it."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from results_factory import outdated, trials, write

from bench.cli import ErrorsInOneLine
from bench.cli.compare import compare

TRIAL = next(trial for trial in trials() if trial.kind == "training")
COST = next(trial for trial in trials() if trial.kind == "cost")


@click.group(cls=ErrorsInOneLine)
def group():
    pass


group.add_command(compare)


def bench(*words):
    done = CliRunner().invoke(group, ["compare", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert all(line.isprintable() for line in done.output.split("\n"))
    return done


@pytest.fixture
def sides(tmp_path):
    """A and B, of two seeds; B is worse, was made by another training loop, and has more parameters."""
    for name, value, made in (("a", 0.5, lambda trial: trial), ("b", 0.45, outdated)):
        for seed in (0, 1):
            write(tmp_path / name, made(replace(TRIAL, seed=seed)), value + seed / 10)
        write(tmp_path / name, COST, costs={("parameters", "learnable"): 1000 * (2 - value)})
    write(tmp_path / "b", replace(TRIAL, model="segnet_basic", seed=0))
    return tmp_path / "a", tmp_path / "b"


def test_a_table_for_people(sides):
    done = bench(*sides)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"A: {sides[0]}\nB: {sides[1]}\n\nsuite decoder-variants, profile smoke, split test")
    line = next(line for line in done.stdout.splitlines() if "mIoU" in line)
    assert line.split() == ["median_frequency", "Bilinear-Interpolation", "mIoU", "55.00", "50.00", "-5.00",
                            "[-5.00,", "-5.00]", "—", "0.25", "2", "worse"]  # fmt: skip
    assert re.search(r"parameters +count +1500 +1550 +\+50 +\+3.3 % +— +worse\n", done.stdout)
    assert "only in B: decoder-variants smoke segnet_basic median_frequency, seed 0\n" in done.stdout
    assert "decoder-variants smoke: source files that differ: bench/training/loop.py\n" in done.stdout
    assert "no interval over images: it stores no counts of single images (A) (" in done.stdout
    assert "one in twenty is called better or worse by chance" in done.stdout
    assert done.stdout.endswith("\n\n5 values compared: 5 worse\n")


def test_fail_on_worse(sides):
    assert bench(*sides, "--fail-on", "worse").exit_code == 1
    assert bench(*reversed(sides), "--fail-on", "worse").exit_code == 0
    write(sides[1], replace(TRIAL, model="segnet_basic", seed=0), 0.5, status="diverged", selected_iteration=None)
    write(sides[0], replace(TRIAL, model="segnet_basic", seed=0), 0.5)
    lost = bench(*sides, "--model", "segnet_basic", "--fail-on", "worse", "--format", "csv")
    assert lost.exit_code == 1
    assert lost.stdout.startswith("suite,profile,weighting,model,metric")
    assert "done in A, not in B: decoder-variants.smoke.segnet_basic.median_frequency.s0: diverged" in lost.stderr


def test_memory_says_for_which_batch_and_size(tmp_path):
    small, large = (("training_peak_mib", f"resident_set, batch {number}, 90x120") for number in (4, 12))
    for name in "ab":
        write(tmp_path / name, COST, costs={small: 700.0, large: 900.0})
    lines = [line for line in bench(tmp_path / "a", tmp_path / "b").stdout.splitlines() if "training_peak" in line]
    assert re.search(r"resident_set, batch 4, 90x120 +MiB +700 ", lines[0])
    assert re.search(r"resident_set, batch 12, 90x120 +MiB +900 ", lines[1])


def test_identical_results_are_called_so(sides):
    assert bench(sides[0], sides[0]).stdout.endswith("found; identical: every number compared is the same\n")
    assert json.loads(bench(sides[0], sides[0], "--format", "json").stdout)["identical"] is True
    assert "; identical" not in bench(*sides).stdout
    one_less = bench(sides[1], sides[1], "--metric", "mIoU", "--model", "segnet_basic").stdout
    assert "1 single run; identical" in one_less
    (path,) = (sides[1] / "decoder-variants" / "smoke").glob("*segnet_basic*")
    copy = sides[0].parent / "c"
    shutil.copytree(sides[1], copy)
    (copy / path.relative_to(sides[1])).unlink()
    assert "; identical" not in bench(sides[1], copy).stdout  # a trial is on one side only


def test_a_metric_that_no_trial_has_is_answered_with_those_that_there_are(sides):
    said = bench(*sides, "--metric", "forward_ms")
    assert said.exit_code == 2
    assert "nothing to compare: no trial in both has that metric; they have G, C, mIoU, BF, parameters" in said.stderr
    said = bench(*sides, "--metric", "forwrd_ms").stderr
    assert "unknown metric 'forwrd_ms', did you mean 'forward_ms'?; known: G, C, mIoU, BF, parameters" in said


def test_json_has_everything(sides):
    found = json.loads(bench(*sides, "--format", "json").stdout)
    assert found["got_worse"] is True
    one = next(one for one in found["differences"] if one["metric"] == "mean_iou")
    assert (one["a"], one["b"], one["n"], one["verdict"]) == (pytest.approx(0.55), pytest.approx(0.5), 2, "worse")
    assert one["images_low"] is None
    assert [name.rpartition("-")[0] for name in one["trials_a"]] == [replace(TRIAL, seed=seed).id for seed in (0, 1)]
    assert found["only_in_b"] == ["decoder-variants smoke segnet_basic median_frequency, seed 0"]
    assert found["changed"][0]["sources"] == ["bench/training/loop.py"]


def test_csv_and_markdown(sides, tmp_path):
    done = bench(*sides, "--format", "csv", "--metric", "G")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert (row["metric"], row["verdict"], row["images_low"]) == ("global_accuracy", "worse", "NaN")
    assert float(row["difference"]) == pytest.approx(-0.05)
    assert "source files that differ" in done.stderr
    out = tmp_path / "new" / "answer.md"
    done = bench(*sides, "--format", "markdown", "--metric", "G", "--out", out)
    assert done.stdout == f"1 value compared: 1 worse; written: {out}\n"
    assert "| median_frequency | Bilinear-Interpolation | G | 55.00 | 50.00 | -5.00 |" in out.read_text()
    assert "\n- only in B: decoder-variants" in out.read_text()


def test_refused_settings_and_across_settings(sides):
    for seed in (0, 1):
        write(sides[0], replace(TRIAL, model="fcn_basic", seed=seed), 0.5)
        write(sides[1], replace(TRIAL, model="fcn_basic", seed=seed, lr=0.9), 0.5)
    done = bench(*sides)
    said = "not compared: decoder-variants smoke fcn_basic median_frequency: other settings: lr: 0.1 in A, 0.9 in B; "
    assert f"{said}--across-settings compares it all the same\n" in done.stdout
    done = bench(*sides, "--across-settings", "--model", "fcn-basic")
    assert "decoder-variants smoke: compared across settings: lr: 0.1 in A, 0.9 in B\n" in done.stdout
    done = bench(*sides, "--model", "fcn-basic")
    assert done.exit_code == 2
    assert re.fullmatch(r"error: nothing to compare: .* fcn_basic .* lr: 0.1 in A, 0.9 in B; --across.*\n", done.output)


def test_commits_and_older_configurations(sides, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def git(*words):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    for name, tag in (("a", "before"), ("b", "after")):
        for path in Path(name).rglob("*.parquet"):
            target = Path("results") / path.relative_to(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        git("add", "results")
        git("commit", "-q", "-m", tag)
        git("tag", tag)
    done = bench("before", "after", "--metric", "mIoU", "--metric", "parameters")
    assert re.match(r"A: before \(\w{9}\)\nB: after \(\w{9}\)\n", done.stdout)
    # the folder of the second commit holds the first results as well; of one start the greater digest is the later
    assert re.search(r"left out of B: 2 results of older configurations, the latest of each counts: ", done.stdout)
    assert bench("before", "before", "--fail-on", "worse").exit_code == 0
    assert "error: 'aftr' is neither a folder nor a commit" in bench("before", "aftr").stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("A",), r"Missing argument 'B'"),
        (("A", "B", "--suite", "related"), r"unknown suite with results 'related'"),
        (("A", "B", "--metric", "speed"), r"unknown metric 'speed'"),
        (("A", "B", "--fail-on", "better"), r"'better' is not 'worse'"),
        (("A", "B", "--format", "html"), r"'html' is not one of"),
        (("A", "B", "--out", "FOLDER"), r"--out '.*' is a folder; name a file"),
    ],
)
def test_wrong_words(sides, tmp_path, words, message):
    named = {"A": sides[0], "B": sides[1], "FOLDER": tmp_path}
    done = bench(*(named.get(word, word) for word in words))
    assert done.exit_code == 2
    assert re.search(message, done.stderr)
    assert done.stderr.count("\n") == 1


def test_damaged_files_are_named(sides):
    path = next(sides[0].rglob("*s0*.parquet"))
    path.write_bytes(b"PAR1 nothing")
    assert f"warning: '{path}' cannot be read and is left out" in bench(*sides).stderr


def test_a_damaged_file_that_leaves_nothing_to_compare_is_the_error(sides):
    for path in sides[0].rglob("*.parquet"):
        path.write_bytes(b"PAR1 nothing")
    done = bench(*sides)
    assert done.exit_code == 2
    assert re.fullmatch(r"error: nothing to compare: '.*' cannot be read and is left out: .*\n", done.stderr)
