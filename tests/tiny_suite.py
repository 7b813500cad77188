"""A suite that takes seconds as a real process: its study, how it is started, what it stores and what it leaves."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml
from rich.console import Console

from bench.replication.exact import MEASURED_ANEW
from bench.replication.scores import MACHINE_COSTS
from bench.results.store import load_results
from bench.running.progress import ProgressDisplay
from bench.running.suite import NOT_ENDED, Place, Summary, run_suite
from bench.study.config import load_study
from bench.study.trials import plan

ROOT = Path(__file__).parent.parent


def write_study(folder, models=("bilinear_interpolation", "fcn_basic"), timing=(32, 40), **run) -> Path:
    """Writes a study with one suite of trainings and cost trials, 32x40 pixels; `run` overrides its length."""
    study = yaml.safe_load((ROOT / "bench.yaml").read_text())
    study["datasets"]["road_scenes"] |= {"train": 6, "val": 2, "test": 3}
    sizes = {"height": timing[0], "width": timing[1]}
    study["profiles"]["smoke"] |= {"height": 32, "width": 40, "panels": 1, "determinism": "strict"}
    study["profiles"]["smoke"]["timing"] = {**sizes, "rounds": 2, "iterations": 2}
    suite = study["suites"]["decoder-variants"]
    suite |= {"models": list(models), "weightings": ["median_frequency"]}
    length = {"batch_size": 2, "iterations": 40, "validate_every": 20, "checkpoint_every": 5}
    suite["runs"] = {"smoke": {"dataset": "road_scenes", **length, **run}}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


def start(study, results, *words, command="run", before=lambda: None) -> subprocess.Popen:
    """Starts a command as a leader of a new group of processes, as a terminal does.

    Args:
        before: called in the new process, to limit it
    """

    def prepare():
        # a shell starts background jobs with SIGINT ignored, and children inherit that
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        before()

    line = ["-m", "bench", "--config", study, command, "--suite", "decoder-variants", "--results", results, *words]
    return subprocess.Popen(
        [sys.executable, *(str(word) for word in line)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )


def finish(process, timeout=240) -> tuple[int, str, str]:
    """Waits for a process; returns exit code, output and errors."""
    try:
        out, errors = process.communicate(timeout=timeout)
    finally:
        process.kill()
    return process.returncode, out, errors


def bench(study, results, *words, **options) -> tuple[int, str, str]:
    """Runs a command to its end."""
    return finish(start(study, results, *words, **options))


def complete(study, results, wanted=NOT_ENDED, threads=1, jobs=1) -> tuple[Summary, str]:
    """Runs the suite from this process, which has torch already; returns what became of it and what was printed."""
    trials = plan(load_study(study), "decoder-variants", "smoke")
    out = io.StringIO()
    place = Place("cpu", threads, results, jobs=jobs)
    with ProgressDisplay(Console(file=out, width=1000), jobs) as display:
        return run_suite(trials, place, display, wanted=wanted), out.getvalue()


def undisturbed(study, results) -> dict:
    """Runs the suite where nothing gets in its way; returns its values."""
    summary, out = complete(study, results)
    assert (summary.skipped, summary.failed) == (0, []), out
    return values(results)


def wait_for(condition, process=None, seconds=120.0) -> bool:
    """Waits until something is true; False when `process` has ended before."""
    deadline = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            return False
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)
    return True


def values(results) -> dict:
    """Returns every value of every trial that the load of the machine does not change, as text that shows all bits."""
    found = load_results(results, without=())
    assert found.problems == []
    rows = found.rows
    costs = rows["metric"].str.replace(r"_(p25|p75|n)$", "", regex=True).isin(list(MACHINE_COSTS))
    rows = rows[~(costs | (rows["metric"] == "images_per_s") | rows["record"].isin(MEASURED_ANEW))]
    where = ["record", "metric", "split", "iteration", "protocol", "class_name", "predicted_class", "image", "value"]
    return {
        trial: sorted(map(repr, part[where].itertuples(index=False, name=None)))
        for trial, part in rows.groupby("trial")
    }


def checkpoints(results) -> list[str]:
    """Returns the names of the checkpoints, oldest first."""
    return sorted(path.stem for path in results.rglob("*.checkpoint"))


def half_written(results) -> list[Path]:
    """Returns the temporary files, those of leases aside."""
    return [path for path in results.rglob("_*.tmp") if "_leases" not in path.parts]


def leftovers(results) -> list[Path]:
    """Returns every file that is neither a result, a picture nor a log."""
    kept = {".parquet", ".png", ".log"}
    return [path for path in results.rglob("*") if path.is_file() and path.suffix not in kept]
