"""`bench claims` as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from results_factory import ROOT, trials, write

from bench.cli import main
from bench.replication.claims import claims

DOCUMENT = ROOT / "docs/claims.md"
MINE = """
claims:
  MY-1:
    section: "[3.3]"
    statement: The <b>first</b> is [red]better[/] | than the other.
    tests:
      - {kind: ordering, table: T1, weighting: natural_frequency, split: test, metric: [mean_iou, boundary_f1],
         over: segnet_basic, under: fcn_basic}
"""


def bench(*words: object) -> str:
    done = CliRunner().invoke(main, ["--config", str(ROOT / "bench.yaml"), "claims", *map(str, words)])
    assert (done.exit_code, done.exception) == (0, None), done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of profile smoke, one seed: SegNet-Basic is better than FCN-Basic in everything."""
    found = tmp_path_factory.mktemp("results")
    for trial in trials(models=["segnet_basic", "fcn_basic"]):
        if trial.kind == "training":
            write(found, trial, {"segnet_basic": 0.6, "fcn_basic": 0.5}[trial.model])
        else:
            multiplier = {"segnet_basic": 1.0, "fcn_basic": 11.0}[trial.model]
            write(found, trial, costs={("storage_multiplier", "paper"): multiplier})
    return found


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_the_list_has_every_claim_and_fits_a_hundred_columns() -> None:
    said = bench()
    lines = said.splitlines()
    assert max(map(len, lines)) <= 100
    assert [line.split()[0] for line in lines if line[1:2].strip() and "-" in line.split()[0][:8]] == list(claims())
    assert lines[-1] == "71 claims; on the paper's own numbers: 53 hold, 15 do not hold, 3 without a number"
    assert "needed" not in said


def test_the_audit_names_what_fails() -> None:
    said = " ".join(bench("--on", "paper", "--suite", "cost").split())
    assert "T6 model size (MB): DeepLab-LargeFOV 83 > SegNet 117? −34 (worst of 3 pairs)" in said
    assert said.endswith("8 claims; on the paper's own numbers: 7 hold, 1 does not hold")


def test_suites_and_groups_select_by_the_first_table() -> None:
    found = json.loads(bench("--suite", "Indoor_Scenes", "--format", "json"))
    assert [claim["id"] for claim in found] == [*(f"T4-{number}" for number in range(1, 8)), "T5-1"]
    assert bench("--suite", "open-questions", "--format", "json") == bench("--suite", "road-scenes", "--format", "json")


def test_one_claim_is_shown_with_all_its_parts() -> None:
    said = " ".join(bench("--id", "t1-sf-1").split())
    assert "threshold: we chose the numbers of its tests" in said
    assert "on the paper: SegNet-Basic minus FCN-Basic: G +1.0" in said
    assert (
        "holds: T1 test BF, median frequency: SegNet-Basic 35.78 − FCN-Basic 38.11 = −2.33; needed at most ±3" in said
    )
    said = " ".join(bench("--id", "T5-1").split())
    assert "on its own numbers: no number: the paper does not print how large the classes are" in said


def test_verdicts_on_results(folder: Path) -> None:
    words = ("--on", "results", "--profile", "smoke", "--results", folder)
    said = " ".join(bench(*words, "--suite", "decoder-variants").split())
    assert "T1-COST-2 holds replicated" in said
    assert "T1-SF-3 holds not tested" in said
    assert "— 4 of 4 parts, the first of them: FCN-Basic-NoAddition: not run yet" in said
    assert "NOT AT THE PAPER'S SCALE: profile smoke trained on 96 images" in said
    said = " ".join(bench(*words, "--id", "T1-SF-2", "--id", "T1-COST-2").split())
    assert "on ours: inconclusive: single run, whose values hold" in said
    assert (
        "inconclusive: T1 train G, median frequency: SegNet-Basic 60.0 > FCN-Basic 50.0? +10.0 in a single run" in said
    )
    assert said.endswith("2 claims; on the paper's own numbers: 2 hold; on ours: 1 replicated, 1 inconclusive")


def test_json_has_everything(folder: Path) -> None:
    words = ("--on", "results", "--profile", "smoke", "--results", folder, "--format", "json")
    (found,) = json.loads(bench(*words, "--id", "T1-COST-2"))
    assert found["ours"]["verdict"] == "replicated"
    (part,) = found["ours"]["parts"]
    assert (part["ours"], part["needed"]) == ("FCN-Basic 11 / SegNet-Basic 1 = 11.000", "exactly 11")
    assert len(part["trials"]) == 2
    (part,) = found["on_paper"]["parts"]
    assert (part["numbers"], part["holds"]) == ("FCN-Basic 11 / SegNet-Basic 1 = 11.000", True)
    assert found["tables"] == ["T1"]


def test_markdown_of_verdicts(folder: Path) -> None:
    words = ("--on", "results", "--profile", "smoke", "--results", folder, "--format", "markdown")
    said = bench(*words, "--id", "T1-COST-2")
    assert "| Claim | Section | What the paper says | Its own numbers | Our verdict |" in said
    assert said.splitlines()[2].endswith(
        "| holds | replicated: T1 storage multiplier: FCN-Basic 11 / SegNet-Basic 1 = 11.000 |"
    )


def test_claims_of_a_users_own_and_their_markup_is_text(mine: Path) -> None:
    said = bench("--file", mine)
    assert "The <b>first</b> is [red]better[/] | than the other." in " ".join(said.split())
    assert "[3.3]" in said
    assert "[3.3]" in bench("--file", mine, "--id", "MY-1")
    said = bench("--file", mine, "--on", "paper", "--format", "markdown")
    assert r"The \<b\>first\</b\> is \[red\]better\[/\] \| than the other." in said


def test_the_document_holds_what_the_command_prints() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    stored = text.partition("<!-- audit: begin -->")[2].partition("<!-- audit: end -->")[0]
    assert stored.strip() == bench("--on", "paper", "--format", "markdown").strip()


def test_the_documents_examples_are_claims_of_the_paper() -> None:
    stored = yaml.safe_load((ROOT / "bench/replication/claims.yaml").read_text(encoding="utf-8"))["claims"]
    blocks = DOCUMENT.read_text(encoding="utf-8").split("```yaml\n")[1:]
    for block in blocks:
        ((key, entry),) = yaml.safe_load(block.partition("```")[0]).items()
        assert entry == stored[key]
    assert len(blocks) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--id T1-BLI-1", "unknown claim 'T1-BLI-1', did you mean 'T1-BIL-1'?; `bench claims` lists the 71"),
        (
            "--suite upsampling",
            "suite upsampling belongs to no table of the paper, so no claim is about it; suites with",
        ),
        ("--suite costs", "unknown suite 'costs', did you mean 'cost'?"),
        ("--suite cost --id T1-SF-1", "none of the claims is about a table of suite cost"),
        ("--on results", "--on results needs --profile NAME: smoke, mini or paper"),
        ("--on results --profile mimi", "unknown profile 'mimi', did you mean 'mini'?"),
        ("--on results --profile mini --results nowhere", "no results folder 'nowhere'; run `bench run` first"),
        ("--profile mini", "--profile goes with --on results"),
        ("--on paper --results nowhere", "--results goes with --on results"),
        ("--file nowhere.yaml", "nowhere.yaml: no such file"),
        ("--on tables", "Invalid value for '--on': 'tables' is not one of 'paper', 'results'."),
        ("--format html", "Invalid value for '--format'"),
    ],
)
def test_wrong_input_is_one_line(words: str, message: str) -> None:
    done = CliRunner().invoke(main, ["--config", str(ROOT / "bench.yaml"), "claims", *words.split()])
    assert done.exit_code not in (0, 1)
    assert done.output.startswith(f"error: {message}")
    assert done.output.count("\n") == 1


def test_a_damaged_file_of_results_is_named(tmp_path: Path) -> None:
    trial = trials(models=["segnet_basic"])[0]
    write(tmp_path, trial).write_bytes(b"nothing")
    done = CliRunner().invoke(
        main,
        ["--config", str(ROOT / "bench.yaml"), "claims", "--on", "results", "--profile", "smoke",
         "--results", str(tmp_path), "--id", "T1-SF-1"],
    )  # fmt: skip
    assert done.exit_code == 0
    assert f"{trial.id}" in done.output
    assert "cannot be read and is left out" in " ".join(done.output.split())


def test_the_list_imports_neither_torch_nor_pandas() -> None:
    code = (
        "import sys; sys.argv = ['bench', 'claims', '--on', 'paper']\n"
        "from bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "assert not {'torch', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "71 claims" in done.stdout
