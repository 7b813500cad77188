"""The formats of `bench check`, and the claims of the paper in them."""

import json
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree as ET

import pytest
from results_factory import write
from small_check import ROOT, check_of, fill, small_study, with_sizes_of_the_paper


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_study(tmp_path)


@pytest.fixture
def check(small: Path) -> Callable:
    return partial(check_of, small)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    """A baseline, and results of which one training is outside, one failed and one is missing; nothing changes them."""
    study = small_study(tmp_path_factory.mktemp("mixed"))
    results = study.parent / "results"
    found = fill(study)
    check_of(study, "--update-baseline", "--reason", "first")
    write(results, found[0], 0.3)
    write(results, found[1], status="failed", reason="a < b & <b>\x1b[2J", selected_iteration=None)
    next(results.rglob(f"*{found[2].digest}.parquet")).unlink()
    return study


COUNTS = {"within": 23, "outside": 7, "inconclusive": 0, "missing": 1, "stale": 0, "failed": 1, "not comparable": 0}


def test_json_has_a_stable_layout(mixed: Path) -> None:
    done = check_of(mixed, "--format", "json")
    content = json.loads(done.stdout)
    assert done.exit_code == content["exit_code"] == 1
    assert list(content) == [
        "version", "against", "profile", "exit_code", "allow_inconclusive", "counts", "trial_counts", "claim_counts",
        "suites", "claims", "left_out", "problems",
    ]  # fmt: skip
    assert (content["version"], content["against"], content["counts"]) == (1, "baseline", COUNTS)
    assert content["trial_counts"] == {"done": 8, "failed": 1, "missing": 1}
    (suite,) = content["suites"]
    assert (suite["suite"], suite["profile"], suite["notice"]) == ("decoder-variants", "smoke", "")
    numbers = {number["cell"]: number for number in suite["numbers"]}
    outside = numbers["segnet_basic median_frequency test mean_iou"]
    assert outside == {
        "cell": "segnet_basic median_frequency test mean_iou",
        "model": "segnet_basic",
        "weighting": "median_frequency",
        "split": "test",
        "metric": "mean_iou",
        "budget": "",
        "class_name": "",
        "protocol": "",
        "ours": pytest.approx(0.4),
        "reference": 0.5,
        "difference": pytest.approx(-0.1),
        "tolerance": 0.03,
        "interval": [pytest.approx(0.4 - 12.7062 * 0.1, abs=1e-4), pytest.approx(0.4 + 12.7062 * 0.1, abs=1e-4)],
        "n": 2,
        "verdict": "outside",
        "reason": "",
        "trials": outside["trials"],
    }
    assert len(outside["trials"]) == 2
    failed = numbers["fcn_basic median_frequency s0 trial"]
    assert (failed["verdict"], failed["ours"], failed["reference"]) == ("failed", None, None)
    assert done.stderr.startswith("against baseline: 23 within, 7 outside, 1 missing, 1 failed")
    assert done.stderr.endswith("; trials: 8 of 10 done, 1 failed, 1 missing\n")


def test_the_documentation_names_every_key_of_the_json(mixed: Path) -> None:
    text = (ROOT / "docs/checking.md").read_text(encoding="utf-8").split("## Formats")[1].split("## Baselines")[0]
    content = json.loads(check_of(mixed, "--format", "json").stdout)
    keys = [*content, *content["suites"][0], *content["suites"][0]["numbers"][0]]
    assert [key for key in keys if f"`{key}`" not in text] == []


def test_junit_agrees_with_the_exit_code_and_is_valid_xml(mixed: Path) -> None:
    done = check_of(mixed, "--format", "junit")
    root = ET.fromstring(done.stdout)
    (suite,) = root
    assert (root.tag, suite.tag, suite.get("name")) == ("testsuites", "testsuite", "decoder-variants.smoke")
    for element in (root, suite):
        assert [element.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["32", "7", "2", "0"]
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    assert len(cases) == 32
    failure = cases["decoder-variants.smoke.segnet_basic", "SegNet-Basic median_frequency test mIoU"].find("failure")
    assert failure.get("type") == "outside"
    assert failure.get("message") == "40.00 [-87.06, 167.06], expected 50.00 ± 3.00 (n = 2)"
    error = cases["decoder-variants.smoke.fcn_basic", "FCN-Basic median_frequency s0 trial"].find("error")
    assert (error.get("type"), error.get("message")) == ("failed", "failed: a < b & <b>?[2J")
    passed = cases["decoder-variants.smoke.fcn_basic", "FCN-Basic median_frequency test mIoU"]
    assert [child.tag for child in passed] == ["system-out"]


def test_markdown_lists_what_is_not_as_expected(mixed: Path) -> None:
    text = check_of(mixed, "--format", "markdown").stdout
    assert text.startswith("## bench check: ❌ a number is outside its tolerance, or a claim is contradicted\n")
    assert "| decoder-variants | 23 | 7 | 0 | 1 | 0 | 1 | 0 |" in text
    rows = [line for line in text.splitlines() if line.startswith(("| outside", "| failed", "| missing"))]
    assert len(rows) == 9
    assert rows[7].endswith("| failed: a \\< b &amp; \\<b\\>?\\[2J |")
    assert "within |" not in text.split("| verdict |")[1]


def test_github_gets_annotations_and_a_summary(mixed: Path, monkeypatch, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = check_of(mixed, "--format", "github", "--out", tmp_path / "comment.md")
    lines = done.stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 8 + ["::warning", "::notice"]
    assert lines[2] == (
        "::error title=decoder-variants%3A SegNet-Basic median_frequency train mIoU outside::"
        "40.00 [-87.06, 167.06], expected 50.00 ± 3.00 (n = 2)"
    )
    assert lines[8].endswith("SegNet-Basic natural_frequency s0 trial missing::not run yet")
    comment = (tmp_path / "comment.md").read_text()
    assert comment.startswith("## bench check")
    assert summary.read_text() == "# before\n" + comment
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "summary.md"))
    done = check_of(mixed, "--format", "github")
    assert done.exit_code == 4
    assert re.search(r"GITHUB_STEP_SUMMARY names '.*summary\.md', which cannot be written: No such file", done.stderr)


@pytest.mark.parametrize("form", ["table", "junit"])
def test_a_file_holds_what_would_be_printed(mixed: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "new" / "check"
    printed = check_of(mixed, "--format", form)
    written = check_of(mixed, "--format", form, "--out", path)
    assert (written.exit_code, written.stdout) == (1, "")
    assert written.stderr.endswith(f"written to '{path}'\n")
    assert path.read_text() == printed.stdout
    written = check_of(mixed, "--format", form, "--out", mixed / "below")
    assert written.exit_code == 4
    assert "cannot be written" in written.stderr


# --- claims


def claim(verdict: str, number: int = 1) -> SimpleNamespace:
    of_claim = SimpleNamespace(
        id=f"T1-{number}", section="3.3", tables=("T1",), statement="A <wins> over B.", threshold="ours", note=""
    )
    part = SimpleNamespace(text="A > B", ours="1 > 2", needed="above 0", verdict=verdict, trials=("a", "b"))
    return SimpleNamespace(
        claim=of_claim, on_paper="holds", verdict=verdict, reason="because|so", parts=(part,), notice=""
    )


@pytest.fixture
def claims(monkeypatch) -> list:
    """The verdicts that the claims get; what they were asked for is appended to `asked`."""
    found: list = []
    module = ModuleType("bench.replication.claim_verdicts")

    def claim_verdicts(rows, study, profile, tables=None):
        found_of.append((profile, list(tables), len(rows)))
        return found

    found_of: list = []
    module.claim_verdicts = claim_verdicts
    module.asked = found_of
    monkeypatch.setitem(sys.modules, "bench.replication.claim_verdicts", module)
    return found


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [(["replicated"], 0), (["not tested"], 0), (["inconclusive"], 2), (["inconclusive", "contradicted"], 1)],
)
def test_claims_are_part_of_the_exit_code(small: Path, check: Callable, claims: list, verdicts, code) -> None:
    with_sizes_of_the_paper(small, fill(small))
    claims += [claim(verdict, number) for number, verdict in enumerate(verdicts)]
    done = check("--against", "paper")
    assert done.exit_code == code, done.output
    assert check("--against", "paper", "--no-claims").exit_code == 0
    if code == 2:
        assert check("--against", "paper", "--allow-inconclusive").exit_code == 0
    asked = sys.modules["bench.replication.claim_verdicts"].asked
    assert asked[0][:2] == ("smoke", ["T1"])


def test_claims_stand_in_every_format(mixed: Path, claims: list) -> None:
    check = partial(check_of, mixed)
    claims += [claim("contradicted", 1), claim("not tested", 2), claim("replicated", 3)]
    text = check("--against", "paper").stdout
    assert "claims: 1 replicated, 1 contradicted, 1 not tested" in text
    assert "not tested: 1 claim: because|so" in text
    content = json.loads(check("--against", "paper", "--format", "json").stdout)
    assert content["claim_counts"] == {"replicated": 1, "contradicted": 1, "inconclusive": 0, "not tested": 1}
    assert content["claims"][0] == {
        "id": "T1-1", "section": "3.3", "tables": ["T1"], "statement": "A <wins> over B.", "threshold": "ours",
        "on_paper": "holds", "verdict": "contradicted", "reason": "because|so", "notice": "",
        "parts": [
            {"text": "A > B", "ours": "1 > 2", "needed": "above 0", "verdict": "contradicted", "trials": ["a", "b"]},
        ],
    }  # fmt: skip
    suite = ET.fromstring(check("--against", "paper", "--format", "junit").stdout)[-1]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("claims.smoke", "3", "1")
    assert suite[0].find("failure").get("message") == "A <wins> over B: because|so"
    assert (
        "| contradicted | T1-1 | 3.3 | A \\<wins\\> over B. | holds | because\\|so |"
        in check("--against", "paper", "--format", "markdown").stdout
    )
    assert (
        "::error title=claim T1-1 contradicted::A <wins> over B: because|so\n"
        in check("--against", "paper", "--format", "github").stdout
    )


def test_the_claims_of_the_paper_are_tested_on_the_results(small: Path, check: Callable) -> None:
    fill(small)
    content = json.loads(check("--against", "paper", "--format", "json").stdout)
    assert len(content["claims"]) > 10
    assert {one["tables"][0] for one in content["claims"]} == {"T1"}
    assert sum(content["claim_counts"].values()) == len(content["claims"])
