"""A file that is truncated under its map ends a command with one line."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fastdraw
from fastdraw.cli import main

# The check before each read cannot see the truncation: the map is read directly.
_PROGRAM = """
import os, sys, threading
from pathlib import Path
import click, numpy as np
from fastdraw.cli.console import CommandGroup
from fastdraw.kernels.records import gather
from fastdraw.maps import FileMap

@click.group("fastdraw", cls=CommandGroup)
def main(): pass

@main.command()
def read():
    path = Path(sys.argv[3])
    path.write_bytes(bytes(1 << 20))
    file = FileMap(path)
    data = file.bytes
    address, out = np.array([data.ctypes.data], np.uint64), np.empty(len(data), np.uint8)
    gather(address, np.array([0, 1]), out)
    os.truncate(path, 100)
    if sys.argv[2] == "numpy":
        np.copyto(out, data)
    for _ in range(4):
        threading.Thread(target=gather, args=[address, np.array([0, len(data)]), out]).start()
    while True:
        pass

main([sys.argv[1]])
"""


@pytest.mark.parametrize("reader", ["kernel", "numpy"])
def test_truncation_under_a_map(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "cat.bin"
    command = [sys.executable, "-c", _PROGRAM, "read", reader, path]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 1
    assert run.stderr == (
        f"fastdraw: {path}: was truncated while it was being read; write it anew, and run the same again\n"
    )


def test_what_is_no_file_is_refused_in_one_line(sample: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments])
        return result.exit_code, result.output

    line = "fastdraw: /dev/null: expected a file, received a device\n"
    assert run("inspect", "/dev/null") == (1, line)
    assert run("rasterize", "/dev/null", "--out", tmp_path / "out") == (1, line)
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(tmp_path):  # whose names are short
        server.bind("socket.bin")
        assert run("inspect", "socket.bin") == (1, "fastdraw: socket.bin: expected a file, received a socket\n")
    records = next(sample.glob("*.bin"))
    assert run("verify", records) == (1, f"fastdraw: {records}: expected a folder of rasters, received a file\n")
    pipe = tmp_path / "pipe.bin"
    os.mkfifo(pipe)
    content = next(sample.glob("*.bin")).read_bytes()
    for arguments, expected in (
        (["inspect", pipe], (0, "pipe")),
        (["show", pipe, "--out", tmp_path / "sheet.png"], (0, f"{tmp_path / 'sheet.png'}\n")),
    ):
        writer = threading.Thread(target=pipe.write_bytes, args=[content])
        writer.start()
        status, output = run(*arguments)
        writer.join()
        assert status == expected[0]
        assert expected[1] in output
    for _ in range(2):  # the second time, nothing is left to do
        writer = threading.Thread(target=pipe.write_bytes, args=[content])
        writer.start()
        status, output = run("rasterize", pipe, "--out", tmp_path / "out")
        writer.join()
        assert (status, output.splitlines()[-1]) == (0, f"{tmp_path / 'out'}: 200 rasters of 32x32 pixels")
        drawn = np.load(tmp_path / "out/pipe.npy")
        assert (drawn == fastdraw.open_drawings(records).rasterize()).all()
    assert not list(tmp_path.glob("*.index"))
