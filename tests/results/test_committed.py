"""Results that are named by a folder or by a git revision."""

import subprocess
from pathlib import Path

import pytest
from results_factory import trials, write

from bench.errors import ConfigError, ResultsError
from bench.results.committed import results_at
from bench.results.store import result_files

TRIAL = trials()[0]


def git(*words):
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with results in its second commit, and with other files there in the first."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    git("init", "-q", "-b", "main")
    Path("results").mkdir()
    Path("results/notes.txt").write_text("none yet")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    git("tag", "empty")
    write(Path("results"), TRIAL)
    write(Path("results/_panels"), TRIAL)
    # what an attribute would leave out of an archive, or write otherwise
    Path(".gitattributes").write_text("*.parquet export-ignore text eol=crlf\n")
    git("add", ".")
    git("commit", "-q", "-m", "second")
    return tmp_path


def test_a_folder_is_taken_as_it_is(repository):
    with results_at("results", Path("elsewhere")) as place:
        assert place == ("results", Path("results"))


@pytest.mark.parametrize("name", ["main", "HEAD"])
def test_results_of_a_commit_are_those_that_were_committed(repository, name):
    (path,) = result_files(repository / "results")
    content = path.read_bytes()
    path.unlink()
    with results_at(name, Path("results")) as place:
        (found,) = result_files(place.folder)
        assert found.read_bytes() == content
        assert found.relative_to(place.folder) == path.relative_to(repository / "results")
        assert place.title.startswith(f"{name} (")
    assert not place.folder.exists()


def test_a_hash_is_shown_once_and_from_a_folder_below(repository, monkeypatch):
    commit = subprocess.run(["git", "rev-parse", "main"], check=True, capture_output=True, text=True).stdout.strip()
    Path("below").mkdir()
    monkeypatch.chdir("below")
    with results_at(commit[:7], Path("../results")) as place:
        assert place.title == commit[:9]
        assert len(result_files(place.folder)) == 1


def test_names_that_are_nothing(repository):
    for name, message in (
        ("mian", r"'mian' is neither a folder nor a commit, branch or tag of this repository"),
        ("main:results", r"'main:results' is neither a folder nor"),
        ("-x", r"'-x' is neither a folder nor"),
        ("results/notes.txt", r"'results/notes.txt' is a file; name a results folder, or a commit"),
    ):
        with pytest.raises(ConfigError, match=message), results_at(name, Path("results")):
            pass
    with (
        pytest.raises(ConfigError, match=r"--results '/tmp' is looked for in a commit; give it as a relative path"),
        results_at("main", Path("/tmp")),
    ):
        pass


def test_places_without_results(repository):
    with (
        pytest.raises(ResultsError, match=r"commit empty \(\w{9}\) has no results files in 'results'; --results DIR"),
        results_at("empty", Path("results")),
    ):
        pass
    with pytest.raises(ResultsError, match=r"has no results files in 'nowhere'"), results_at("main", Path("nowhere")):
        pass
    Path("bare").mkdir()
    with pytest.raises(ResultsError, match=r"no results files in the folder 'bare'"), results_at("bare", Path("x")):
        pass


def test_outside_of_a_repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with (
        pytest.raises(
            ConfigError, match=r"there is no folder 'main', and no commit of this name: git says '.*not a git"
        ),
        results_at("main", Path("results")),
    ):
        pass


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(ConfigError, match=r"git cannot be run, which reads results of a commit: No such file"),
        results_at("main", Path("results")),
    ):
        pass
