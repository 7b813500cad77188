"""What `bench status` prints, without torch."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from results_factory import ROOT, outdated, trials, write

from bench.reporting.commands.console import print_status
from bench.reporting.commands.places import Places
from bench.results.store import checkpoints_path, outcome, stored_before

ALL = trials()[:4]


@pytest.fixture
def status(tmp_path, capsys):
    """Prints the status of the first trials, with or without reasons."""

    def printed(why=False):
        outcomes = [outcome(tmp_path, trial) for trial in ALL]
        stale = [trial for trial, found in zip(ALL, outcomes, strict=True) if found.stale]
        before = {trial.id: stored_before(tmp_path, trial) for trial in stale}
        print_status(ALL, outcomes, Places(tmp_path), before if why else None)
        return capsys.readouterr().out

    return printed


def test_stale_and_interrupted_trials_are_counted_and_named(status, tmp_path):
    write(tmp_path, ALL[0])
    write(tmp_path, outdated(ALL[1]))
    folder = checkpoints_path(tmp_path, ALL[2])
    folder.mkdir(parents=True)
    (folder / "00000050.checkpoint").write_bytes(b"")
    out = status()
    assert "1 done, 1 stale, 1 interrupted, 1 missing, of 4" in out
    assert f"stale  {ALL[1].id}: stored under other settings or source only" in out
    assert f"interrupted  {ALL[2].id}: at iteration 50 of 100" in out
    assert f"what has changed: bench status --suite decoder-variants --profile smoke --results {tmp_path} --why" in out
    assert f"next: bench run --suite decoder-variants --profile smoke --results {tmp_path}" in out


def test_what_run_would_leave_alone_is_for_retry(status, tmp_path):
    for trial in ALL[1:]:
        write(tmp_path, trial)
    write(tmp_path, ALL[0], status="diverged", reason="the training loss became nan at iteration 7")
    assert f"next: bench retry --suite decoder-variants --profile smoke --results {tmp_path}\n" in status()


def test_equal_reasons_are_given_once(status, tmp_path):
    for trial in ALL[:2]:
        write(tmp_path, outdated(replace(trial, lr=0.05)), git_commit="a" * 40)
    write(tmp_path, outdated(ALL[2], "models/blocks.py"), git_commit="b" * 40, started_at="2026-01-09T00:00:00+00:00")
    out = status(why=True)
    names = [trial.id.removeprefix("decoder-variants.smoke.") for trial in ALL]
    assert f"stale  2 trials, stored 2026-01-02 by commit aaaaaaaa\n    {names[0]}, {names[1]}\n" in out
    assert out.count("lr: 0.05 → 0.1") == out.count("bench/training/loop.py: changed") == 1
    assert f"stale  1 trial, stored 2026-01-09 by commit bbbbbbbb\n    {names[2]}\n" in out
    assert out.count("models/blocks.py: changed") == 1
    assert "what has changed:" not in out
    assert f"missing  {ALL[3].id}" in out


def test_a_stale_file_that_cannot_be_read_says_so(status, tmp_path):
    write(tmp_path, outdated(ALL[0])).write_bytes(b"PAR1 nothing")
    assert "no file of it can be read" in status(why=True)


def test_nothing_stale_needs_no_reasons(status, tmp_path):
    write(tmp_path, ALL[0])
    assert "1 done, 3 missing, of 4" in status(why=True)
    assert "--why" not in status()


def test_markup_in_a_stored_value_is_printed_as_it_is(status, tmp_path):
    config = ALL[0].as_dict() | {"precision": "[red]x[/red]"}
    write(tmp_path, outdated(ALL[0]), config=json.dumps(config), git_commit="[bold]1")
    out = status(why=True)
    assert "precision: [red]x[/red] → fp32" in out
    assert "by commit [bold]1" in out


def test_status_why_never_imports_torch(tmp_path):
    write(tmp_path, outdated(ALL[0]))
    code = (
        "import sys; sys.argv = ['bench', *sys.argv[1:]]\n"
        "from bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    words = ["status", "--why", "--results", tmp_path]
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "bench/training/loop.py: changed" in done.stdout
