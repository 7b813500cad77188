"""Commands as a user types them: help, wrong input in one line, exit codes."""

import json
import os
import re
import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner
from results_factory import trials, write
from tiny_suite import write_study

from bench.cli import main
from bench.results.store import checkpoints_path
from bench.running.lease import acquire
from bench.running.leftovers import leases_path

ROOT = Path(__file__).parent.parent.parent


def bench(*words, cwd=ROOT):
    """Runs a command in this process from the folder of bench.yaml."""
    before = Path.cwd()
    os.chdir(cwd)
    try:
        return CliRunner().invoke(main, [str(word) for word in words])
    finally:
        os.chdir(before)


def commands(group=main, prefix=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        else:
            yield (*prefix, name)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help_that_says_what_it_does(words):
    done = bench(*words, "--help")
    assert done.exit_code == 0
    assert len(done.output.split("\n")) > 5


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("run --suite decoder-variant", r"unknown suite 'decoder-variant', did you mean 'decoder-variants'\?; known: "),
        ("run --suite decoder-variants --profile mimi", r"unknown profile 'mimi', did you mean 'mini'\?"),
        (
            "run --suite decoder-variants --model segnet-basik",
            r"unknown model of suite .*did you mean 'segnet_basic'\?",
        ),
        ("run --suite decoder-variants --weighting natural", r"unknown weighting .*did you mean 'natural_frequency'\?"),
        ("run --suite decoder-variants --seed 99", r"unknown seed .*'99'"),
        ("data verify camvit", r"unknown data set 'camvit', did you mean 'camvid'\?"),
        ("--config nowhere.yaml list", r"nowhere\.yaml: no such file; change to the folder that holds it, or name it"),
        ("status --results nowhere", r"no results in 'nowhere' yet; run `bench run --suite decoder-variants` first"),
        ("report --results nowhere", r"no results in 'nowhere' yet"),
        ("data add road_scenes .", r"drawn on the fly; there is nothing to add"),
        ("data fetch road_scenes", r"no public archive"),
        ("data add camvid /nowhere/at/all", r"/nowhere/at/all: no such file or folder; name the folder"),
        ("rum", r"unknown command 'rum', did you mean 'run'\?"),
        ("explain mIoU", r"unknown explain command 'mIoU'; known: metrics"),
        ("data lits", r"unknown data command 'lits', did you mean 'list'\?; known: add, fetch, list, verify"),
        ("run", r"Missing option '--suite'\. See `\w+ run --help`\."),
        (
            "export --suite related --out x",
            r"Missing option '--format'\. Choose from: csv, .*, matlab\. See `\w+ export",
        ),
        ("retry --suite related --results nowhere", r"no results folder 'nowhere', so there is nothing to try again"),
        ("run --suite related --threads 1025", r"Invalid value for '--threads': 1025 is not in the range"),
        ("list --schema --columns", r"--schema and --columns print two things; choose one\. See `\w+ list --help`\."),
        (
            "run --suite decoder-variants --time-limit 0",
            r"Invalid value for '--time-limit': 0.0 is not in the range x>0",
        ),
        ("run --suite decoder-variants --time-limit nan", r"--time-limit: must be a number of minutes, got nan"),
        ("run --suite decoder-variants --seed abc", r"Invalid value for '--seed': 'abc' is not a valid integer"),
        (
            "run --suite decoder-variants --weighting median_frequency_official",
            r"weights for CamVid only",
        ),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(words, message):
    done = bench(*words.split())
    assert done.exit_code == 2
    line = done.stderr.strip()
    assert "\n" not in line
    assert re.match(rf"error: .*{message}", line)


def test_cuda_without_cuda_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = bench("run", "--suite", "decoder-variants", "--device", "cuda", "--results", tmp_path)
    assert done.exit_code == 2
    assert "finds no CUDA device; use --device cpu" in done.stderr


def test_no_camvid_says_where_it_was_looked_for_and_how_to_bring_it(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_CAMVID", raising=False)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    done = bench("run", "--suite", "decoder-variants", "--profile", "mini", "--results", tmp_path / "results")
    assert done.exit_code == 2
    for part in (str(tmp_path / "CamVid"), "bench data fetch camvid", "bench data add camvid PATH"):
        assert part in done.stderr


def test_a_results_folder_that_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    done = bench("run", "--suite", "decoder-variants", "--results", tmp_path / "file" / "below")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr


def test_a_file_in_the_way_below_the_results_folder_is_said_before_training(tmp_path):
    (tmp_path / "_panels").write_text("")
    done = bench("run", "--suite", "decoder-variants", "--results", tmp_path)
    assert done.exit_code == 2
    assert re.search(r"_panels.*cannot be written", done.stderr)
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_damaged_file_is_named_and_not_overwritten_by_a_run(tmp_path):
    bad = write(tmp_path, trials()[0])
    bad.write_bytes(b"PAR1 nothing")
    done = bench("run", "--suite", "decoder-variants", "--results", tmp_path)
    assert done.exit_code == 2
    assert re.search(
        rf"'{re.escape(str(bad))}' cannot be read; move it away or delete it: .*; nothing was run", done.stderr
    )
    assert bad.read_bytes() == b"PAR1 nothing"


def test_results_of_other_settings_are_named(tmp_path):
    stored = trials()[0]
    path = write(tmp_path, stored)
    path.rename(path.with_name(f"{stored.id}-{'0' * 16}.parquet"))
    assert f"{stored.id}: stored under other settings or source only" in bench("status", "--results", tmp_path).output


def test_refused_data_leaves_no_trace_of_a_profile(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CAMVID", str(tmp_path / "nowhere"))
    bench("run", "--suite", "decoder-variants", "--profile", "mini", "--results", tmp_path / "results")
    done = bench("status", "--results", tmp_path / "results")
    assert done.exit_code == 2
    assert "no results in" in done.stderr


def test_list_schema_is_json():
    schema = json.loads(bench("list", "--schema").output)
    assert "suites" in schema["properties"]


def test_status_counts_and_names_what_failed(tmp_path):
    planned = trials()
    write(tmp_path, planned[0])
    write(tmp_path, planned[1], status="diverged", reason="the training loss became nan at iteration 7")
    out = bench("status", "--results", tmp_path).output
    assert "1 done, 1 diverged, 22 missing, of 24" in out
    assert "the training loss became nan at iteration 7" in out
    assert f"next: bench run --suite decoder-variants --profile smoke --results {tmp_path}" in out


def test_report_goes_on_around_a_damaged_file(tmp_path):
    planned = trials()
    write(tmp_path / "results", planned[0])
    bad = write(tmp_path / "results", planned[1])
    bad.write_bytes(b"PAR1 nothing")
    done = bench("report", "--results", tmp_path / "results", "--out", tmp_path / "reports")
    assert done.exit_code == 0, done.output
    assert str(bad) in done.stderr
    page = tmp_path / "reports" / "decoder-variants" / "smoke" / "index.html"
    assert page.exists()
    assert bad.name in page.read_text()


def test_nothing_to_report_is_one_line_and_writes_nothing(tmp_path):
    (tmp_path / "results").mkdir()
    words = ("report", "--suite", "related", "--results", tmp_path / "results", "--out", tmp_path / "reports")
    done = bench(*words)
    assert (done.exit_code, done.output) == (
        2,
        f"error: no results in '{tmp_path / 'results'}' yet; run `bench run --suite related` first\n",
    )
    assert not (tmp_path / "reports").exists()


def test_status_knows_what_is_running(tmp_path):
    first, second, *_ = trials()
    folder = checkpoints_path(tmp_path, second)
    folder.mkdir(parents=True)
    (folder / "00000050.checkpoint").write_bytes(b"")
    words = ("status", "--suite", "decoder-variants", "--profile", "smoke", "--results", tmp_path)
    with ExitStack() as held:
        for trial in (first, second):
            held.enter_context(acquire(leases_path(tmp_path), f"{trial.id}-{trial.digest}"))
        said = bench(*words).output
    assert "profile smoke: 2 running, 22 missing, of 24\n" in said
    assert f"  running  {first.id}\n" in said
    assert f"  running  {second.id}: last checkpoint at iteration 50 of 100\n" in said
    assert "1 interrupted" in bench(*words).output


def test_report_says_which_intervals_it_goes_without(tmp_path):
    for trial in trials()[:2]:
        write(tmp_path / "results", trial)  # it stores no counts of single images
    done = bench("report", "--results", tmp_path / "results", "--out", tmp_path / "reports")
    assert done.exit_code == 0, done.output
    assert re.search(
        r"^warning: no intervals over images and no confusion matrix of \d trainings?, "
        r"it stores no counts of single images$",
        done.stderr,
        re.MULTILINE,
    )


@pytest.mark.parametrize("command", ["run", "retry"])
def test_exit_codes_are_in_the_help(command):
    text = " ".join(bench(command, "--help").output.split())
    for code in ("0 ", "1 some trial failed", "2 wrong usage", "130 stopped by Ctrl-C", "143 stopped by SIGTERM"):
        assert code in text.split("Exit code:")[1]


def test_what_failed_before_is_left_alone_and_makes_exit_code_1(tmp_path):
    *done, killed = trials()
    for trial in done:
        write(tmp_path, trial, device="cpu")
    write(tmp_path, killed, status="killed", reason="its process was killed by SIGKILL")
    found = bench("run", "--suite", "decoder-variants", "--results", tmp_path)
    assert found.exit_code == 1
    assert "0 done, 23 done before, 0 failed, 1 failed before\n" in found.output
    assert f"killed before: {killed.id}: its process was killed by SIGKILL" in found.stderr
    assert f"to try them again: bench retry --suite decoder-variants --results {tmp_path}\n" in found.output


def test_retry_says_what_was_never_run(tmp_path):
    found = bench("retry", "--suite", "decoder-variants", "--results", tmp_path)
    assert found.exit_code == 0
    assert "0 done, 0 done before, 0 failed, 24 not run yet\n" in found.output
    assert f"next: bench run --suite decoder-variants --results {tmp_path}\n" in found.output


def test_a_time_limit_and_a_retry_without_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    study = write_study(tmp_path, ["bilinear_interpolation"], iterations=300, validate_every=300, checkpoint_every=300)
    common = ("--suite", "decoder-variants", "--results", tmp_path / "results", "--threads", 1)
    found = bench("--config", study, "run", *common, "--time-limit", 0.02)
    assert found.exit_code == 1
    assert "timed_out: decoder-variants.smoke.bilinear_interpolation.median_frequency.s0: it reached" in found.stderr
    match = re.search(
        r"the time limit of 0\.02 minutes; `bench retry` goes on from iteration (\d+) of 300; log: ", found.stderr
    )
    found = bench("--config", study, "retry", *common)
    assert found.exit_code == 0, found.output
    assert f"goes on from iteration {match[1]} of 300" in found.output
    places = f"--suite decoder-variants --profile smoke --results {tmp_path / 'results'}"
    assert f"next: bench --config {study} report {places}\n" in found.output


def test_help_answers_at_once():
    """Under 0.2 s of processor time, the best of five: what else the machine does is not the command's fault."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "bench", "--help"], cwd=ROOT, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.2


def test_readme_names_every_command():
    text = (ROOT / "README.md").read_text()
    missing = [" ".join(words) for words in commands() if f"bench {' '.join(words)}" not in text]
    assert missing == []


def cells_of(line):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_table_in_the_readme_is_the_one_of_the_committed_report():
    text = (ROOT / "README.md").read_text()
    block = text.split("<!-- result: begin -->")[1].split("<!-- result: end -->")[0]
    rows = [line for line in block.splitlines() if line.startswith("|")]
    committed = (ROOT / "reports" / "decoder-variants" / "mini" / "table1.md").read_text().splitlines()
    test_scores = [(cells[:5], cells[-1]) for line in committed if (cells := cells_of(line))]
    assert len(rows) > 10
    wrong = [row for row in rows if (cells_of(row)[:5], cells_of(row)[-1]) not in test_scores]
    assert wrong == [], "run python docs/refresh.py"


def test_the_readme_counts_claims_as_the_findings_do():
    readme, findings = ((ROOT / name).read_text() for name in ("README.md", "docs/findings.md"))
    found = [int(re.search(rf"### {verdict}: (\d+)", findings)[1])
             for verdict in ("Replicated", "Contradicted", "Inconclusive", "Not tested")]  # fmt: skip
    said = (
        r"\*\*(\d+) of the paper's 71 claims replicated here \((\d+) of them about scores.*\), (\d+) are\s"
        r"contradicted, (\d+)\sundecided; (\d+)"
    )
    replicated, scored, *others = map(int, re.search(said, readme, re.DOTALL).groups())
    assert [replicated, *others] == found, "run python docs/refresh.py"
    table = findings.partition("### Replicated")[2].partition("\n### ")[0]
    assert scored == len(re.findall(r"\| scores[^|]*\| \w", table)), "run python docs/refresh.py"
