"""Standard input and named pipes are read as files are."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import run

import fastdraw


@pytest.fixture
def contents(sample: Path, tmp_path: Path) -> dict[str, bytes]:
    """The same drawings in several forms."""
    fastdraw.bin_to_ndjson(sample / "star.bin", tmp_path / "lines")
    lines = (tmp_path / "lines").read_bytes()
    (tmp_path / "lines").unlink()
    return {"bin": (sample / "star.bin").read_bytes(), "ndjson": lines, "gzip": gzip.compress(lines)}


@pytest.fixture
def pipe(tmp_path: Path, contents: dict[str, bytes]) -> Iterator[Path]:
    """A named pipe that ndjson is written to."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(contents["ndjson"]), daemon=True)
    writer.start()
    yield path
    writer.join(10)
    path.unlink()


@pytest.mark.parametrize("form", ["bin", "ndjson", "gzip"])
def test_standard_input_to_records(tmp_path: Path, contents: dict[str, bytes], form: str) -> None:
    assert run("convert", "-", "star.bin", cwd=tmp_path, stdin=contents[form]).output == "star.bin\n"
    assert (tmp_path / "star.bin").read_bytes() == contents["bin"]
    assert os.listdir(tmp_path) == ["star.bin"]


@pytest.mark.parametrize("target", ["star.ndjson", "."])
def test_records_of_standard_input_to_ndjson(tmp_path: Path, contents: dict[str, bytes], target: str) -> None:
    assert run("convert", "-", target, cwd=tmp_path, stdin=contents["bin"]).exit_code == 0
    (path,) = tmp_path.iterdir()
    assert path.name == ("stdin.ndjson" if target == "." else target)
    assert path.read_bytes() == contents["ndjson"].replace(b'"star"', b'"%s"' % path.stem.encode())


def test_a_named_pipe(tmp_path: Path, contents: dict[str, bytes], pipe: Path) -> None:
    assert run("convert", pipe, "star.bin", cwd=tmp_path).output == "star.bin\n"
    assert (tmp_path / "star.bin").read_bytes() == contents["bin"]


@pytest.mark.parametrize("command", ["inspect", "rasterize"])
def test_a_pipe_in_a_folder_is_an_error_and_not_waited_for(sample: Path, tmp_path: Path, command: str) -> None:
    shutil.copytree(sample, tmp_path / "folder")
    os.mkfifo(tmp_path / "folder" / "pipe.bin")
    result = run(command, "folder", *(["--out", "rasters"] if command == "rasterize" else []), cwd=tmp_path)
    assert result.exit_code == 1
    assert "folder/pipe.bin: expected a file, found a pipe in a folder; name it itself to read it" in result.stderr


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(fastdraw.FastdrawError, match="-: expected something on standard input, received it closed"):
        fastdraw.open_drawings("-")


def test_an_empty_path_is_not_the_working_directory(sample: Path) -> None:
    for arguments in (["inspect", ""], ["rasterize", sample, "--out", ""]):
        result = run(*arguments, cwd=sample)
        assert (result.exit_code, result.stderr) == (1, "fastdraw: expected a path, received an empty one\n")


def test_descriptors_and_pipes_are_not_replaced(sample: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ndjson")
    (tmp_path / "folder.ndjson").mkdir()
    with open(tmp_path / "file", "wb") as file:
        for name in (tmp_path / "pipe.ndjson", tmp_path / "folder.ndjson", f"/dev/fd/{file.fileno()}"):
            with pytest.raises(fastdraw.FastdrawError, match=f"{name}: expected the name of a file, received that"):
                fastdraw.bin_to_ndjson(sample / "star.bin", name)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.ndjson", "pipe.ndjson"]


def test_a_named_pipe_is_opened(pipe: Path) -> None:
    drawings = fastdraw.open_drawings(pipe)
    assert (len(drawings), drawings.categories) == (200, ("star",))


@pytest.mark.parametrize(("form", "category"), [("bin", "stdin"), ("gzip", "star")])
def test_other_commands_read_standard_input(contents: dict[str, bytes], form: str, category: str) -> None:
    result = run("inspect", "-", stdin=contents[form])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split()[:2] == [category, "200"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "-: expected the content of a file, received no bytes"),
        (b"<html>", "-: expected drawings, received a web page"),
        (b'{"drawing":[[[1],[2]]]}\n{"drawing":5}\n', "-: damaged at byte 24: line 2"),
    ],
)
def test_errors_name_it_as_the_user_does(tmp_path: Path, content: bytes, message: str) -> None:
    result = run("convert", "-", "star.bin", cwd=tmp_path, stdin=content)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"fastdraw: {message}")
    assert os.listdir(tmp_path) == []
