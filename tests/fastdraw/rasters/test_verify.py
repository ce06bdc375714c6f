"""Checking finished folders of rasters."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fastdraw
from fastdraw.cli import commands as cli
from fastdraw.quickdraw.catalog import Category, categories
from fastdraw.rasters import verify


@pytest.fixture
def rasters(sample: Path, tmp_path: Path) -> Path:
    """A folder of three categories as Google's files are."""
    fastdraw.rasterize_files(sample, tmp_path / "out", style="google", flat=True)
    return tmp_path / "out"


def run(*arguments: object) -> tuple[int, str, list[str]]:
    result = CliRunner().invoke(cli.main, [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr.splitlines()


def test_a_sound_folder(rasters: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    assert fastdraw.verify_rasters(rasters, progress=lambda *call: calls.append(call)) == []
    sizes = {path.stem: path.stat().st_size for path in sorted(rasters.glob("*.npy"))}
    assert calls[:3] == [(name, 0, size) for name, size in sizes.items()]
    assert set(calls[3:]) == {(name, size, size) for name, size in sizes.items()}
    assert run("verify", rasters)[:2] == (0, f"{rasters}: OK: matches dataset.json\n")
    assert run("verify", rasters, "--quiet") == (0, "", [])


@pytest.mark.parametrize("damage", ["pixel", "header", "cut", "longer", "missing", "count", "pending"])
def test_every_damage_is_one_line(rasters: Path, damage: str) -> None:
    path = sorted(rasters.glob("*.npy"))[1]
    content = path.read_bytes()
    changed = {
        "pixel": content[:-100] + bytes([content[-100] ^ 1]) + content[-99:],
        "header": content.replace(b"|u1", b"|i1"),
        "cut": content[:-1],
        "longer": content + b"?",
    }
    path.write_bytes(changed.get(damage, content))
    if damage == "missing":
        path.unlink()
    manifest = json.loads((rasters / "dataset.json").read_text())
    if damage == "count":
        manifest["categories"][path.stem]["count"] = 199
    if damage == "pending":
        manifest["pending"]["dragon"] = {"source": manifest["categories"][path.stem]["source"]}
    (rasters / "dataset.json").write_text(json.dumps(manifest))
    status, printed, lines = run("verify", rasters, "--quiet")
    assert (status, printed, len(lines)) == (1, "", 1)
    assert lines[0].startswith(f"fastdraw: {rasters}")
    assert ("dragon" if damage == "pending" else path.name) in lines[0]


def test_no_folder_of_rasters(tmp_path: Path) -> None:
    status, _, lines = run("verify", tmp_path)
    assert (status, lines) == (1, [f"fastdraw: {tmp_path}: expected a folder of rasters, found no dataset.json in it"])


def published(rasters: Path, sample: Path) -> dict[str, Category]:
    """A catalog in which the rasters are as published, with the headers that older NumPy would have written."""
    rows = {}
    for path in sorted(sample.glob("*.bin")):
        images = np.load(rasters / f"{path.stem}.npy")
        header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (200, 784), }"
        file = b"\x93NUMPY\x01\x00F\x00" + header.ljust(69) + b"\n" + images.tobytes()
        assert len(file) == 80 + 200 * 784
        content = path.read_bytes()
        sums = [hashlib.sha256(data).hexdigest() for data in (content, file)]
        rows[path.stem] = Category(path.stem, 200, len(content), sums[0], len(file), sums[1])
    return rows


def test_the_published_sizes_are_of_this_header() -> None:
    for category in categories().values():
        assert len(verify.official_header(category.drawings)) + 784 * category.drawings == category.npy_bytes


def test_the_header_is_numpys(tmp_path: Path) -> None:
    for count in (1, 25, 134_801, 10**9):
        (tmp_path / "a.npy").write_bytes(verify.official_header(count))
        with open(tmp_path / "a.npy", "rb") as file:
            assert np.lib.format.read_magic(file) == (1, 0)
            assert np.lib.format.read_array_header_1_0(file) == ((count, 784), False, np.dtype("u1"))
            assert file.tell() == len(verify.official_header(count)) == os.path.getsize(tmp_path / "a.npy")


def test_official_files_are_recognized(rasters: Path, sample: Path) -> None:
    rows = published(rasters, sample)
    assert verify.compare_with(rows, rasters) == []

    first, second, third = rows
    path = rasters / f"{first}.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    rows[second] = rows[second]._replace(drawings=123_202)
    del rows[third]
    different, partial, unknown = verify.compare_with(rows, rasters)
    assert f"{path}: not what Google publishes" in different
    assert "source" not in different
    assert "not the whole official file: it has 200 drawings, Google's 123,202" in partial
    assert "not one of the 2 published categories" in unknown
    rows[first] = rows[first]._replace(bin_sha256="0")
    assert "its source is not Google's .bin file" in verify.compare_with(rows, rasters)[0]
    path.unlink()
    assert path.name in verify.compare_with(rows, rasters)[0]


def test_the_command_compares_with_the_published_files(
    rasters: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["rasterize", sample, "--out", rasters, "--style", "google", "--flat", "--verify-official"]
    status, _, lines = run(*command, "--quiet")
    assert (status, len(lines)) == (1, 3)
    assert "face.npy: not compared: its source is not the whole official file" in lines[0]
    # There are no published files here, so this stands for a comparison that found nothing.
    monkeypatch.setattr(verify, "verify_official", lambda folder, progress: [])
    status, printed, _ = run(*command)
    assert status == 0
    assert printed.splitlines()[-1] == f"{rasters}: all files match Google's checksums"


def test_other_settings_cannot_be_compared(sample: Path, tmp_path: Path) -> None:
    for options in (["--style", "google"], ["--flat"], ["--style", "google", "--flat", "--invert"]):
        status, _, lines = run("rasterize", sample, "--out", tmp_path / "out", "--verify-official", *options)
        assert (status, len(lines)) == (1, 1)
        assert "expected rasters like Google's" in lines[0]
        assert not (tmp_path / "out").exists()
    fastdraw.rasterize_files(sample, tmp_path / "out")
    with pytest.raises(fastdraw.FastdrawError, match="and nothing else; received style 'pillow', size 32"):
        fastdraw.verify_official(tmp_path / "out")


def test_real_drawings_are_not_whole_files(real: Path, tmp_path: Path) -> None:
    shutil.copy(real / "quickdraw/bin/cat.bin", tmp_path)
    fastdraw.rasterize_files(tmp_path, tmp_path / "out", style="google", flat=True)
    (problem,) = fastdraw.verify_official(tmp_path / "out")
    assert "it has 25 drawings, Google's 123,202" in problem
