"""Fetching files in spite of the network, from a server that does all that servers do."""

from __future__ import annotations

import base64
import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from server import Server, serving

import fastdraw
from fastdraw.cli import commands as cli
from fastdraw.quickdraw import catalog as official
from fastdraw.quickdraw import download

NAMES = ("cat", "The Eiffel Tower", "t-shirt")
CAT = "/binary/cat.bin"


@pytest.fixture
def server(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Three categories of an invented manifest, with short waits."""
    monkeypatch.setattr(download, "WAITS", (0.001, 0.002, 0.003))
    monkeypatch.setattr(download, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    monkeypatch.setattr(download, "_BLOCK", 1000)
    rows = {}
    with serving() as server:
        for name, path in zip(NAMES, sorted(sample.glob("*.bin")), strict=True):
            content, bitmap = path.read_bytes(), random.Random(name).randbytes(5000)
            server.files[f"/binary/{name}.bin"] = content
            server.files[f"/numpy_bitmap/{name}.npy"] = bitmap
            server.files[f"/simplified/{name}.ndjson"] = content[:3000]
            sums = [hashlib.sha256(data).hexdigest() for data in (content, bitmap)]
            rows[name] = official.Category(name, 200, len(content), sums[0], len(bitmap), sums[1])
        monkeypatch.setattr(official, "categories", lambda: rows)
        monkeypatch.setattr(download, "categories", lambda: rows)
        yield server


def fetch(server: Server, folder: Path, names: object = "cat", **options: object) -> list[Path]:
    return fastdraw.download_files(names, folder, base_url=server.url, **options)


def whole(server: Server, folder: Path) -> bool:
    """Whether cat.bin, and nothing else, is there as published."""
    return visible(folder) == {"cat.bin"} and (folder / "cat.bin").read_bytes() == server.files[CAT]


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def test_packaged_manifest() -> None:
    table = official.categories()
    assert len(table) == 345
    assert sum(row.drawings for row in table.values()) == 50_426_266
    assert sum(row.bin_bytes for row in table.values()) == 5_889_968_422
    assert sum(row.npy_bytes for row in table.values()) == 39_534_220_144
    for name, row in table.items():
        assert row.name == name
        assert row.npy_bytes == 80 + 784 * row.drawings
        assert len(bytes.fromhex(row.bin_sha256)) == len(bytes.fromhex(row.npy_sha256)) == 32
    assert len(set(map(official._plain, table))) == 345


def test_packaged_manifest_is_the_shared_one(real: Path) -> None:
    rows = [line.split("\t") for line in (real / "quickdraw/manifest.tsv").read_text().splitlines()[1:]]
    assert [[str(field) for field in row] for row in official.categories().values()] == rows


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("the eiffel tower", "The Eiffel Tower"),
        ("THE-GREAT_WALL  of china", "The Great Wall of China"),
        ("T Shirt", "t-shirt"),
        ("hot_air_balloon", "hot air balloon"),
        (" cat ", "cat"),
    ],
)
def test_names_as_users_type_them(typed: str, name: str) -> None:
    (found,) = official.find_categories(typed)
    assert found.name == name


def test_a_mistyped_name_is_answered_with_the_closest_three() -> None:
    with pytest.raises(ValueError, match=r"received 'elefant'; closest: 'elephant', '[^']+', '[^']+'$"):
        official.find_categories(["cat", "elefant"])
    assert [c.name for c in official.find_categories(["cat", "dog", "Cat"])] == ["cat", "dog"]


def test_every_format_and_all(server: Server, tmp_path: Path) -> None:
    assert fetch(server, tmp_path / "bin", None) == [tmp_path / f"bin/{name}.bin" for name in NAMES]
    for name in NAMES:
        assert (tmp_path / f"bin/{name}.bin").read_bytes() == server.files[f"/binary/{name}.bin"]
    (bitmap,) = fetch(server, tmp_path / "npy", "the eiffel tower", format="numpy_bitmap")
    assert bitmap.read_bytes() == server.files["/numpy_bitmap/The Eiffel Tower.npy"]
    (text,) = fetch(server, tmp_path / "text", format="simplified")
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
def test_setbacks_are_overcome(server: Server, tmp_path: Path, moods: list[object]) -> None:
    server.mood[CAT] = list(moods)
    assert fetch(server, tmp_path) == [tmp_path / "cat.bin"]
    assert whole(server, tmp_path)
    assert server.mood[CAT] == []


@pytest.mark.parametrize(
    ("moods", "message"),
    [
        ([404], "404 Not Found"),
        ([403], "403 Forbidden"),
        ([500] * 4, "gave up after 4 attempts: the server answers 500"),
        ([("stall", 0)] * 4, "gave up after 4 attempts: nothing arrived"),
        ([("cut", 0)] * 4, "gave up after 4 attempts"),
        (["wrong"] * 2, "wrong checksum"),
    ],
    ids=str,
)
def test_what_cannot_be_overcome(server: Server, tmp_path: Path, moods: list[object], message: str) -> None:
    """It is said, the other files are fetched, and the next call fetches it."""
    server.mood[CAT] = list(moods)
    with pytest.raises(fastdraw.FastdrawError, match=message) as caught:
        fetch(server, tmp_path, None)
    assert f"{server.url}{CAT}" in str(caught.value)
    assert "1 of 3 files are missing" in str(caught.value)
    assert not (tmp_path / "cat.bin").exists()
    assert (tmp_path / "t-shirt.bin").exists()
    server.asked.clear()
    fetch(server, tmp_path, None)
    assert {path for _, path, _ in server.asked} == {CAT}
    assert (tmp_path / "cat.bin").read_bytes() == server.files[CAT]


def test_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAITS", (0.001,))
    with pytest.raises(fastdraw.FastdrawError, match=r"gave up after 2 attempts.*refused"):
        fastdraw.download_files("cat", tmp_path, base_url="http://127.0.0.1:9")
    with pytest.raises(ValueError, match="expected base_url to begin with"):
        fastdraw.download_files("cat", tmp_path, base_url="nowhere")


def test_goes_on_where_it_was_cut_off(server: Server, tmp_path: Path) -> None:
    server.mood[CAT] = [("cut", 3000)]
    fetch(server, tmp_path)
    size = len(server.files[CAT])
    assert [wanted for _, _, wanted in server.asked] == [None, "bytes=3000-"]
    # A file that another program fetched, and was stopped in the middle of, is gone on with as well.
    (tmp_path / "cat.bin").write_bytes(server.files[CAT][:-5])
    server.asked.clear()
    fetch(server, tmp_path)
    assert [wanted for _, _, wanted in server.asked] == [f"bytes={size - 5}-"]
    assert whole(server, tmp_path)


@pytest.mark.parametrize("damage", ["flipped", "shorter", "longer", "empty"])
def test_a_file_that_is_not_as_published_is_fetched_again(server: Server, tmp_path: Path, damage: str) -> None:
    content = server.files[CAT]
    changed = {"flipped": b"?" + content[1:], "shorter": b"?" + content[1:-9], "longer": content + b"?", "empty": b""}
    (tmp_path / "cat.bin").write_bytes(changed[damage])
    server.mood[CAT] = [404]
    with pytest.raises(fastdraw.FastdrawError):
        fetch(server, tmp_path)
    assert not (tmp_path / "cat.bin").exists()
    fetch(server, tmp_path)
    assert whole(server, tmp_path)


def test_a_finished_file_that_checks_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    fetch(server, tmp_path, None)
    server.asked.clear()
    fetch(server, tmp_path, None)
    assert server.asked == []


def test_simplified_is_checked_against_what_the_server_says(server: Server, tmp_path: Path) -> None:
    path = "/simplified/cat.ndjson"
    digest = base64.b64encode(hashlib.md5(server.files[path]).digest()).decode()
    server.headers[path] = {"x-goog-hash": f"crc32c=AAAAAA==, md5={digest}"}
    server.mood[path] = [503, None, "wrong"]  # HEAD, HEAD, GET
    (file,) = fetch(server, tmp_path, format="simplified")
    assert file.read_bytes() == server.files[path]
    server.asked.clear()
    fetch(server, tmp_path, format="simplified")
    assert [method for method, *_ in server.asked] == ["HEAD"]


def test_room_is_looked_for_first(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(server.files[CAT])
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, size - 1))
    with pytest.raises(fastdraw.FastdrawError, match=f"expected room for {size:,} bytes more, found {size - 1:,}"):
        fetch(server, tmp_path)
    assert server.asked == []
    (tmp_path / ".cat.bin.part").write_bytes(server.files[CAT][:100])
    fetch(server, tmp_path)
    assert whole(server, tmp_path)


def test_progress_counts_all_files(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".cat.bin.part").write_bytes(server.files[CAT][:100])
    calls: list[tuple[str, int, int]] = []
    fetch(server, tmp_path, None, progress=lambda *call: calls.append(call))
    sizes = {f"{name}.bin": len(server.files[f"/binary/{name}.bin"]) for name in NAMES}
    assert calls[:3] == [(name, 100 if name == "cat.bin" else 0, size) for name, size in sizes.items()]
    for name, size in sizes.items():
        done = [call[1] for call in calls if call[0] == name]
        assert done == sorted(done)
        assert done[-1] == size
        assert len(done) > 5


class Stopped(Exception):
    pass


def test_a_stop_ends_all_threads_and_the_next_call_goes_on(server: Server, tmp_path: Path) -> None:
    server.mood[CAT] = [("cut", 2000), ("after", 503, 1000)]

    def progress(name: str, done: int, count: int) -> None:
        if name != "cat.bin" and done >= 2000:
            raise Stopped

    with pytest.raises(Stopped):
        fetch(server, tmp_path, None, progress=progress)
    assert not list(tmp_path.glob("*.bin"))
    assert len(fetch(server, tmp_path, None)) == 3
    assert visible(tmp_path) == {f"{name}.bin" for name in NAMES}


def test_load_fetches_what_is_missing(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        download.download_files, "__kwdefaults__", download.download_files.__kwdefaults__ | {"base_url": server.url}
    )
    drawings = fastdraw.load(["T-SHIRT", "cat"], cache=tmp_path)
    assert drawings.categories == ("t-shirt", "cat")
    assert len(drawings) == 400
    server.asked.clear()
    assert len(fastdraw.load("cat", cache=tmp_path)) == 200
    assert server.asked == []
    (tmp_path / "cat.bin").write_bytes(b"")
    assert len(fastdraw.load("cat", cache=tmp_path)) == 200
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    fastdraw.load("cat")
    assert list((tmp_path / "home").rglob("cat.bin"))


def test_command(server: Server, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(
            cli.main, ["download", *arguments, "--dest", str(tmp_path), "--base-url", server.url]
        )
        return result.exit_code, result.stdout, result.stderr

    status, printed, shown = run("The eiffel tower", "cat", "--parallel", "1")
    assert (status, printed) == (0, f"{tmp_path}: 2 files, all as published\n")
    size = len(server.files[CAT])
    assert f"cat.bin: {size:,} of {size:,} bytes" in shown
    assert visible(tmp_path) >= {"cat.bin", "The Eiffel Tower.bin"}
    assert run("--all", "--quiet") == (0, "", "")
    status, _, shown = run("catt")
    assert status == 1
    assert shown.startswith("fastdraw: expected one of the 3 published categories, received 'catt'; closest: 'cat'")
    assert len(shown.splitlines()) == 1
    assert run()[0] == run("cat", "--all")[0] == 2
    server.mood["/numpy_bitmap/cat.npy"] = [404]
    status, _, shown = run("cat", "--format", "numpy_bitmap", "--quiet")
    assert (status, len(shown.splitlines())) == (1, 1)
