"""Every script in its tiny setting: it names us and the alternatives, and a wrong way stops it."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from rounds import WrongResultError

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
NAMES = {
    "region_metrics": ["ours", "numpy, mask", "torchmetrics", "torch.histc", "scikit-learn"],
    "boundary_metrics": ["ours", "SciPy flow", "SciPy distance", "scikit-image dilation"],
    "training": ["ours", "bare loop", "plain loop"],
    "startup": ["ours: bench --help", "ours: bench status", "ours: bench plan --help", "python -c 'import torch'"],
    "report": ["again", "first"],
}
# a process with several threads starts others, and data loaders say so
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def first_cells(text):
    return {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")}


@forks
@pytest.mark.parametrize("name", NAMES)
def test_a_script_names_us_and_the_alternatives(name, capsys):
    importlib.import_module(name).main(["--quick"])
    text = capsys.readouterr().out
    assert set(NAMES[name]) <= first_cells(text)
    for row in NAMES[name]:
        assert f"- **{row}**: " in text  # what it means
    assert "- Processor: " in text
    assert "Load average before: " in text
    assert "Median and range of 1 round" in text


def test_boundaries_are_also_timed_with_37_classes(capsys):
    importlib.import_module("boundary_metrics").main(["--quick", "--section", "--classes", "37"])
    text = capsys.readouterr().out
    assert "### Protocol `paper`, 37 classes" in text
    assert "### Protocol `paper`, 11 classes" not in text
    assert "- Processor: " not in text


def test_unpooling_compares_every_precision_and_layout(capsys):
    importlib.import_module("unpooling").main(["--quick", "--device", "cpu"])
    text = capsys.readouterr().out
    assert "| ours, ms |" in text
    assert "max_unpool2d, ms |" in text
    whats = {
        f"9×12, {precision}, {layout}, {what}"
        for precision in ("fp32", "bf16")
        for layout in ("NCHW", "channels_last")
        for what in ("forward", "forward + backward")
    }
    assert whats <= first_cells(text)
    strict = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in text.splitlines() if "| `" in line}
    assert strict["`ours`"] == "yes"
    assert strict["`max_unpool2d`"].startswith("no, RuntimeError: ")
    assert not torch.are_deterministic_algorithms_enabled()


def one_more(function):
    return lambda *arguments: function(*arguments) + 1


@pytest.mark.parametrize("wrong", ["confusion_counts", "numpy_mask", "torch_histc", "sklearn_confusion"])
def test_a_wrong_confusion_matrix_stops_the_script(wrong, monkeypatch, capsys):
    script = importlib.import_module("region_metrics")
    monkeypatch.setattr(script, wrong, one_more(getattr(script, wrong)))
    with pytest.raises(WrongResultError, match="give different results"):
        script.main(["--quick"])
    assert first_cells(capsys.readouterr().out) == set()


def test_a_wrong_mean_iou_stops_the_script(monkeypatch, capsys):
    script = importlib.import_module("region_metrics")
    monkeypatch.setattr(script, "mean_of_present", one_more(script.mean_of_present))
    with pytest.raises(WrongResultError, match="'numpy, mask' and 'ours' give different results"):
        script.main(["--quick"])


@pytest.mark.parametrize("wrong", ["boundary_counts", "flow_matching"])
def test_a_wrong_boundary_count_stops_the_script(wrong, monkeypatch, capsys):
    script = importlib.import_module("boundary_metrics")
    right = getattr(script, wrong)
    monkeypatch.setattr(script, wrong, one_more(right))
    with pytest.raises(WrongResultError, match="'SciPy flow' and 'ours' give different results"):
        script.main(["--quick"])


@pytest.mark.parametrize("part", [0, 1], ids=["output", "gradient"])
def test_a_wrong_unpooling_stops_the_script(part, monkeypatch, capsys):
    script = importlib.import_module("unpooling")

    def wrong(features, indices, size):
        unpooled = script.torch_unpool(features, indices, size)
        return unpooled + 1 if part == 0 else unpooled + (features - features.detach()).sum()  # the same values

    monkeypatch.setitem(script.UNPOOLINGS, "max_unpool2d", wrong)
    with pytest.raises(WrongResultError, match="'max_unpool2d' and 'ours' give different results"):
        script.main(["--quick", "--device", "cpu"])


@forks
@pytest.mark.parametrize("wrong", ["our_loop", "bare_loop", "plain_loop"])
def test_a_loop_with_other_losses_stops_the_script(wrong, monkeypatch, capsys):
    script = importlib.import_module("training")
    right = getattr(script, wrong)

    def altered(*arguments):
        loop = right(*arguments)
        return lambda iterations: [loss * 1.05 for loss in loop(iterations)]

    monkeypatch.setattr(script, wrong, altered)
    monkeypatch.setattr(script, "WORKERS", 0)
    with pytest.raises(WrongResultError, match="give different results"):
        script.main(["--quick", "--device", "cpu"])


def test_a_command_that_fails_stops_the_script(monkeypatch, capsys):
    script = importlib.import_module("startup")
    monkeypatch.setattr(script, "COMMANDS", ("bench statsu",))
    with pytest.raises(WrongResultError, match=r"python -m bench statsu left with exit code 2: error: unknown command"):
        script.main(["--quick"])


def test_what_is_not_installed_is_left_out_and_named(monkeypatch, capsys):
    script = importlib.import_module("region_metrics")
    monkeypatch.setattr(script, "torchmetrics", None)
    script.main(["--quick"])
    text = capsys.readouterr().out
    assert "Left out, because not installed: torchmetrics." in text
    assert "torchmetrics" not in first_cells(text)
    assert "scikit-learn" in first_cells(text)


@pytest.mark.parametrize(
    "name", ["region_metrics", "boundary_metrics", "unpooling", "training", "startup", "report", "all"]
)
def test_unknown_arguments_are_one_line(name, capsys):
    with pytest.raises(SystemExit) as left:
        importlib.import_module(name).main(["--qiuck"])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: unrecognized arguments: --qiuck; see `python benchmarks/")
    assert error.count("\n") == 1


@pytest.mark.parametrize("rounds", ["0", "-1", "two", "1.5"])
def test_rounds_are_a_number_of_at_least_1(rounds, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module("startup").main([f"--rounds={rounds}"])
    assert f"must be a whole number, at least 1, got '{rounds}'" in capsys.readouterr().err


def test_help_is_there_without_measuring(capsys):
    with pytest.raises(SystemExit) as left:
        importlib.import_module("unpooling").main(["--help"])
    assert left.value.code == 0
    assert "--device {auto,cpu,cuda}" in capsys.readouterr().out


def test_all_makes_one_page_with_the_machine_on_top(monkeypatch, tmp_path, capsys):
    script = importlib.import_module("all")
    monkeypatch.setattr(script, "SCRIPTS", {"startup.py": False})
    script.main(["--quick", "--out", str(tmp_path / "page.md")])
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert text.index("# Benchmarks") < text.index("Tiny setting") < text.index("- Versions: Python ")
    assert text.index("- Versions: Python ") < text.index("## Start-up of commands")
    assert text.count("- Processor: ") == 1


def test_all_writes_nothing_when_a_script_stops(monkeypatch, tmp_path, capsys):
    script = importlib.import_module("all")
    (tmp_path / "broken.py").write_text("import sys; print('half a page'); sys.exit('error: it broke')")
    monkeypatch.setattr(script, "HERE", tmp_path)
    monkeypatch.setattr(script, "SCRIPTS", {"broken.py": False})
    with pytest.raises(script.ScriptError, match=r"broken.py stopped with exit code 1, no page is written: error"):
        script.main(["--out", str(tmp_path / "page.md")])
    assert [path.name for path in tmp_path.iterdir()] == ["broken.py"]


@pytest.mark.parametrize(("place", "problem"), [("", "is a folder"), ("none/page.md", "folder that does not exist")])
def test_all_looks_at_its_target_before_it_measures(place, problem, tmp_path, monkeypatch):
    script = importlib.import_module("all")
    monkeypatch.setattr(script, "SCRIPTS", {})
    with pytest.raises(script.ConfigError, match=problem):
        script.main(["--out", str(tmp_path / place)])


@pytest.mark.slow
def test_all_scripts_run_one_after_the_other(tmp_path):
    page = tmp_path / "page.md"
    command = [sys.executable, str(BENCHMARKS / "all.py"), "--quick", "--device", "cpu", "--out", str(page)]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    text = page.read_text(encoding="utf-8")
    for names in NAMES.values():
        assert set(names) <= first_cells(text)
    assert "## Max-unpooling" in text
