"""Folders that version 0.1 wrote still open, verify and resume; see tests/golden/0.1/README.md."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from folders import Drawn, checksums, run_in_chunks, visible

import fastdraw
from fastdraw.quickdraw.doodles import write_sample

GOLDEN = Path(__file__).parents[2] / "golden" / "0.1"
IN_CHUNKS = {"size": 8, "packed": True, "chunk_bytes": 15 * 8}


@pytest.fixture
def doodles(tmp_path: Path) -> Path:
    list(write_sample(tmp_path / "bin", 3, 40))
    return tmp_path / "bin"


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return Path(shutil.copytree(GOLDEN / request.param, tmp_path / "out"))


@pytest.mark.parametrize("folder", ["finished-npy", "finished-tfrecord"], indirect=True)
def test_finished_folders_open_and_verify(folder: Path, doodles: Path) -> None:
    assert fastdraw.verify_rasters(folder) == []
    expected = fastdraw.open_drawings(doodles).rasterize(size=8, packed=True)
    assert (fastdraw.open_rasters(folder)[:] == expected).all()
    if folder.joinpath("face.tfrecord").exists():
        (found,) = fastdraw.read_tfrecords(folder, 120, packed=True)
        assert (found.numpy() == expected).all()


@pytest.mark.parametrize(
    ("folder", "format"), [("finished-npy", "npy"), ("finished-tfrecord", "tfrecord")], indirect=["folder"]
)
def test_finished_folders_are_written_the_same_and_not_drawn_again(
    folder: Path, format: str, doodles: Path, tmp_path: Path
) -> None:
    run_in_chunks(doodles, tmp_path / "new", format=format, **IN_CHUNKS)
    manifests = [json.loads((path / "dataset.json").read_text()) for path in (folder, tmp_path / "new")]
    for manifest in manifests:
        for entry in manifest["categories"].values():
            entry["source"] = entry["source"] | {"path": "", "mtime_ns": 0}
    assert json.dumps(manifests[0]) == json.dumps(manifests[1])  # with the same order of keys
    assert checksums(folder) == checksums(tmp_path / "new")
    drawn = Drawn()
    assert run_in_chunks(doodles, folder, drawn, format=format, **IN_CHUNKS) == 120
    assert drawn.drawings == 0


@pytest.mark.parametrize("folder", ["stopped"], indirect=True)
def test_a_stopped_folder_goes_on_from_its_journal(folder: Path, doodles: Path) -> None:
    with pytest.raises(fastdraw.FastdrawError, match=r"not finished, 2 categories are missing \(house, star"):
        fastdraw.open_rasters(folder)
    (problem,) = fastdraw.verify_rasters(folder)
    assert problem.endswith("2 categories are not finished (house, star, ...)")
    drawn = Drawn()
    assert run_in_chunks(doodles, folder, drawn, **IN_CHUNKS) == 120
    assert drawn.chunks == [("house", 2), ("star", 0), ("star", 1), ("star", 2)]
    assert checksums(folder) == checksums(GOLDEN / "finished-npy")
    assert visible(folder) == visible(GOLDEN / "finished-npy") | {"croissant.json"}


@pytest.mark.parametrize("folder", ["finished-npy"], indirect=True)
def test_opening_and_verifying_need_neither_numba_nor_tensorflow(folder: Path) -> None:
    code = (
        "import sys, fastdraw; folder = sys.argv[1];"
        "assert len(fastdraw.open_rasters(folder)) == 120;"
        "assert fastdraw.verify_rasters(folder) == [];"
        "import fastdraw.rasters.formats, fastdraw.rasters.manifest;"
        "print([name for name in ('numba', 'fastdraw.kernels', 'tensorflow') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
