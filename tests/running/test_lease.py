"""Who may work on a trial: one at a time, whoever else is there, however the last one ended."""

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bench.errors import ResultsError
from bench.running import lease, process
from bench.running.lease import EXPIRY_S, Holder, Lease, acquire

ROOT = Path(__file__).parent.parent.parent
NAMES = [f"suite.mini.segnet_basic.median_frequency.s{number}-0123456789abcdef" for number in range(50)]
NAME = NAMES[0]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "_leases"


@pytest.fixture(autouse=True)
def leases_end_with_their_test(folder):
    yield
    shutil.rmtree(folder, ignore_errors=True)


def taken(found) -> Lease:
    assert isinstance(found, Lease), found
    return found


def held(found) -> Holder:
    assert isinstance(found, Holder), found
    return found


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def of_generation(number, name=NAME):
    return f"{name}.{number:06d}.json"


def age(path, seconds):
    """Makes a file as old as that by the clock of the file system, not by the one of this process; returns its time."""
    touched = path.with_name("_touched")
    touched.touch()
    now = touched.stat().st_mtime
    touched.unlink()
    os.utime(path, (now - seconds, now - seconds))
    return now - seconds


def leave(folder, *, seconds=0.0, name=NAME, number=1, **changes):
    """Writes the lease of a process, by default this one, as if it had been left behind."""
    folder.mkdir(exist_ok=True)
    path = folder / of_generation(number, name)
    path.write_text(json.dumps(process.this_process() | {"token": f"{number}"} | changes))
    age(path, seconds)
    return path


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def python(code, *words):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_one_has_it_and_the_other_is_told_who(folder):
    first = taken(acquire(folder, NAME))
    other = held(acquire(folder, NAME))
    assert (other.host, other.pid) == (os.uname().nodename, os.getpid())
    assert 0 <= other.age_s < 5
    assert str(other).startswith(f"process {os.getpid()} on {os.uname().nodename}, last heard of ")
    said = json.loads((folder / of_generation(1)).read_text())
    assert {"host", "boot_id", "pid_namespace", "pid", "process_start", "started_at"} <= set(said)
    first.release()
    with taken(acquire(folder, NAME)):
        pass
    assert files(folder) == []


def test_names_do_not_get_into_each_others_way(folder):
    with taken(acquire(folder, "a.000001")), taken(acquire(folder, "a")), taken(acquire(folder, "a.000001.json")):
        assert len(files(folder)) == 3


RACE = """
import sys
from pathlib import Path
from bench.running.lease import Lease, acquire
folder, *names = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
found = {name: acquire(Path(folder), name) for name in names}
print(*(name for name in names if isinstance(found[name], Lease)), flush=True)
sys.stdin.readline()  # who dies loses its leases
"""


@pytest.mark.parametrize("expired", [False, True], ids=["free", "expired"])
def test_two_processes_race_and_each_name_is_taken_once(folder, expired):
    for name in NAMES if expired else []:
        leave(folder, seconds=EXPIRY_S + 1, name=name)
    racers = [python(RACE, folder, *NAMES) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    won = [racer.stdout.readline().split() for racer in racers]
    for racer in racers:
        racer.communicate("\n", timeout=10)
    assert sorted(won[0] + won[1]) == sorted(NAMES)


SHARE = """
import os, sys, time
from pathlib import Path
from bench.running.lease import Lease, acquire
folder, *names = sys.argv[1:]
log = os.open(Path(folder).parent / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
done = lambda name: (Path(folder).parent / name).exists()
while not all(map(done, names)):
    for name in names:
        found = acquire(Path(folder), name)
        if isinstance(found, Lease):
            with found:
                if not done(name):
                    os.write(log, f"{name} begin\\n".encode())
                    time.sleep(0.002)
                    (Path(folder).parent / name).touch()
                    os.write(log, f"{name} end\\n".encode())
"""


def test_three_processes_share_the_work_and_nothing_is_done_twice(folder, tmp_path):
    names = NAMES[:20]
    workers = [python(SHARE, folder, *names) for _ in range(3)]
    assert [worker.wait(timeout=30) for worker in workers] == [0, 0, 0]
    for worker in workers:
        worker.communicate()
    lines = (tmp_path / "log").read_text().splitlines()
    for name in names:
        assert [line for line in lines if line.startswith(f"{name} ")] == [f"{name} begin", f"{name} end"]
    assert files(folder) == []


@pytest.mark.parametrize("number", [0, 1], ids=["free", "expired"])
def test_of_many_threads_one_wins(folder, number):
    for _ in range(number):
        leave(folder, seconds=EXPIRY_S + 1)
    barrier, found = threading.Barrier(16), []

    def race():
        barrier.wait()
        found.append(acquire(folder, NAME))

    threads = [threading.Thread(target=race) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = [one for one in found if isinstance(one, Lease)]
    assert len(found) == 16
    assert files(folder)[-1] == of_generation(number + 1)
    assert winner.renew()


@pytest.mark.parametrize(("seconds", "who"), [(EXPIRY_S - 5, Holder), (EXPIRY_S + 1, Lease)])
@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {}])
def test_a_lease_expires_without_heartbeats(folder, seconds, who, elsewhere):
    leave(folder, seconds=seconds, **elsewhere)
    assert type(acquire(folder, NAME)) is who


@pytest.mark.parametrize("ahead_s", [-3600, 3600])
def test_the_clock_of_the_file_server_counts(folder, monkeypatch, ahead_s):
    """A server whose clock is an hour off: what it says of two files can be compared, what this machine says cannot."""
    utime = os.utime

    def touched_by_the_server(path, times=None):
        utime(path, times or (time.time() + ahead_s,) * 2)

    monkeypatch.setattr(os, "utime", touched_by_the_server)
    taken(acquire(folder, NAME))
    assert held(acquire(folder, NAME)).age_s < 5
    path = folder / of_generation(1)
    for seconds, who in ((EXPIRY_S - 5, Holder), (EXPIRY_S + 1, Lease)):
        utime(path, (time.time() + ahead_s - seconds,) * 2)
        assert type(acquire(folder, NAME)) is who


def test_a_time_in_the_far_future_holds_nobody_off_forever(folder):
    leave(folder, seconds=-10, host="another")
    assert held(acquire(folder, NAME)).age_s == 0
    leave(folder, seconds=-EXPIRY_S - 5, host="another")
    taken(acquire(folder, NAME))


TAKE = """
import sys
from pathlib import Path
from bench.running.lease import acquire
print(acquire(Path(sys.argv[1]), sys.argv[2]), flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="without /proc only the heartbeat counts")
@pytest.mark.parametrize("reaped", [True, False], ids=["gone", "zombie"])
def test_the_lease_of_a_killed_process_is_free_at_once(folder, reaped):
    holder = python(TAKE, folder, NAME)
    assert "Lease" in holder.stdout.readline()
    assert held(acquire(folder, NAME)).pid == holder.pid
    holder.kill()
    if reaped:
        holder.wait()
    else:
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has asked for its exit code
    with taken(acquire(folder, NAME)):
        assert files(folder) == [of_generation(1), of_generation(2)]
    holder.communicate()
    assert files(folder) == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="without /proc only the heartbeat counts")
def test_another_process_with_the_same_id_is_not_the_holder(folder):
    leave(folder, process_start=1)
    taken(acquire(folder, NAME))


def dead_pid():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@pytest.mark.parametrize("other", [{"host": "another"}, {"boot_id": "another"}, {"pid_namespace": "pid:[1]"}])
def test_a_process_id_says_nothing_about_another_machine(folder, other):
    leave(folder, pid=dead_pid(), **other)
    held(acquire(folder, NAME))


def test_without_proc_only_the_heartbeat_counts(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "PROC", tmp_path / "nothing")
    leave(folder, pid=dead_pid())
    held(acquire(folder, NAME))
    leave(folder, pid=dead_pid(), seconds=EXPIRY_S + 1)
    with taken(acquire(folder, NAME)):
        assert json.loads((folder / of_generation(2)).read_text())["process_start"] is None


def test_a_process_of_another_user_is_no_dead_one(folder, monkeypatch):
    def forbidden(pid, number):
        raise PermissionError

    leave(folder)
    monkeypatch.setattr(os, "kill", forbidden)
    monkeypatch.setattr(process, "_process", lambda pid: None)  # as with the mount option hidepid
    held(acquire(folder, NAME))


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 4000,
    b"7",
    b'{"host": 1, "pid": 2}',
    b'{"host": "h", "pid": -1}',
    b'{"host": "h", "pid": 99999999999999999999}',
    b'{"host": "h"}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_judged_by_its_time(folder, content):
    folder.mkdir()
    path = folder / of_generation(1)
    path.write_bytes(content)
    found = held(acquire(folder, NAME))
    assert (found.host, found.pid) == (None, None)
    assert str(found).startswith("an unknown process, last heard of ")
    age(path, EXPIRY_S + 1)
    with taken(acquire(folder, NAME)):
        pass
    assert files(folder) == []


def test_the_heartbeat_keeps_the_file_young(folder, monkeypatch):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    with taken(acquire(folder, NAME)) as mine:
        path = folder / of_generation(1)
        before = age(path, EXPIRY_S + 100)
        assert until(lambda: path.stat().st_mtime > before + EXPIRY_S)
        assert not mine.lost


def test_who_stood_still_notices_and_leaves_the_lease_to_the_other(folder):
    first = taken(acquire(folder, NAME))
    age(folder / of_generation(1), EXPIRY_S + 1)
    second = taken(acquire(folder, NAME))
    assert not first.lost
    assert not first.renew()
    assert first.lost
    first.release()
    assert files(folder) == [of_generation(1), of_generation(2)]
    assert second.renew()
    second.release()
    assert files(folder) == []


def test_who_stood_still_does_not_take_a_later_lease_of_the_same_generation_for_its_own(folder):
    first = taken(acquire(folder, NAME))
    age(folder / of_generation(1), EXPIRY_S + 1)
    taken(acquire(folder, NAME)).release()
    third = taken(acquire(folder, NAME))
    assert files(folder) == [of_generation(1)]
    age(folder / of_generation(1), 50)
    first.release()
    assert files(folder) == [of_generation(1)]
    assert not first.renew()
    assert held(acquire(folder, NAME)).age_s > 40, "the heartbeat of the first went to the third"
    assert third.renew()


def test_a_takeover_that_comes_too_late_withdraws(folder, monkeypatch):
    """While one looks at an expired lease, another takes it over, finishes, and a third begins afresh below."""
    create, begun = lease._create, []

    def late(path, draft, content):
        monkeypatch.setattr(lease, "_create", create)
        (folder / of_generation(1)).unlink()
        begun.append(taken(acquire(folder, NAME)))
        create(path, draft, content)

    leave(folder, seconds=EXPIRY_S + 1)
    monkeypatch.setattr(lease, "_create", late)
    assert held(acquire(folder, NAME)).pid == os.getpid()
    assert files(folder) == [of_generation(1)]
    assert begun[0].renew()


def test_a_fresh_start_below_a_takeover_withdraws(folder, monkeypatch):
    create, other = lease._create, []

    def early(path, draft, content):
        monkeypatch.setattr(lease, "_create", create)
        create(path, draft, content)
        other.append(leave(folder, number=2))

    monkeypatch.setattr(lease, "_create", early)
    held(acquire(folder, NAME))
    assert files(folder) == [of_generation(2)]


LOSSES = {
    "taken over": lambda path: leave(path.parent, number=2),
    "file gone": lambda path: path.unlink(),
    "folder gone": lambda path: shutil.rmtree(path.parent),
    "another's": lambda path: path.write_text("{}"),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_the_heartbeat_notices_that_the_lease_is_lost(folder, monkeypatch, lose):
    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    with taken(acquire(folder, NAME)) as mine:
        time.sleep(0.03)
        assert not mine.lost
        lose(folder / of_generation(1))
        assert until(lambda: mine.lost)


def test_the_heartbeat_outlives_an_error_of_the_file_server(folder, monkeypatch):
    utime, failures = os.utime, []

    def failing(path, times=None):
        if times is None and len(failures) < 3:
            failures.append(path)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        utime(path, times)

    monkeypatch.setattr(lease, "HEARTBEAT_S", 0.01)
    with taken(acquire(folder, NAME)) as mine:
        path = folder / of_generation(1)
        monkeypatch.setattr(os, "utime", failing)
        before = age(path, 50)
        assert until(lambda: path.stat().st_mtime > before + 40)
        assert len(failures) == 3
        assert not mine.lost


def test_without_hard_links_it_works_too(folder, monkeypatch):
    def refused(path, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refused)
    with taken(acquire(folder, NAME)) as mine:
        assert held(acquire(folder, NAME)).pid == os.getpid()
        assert mine.renew()
        age(folder / of_generation(1), EXPIRY_S + 1)
        with taken(acquire(folder, NAME)):
            assert not mine.renew()
    assert files(folder) == []


def test_a_link_whose_answer_was_lost_is_still_ours(folder, monkeypatch):
    link = Path.hardlink_to

    def repeated(path, target):
        link(path, target)
        link(path, target)

    monkeypatch.setattr(Path, "hardlink_to", repeated)
    with taken(acquire(folder, NAME)):
        held(acquire(folder, NAME))


def test_drafts_of_killed_processes_are_removed(folder):
    folder.mkdir()
    old, young = (folder / f"_{NAME}.{token}.tmp" for token in ("0a", "0b"))
    for draft in (old, young):
        draft.touch()
    age(old, EXPIRY_S + 1)
    with taken(acquire(folder, NAME)):
        assert files(folder) == [young.name, of_generation(1)]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        ResultsError, match=r"^leases in '.*below' cannot be written: Not a directory; .*--results DIR$"
    ):
        acquire(tmp_path / "file" / "below", NAME)


def test_a_full_disk_is_one_line_and_leaves_nothing(folder, monkeypatch):
    def full(path, content):
        path.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResultsError, match=r"^leases in '.*' cannot be written: No space left on device; make room"):
        acquire(folder, NAME)
    assert files(folder) == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a b", "ä"])
def test_a_name_is_no_path(folder, name):
    with pytest.raises(AssertionError):
        acquire(folder, name)


def test_a_name_that_changes_hands_all_the_time_is_somebody_elses(folder, monkeypatch):
    def taken_and_left(path, draft, content):
        raise FileExistsError

    monkeypatch.setattr(lease, "_create", taken_and_left)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert held(acquire(folder, NAME)) == Holder(None, None, 0.0)
    assert files(folder) == []
