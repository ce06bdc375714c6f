"""Files that change while drawings of them are open or pickled: an error, never a crash or other drawings."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw.quickdraw import index


def cut(path: Path) -> None:
    os.truncate(path, 40)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(path.read_bytes())


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(1000))


def replace(path: Path) -> None:
    path.with_name("new").write_bytes(path.read_bytes()[:-1])
    os.replace(path.with_name("new"), path)


READS: dict[str, Callable[[fastdraw.Drawings], object]] = {
    "one": lambda drawings: drawings[5],
    "all": list,
    "records": lambda drawings: drawings.records(),
    "records in place": lambda drawings: drawings[:9].records(copy=False),
    "metadata": lambda drawings: drawings.metadata,
    "filter": lambda drawings: drawings.filter(recognized=True),
    "split": lambda drawings: drawings.split(),
    "rasterize": lambda drawings: drawings.rasterize(),
    "rasterize some": lambda drawings: drawings.rasterize([5, 3]),
    "batches": lambda drawings: list(
        fastdraw.batches(drawings, 8, shuffle=True, augment=fastdraw.Augment(flip=True), epochs=2)
    ),
}


@pytest.mark.parametrize("change", [cut, empty, grow, overwrite])
def test_change_in_place_is_an_error_at_the_next_read(sources: Path, change: Callable[[Path], None]) -> None:
    path = sorted(sources.glob("*.bin"))[0]
    drawings = fastdraw.open_drawings(sources)
    drawings.rasterize()
    others = drawings[200:]
    change(path)
    for read in READS.values():
        with pytest.raises(fastdraw.FastdrawError, match=f"{path}: was changed while it was open; open it again"):
            read(drawings)
        read(others)
    assert len(others.rasterize()) == 400


def test_change_before_the_first_read(sources: Path) -> None:
    path = sorted(sources.glob("*.bin"))[0]
    fastdraw.open_drawings(sources)
    for read in READS.values():
        drawings = fastdraw.open_drawings(path)
        overwrite(path)
        with pytest.raises(fastdraw.FastdrawError, match="was changed while it was open"):
            read(drawings)
        path.write_bytes(sorted(sources.glob("*.bin"))[1].read_bytes())


@pytest.mark.parametrize("change", [cut, empty, grow, overwrite])
def test_sidecar_changed_in_place(sources: Path, change: Callable[[Path], None]) -> None:
    path = sorted(sources.glob("*.bin"))[0]
    fastdraw.open_drawings(path)
    drawings = fastdraw.open_drawings(path)  # maps the sidecar
    expected = drawings.rasterize()
    sidecar = path.with_name(path.name + index.SUFFIX)
    change(sidecar)
    with pytest.raises(fastdraw.FastdrawError, match=f"{sidecar}: was changed while it was open"):
        drawings.rasterize()
    assert (fastdraw.open_drawings(path).rasterize() == expected).all()  # though the old ones are still open
    del drawings
    drawings = fastdraw.open_drawings(path)
    change(sidecar)
    assert (drawings.rasterize() == expected).all()


def test_replaced_and_deleted_files_stay_readable(sources: Path) -> None:
    path = sorted(sources.glob("*.bin"))[0]
    drawings = fastdraw.open_drawings(path)
    expected = drawings.rasterize()
    replace(path)
    assert (drawings.rasterize() == expected).all()
    path.unlink()
    path.with_name(path.name + index.SUFFIX).unlink()
    assert (drawings.rasterize() == expected).all()


def test_files_are_opened_once_while_they_are_open(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sources)
    path = sorted(sources.glob("*.bin"))[0]
    first = index.open_indexed(path)
    assert index.open_indexed(path) is first
    replace(path)
    second = index.open_indexed(path)
    assert second is not first
    status = path.stat()
    overwrite(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert index.open_indexed(path) is not second
    assert index.open_indexed(path.name).path == Path(path.name)


@pytest.mark.parametrize("change", [cut, grow, overwrite, replace, Path.unlink])
def test_pickles_of_files_that_changed(sources: Path, change: Callable[[Path], None]) -> None:
    path = sorted(sources.glob("*.bin"))[0]
    drawings = fastdraw.open_drawings(sources)[::3]
    batches = fastdraw.batches(drawings, 8)
    pickles = [pickle.dumps(drawings), pickle.dumps(batches)]
    change(path)
    for pickled in pickles:
        with pytest.raises(
            fastdraw.FastdrawError, match=f"{path}: (was changed since it was pickled|cannot be opened again)"
        ):
            pickle.loads(pickled)


def test_pickles_hold_paths_and_not_what_is_there(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sources.parent)
    drawings = fastdraw.open_drawings(sources.name)
    expected = drawings.rasterize()
    batches = fastdraw.batches(drawings, 64, shuffle=True, seed=3)
    first = list(batches)
    pickled = pickle.dumps((drawings, drawings[:5], batches))
    assert len(pickled) < 5000
    del drawings, batches
    monkeypatch.chdir("/")
    drawings, some, batches = pickle.loads(pickled)
    assert (drawings.rasterize() == expected).all()
    assert (some.rasterize() == expected[:5]).all()
    assert len(list(batches)) == len(first)


def test_what_came_from_a_pipe_is_pickled_by_value(sample: Path) -> None:
    with next(sample.glob("*.bin")).open("rb") as file:
        drawings = fastdraw.open_drawings(f"/dev/fd/{file.fileno()}")
    again = pickle.loads(pickle.dumps(drawings))
    assert (again.rasterize() == drawings.rasterize()).all()
    assert again.categories == drawings.categories


def _sum(drawings: fastdraw.Drawings) -> int:
    return int(drawings.rasterize(threads=1).sum(dtype=np.int64))


def test_pool_epochs(sources: Path) -> None:
    """A worker that cannot open its files reports the error instead of dying, or its pool would wait forever."""
    drawings = fastdraw.open_drawings(sources)
    expected = _sum(drawings)
    for _ in range(2):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(_sum, [drawings] * 4) == [expected] * 4
    with multiprocessing.get_context("fork").Pool(2) as pool:
        replace(sorted(sources.glob("*.bin"))[0])
        with pytest.raises(fastdraw.FastdrawError, match="was changed since it was pickled"):
            pool.map_async(_sum, [drawings] * 4).get(timeout=120)
