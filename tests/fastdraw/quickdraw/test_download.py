"""Downloads over a bad network, from a server that does all that servers do."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from folders import visible
from server import Server, serving

import fastdraw
from fastdraw.cli import main
from fastdraw.quickdraw.catalog import Category, categories, find_categories
from fastdraw.quickdraw.download import download_categories, open_cached
from fastdraw.quickdraw.transfer import TransferOptions

NAMES = ("cat", "The Eiffel Tower", "t-shirt")
CAT = "/binary/cat.bin"
QUICK = TransferOptions(waits=(0.001, 0.002, 0.003), longest_wait=0.01, timeout=0.2, block=1000)

Catalog = dict[str, Category]
Fetch = Callable[..., list[Path]]


@pytest.fixture
def server(sample: Path) -> Iterator[Server]:
    """Serves three categories in all formats."""
    with serving() as server:
        for name, path in zip(NAMES, sorted(sample.glob("*.bin")), strict=True):
            content = path.read_bytes()
            server.files[f"/binary/{name}.bin"] = content
            server.files[f"/numpy_bitmap/{name}.npy"] = random.Random(name).randbytes(5000)
            server.files[f"/simplified/{name}.ndjson"] = content[:3000]
        yield server


@pytest.fixture
def catalog(server: Server) -> Catalog:
    """What the server publishes."""
    catalog = {}
    for name in NAMES:
        strokes, bitmaps = server.files[f"/binary/{name}.bin"], server.files[f"/numpy_bitmap/{name}.npy"]
        sums = [hashlib.sha256(data).hexdigest() for data in (strokes, bitmaps)]
        catalog[name] = Category(name, 200, len(strokes), sums[0], len(bitmaps), sums[1])
    return catalog


@pytest.fixture
def fetch(server: Server, catalog: Catalog) -> Fetch:
    """Downloads categories of the server, "cat" by default, to a folder."""

    def fetch(folder: Path, names: str | None = "cat", **options: object) -> list[Path]:
        chosen = find_categories(names, catalog)
        return download_categories(chosen, folder, base_url=server.url, options=QUICK, **options)

    return fetch


def whole(server: Server, folder: Path) -> bool:
    """Whether the folder holds cat.bin as published, and nothing else."""
    return visible(folder) == {"cat.bin"} and (folder / "cat.bin").read_bytes() == server.files[CAT]


def test_every_format_and_all(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    assert fetch(tmp_path / "bin", None) == [tmp_path / f"bin/{name}.bin" for name in NAMES]
    for name in NAMES:
        assert (tmp_path / f"bin/{name}.bin").read_bytes() == server.files[f"/binary/{name}.bin"]
    (bitmap,) = fetch(tmp_path / "npy", "the eiffel tower", format="numpy_bitmap")
    assert bitmap.read_bytes() == server.files["/numpy_bitmap/The Eiffel Tower.npy"]
    (text,) = fetch(tmp_path / "text", format="simplified")
    assert text.read_bytes() == server.files["/simplified/cat.ndjson"]


@pytest.mark.parametrize(
    "moods",
    [
        [("cut", 0)],
        [("cut", 2500), ("cut", 1), ("cut", 1000), ("cut", 1), ("cut", 1), ("cut", 1), ("cut", 1)],
        [("stall", 1500)],
        [("stall", 0), ("stall", 0)],
        [429, 500, 503],
        [("after", 429, 1000)],
        ["wrong"],
        [("cut", 3000), "whole"],
        [("cut", 3000), "wrong"],
        ["longer"],
        [("cut", 3000), 416],
        [500, ("cut", 5000), 500, 500, ("cut", 5000), 500, 500],
    ],
    ids=str,
)
def test_retries(server: Server, fetch: Fetch, tmp_path: Path, moods: list[object]) -> None:
    server.mood[CAT] = list(moods)
    assert fetch(tmp_path) == [tmp_path / "cat.bin"]
    assert whole(server, tmp_path)
    assert server.mood[CAT] == []


@pytest.mark.parametrize(
    ("moods", "message"),
    [
        ([404], "404 Not Found"),
        ([403], "403 Forbidden"),
        ([500] * 4, "gave up after 4 attempts: the server answered 500"),
        ([("stall", 0)] * 4, "gave up after 4 attempts: nothing arrived"),
        ([("cut", 0)] * 4, "gave up after 4 attempts"),
        (["wrong"] * 2, "wrong checksum"),
    ],
    ids=str,
)
def test_failures(server: Server, fetch: Fetch, tmp_path: Path, moods: list[object], message: str) -> None:
    """The error says so, the other files are fetched, and the next call fetches this one."""
    server.mood[CAT] = list(moods)
    with pytest.raises(fastdraw.FastdrawError, match=message) as caught:
        fetch(tmp_path, None)
    assert f"{server.url}{CAT}" in str(caught.value)
    assert "1 of 3 files are missing" in str(caught.value)
    assert not (tmp_path / "cat.bin").exists()
    assert (tmp_path / "t-shirt.bin").exists()
    server.asked.clear()
    fetch(tmp_path, None)
    assert {path for _, path, _ in server.asked} == {CAT}
    assert (tmp_path / "cat.bin").read_bytes() == server.files[CAT]


def test_no_server(catalog: Catalog, tmp_path: Path) -> None:
    chosen = find_categories("cat", catalog)
    options = TransferOptions(first_waits=(0.001,))
    with pytest.raises(fastdraw.FastdrawError, match=r"gave up after 2 attempts.*refused"):
        download_categories(chosen, tmp_path, base_url="http://127.0.0.1:9", options=options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": "catt"}, "expected one of the 345 published categories, received 'catt'"),
        ({"base_url": "nowhere"}, "expected base_url to begin with http:// or https:// and a host, received 'nowhere'"),
        ({"format": "png"}, "expected format to be one of .*, received 'png'"),
        ({"parallel": 0}, "expected parallel to be 1 or more, received 0"),
    ],
)
def test_wrong_arguments(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fastdraw.download_files(**({"names": "cat", "folder": tmp_path / "new"} | options))
    assert not (tmp_path / "new").exists()


def test_resumes_where_it_was_cut_off(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    server.mood[CAT] = [("cut", 3000)]
    fetch(tmp_path)
    size = len(server.files[CAT])
    assert [wanted for _, _, wanted in server.asked] == [None, "bytes=3000-"]
    # So does an incomplete file of another program.
    (tmp_path / "cat.bin").write_bytes(server.files[CAT][:-5])
    server.asked.clear()
    fetch(tmp_path)
    assert [wanted for _, _, wanted in server.asked] == [f"bytes={size - 5}-"]
    assert whole(server, tmp_path)


@pytest.mark.parametrize("damage", ["flipped", "shorter", "longer", "empty"])
def test_a_wrong_file_is_fetched_again(server: Server, fetch: Fetch, tmp_path: Path, damage: str) -> None:
    content = server.files[CAT]
    changed = {"flipped": b"?" + content[1:], "shorter": b"?" + content[1:-9], "longer": content + b"?", "empty": b""}
    (tmp_path / "cat.bin").write_bytes(changed[damage])
    server.mood[CAT] = [404]
    with pytest.raises(fastdraw.FastdrawError):
        fetch(tmp_path)
    assert not (tmp_path / "cat.bin").exists()
    fetch(tmp_path)
    assert whole(server, tmp_path)


def test_a_verified_file_is_not_requested_again(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    fetch(tmp_path, None)
    server.asked.clear()
    fetch(tmp_path, None)
    assert server.asked == []


def test_simplified_is_verified_with_the_md5_of_the_server(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    path = "/simplified/cat.ndjson"
    digest = base64.b64encode(hashlib.md5(server.files[path]).digest()).decode()
    server.headers[path] = {"x-goog-hash": f"crc32c=AAAAAA==, md5={digest}"}
    server.mood[path] = [503, None, "wrong"]  # HEAD, HEAD, GET
    (file,) = fetch(tmp_path, format="simplified")
    assert file.read_bytes() == server.files[path]
    server.asked.clear()
    fetch(tmp_path, format="simplified")
    assert [method for method, *_ in server.asked] == ["HEAD"]


def test_disk_space_is_checked_first(server: Server, catalog: Catalog, tmp_path: Path) -> None:
    huge = catalog["cat"]._replace(bin_bytes=10**18)
    (tmp_path / ".cat.bin.part").write_bytes(server.files[CAT][:100])
    with pytest.raises(fastdraw.FastdrawError, match=f"expected {10**18 - 100:,} bytes of free disk space"):
        download_categories([huge], tmp_path, base_url=server.url)
    assert server.asked == []
    assert (tmp_path / ".cat.bin.part").exists()


def test_progress_counts_all_files(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    (tmp_path / ".cat.bin.part").write_bytes(server.files[CAT][:100])
    calls: list[tuple[str, int, int]] = []
    fetch(tmp_path, None, progress=lambda *call: calls.append(call))
    sizes = {f"{name}.bin": len(server.files[f"/binary/{name}.bin"]) for name in NAMES}
    assert calls[:3] == [(name, 100 if name == "cat.bin" else 0, size) for name, size in sizes.items()]
    for name, size in sizes.items():
        done = [call[1] for call in calls if call[0] == name]
        assert done == sorted(done)
        assert done[-1] == size
        assert len(done) > 5


class Stopped(Exception):
    pass


def test_an_exception_stops_all_threads_and_the_next_call_resumes(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    server.mood[CAT] = [("cut", 2000), ("after", 503, 1000)]

    def progress(name: str, done: int, count: int) -> None:
        if name != "cat.bin" and done >= 2000:
            raise Stopped

    with pytest.raises(Stopped):
        fetch(tmp_path, None, progress=progress)
    assert not list(tmp_path.glob("*.bin"))
    assert len(fetch(tmp_path, None)) == 3
    assert visible(tmp_path) == {f"{name}.bin" for name in NAMES}


def test_load_fetches_what_is_missing(server: Server, catalog: Catalog, tmp_path: Path) -> None:
    def load(*names: str) -> fastdraw.Drawings:
        return open_cached(find_categories(names, catalog), tmp_path, base_url=server.url, options=QUICK)

    drawings = load("T-SHIRT", "cat")
    assert drawings.categories == ("t-shirt", "cat")
    assert len(drawings) == 400
    server.asked.clear()
    assert len(load("cat")) == 200
    assert server.asked == []
    (tmp_path / "cat.bin").write_bytes(b"")
    assert len(load("cat")) == 200
    assert len(server.asked) == 1


@pytest.mark.parametrize("given", [True, False], ids=["cache", "user's cache"])
def test_load_opens_what_is_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: bool) -> None:
    """Without a network: a file of the published size, of records without strokes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "mine" if given else tmp_path / "fastdraw/bin"
    folder.mkdir(parents=True)
    category = min((c for c in categories().values() if c.bin_bytes % 17 == 0), key=lambda c: c.bin_bytes)
    record = (1).to_bytes(8, "little") + b"ZZ\x01" + bytes(6)
    (folder / f"{category.name}.bin").write_bytes(record * (category.bin_bytes // 17))
    drawings = fastdraw.load(category.name.upper(), cache=folder if given else None)
    assert drawings.categories == (category.name,)
    assert len(drawings) == category.bin_bytes // 17


def test_command(server: Server, tmp_path: Path) -> None:
    """With the published catalog, which has no checksums of the simplified files."""
    for name in categories():
        server.files[f"/simplified/{name}.ndjson"] = name.encode()

    def run(*arguments: str) -> tuple[int, str, str]:
        options = ["--dest", str(tmp_path), "--base-url", server.url]
        result = CliRunner().invoke(main, ["download", *arguments, *options])
        return result.exit_code, result.stdout, result.stderr

    simplified = ("--format", "simplified")
    status, printed, shown = run("The eiffel tower", "cat", "--parallel", "1", *simplified)
    assert (status, printed) == (0, f"{tmp_path}: 2 files, all verified\n")
    assert "cat.ndjson: 3 of 3 bytes" in shown
    assert visible(tmp_path) == {"cat.ndjson", "The Eiffel Tower.ndjson"}
    assert run("--all", "--quiet", *simplified) == (0, "", "")
    assert visible(tmp_path) == {f"{name}.ndjson" for name in categories()}
    status, _, shown = run("catt")
    assert status == 1
    assert shown.startswith("fastdraw: expected one of the 345 published categories, received 'catt'; closest: 'cat'")
    assert len(shown.splitlines()) == 1
    assert run()[0] == run("cat", "--all")[0] == 2
    server.mood["/numpy_bitmap/cat.npy"] = [404]
    status, _, shown = run("cat", "--format", "numpy_bitmap", "--quiet")
    assert (status, len(shown.splitlines())) == (1, 1)
