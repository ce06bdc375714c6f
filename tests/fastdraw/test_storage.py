"""Sources and rasters at addresses: a real S3 server on this machine, and file://."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from folders import Stopped, Watched, checksums, run_in_chunks, sha256

import fastdraw
from fastdraw import storage
from fastdraw.cli import commands as cli
from fastdraw.rasters import bulk
from fastdraw.rasters.tasks import draw_and_upload

for name, reason in (("upath", "universal-pathlib"), ("s3fs", "s3fs"), ("moto.server", "moto[server]")):
    pytest.importorskip(name, reason=f"{reason} is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the server."""
    log = tmp_path_factory.mktemp("s3") / "log"
    with open(log, "wb") as file:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            address = None
            while address is None:
                assert process.poll() is None, log.read_text()
                time.sleep(0.02)
                address = next((word for word in log.read_text().split() if word.startswith("http://127")), None)
            yield address
        finally:
            process.kill()
            process.wait()


@pytest.fixture
def bucket(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty bucket of this test's own."""
    for name, value in (
        ("AWS_ENDPOINT_URL", server),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("XDG_CACHE_HOME", str(tmp_path / "cache")),
    ):
        monkeypatch.setenv(name, value)
    name = f"s3://test{time.time_ns()}"
    system = storage.as_path(name).fs
    system.mkdir(name.removeprefix("s3://"))
    yield name
    system.clear_instance_cache()


def put(folder: Path, address: str) -> None:
    for path in folder.glob("*.bin"):
        upload(path, f"{address}/{path.name}")


def upload(path: Path, address: str) -> None:
    folder, _, name = address.rpartition("/")
    storage.open_store(folder).upload(path, name)


def contents(address: str) -> dict[str, str]:
    path = storage.as_path(address)
    path.fs.invalidate_cache()
    return {file.name: sha256(file) for file in path.iterdir() if file.name != "croissant.json"}


@pytest.fixture
def expected(sample: Path, tmp_path: Path) -> dict[str, str]:
    fastdraw.rasterize_files(sample, tmp_path / "expected")
    return checksums(tmp_path / "expected")


def test_from_a_bucket_to_a_bucket(bucket: str, sample: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    put(sample, f"{bucket}/bin")
    arguments = ["rasterize", f"{bucket}/bin", "--out", f"{bucket}/rasters"]
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{bucket}/rasters: 600 rasters of 32x32 pixels\n"
    there = contents(f"{bucket}/rasters")
    assert there.pop("dataset.json")
    assert there == expected
    assert sorted(path.name for path in (tmp_path / "cache").rglob("*.bin")) == sorted(
        path.name for path in sample.glob("*.bin")
    )
    assert len(fastdraw.open_drawings(f"{bucket}/bin")) == 600
    result = CliRunner().invoke(cli.main, ["verify", f"{bucket}/rasters", "--quiet"])
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("format", ["webdataset", "parquet"])
def test_shards_in_a_bucket(bucket: str, sample: Path, tmp_path: Path, monkeypatch: Any, format: str) -> None:
    monkeypatch.setattr("fastdraw.rasters.shards.SHARD", 250)
    fastdraw.bulk.run(sample, tmp_path / "here", format=format)
    out = f"{bucket}/shards"

    def stop(shard: str, done: int, count: int) -> None:
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        fastdraw.bulk.run(sample, out, format=format, threads=1, progress=stop)
    assert "2 shards are not finished" in fastdraw.verify_rasters(out)[0]
    assert fastdraw.bulk.run(sample, out, format=format) == 600
    assert fastdraw.verify_rasters(out) == []
    there = contents(out)
    assert there.pop("dataset.json")
    assert there == {path.name: sha256(path) for path in (tmp_path / "here").glob("0*")}


def test_only_what_is_missing_is_drawn(bucket: str, sample: Path, expected: dict[str, str]) -> None:
    """A run that is stopped leaves whole files and a manifest of them; the next one draws the others."""

    def stop(category: str, done: int, count: int) -> None:
        if done:
            raise Stopped

    out = f"{bucket}/rasters"
    with pytest.raises(Stopped):
        bulk.run(sample, out, progress=stop, threads=1)
    manifest = json.loads((storage.as_path(out) / "dataset.json").read_bytes())
    (finished,) = manifest["categories"]
    assert len(manifest["pending"]) == 2
    assert set(contents(out)) >= {"dataset.json", f"{finished}.npy"}
    drawn: list[str] = []

    def note(function: Any, *arguments: Any) -> Any:
        if function is draw_and_upload:
            drawn.append(arguments[0].category)
        return function(*arguments)

    assert run_in_chunks(sample, out, Watched(note)) == 600
    assert sorted(drawn) == sorted(manifest["pending"])
    there = contents(out)
    del there["dataset.json"]
    assert there == expected
    drawn.clear()
    run_in_chunks(sample, out, Watched(note))
    assert drawn == []


def test_a_cluster_uploads_too(bucket: str, sample: Path, expected: dict[str, str]) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed")
    put(sample, f"{bucket}/bin")
    with (
        distributed.LocalCluster(1, 2, processes=False, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        assert bulk.run(f"{bucket}/bin", f"{bucket}/rasters", client=client) == 600
    there = contents(f"{bucket}/rasters")
    del there["dataset.json"]
    assert there == expected


def test_a_changed_source_is_copied_again(bucket: str, sample: Path, tmp_path: Path) -> None:
    first, second, _ = sorted(sample.glob("*.bin"))
    address = f"{bucket}/cat.bin"
    upload(first, address)
    assert fastdraw.open_drawings(address)[0][0].tolist() == fastdraw.open_drawings(first)[0][0].tolist()
    copy = storage.local_copy(storage.as_path(address))
    before = copy.stat()
    assert storage.local_copy(storage.as_path(address)).stat().st_ino == before.st_ino
    time.sleep(1.1)  # S3 counts whole seconds
    upload(second, address)
    assert copy.read_bytes() == first.read_bytes()
    storage.as_path(address).fs.invalidate_cache()
    assert fastdraw.open_drawings(address)[0][0].tolist() == fastdraw.open_drawings(second)[0][0].tolist()


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("{bucket}/none/cat.bin", "{bucket}/out", "no such file or folder"),
        ("s3://no-such-bucket-of-ours/cat.bin", "{bucket}/out", "no such file or folder"),
        ("{sample}", "s3://no-such-bucket-of-ours/out", "s3://no-such-bucket-of-ours/out"),
        ("{sample}", "abfs://bucket/out", "abfs://bucket/out: Install adlfs"),
        ("{sample}", "nowhere://bucket/out", "nowhere://bucket/out: expected the address of a file system"),
    ],
)
def test_errors_are_one_line(bucket: str, sample: Path, source: str, target: str, message: str) -> None:
    names = {"bucket": bucket, "sample": sample}
    result = CliRunner().invoke(cli.main, ["rasterize", source.format(**names), "--out", target.format(**names)])
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("fastdraw: ")
    assert message in line


def test_a_file_address_is_a_path(sample: Path, tmp_path: Path, expected: dict[str, str]) -> None:
    shutil.copytree(sample, tmp_path / "bin")
    bulk.run(f"file://{tmp_path}/bin", f"file://{tmp_path}/out")
    assert {path.name for path in (tmp_path / "out").glob("*.npy")} == set(expected)
    assert fastdraw.verify_rasters(tmp_path / "out") == []
    with pytest.raises(ValueError, match="expected a folder on this machine"):
        fastdraw.rasterize_files(sample, "s3://bucket/out")
    assert not os.path.exists("s3:")
