"""The bulk run killed, interrupted, and out of room: it loses nothing and goes on."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import FASTDRAW
from folders import checksums, chunks_done, visible
from killing import Killer, at_random

import fastdraw


@pytest.fixture(scope="module")
def large(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of 60,000 drawings each: 120 MB of rasters."""
    folder = tmp_path_factory.mktemp("large")
    for path in sorted(sample.glob("*.bin"))[:2]:
        (folder / path.name).write_bytes(path.read_bytes() * 300)
    fastdraw.open_drawings(folder).rasterize(slice(0, 9))  # the index is there and the kernels are compiled
    return folder


@pytest.mark.slow
def test_fifty_kills(large: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(large, tmp_path / "undisturbed")
    expected = checksums(tmp_path / "undisturbed")
    chunks = {path.stem: 8 for path in large.glob("*.bin")}
    rng = random.Random(0)
    kills = in_the_middle = 0
    out = tmp_path / "out"
    command = ["rasterize", large, "--out", out, "--quiet"]
    with Killer(large) as killer:
        while kills < 50:
            status = killer.run(command, at_random(rng, out, chunks))
            if status == -signal.SIGKILL:
                kills += 1
                in_the_middle += 0 < chunks_done(out, chunks) < 16
                continue
            assert status == 0
            assert checksums(out) == expected
            assert visible(out) == visible(tmp_path / "undisturbed")
            shutil.rmtree(out)
        assert killer.run(command) == 0
    assert checksums(out) == expected
    assert in_the_middle >= 25


@pytest.mark.slow
def test_interrupt_says_how_to_go_on(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [FASTDRAW, "rasterize", large, "--out", out, "--style", "google"]  # the slowest
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not any(path.stat().st_size > 1000 for path in out.glob(".*.part")):
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    message = process.communicate()[1]
    assert process.returncode == 130
    assert message.splitlines()[-1] == "fastdraw: interrupted; run the same command again to go on"
    assert "Traceback" not in message
    for path in out.glob("*.npy"):
        assert len(np.load(path)) == 60_000


@pytest.mark.slow
def test_memory_stays_flat(large: Path, tmp_path: Path) -> None:
    """Eight times the drawings in one file take no more memory than the larger index and the mapped file itself."""
    peaks = {}
    for times in (1, 8):
        source = tmp_path / f"{times}" / "doodle.bin"
        source.parent.mkdir()
        source.write_bytes(next(large.glob("*.bin")).read_bytes() * times)
        code = (
            "import sys, resource, fastdraw; fastdraw.rasterize_files(sys.argv[1], sys.argv[2]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", code, source, tmp_path / f"out{times}"]
        kilobytes = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        peaks[times] = kilobytes * 1024 - source.stat().st_size - 2 * 8 * 60_000 * times
    written = 60_000 * 1024
    assert peaks[8] - peaks[1] < written / 2  # of the 7 times as many bytes that are written


@pytest.mark.slow
def test_full_disk(large: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", disk], capture_output=True)
    if mount.returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        command = [FASTDRAW, "rasterize", large, "--out", disk / "out", "--quiet"]
        full = subprocess.run(command, capture_output=True, text=True)
        assert full.returncode == 1
        assert len(full.stderr.splitlines()) == 1
        assert "No space left" in full.stderr
        chunks = sum(path.stat().st_size // 8 for path in (disk / "out").glob(".*.journal"))
        assert chunks + 8 * len(list((disk / "out").glob("*.npy"))) >= 8  # of 15: nothing that was drawn is lost
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        subprocess.run(command, check=True)
        fastdraw.rasterize_files(large, tmp_path / "undisturbed")
        assert checksums(disk / "out") == checksums(tmp_path / "undisturbed")
    finally:
        subprocess.run(["umount", disk], check=True)
