"""Too little memory, too little space: what is finished is kept, what failed is named, and it goes on afterwards."""

import os
import resource
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from tiny_suite import bench, checkpoints, complete, half_written, leftovers, undisturbed, values, write_study

from bench.results.store import load_results
from bench.running.endings import GROUPS

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="limits are enforced on Linux")

MIB = 2**20


def check_out_of_memory(study, results, reason, limit):
    """Runs a suite whose measurements need more memory than `limit` leaves; all else is done."""
    code, out, errors = bench(study, results, before=limit)
    assert code == 1, (out, errors)
    rows = load_results(results).rows
    short = rows["kind"] == "cost"
    assert set(rows.loc[short, "status"]) == {"out_of_memory"}
    assert rows.loc[short, "reason"].str.startswith(reason).all()
    assert rows.loc[short, "reason"].str.contains(r"; log: \S+\.cost\.log$").all()
    assert set(rows.loc[~short, "status"]) == {"done"}
    assert "bench --config" in out.splitlines()[-1]
    assert " retry " in out.splitlines()[-1]
    assert leftovers(results) == []
    return len(rows.loc[short])


def test_a_trial_that_needs_too_much_memory_is_recorded_and_the_suite_goes_on(tmp_path):
    study = write_study(tmp_path, timing=(2400, 3200), iterations=2, validate_every=2)

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (1500 * MIB, 1500 * MIB))

    reason = "there was not enough memory: [enforce fail at alloc_cpu.cpp"
    assert check_out_of_memory(study, tmp_path / "results", reason, limit) == 2


@contextmanager
def group_of_processes(mib):
    """A control group with so little memory, in ours; skips the test where we may not make one."""
    groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    ours = next((group for _, controllers, group in groups if controllers in ("memory", "")), "/")
    old = any(controllers == "memory" for _, controllers, _ in groups)
    folder = GROUPS / ("memory" if old else "") / ours.strip("/") / f"bench-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        (folder / ("memory.limit_in_bytes" if old else "memory.max")).write_text(str(mib * MIB))
        yield folder
    except PermissionError as error:
        pytest.skip(f"the memory of a control group cannot be limited here: {error}")
    finally:
        folder.rmdir()


@pytest.mark.slow
def test_a_trial_that_the_system_kills_for_lack_of_memory_is_recorded(tmp_path):
    study = write_study(tmp_path, timing=(2400, 3200), iterations=2, validate_every=2)
    with group_of_processes(1200) as group:

        def limit():
            (group / "cgroup.procs").write_text(str(os.getpid()))

        reason = "its process was killed by the system, which had no more memory; `bench retry` starts afresh"
        assert check_out_of_memory(study, tmp_path / "results", reason, limit) == 2


@pytest.fixture
def study(tmp_path):
    """Checkpoints of the first model take 5 and then 7 MB, those of the second 11 and 17, from iteration 10 on."""
    models = ["bilinear_interpolation", "segnet_basic"]
    return write_study(tmp_path, models, iterations=20, validate_every=10, checkpoint_every=5)


def check_no_space(study, results, before, make_room, kept):
    """Runs a suite that runs out of space in its second training, makes room, and runs it again."""
    code, out, errors = bench(study, results, before=before)
    assert code == 2, (out, errors)
    assert errors.startswith("error: '")
    assert errors.count("\n") == 1
    assert "cannot be written: " in errors
    assert "what is finished is stored: make room and give the same command again" in errors
    assert list(values(results)) == ["decoder-variants.smoke.bilinear_interpolation.median_frequency.s0"]
    assert set(load_results(results).rows["status"]) == {"done"}
    assert checkpoints(results) == kept
    assert half_written(results) == []
    make_room()
    summary, out = complete(study, results)
    assert summary.failed == [], out
    assert f"goes on from iteration {int(kept[-1])} of 20" in out
    assert leftovers(results) == []
    return values(results)


def test_a_full_disk_stops_the_suite_and_costs_nothing_that_was_stored(study, tmp_path):
    """Here each file is limited, as by a quota: a write fails in the middle."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (14 * MIB, 14 * MIB))

    found = check_no_space(study, tmp_path / "results", limit, lambda: None, kept=["00000005"])
    assert found == undisturbed(study, tmp_path / "undisturbed")


@pytest.mark.slow
def test_a_small_file_system_stops_the_suite_and_costs_nothing_that_was_stored(study, tmp_path):
    results = tmp_path / "results"
    results.mkdir()

    def mount(*words):
        return subprocess.run(["mount", *words, results], capture_output=True, text=True, check=False)

    done = mount("-t", "tmpfs", "-o", "size=30m", "tmpfs")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        make_room = lambda: mount("-o", "remount,size=200m").check_returncode()  # noqa: E731
        found = check_no_space(study, results, lambda: None, make_room, kept=["00000005", "00000010"])
    finally:
        subprocess.run(["umount", results], check=True)
    assert found == undisturbed(study, tmp_path / "undisturbed")
