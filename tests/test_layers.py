"""Imports run one way, and half of the code never meets torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LEVELS = {
    "cli": 6,
    "running": 5,
    "reporting": 5,
    "scoring": 5,
    "training": 3,
    "evaluation": 4,
    "profiling": 4,
    "replication": 3,
    "data": 2,
    "results": 2,
    "study": 1,
    "errors": 0,
    "atomic": 1,
    "models": 0,
}
REPORTING_LEVELS = {
    "pages": 6,
    "definitions": 5,
    "commands": 5,
    "figures": 4,
    "comparisons": 3,
    "tables": 2,
    "provenance": 2,
    "verdict_marks": 1,
    "staleness": 0,
    "rendering": 0,
}
TORCH_FREE = ("study", "data", "results", "replication", "reporting", "scoring")
PACKAGES = ("bench", "bench.reporting", "models")


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "models" else parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> set[str]:
    """Modules of ours and torch that a file imports anywhere, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names if node.module in PACKAGES else {str(node.module)}
    return {name for name in found if name.split(".")[0] in ("bench", "models", "torch", "torchvision")}


def sources() -> list[tuple[str, Path]]:
    files = [*ROOT.glob("bench/**/*.py"), *ROOT.glob("models/*.py")]
    return [(room_of(".".join(path.relative_to(ROOT).with_suffix("").parts)), path) for path in files]


def test_imports_run_from_high_to_low():
    wrong = []
    for room, path in sources():
        if room in ("", "__init__", "__main__"):
            continue
        for name in imports(path):
            other = room_of(name)
            if name.split(".")[0] in ("torch", "torchvision") or other in (room, "") or other not in LEVELS:
                continue
            if LEVELS[other] >= LEVELS[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_every_room_has_a_level():
    assert {room for room, _ in sources()} - {"", "__init__", "__main__"} == set(LEVELS)


def test_imports_inside_reporting_run_from_high_to_low():
    wrong = []
    for path in ROOT.glob("bench/reporting/**/*.py"):
        room = path.relative_to(ROOT / "bench/reporting").with_suffix("").parts[0]
        for name in imports(path):
            other = name.split(".")[2] if name.startswith("bench.reporting.") else room
            if other != room and REPORTING_LEVELS[other] >= REPORTING_LEVELS[room]:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_every_room_of_reporting_has_a_level():
    names = {path.stem for path in (ROOT / "bench/reporting").iterdir() if not path.name.startswith("__")}
    assert names - {"templates"} == set(REPORTING_LEVELS)


def test_models_import_torch_and_siblings_only():
    for room, path in sources():
        if room == "models":
            assert not {name for name in imports(path) if name.startswith("bench")}, path


def test_no_torch_in_the_study_half():
    for room, path in sources():
        if room in TORCH_FREE:
            assert not {name for name in imports(path) if name.startswith("torch")}, path


@pytest.mark.parametrize(
    "words",
    ["--help", "list", "list --schema", "list --columns", "status --results {empty}", "explain metrics", "claims"],
)
def test_quick_commands_never_import_torch(words, tmp_path):
    code = (
        "import sys; sys.argv = ['bench', *sys.argv[1:]]\n"
        "from bench.cli import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules, 'torch was imported'"
    )
    argv = words.format(empty=tmp_path).split()
    done = subprocess.run([sys.executable, "-c", code, *argv], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
