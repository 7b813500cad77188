"""`bench rescore`, `score` and `export` as a user types them."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from results_factory import outdated
from scoring.scored_trials import ROOT, VOID, guessed, planned, split_of, store, write_study

from bench.cli import ErrorsInOneLine
from bench.cli.export import export
from bench.cli.scoring import rescore, score
from bench.data.camvid_classes import PALETTE
from bench.evaluation.boundary_scores import STORED
from bench.results.store import load_results


@click.group(cls=ErrorsInOneLine)
@click.option("--config")
@click.pass_context
def group(ctx, config):
    ctx.obj = Path(config)


for command in (rescore, score, export):
    group.add_command(command)


REAL = os.environ.get("BENCH_CAMVID")


@pytest.fixture(autouse=True)
def data_home(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "home"))
    monkeypatch.delenv("BENCH_CAMVID", raising=False)


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path)


@pytest.fixture
def results(tmp_path, study):
    """Both seeds of both models under both weightings."""
    split = None
    for number, trial in enumerate(planned(study)):
        split = split or split_of(trial)
        store(tmp_path / "results", trial, split, guessed(split, number, 0.5 + number / 20))
    return tmp_path / "results"


def bench(study, *words):
    done = CliRunner().invoke(group, ["--config", str(study), *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def rescored(study, results, *words):
    done = bench(study, "rescore", "--suite", "decoder-variants", "--results", results, "--format", "json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), done.stderr


def stored_values(results, metric, protocol=None, **where):
    rows = load_results(results).rows
    rows = rows[(rows["record"] == "score") & (rows["metric"] == metric) & (rows["iteration"] == 100)]
    if protocol:
        rows = rows[rows["protocol"] == protocol]
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows["value"].tolist()


def test_defaults_are_the_stored_scores_over_seeds(study, results):
    found, said = rescored(study, results)
    assert found["definition"]["default_of_the_tables"] is True
    assert len(found["values"]) == 4 * 4
    for row in found["values"]:
        where = {"model": row["model"], "weighting": row["weighting"]}
        values = stored_values(results, row["metric"], row["protocol"], **where)
        assert row["value"] == mean(values)
        assert row["std"] == pytest.approx(stdev(values), rel=1e-12)
        assert (row["n"], row["stale"], len(row["trials"])) == (2, False, 2)
    assert re.fullmatch(r"8 trials, 40 images, \d+\.\d s\n", said)


def test_the_table_is_in_percent_and_in_the_order_of_the_plan(study, results):
    done = bench(study, "rescore", "--suite", "decoder-variants", "--results", results)
    assert done.exit_code == 0
    head, definition, _, heads, _, *lines = done.stdout.splitlines()
    assert head == "suite decoder-variants, profile smoke, split test, percent, mean over seeds"
    assert definition.endswith("This is the default of the tables.")
    assert heads.split() == ["weighting", "model", "G", "C", "mIoU", "BF", "paper", "n"]
    assert [line.split()[:2] for line in lines[:4]] == [
        ["median_frequency", "Bilinear-Interpolation"],
        ["median_frequency", "FCN-Basic"],
        ["natural_frequency", "Bilinear-Interpolation"],
        ["natural_frequency", "FCN-Basic"],
    ]
    first = stored_values(results, "global_accuracy", model="bilinear_interpolation", weighting="median_frequency")
    assert f" {100 * mean(first):.1f} ± {100 * stdev(first):.1f} " in lines[0]
    assert re.search(r" \d+\.\d\d ± \d+\.\d\d  2$", lines[0])
    assert re.fullmatch(r"8 trials, 40 images, \d+\.\d s", lines[-1])


def test_every_protocol_paper_first_and_csv(study, results):
    done = bench(
        study, "rescore", "--suite", "decoder-variants", "--results", results, "--protocol", "all", "--format", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["protocol"] for row in rows[3:9]] == list(STORED)
    for row in rows:
        if row["metric"] == "boundary_f1":
            values = stored_values(
                results, "boundary_f1", row["protocol"], model=row["model"], weighting=row["weighting"]
            )
            assert float(row["value"]) == mean(values)


def test_protocols_are_named_freely_and_in_one_order(study, results):
    found, _ = rescored(study, results, "--protocol", "DAVIS", "--protocol", "paper")
    assert found["definition"]["protocols"] == ["paper", "davis"]
    out = bench(study, "rescore", "--suite", "decoder-variants", "--results", results, "--protocol", "davis").stdout
    assert "This is NOT the default of the tables." in out


def test_divisor_average_and_classes_change_what_they_say(study, results):
    default = {row["metric"]: row["value"] for row in rescored(study, results)[0]["values"][:4]}
    for words, changed in (
        (("--divisor", "gt"), {"boundary_f1"}),
        (("--average", "frequency-weighted"), {"mean_iou"}),
        (("--average", "per-image"), {"class_average_accuracy", "mean_iou", "global_accuracy"}),
        (("--classes", "road, Car"), set(default)),
    ):
        content, _ = rescored(study, results, *words)
        found = {row["metric"]: row["value"] for row in content["values"][:4]}
        assert {metric for metric in default if found[metric] != default[metric]} == changed, words
        assert content["definition"]["default_of_the_tables"] is False
    assert content["definition"]["classes"] == ["Road", "Car"]


def test_budgets_and_refined_predictions_are_scored_as_well(study, tmp_path):
    """Each from counts of its own: at iteration 40 more is right than at the end, and the refined map is perfect."""
    text = study.read_text()
    for after, new in (
        ("  decoder-variants:\n", "    refinements: {fcn_basic: dense_crf}\n"),
        ("        iterations: 100\n", "        budgets: {early: 40}\n"),
    ):
        text = text.replace(after, after + new, 1)
    study.write_text(text.replace("        validate_every: 50\n", "        validate_every: 20\n", 1))
    for trial in planned(study, weightings=["median_frequency"], seeds=[0]):
        split = split_of(trial)
        besides = [(40, guessed(split, 1, 0.9), None)]
        if trial.refinement:
            besides.append((100, np.where(split.labels == VOID, 0, split.labels), trial.refinement))
        store(tmp_path, trial, split, guessed(split, 0, 0.5), besides=besides, selected_iteration=100)
    found, said = rescored(study, tmp_path, "--protocol", "distance", "--seed", 0)
    assert said.startswith("2 trials, 25 images, ")  # the refined model has 15 of them
    refined = "fcn_basic_dense_crf"
    of_bf = [row for row in found["values"] if row["metric"] == "boundary_f1"]
    assert [(row["budget"], row["model"]) for row in of_bf] == [
        ("early", "bilinear_interpolation"),
        ("early", "fcn_basic"),
        ("", "bilinear_interpolation"),
        ("", "fcn_basic"),
        ("", refined),
    ]
    stored = load_results(tmp_path).rows
    stored = stored[(stored["metric"] == "boundary_f1") & (stored["protocol"] == "distance")]
    stored = stored[stored["record"] == "score"]
    for row in of_bf:
        of_model = stored[stored["model"] == row["model"].removesuffix("_dense_crf")]
        same = of_model[of_model["refinement"].notna() == (row["model"] == refined)]
        assert [row["value"]] == same.loc[same["iteration"] == (40 if row["budget"] else 100), "value"].tolist()
    table = bench(study, "rescore", "--suite", "decoder-variants", "--results", tmp_path).stdout.splitlines()
    assert table[3].split()[:3] == ["weighting", "at", "model"]
    assert re.search(r"the end +fcn_basic_dense_crf +100\.0 ", "\n".join(table))


def test_selection_and_what_is_not_done(study, results):
    found, said = rescored(study, results, "--model", "fcn-basic", "--weighting", "median-frequency", "--seed", 1)
    assert len(found["values"]) == 4
    assert found["values"][0]["n"] == 1
    assert found["values"][0]["std"] is None
    next(results.rglob("*fcn_basic.median_frequency.s1-*.parquet")).unlink()
    found, said = rescored(study, results, "--model", "fcn-basic")
    assert "3 trials, 15 images" in said
    assert "; not done yet: 1 training\n" in said
    assert [row["n"] for row in found["values"]] == [1] * 4 + [2] * 4


def test_stale_results_stand_in_and_are_marked(study, tmp_path):
    trials = planned(study)
    split = split_of(trials[0])
    store(tmp_path / "r", outdated(trials[0]), split, guessed(split, 0))
    store(tmp_path / "r", trials[1], split, guessed(split, 1))
    found, _ = rescored(study, tmp_path / "r")
    assert [row["stale"] for row in found["values"]] == [True] * 4 + [False] * 4
    out = bench(study, "rescore", "--suite", "decoder-variants", "--results", tmp_path / "r").stdout
    assert re.search(r"Bilinear-Interpolation +\d+\.\d †", out)
    assert not re.search(r"FCN-Basic .*†", out)
    assert "† stale: measured before settings or source changed" in out


def test_trials_without_counts_are_named(study, tmp_path):
    trials = planned(study)
    split = split_of(trials[0])
    store(tmp_path / "r", trials[0], split, guessed(split, 0), drop=lambda row: row["record"].startswith("image_"))
    words = ("rescore", "--suite", "decoder-variants", "--results", tmp_path / "r")
    nothing = bench(study, *words)
    assert nothing.exit_code == 2
    assert f"1 trial not scored in full, it stores no counts of single images: {trials[0].id};" in nothing.stderr
    assert "error: nothing to score in" in nothing.stderr
    store(
        tmp_path / "r", trials[1], split, guessed(split, 0), drop=lambda row: row.get("protocol") not in (None, "paper")
    )
    some = bench(study, *words, "--protocol", "all")
    assert some.exit_code == 0
    assert f"it stores no counts of {', '.join(list(STORED)[1:])}: {trials[1].id}; " in some.stderr
    assert "into another folder measures them anew" in some.stderr
    assert re.search(r"FCN-Basic .*\d+\.\d\d +— +— +— +— +—  1\n", some.stdout)


def test_failed_trials_do_not_count_and_damaged_files_are_named(study, results):
    first, second = sorted(results.rglob("*.parquet"))[:2]
    first.write_bytes(b"PAR1 nothing")
    trial = next(trial for trial in planned(study) if trial.id in second.name)
    store(results, trial, split_of(trial), guessed(split_of(trial), 0), status="failed", reason="it fell over")
    found, said = rescored(study, results)
    assert "6 trials, 30 images" in said
    assert f"warning: '{first}' cannot be read and is left out" in said
    assert found["not_done"] == 2


def test_out_writes_a_file(study, results, tmp_path):
    words = ("rescore", "--suite", "decoder-variants", "--results", results, "--format", "csv")
    done = bench(study, *words, "--out", tmp_path / "new" / "scores.csv")
    assert re.fullmatch(rf"8 trials, .* s; written: {re.escape(str(tmp_path))}/new/scores\.csv\n", done.stdout)
    assert (tmp_path / "new" / "scores.csv").read_text() == bench(study, *words).stdout


def label_maps(results, trial):
    return results / "_predictions" / "decoder-variants" / "smoke" / f"{trial.id}-{trial.digest}"


def scored(study, folder, *words):
    done = bench(study, "score", "--predictions", folder, "--dataset", "road-scenes", "--format", "json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), done


def test_label_maps_of_a_trial_give_its_stored_scores_exactly(study, results):
    trial = planned(study)[3]
    found, done = scored(study, label_maps(results, trial), "--protocol", "all")
    rows = load_results(results).rows
    rows = rows[
        (rows["trial"] == trial.id) & (rows["iteration"] == 100) & rows["record"].isin(["score", "class_score"])
    ]
    stored = {
        tuple("" if not isinstance(part, str) else part for part in key): value
        for *key, value in rows[["class_name", "metric", "protocol", "value"]].itertuples(index=False)
    }
    values = {(row["class_name"], row["metric"], row["protocol"]): row["value"] for row in found["values"]}
    assert values == {key: None if np.isnan(value) else value for key, value in stored.items()}
    assert (found["height"], found["width"], found["images"]) == (24, 32, 5)
    assert re.fullmatch(r"5 images, \d+\.\d s\n", done.stderr)


def test_score_as_a_table_and_csv(study, results):
    words = (
        "score",
        "--predictions",
        label_maps(results, planned(study)[0]),
        "--dataset",
        "road_scenes",
        "--per-class",
    )
    out = bench(study, *words).stdout
    assert out.startswith("road_scenes test, 24x32 px, percent\nBF by paper, divisor union;")
    assert "This is the default of the tables." in out
    assert re.search(r"\nBicyclist +\d+\.\d +\d+\.\d +\d+\.\d\d\n", out)
    rows = list(csv.DictReader(io.StringIO(bench(study, *words, "--format", "csv").stdout)))
    assert len(rows) == 4 + 3 * 11
    assert {row["images"] for row in rows} == {"5"}


def test_other_encodings_sizes_and_files(study, results, tmp_path):
    folder = label_maps(results, planned(study)[0])
    expected, _ = scored(study, folder)
    for name in ("ones", "colours", "large"):
        (tmp_path / name).mkdir()
    for path in folder.iterdir():
        with Image.open(path) as picture:
            ids = np.asarray(picture)
        Image.fromarray(ids + np.uint8(1)).save(tmp_path / "ones" / path.name)
        Image.fromarray(PALETTE[ids]).save(tmp_path / "colours" / path.name)
        Image.fromarray(np.kron(ids, np.ones((2, 2), np.uint8))).save(tmp_path / "large" / path.name)
    (tmp_path / "ones" / "Thumbs.db").write_text("")
    for name, words in (
        ("ones", ("--first-id", 1)),
        ("colours", ("--encoding", "palette")),
        ("large", ("--resize", "nearest")),
    ):
        found, done = scored(study, tmp_path / name, *words)
        assert found["values"] == expected["values"]
        assert ("warning: 1 other file in" in done.stderr) == (name == "ones")
    assert scored(study, tmp_path / "large", "--height", 48, "--width", 64)[0]["height"] == 48


@pytest.mark.camvid
@pytest.mark.skipif(not REAL, reason="BENCH_CAMVID is not set: no real CamVid images to test with")
def test_the_labels_of_camvid_score_as_perfect_at_the_papers_size(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CAMVID", REAL)
    for path in (Path(REAL) / "testannot").glob("*.png"):
        with Image.open(path) as picture:
            labels = np.asarray(picture)
        Image.fromarray(np.where(labels == 11, np.uint8(3), labels)).save(tmp_path / path.name, compress_level=1)
    words = ("score", "--predictions", tmp_path, "--dataset", "camvid", "--protocol", "paper", "--protocol")
    done = bench(ROOT / "bench.yaml", *words, "paper-void-masked", "--format", "json")
    found = json.loads(done.stdout)
    assert (found["images"], found["height"], found["width"]) == (233, 360, 480)
    values = {(row["metric"], row["protocol"]): row["value"] for row in found["values"] if not row["class_name"]}
    bf = values.pop(("boundary_f1", "paper"))
    assert list(values.values()) == [1.0, 1.0, 1.0, 1.0]
    assert 0.8 < bf < 1  # what is guessed inside void has edges too


def test_a_folder_whose_name_is_no_text(study, results, tmp_path):
    folder = tmp_path / os.fsdecode(b"maps\xff\x1b[31m")
    shutil.copytree(label_maps(results, planned(study)[0]), folder)
    (folder / os.fsdecode(b"\xfe\n")).write_text("")
    for form in ("table", "csv", "json"):
        done = bench(study, "score", "--predictions", folder, "--dataset", "road_scenes", "--format", form)
        assert done.exit_code == 0
        assert "\x1b" not in done.output
        assert "warning: 1 other file in" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--dataset camvit", r"unknown data set 'camvit', did you mean 'camvid'\?"),
        ("--split tset", r"unknown split 'tset', did you mean 'test'\?"),
        ("--protocol papr", r"unknown boundary protocol 'papr', did you mean 'paper'\?; known: paper, .*, all"),
        ("--average mean", r"unknown region rule 'mean'.*known: authors, present, per-image, frequency-weighted"),
        ("--classes Sky,Horse", r"unknown class 'Horse'.*; known: Sky, Building"),
        ("--classes Sky,sky", r"--classes: Sky is named twice"),
        ("--classes Sky,,Car", r"--classes: a name is empty in 'Sky,,Car'"),
        ("--divisor none", r"Invalid value for '--divisor': 'none' is not one of 'union', 'gt'"),
        ("--height 20", r"--height and --width go together"),
        ("--height 20 --width 20 --profile smoke", r"both say a size; leave one out"),
        ("--height 0 --width 20", r"Invalid value for '--height'"),
        ("--height 9000 --width 20", r"image size 9000x20: height and width must be 1 to 8192 px"),
        ("--profile mimi", r"unknown profile 'mimi', did you mean 'mini'\?"),
        ("--encoding palette --first-id 1", r"--first-id is about --encoding ids"),
        ("--predictions nowhere", r"predictions 'nowhere' cannot be listed: No such file or directory; name a folder"),
        ("--out {folder}", r"--out '.*' is a folder; name a file"),
        ("--dataset camvid", r"no CamVid: BENCH_CAMVID is not set; .*`bench data fetch camvid` downloads it"),
        (
            "--split val",
            r"2 of 2 images are missing: val-00000\.png, val-00001\.png; a label map has the name of its image",
        ),
        ("--profile mini", r"is 24x32 px \(height x width\), the labels are 90x120; .*--resize nearest"),
        ("--encoding palette --classes Sky", None),
    ],
)
def test_wrong_input_of_score_is_one_line(study, results, words, message):
    folder = label_maps(results, planned(study)[0])
    given = words.format(folder=results).split()
    common = ["--predictions", folder] if "--predictions" not in given else []
    common += ["--dataset", "road_scenes"] if "--dataset" not in given else []
    done = bench(study, "score", *common, *given)
    if message is None:
        assert done.exit_code == 0
        return
    assert done.exit_code == 2
    assert done.stdout == ""
    line = done.stderr.strip()
    assert "\n" not in line
    assert re.match(rf"error: .*{message}", line), line


def test_what_does_not_fit_into_memory_is_refused(study, results, monkeypatch):
    monkeypatch.setattr("bench.cli.scoring.MAX_BYTES", 1 << 30)
    folder = label_maps(results, planned(study)[0])
    done = bench(study, "score", "--predictions", folder, "--dataset", "road_scenes", "--height", 8000, "--width", 8000)
    assert re.match(
        r"error: 5 images of 8000x8000 px take 1 GiB, at most 1 GiB are used; choose a smaller", done.stderr
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--suite decoder-variant", r"unknown suite 'decoder-variant', did you mean 'decoder-variants'\?"),
        ("--suite decoder-variants --results nowhere", r"no results folder 'nowhere'; run `bench run` first"),
        ("--suite decoder-variants --protocol bsds", r"unknown boundary protocol 'bsds'"),
        ("--suite decoder-variants --classes ,", r"--classes: a name is empty"),
        ("--suite decoder-variants --format xml", r"Invalid value for '--format'"),
        ("--suite decoder-variants --out {results}", r"is a folder; name a file"),
        ("--suite decoder-variants --seed 7", r"unknown seed"),
    ],
)
def test_wrong_input_of_rescore_is_one_line(study, results, words, message):
    done = bench(
        study,
        "rescore",
        *(["--results", results] if "--results" not in words else []),
        *words.format(results=results).split(),
    )
    assert done.exit_code == 2
    line = done.stderr.strip()
    assert "\n" not in line
    assert re.match(rf"error: .*{message}", line), line


def test_export(study, results, tmp_path):
    shutil.rmtree(label_maps(results, planned(study)[0]))
    words = (
        "export",
        "--suite",
        "decoder-variants",
        "--results",
        results,
        "--format",
        "matlab",
        "--out",
        tmp_path / "m",
    )
    done = bench(study, *words)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"export: 7 trials in '{tmp_path / 'm'}'; read {tmp_path / 'm' / 'README.txt'}\n"
    assert done.stderr == f"warning: 1 trial without stored label maps: {planned(study)[0].id}\n"
    assert bench(study, *words).stdout == done.stdout
    (tmp_path / "m" / "notes.txt").write_text("mine")
    again = bench(study, *words)
    assert again.exit_code == 2
    assert "in which 'notes.txt' was changed or added since, and nothing is overwritten" in again.stderr
    only = bench(
        study, *words[:-1], tmp_path / "one", "--model", "fcn-basic", "--seed", 0, "--weighting", "natural_frequency"
    )
    assert "export: 1 trial" in only.stdout
    assert "Invalid value for '--format'" in bench(study, *words[:-3], "excel", "--out", tmp_path / "x").stderr


def test_export_of_nothing(study, results, tmp_path):
    words = ("export", "--suite", "decoder-variants", "--format", "matlab", "--out", tmp_path / "m")
    (tmp_path / "none").mkdir()
    done = bench(study, *words, "--results", tmp_path / "none")
    assert done.exit_code == 2
    assert "no training of suite decoder-variants in profile smoke is done in" in done.stderr
    shutil.rmtree(results / "_predictions")
    done = bench(study, *words, "--results", results)
    assert done.exit_code == 2
    assert "none of 8 finished trainings has label maps" in done.stderr
    assert not (tmp_path / "m").exists()


def test_export_of_stale_results(study, tmp_path):
    trial = planned(study)[0]
    old = outdated(trial)
    store(tmp_path / "r", old, split_of(trial), guessed(split_of(trial), 0))
    words = (
        "export",
        "--suite",
        "decoder-variants",
        "--results",
        tmp_path / "r",
        "--format",
        "matlab",
        "--out",
        tmp_path / "m",
    )
    assert "export: 1 trial" in bench(study, *words).stdout
    assert f"{old.id}-{old.digest} (stale)" in (tmp_path / "m" / "README.txt").read_text()


GROUP = """
from bench.cli import main as group
from bench.cli.export import export
from bench.cli.scoring import rescore, score
for command in (rescore, score, export):
    group.add_command(command)
"""


def test_no_torch(study, results):
    """In a process of its own, because this one has imported torch for other tests."""
    code = (
        f"import sys\n{GROUP}"
        "try:\n    group(sys.argv[1:])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert 'torch' not in sys.modules"
    )
    for words in (
        ("rescore", "--suite", "decoder-variants", "--results", results),
        ("score", "--predictions", label_maps(results, planned(study)[0]), "--dataset", "road_scenes"),
        ("export", "--suite", "decoder-variants", "--results", results, "--format", "matlab", "--out", results / "_m"),
    ):
        argv = [sys.executable, "-c", code, "--config", study, *words]
        done = subprocess.run(list(map(str, argv)), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
