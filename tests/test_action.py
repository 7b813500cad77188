"""The action and the workflows: they parse, use what they declare, and call commands that exist."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bench.cli import main

ROOT = Path(__file__).resolve().parents[1]
ACTION = ROOT / "action.yml"
WORKFLOWS = [*sorted((ROOT / ".github/workflows").glob("*.yml")), *sorted((ROOT / "examples").glob("*.yml"))]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def parsed(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path: Path) -> list[dict[str, Any]]:
    content = parsed(path)
    if path == ACTION:
        return content["runs"]["steps"]
    return [step for job in content["jobs"].values() for step in job["steps"]]


def step(name: str) -> dict[str, Any]:
    return next(step for step in steps(ACTION) if step.get("name") == name)


def commands(text: str) -> list[list[str]]:
    """Returns the words of every call of `bench` in a script or in the comments of a file."""
    text = re.sub(r"\\\n", " ", text)
    calls = re.findall(r"^[#\s]*(?:\S+/)?bench (.*?)(?: \|\||;|$)", text, re.MULTILINE)
    return [shlex.split(call) for call in calls]


def test_every_input_is_described_has_a_default_and_is_used() -> None:
    content = parsed(ACTION)
    used = set(re.findall(r"inputs\.([\w-]+)", str(content["runs"])))

    assert used == set(content["inputs"])
    for name, given in content["inputs"].items():
        assert given["description"].strip(), name
        assert isinstance(given["default"], str), name  # an action's inputs are text
    assert content["runs"]["using"] == "composite"
    assert all("shell" in step for step in steps(ACTION) if "run" in step)


def test_no_input_is_part_of_a_script() -> None:
    """Text of a user in a script would be executed; in an environment variable it is text."""
    scripts = [step["run"] for path in (ACTION, *WORKFLOWS) for step in steps(path) if "run" in step]

    assert [EXPRESSION.findall(script) for script in scripts] == [[]] * len(scripts)


def test_every_variable_of_a_step_is_used_in_it() -> None:
    for one in steps(ACTION):
        for name in one.get("env", {}):
            assert re.search(rf"\b{name}\b", one["run"]), name


def test_outputs_come_from_a_step_that_sets_them() -> None:
    content = parsed(ACTION)
    for name, output in content["outputs"].items():
        step_id, key = re.fullmatch(
            r"steps\.(\w+)\.outputs\.([\w-]+)", EXPRESSION.fullmatch(output["value"])[1]
        ).groups()
        assert key == name
        (source,) = [step for step in steps(ACTION) if step.get("id") == step_id]
        assert f'echo "{key}=' in source["run"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_give_the_action_inputs_that_it_has(path: Path) -> None:
    known = set(parsed(ACTION)["inputs"])
    for one in steps(path):
        if one.get("uses") == "./" or "segnet-bench" in one.get("uses", ""):
            assert set(one["with"]) <= known
    content = parsed(path)
    assert content[True]  # YAML 1.1 reads the key `on` as a boolean, and so does PyYAML
    assert all("timeout-minutes" in job for job in content["jobs"].values())


def test_the_smoke_workflow_checks_every_suite_that_has_a_baseline() -> None:
    content = parsed(ROOT / ".github/workflows/smoke.yml")
    suites = content["jobs"]["check"]["strategy"]["matrix"]["suite"]

    assert sorted(suites) == sorted(
        path.name.removesuffix("-smoke.csv") for path in (ROOT / "results/_baselines").glob("*-smoke.csv")
    )


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_every_command_exists_with_its_options(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path == ACTION:
        text = "\n".join(step.get("run", "") for step in steps(path))
    found = commands(text)
    assert found or path != ACTION
    for words in found:
        words = words[2:] if words[0] == "--config" else words
        command = main.commands[words[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        for place, word in enumerate(words):
            if word.startswith("--"):
                assert word in known, words
                (option,) = [parameter for parameter in command.params if word in parameter.opts]
                if isinstance(option.type, click.Choice) and not words[place + 1].startswith("$"):
                    assert words[place + 1] in option.type.choices


# --- the scripts, with a `bench` that notes how it was called

FAKE = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *junit*) exit "${JUNIT_CODE:-$CODE}" ;; *) exit "$CODE" ;; esac
"""
GIVEN = {
    "SUITE": "a suite; echo no", "PROFILE": "smoke", "AGAINST": "paper", "CONFIG": "bench.yaml", "RESULTS": "results",
    "DEVICE": "cpu", "ALLOW_INCONCLUSIVE": "false", "RUN": "true", "JUNIT": "", "MARKDOWN": "",
}  # fmt: skip


def played(folder: Path, name: str, **given: str) -> tuple[int, list[str], str]:
    """Runs a step's script; returns its exit code, the calls of bench, and what it printed or gave out."""
    program = folder / "bin" / "bench"
    program.parent.mkdir(exist_ok=True)
    program.write_text(FAKE)
    program.chmod(0o755)
    calls, output = folder / "calls", folder / "output"
    calls.write_text("")
    output.write_text("")
    places = {"PATH": f"{program.parent}:{os.environ['PATH']}", "CALLS": str(calls), "GITHUB_OUTPUT": str(output)}
    environment = GIVEN | {"CODE": "0"} | given | places
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(name)["run"]],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, calls.read_text().splitlines(), done.stdout + output.read_text()


CHECK = "--config bench.yaml check --suite a suite; echo no --profile smoke --results results --against paper"


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_check_ends_as_bench_does_and_says_so(tmp_path: Path, code: int) -> None:
    ended, calls, out = played(tmp_path, "Check the suite", CODE=str(code))

    assert (ended, calls, out) == (code, [f"{CHECK} --format github"], f"exit-code={code}\n")


def test_files_and_flags_are_handed_on(tmp_path: Path) -> None:
    given = {"JUNIT": "my report.xml", "MARKDOWN": "c.md", "ALLOW_INCONCLUSIVE": "true"}
    _, calls, _ = played(tmp_path, "Check the suite", **given)

    assert calls == [
        f"{CHECK} --allow-inconclusive --format github --out c.md",
        f"{CHECK} --allow-inconclusive --format junit --out my report.xml",
    ]


def test_a_report_that_cannot_be_written_is_not_hidden(tmp_path: Path) -> None:
    assert played(tmp_path, "Check the suite", CODE="1", JUNIT="x", JUNIT_CODE="4")[0] == 4
    assert played(tmp_path, "Check the suite", CODE="1", JUNIT="x")[0] == 1
    assert len(played(tmp_path, "Check the suite", CODE="4", JUNIT="x")[1]) == 1  # the same error once


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 0), (2, 2), (130, 130)])
def test_a_trial_that_fails_is_left_to_the_check(tmp_path: Path, code: int, ended: int) -> None:
    found, calls, _ = played(tmp_path, "Run the suite", CODE=str(code))

    assert found == ended
    assert calls == ["--config bench.yaml run --suite a suite; echo no --profile smoke --results results --device cpu"]


@pytest.mark.parametrize("name", ["RUN", "ALLOW_INCONCLUSIVE"])
def test_a_switch_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    ended, _, out = played(tmp_path, "Check the inputs", **{name: "yes"})

    assert ended == 4
    assert out == f"::error::input {name.lower().replace('_', '-')} must be true or false, got 'yes'\n"
    assert played(tmp_path, "Check the inputs")[0] == 0
