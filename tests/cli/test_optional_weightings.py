"""Trainings with an optional loss weighting count where they were run, in every command; nothing asks for them else."""

import csv
import json

from results_factory import trials, write
from test_cli import bench

from bench.results.store import checkpoints_path

SUITE = ("--suite", "decoder-variants", "--profile", "mini")
USUAL = trials("mini")
OFFICIAL = trials("mini", weightings=["median_frequency_official"], models=["fcn_basic"])[0]


def test_status_counts_them_where_they_were_run(tmp_path):
    write(tmp_path, USUAL[0])
    assert (
        f"1 done, {len(USUAL) - 1} missing, of {len(USUAL)}\n" in bench("status", *SUITE, "--results", tmp_path).output
    )
    write(tmp_path, OFFICIAL)
    said = bench("status", *SUITE, "--results", tmp_path).output
    assert f"2 done, {len(USUAL) - 1} missing, of {len(USUAL) + 1}\n" in said
    assert "--weighting" not in said


def test_status_names_the_weighting_that_run_would_leave_out(tmp_path):
    folder = checkpoints_path(tmp_path, OFFICIAL)
    folder.mkdir(parents=True)
    (folder / "00000050.checkpoint").write_bytes(b"")
    said = bench("status", *SUITE, "--results", tmp_path).output
    assert f"interrupted  {OFFICIAL.id}: at iteration 50 of 400\n" in said
    command = f"bench run {' '.join(SUITE)} --results {tmp_path}"
    assert f"next: {command}\nnext: {command} --weighting median_frequency_official\n" in said


def test_check_counts_them(tmp_path):
    for trial in (USUAL[0], OFFICIAL):
        write(tmp_path, trial)
    words = ("check", *SUITE, "--results", tmp_path, "--against", "paper", "--no-claims", "--format", "json")
    assert json.loads(bench(*words).stdout)["trial_counts"] == {"done": 2, "missing": len(USUAL) - 1}


def test_export_has_them_unless_others_are_named(tmp_path):
    for trial in (USUAL[0], OFFICIAL):
        write(tmp_path / "results", trial)
    words = ("export", *SUITE, "--results", tmp_path / "results", "--format", "csv", "--out")
    assert bench(*words, tmp_path / "all").output.startswith(f"not done yet, and left out: {len(USUAL) - 1} trials\n")
    with (tmp_path / "all" / "trials.csv").open(encoding="utf-8", newline="") as file:
        assert {row["trial"] for row in csv.DictReader(file)} == {USUAL[0].id, OFFICIAL.id}
    named = bench(*words, tmp_path / "one", "--weighting", "median_frequency_official")
    assert "export: 1 trial in" in named.output
