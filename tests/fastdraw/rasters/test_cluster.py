"""The bulk run on a Dask cluster of real processes: the same bytes, whatever dies."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from command import FASTDRAW
from folders import chunks_done, run_in_chunks, sha256, visible
from killing import Killer, at_random

import fastdraw
from fastdraw.cli import commands as cli
from fastdraw.rasters import bulk, executors

pytest.importorskip("distributed", reason='Dask is not installed: pip install -e ".[dask]"')


CHUNKS = {"face": 13, "house": 3, "star": 0}  # of `large`


class Cluster:
    """A scheduler and workers of one thread each, every one a process."""

    def __init__(self, folder: Path, workers: int = 3) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_scheduler()
        for _ in range(workers):
            self.start_worker()

    def start_scheduler(self) -> None:
        port = self.address.rsplit(":", 1)[1]
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")

    def start_worker(self) -> None:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self.folder))
        self.workers.append(self._start("dask_worker", self.address, *options))

    def _start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def large(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of 100,000, 20,000 and 0 drawings."""
    folder = tmp_path_factory.mktemp("large")
    for path, times in zip(sorted(sample.glob("*.bin")), (500, 100, 0), strict=True):
        (folder / path.name).write_bytes(path.read_bytes() * times)
    return folder


@pytest.fixture(scope="module")
def expected(large: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    fastdraw.rasterize_files(large, folder)
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    """Checksums of everything in a folder but its lock."""
    return {name: sha256(folder / name) for name in visible(folder)}


def command(large: Path, out: Path, cluster: Cluster) -> list[object]:
    return ["rasterize", large, "--out", out, "--scheduler", cluster.address, "--quiet"]


def wait_for_chunks(out: Path, process: subprocess.Popen[str], chunks: int) -> None:
    while sum(path.stat().st_size for path in out.glob(".*.journal")) < 8 * chunks:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)


def test_the_same_bytes_as_here(cluster: Cluster, large: Path, expected: dict[str, str], tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    with executors.connect(cluster.address) as client:
        rasters = fastdraw.rasterize_files(
            large, tmp_path / "out", client=client, progress=lambda *call: calls.append(call)
        )
        assert len(rasters) == 120_000
        assert contents(tmp_path / "out") == expected
        assert calls[-1][1] == calls[-1][2]
        assert bulk.run(large, tmp_path / "out", client=client) == 120_000
        for path in large.glob("*.bin.index"):
            path.unlink()
        damaged = tmp_path / "damaged.bin"
        damaged.write_bytes(next(large.glob("*.bin")).read_bytes()[:-1] or b"\1")
        with pytest.raises(fastdraw.BinFormatError, match=r"damaged\.bin: damaged at byte"):
            bulk.run(damaged, tmp_path / "none", client=client)
    assert subprocess.run([FASTDRAW, *command(large, tmp_path / "again", cluster)], capture_output=True).returncode == 0
    assert contents(tmp_path / "again") == expected


@pytest.mark.slow
def test_a_worker_dies_then_the_scheduler(large: Path, expected: dict[str, str], tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    out = tmp_path / "out"
    try:
        run = [FASTDRAW, *command(large, out, cluster)]
        process = subprocess.Popen(run, stderr=subprocess.PIPE, text=True)
        wait_for_chunks(out, process, 2)
        cluster.workers[0].kill()
        wait_for_chunks(out, process, 5)
        cluster.scheduler.kill()
        message = process.communicate(timeout=60)[1]
        assert process.returncode == 1
        assert message.splitlines()[-1].startswith(f"fastdraw: {cluster.address}: the scheduler was lost")
        assert len(message.splitlines()) == 1, message
        assert len(list(out.glob(".*.journal"))) >= 1
        cluster.scheduler.wait()
        cluster.start_scheduler()
        cluster.start_worker()
        again = subprocess.run(run, capture_output=True, text=True, timeout=100)
        assert (again.returncode, again.stderr) == (0, "")
        assert contents(out) == expected
    finally:
        cluster.stop()


@pytest.mark.slow
def test_ten_kills(cluster: Cluster, large: Path, expected: dict[str, str], tmp_path: Path) -> None:
    """Of the process that hands out the tasks, and of workers, each time at another moment."""
    rng = random.Random(0)
    out = tmp_path / "out"
    kills = in_the_middle = 0
    with Killer(large) as killer:
        while kills < 10:
            status = killer.run(command(large, out, cluster), at_random(rng, out, CHUNKS))
            if status == -signal.SIGKILL:
                kills += 1
                in_the_middle += 0 < chunks_done(out, CHUNKS) < sum(CHUNKS.values())
                if kills % 4 == 0:
                    worker = cluster.workers.pop(0)
                    worker.kill()
                    worker.wait()
                    cluster.start_worker()
                continue
            assert status == 0
            assert contents(out) == expected
            shutil.rmtree(out)
        assert killer.run(command(large, out, cluster)) == 0
    assert contents(out) == expected
    assert in_the_middle >= 4


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(executors, "_SILENT", 0.1)
    address = "tcp://127.0.0.1:9"
    with (
        pytest.raises(fastdraw.FastdrawError, match=f"{address}: expected a Dask scheduler to answer there: .*refused"),
        executors.connect(address, wait=0.3),
    ):
        pass
    assert caplog.messages == [f"{address}: waiting for a Dask scheduler, 0.3 seconds at most"]


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(
            fastdraw.FastdrawError, match=f"{address}: expected a Dask scheduler to answer there: timed"
        ):
            executors.connect(address, wait=0.3).__enter__()


def test_threads_and_a_cluster(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="threads or a cluster"):
        bulk.run(sample, tmp_path / "out", threads=2, client=object())
    with pytest.raises(fastdraw.FastdrawError, match="-: expected files that the workers of the cluster see, rec"):
        bulk.run("-", tmp_path / "out", client=object())


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8786",
        "127.0.0.1",
        "foo://x",
        "http://x:1",
        "inproc://x",
        "tcp://",
        "tcp:/x:1",
        "tcp://x",
        "tcp://x:port",
        "tcp://x:0",
        "tcp://x:99999",
        "tcp://[::1:8786",
    ],
)
def test_what_cannot_be_a_scheduler(address: str, sample: Path, tmp_path: Path) -> None:
    command = ["rasterize", sample, "--out", tmp_path / "out", "--scheduler", address]
    result = CliRunner().invoke(cli.main, [str(word) for word in command])
    assert result.exit_code == 1
    assert result.stderr == (
        f"fastdraw: expected the address of a Dask scheduler as tcp://host:8786 or tls://, received {address!r}\n"
    )
    assert not (tmp_path / "out").exists()


def test_tls_without_certificates() -> None:
    with pytest.raises(fastdraw.FastdrawError, match="expected Dask to be set up for TLS"):
        executors.connect("tls://127.0.0.1:9").__enter__()


def test_an_interrupt_while_it_connects(sample: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        command = [FASTDRAW, "rasterize", sample, "--out", tmp_path / "out", "--scheduler", address]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            message = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert message == "fastdraw: interrupted; run the same command again to go on\n"


def test_no_workers(sample: Path, tmp_path: Path) -> None:
    empty = Cluster(tmp_path, workers=0)
    try:
        with (
            executors.connect(empty.address) as client,
            pytest.raises(fastdraw.FastdrawError, match=r"expected a worker there within 0\.1 seconds"),
        ):
            run_in_chunks(sample, tmp_path / "out", executors.cluster(client, wait=0.1))
    finally:
        empty.stop()
