"""Files of weights: where they are looked for, that nothing but the right one is taken, how they come."""

import hashlib
import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from results_factory import ROOT
from test_download import Site

from bench.cli import main
from bench.data import pretrained
from bench.errors import BenchError, DataError, UnwritableError

CONTENT = b"weights" * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
WEIGHTS = {"name": "vgg", "file": None, "sha256": SHA[:8]}


@pytest.fixture(autouse=True)
def torch_home(tmp_path, monkeypatch):
    """No test sees what torchvision has downloaded here."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch"


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.pth"
    path.write_bytes(CONTENT)
    return path


def line_of(what, *arguments):
    """Calls something that has to fail with one line, and returns it."""
    with pytest.raises(BenchError) as caught:
        what(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_file_that_the_user_names_is_the_only_place(file, data_home):
    pretrained.add(file, WEIGHTS)
    assert pretrained.weights_path(WEIGHTS | {"file": str(file)}) == file
    line = line_of(pretrained.weights_path, WEIGHTS | {"file": str(file.with_name("other.pth"))})
    assert line.startswith("no weights vgg: there is no '")
    assert "other.pth', which bench.yaml names; correct `file` there" in line
    assert "`bench data fetch vgg`" in line


def test_our_own_copy_comes_before_that_of_torch(file, data_home, torch_home):
    shared = torch_home / "hub" / "checkpoints" / f"vgg16-{SHA[:8]}.pth"
    shared.parent.mkdir(parents=True)
    shared.with_name("vgg16_bn-00000000.pth").write_bytes(b"")
    line = line_of(pretrained.weights_path, WEIGHTS)
    assert f"looked for '{data_home}/weights/vgg-{SHA[:8]}.pth' and for '{shared.parent}/*-{SHA[:8]}.pth'" in line
    assert "give `bench data fetch vgg`" in line
    shared.write_bytes(CONTENT)
    assert pretrained.weights_path(WEIGHTS | {"sha256": SHA}) == shared
    own = pretrained.add(file, WEIGHTS)
    assert pretrained.weights_path(WEIGHTS) == own == data_home / "weights" / f"vgg-{SHA[:8]}.pth"


def test_without_torch_home_it_is_the_users_cache(monkeypatch):
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert pretrained.torch_folder() == Path("/somewhere/torch/hub/checkpoints")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert pretrained.torch_folder() == Path("~/.cache/torch/hub/checkpoints").expanduser()


@pytest.mark.parametrize("digits", [8, 9, 64])
def test_all_digits_that_are_known_count(file, digits):
    assert pretrained.verified(file, SHA[:digits]) == file
    wrong = SHA[: digits - 1] + ("0" if SHA[digits - 1] != "0" else "1")
    line = line_of(pretrained.verified, file, wrong)
    assert f"mine.pth': its SHA-256 begins with {SHA[:digits]}, expected {wrong}; it is damaged or another file" in line


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "pipe': is no file" in line_of(pretrained.verified, tmp_path / "pipe", SHA)  # nor is it waited for
    assert "is no file" in line_of(pretrained.verified, tmp_path, SHA)
    assert "cannot be read: No such file" in line_of(pretrained.add, tmp_path / "nowhere", WEIGHTS)


def test_fetch_puts_a_checked_copy_in_place_once(site, data_home):
    seen = []
    path = pretrained.fetch(site.put("vgg.pth", CONTENT), WEIGHTS, lambda done, total: seen.append((done, total)))
    assert path == pretrained.weights_path(WEIGHTS)
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert pretrained.fetch(site.url("nothing-here"), WEIGHTS) == path
    assert list(path.parent.iterdir()) == [path]


def test_what_is_not_the_file_leaves_nothing(site, data_home):
    for body, length, reason in [
        (CONTENT[:-1], None, rf"another\.pth: its SHA-256 begins with \w{{8}}, expected {SHA[:8]}"),
        (CONTENT[:-1], len(CONTENT), r"another\.pth: download failed: IncompleteRead|more expected"),
    ]:
        with pytest.raises(DataError, match=reason):
            pretrained.fetch(site.put("another.pth", body, length), WEIGHTS)
    assert "answered 404 Not Found" in line_of(pretrained.fetch, site.url("missing"), WEIGHTS)
    assert "only http:// and https://" in line_of(pretrained.fetch, "file:///etc/passwd", WEIGHTS)
    assert [path for path in data_home.rglob("*") if path.is_file()] == []


def test_a_damaged_copy_in_place_is_named_and_not_overwritten(site, file):
    path = pretrained.add(file, WEIGHTS)
    path.write_bytes(b"damaged")
    for what, source in [(pretrained.add, file), (pretrained.fetch, site.put("vgg.pth", CONTENT))]:
        assert f"'{path}': its SHA-256 begins with" in line_of(what, source, WEIGHTS)
    assert path.read_bytes() == b"damaged"


def test_another_file_is_not_added(file, data_home):
    assert "expected 00000000" in line_of(pretrained.add, file, WEIGHTS | {"sha256": "0" * 8})
    assert not data_home.exists()


def test_a_folder_that_cannot_be_written(file, data_home):
    data_home.write_text("a file")
    with pytest.raises(UnwritableError, match="cannot be written"):
        pretrained.add(file, WEIGHTS)


def test_the_command_line_brings_and_verifies_them(tmp_path, site, file, data_home):
    study = yaml.safe_load((ROOT / "bench.yaml").read_text())
    study["pretrained"] = {"vgg": {"sha256": SHA[:8], "url": site.put("vgg.pth", CONTENT)}}
    study["suites"] = {"decoder-variants": study["suites"]["decoder-variants"]}
    study["groups"] = {}

    def bench(*words):
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
        return CliRunner().invoke(main, ["--config", str(tmp_path / "study.yaml"), "data", *words])

    def refusal(*words):
        result = bench(*words)
        assert (result.exit_code, result.output.count("\n")) == (2, 1)
        return result.output.strip().removeprefix("error: ")

    assert refusal("verify", "VGG").startswith("no weights vgg: looked for")
    assert "unknown data set 'vggg', did you mean 'vgg'?" in refusal("verify", "vggg")
    path = data_home / "weights" / f"vgg-{SHA[:8]}.pth"
    assert f"a checked copy of vgg is in '{path}'" in bench("fetch", "vgg").output
    assert bench("verify", "vgg").output == f"'{path}': verified\n"
    path.unlink()
    study["pretrained"]["vgg"] = {"sha256": SHA[:8], "file": str(file)}
    assert refusal("fetch", "vgg") == "weights vgg: bench.yaml has no `url` for them; there is nothing to fetch"
    assert f"note: bench.yaml names '{file}'" in bench("add", "vgg", str(file)).output
    assert bench("verify", "vgg").output == f"'{file}': verified\n"
