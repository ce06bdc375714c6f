"""Memory maps without descriptors, what is no regular file, and limits."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw import maps
from fastdraw.maps import FileMap, Watch
from fastdraw.quickdraw.catalog import categories


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(256)) * 100)
    return path


@contextlib.contextmanager
def few_descriptors() -> Iterator[None]:
    """No file can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def mapped(path: Path) -> int:
    """How often a file is mapped in this process."""
    return Path("/proc/self/maps").read_text().count(str(path))


def test_map_needs_no_descriptor_and_is_read_only(file: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    opened = [FileMap(file) for _ in range(20)]
    assert len(os.listdir("/proc/self/fd")) == before
    for one in opened:
        assert one.bytes.tobytes() == file.read_bytes()
        assert not one.bytes.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            one.bytes[3:].flags.writeable = True


def test_last_array_unmaps(file: Path) -> None:
    part = FileMap(file).bytes[5:10]
    gc.collect()
    assert mapped(file) == 1
    assert part.tolist() == [5, 6, 7, 8, 9]
    del part
    assert mapped(file) == 0


def test_map_survives_a_fork_and_the_end_of_a_child(file: Path) -> None:
    opened = FileMap(file)
    for _ in range(3):
        child = os.fork()
        if child == 0:
            status = int(opened.bytes[-1] != 255)
            del opened
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
    assert opened.bytes[-1] == 255


def test_changes_in_place_are_noticed_and_replacements_are_not(file: Path, tmp_path: Path) -> None:
    opened = FileMap(file)
    opened.check()
    os.replace(file, tmp_path / "old")
    opened.check()
    file.write_bytes(b"new")
    opened.check()
    assert not opened.is_truncated or file.stat().st_size < 25600

    opened = FileMap(file)
    for change in (lambda: os.truncate(file, 2), lambda: file.open("ab").write(b"!"), lambda: os.utime(file, (1, 1))):
        opened = FileMap(file)
        change()
        with pytest.raises(fastdraw.FastdrawError, match="was changed while it was open; open it again"):
            opened.check()


def test_what_is_no_regular_file(sample: Path, tmp_path: Path) -> None:
    content = next(sample.glob("*.bin")).read_bytes()
    pipe = tmp_path / "doodle.bin"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[content])
    writer.start()
    drawings = fastdraw.open_drawings(pipe)
    writer.join()
    assert len(drawings) == 200
    assert not pipe.with_name("doodle.bin.index").exists()
    empty = threading.Thread(target=pipe.write_bytes, args=[b""])
    empty.start()
    with pytest.raises(fastdraw.FastdrawError, match=r"doodle\.bin: expected the content of a file, received no bytes"):
        fastdraw.open_drawings(pipe)
    empty.join()
    for path, kind in ((Path("/dev/null"), "device"), (Path("/dev/zero"), "device"), (tmp_path, "folder")):
        with pytest.raises(fastdraw.FastdrawError, match=f"expected a file, received a {kind}"):
            FileMap(path)


def test_open_files_by_number_leave_nothing_in_dev(sample: Path) -> None:
    path = next(sample.glob("*.bin"))
    with path.open("rb") as file:
        drawings = fastdraw.open_drawings(f"/dev/fd/{file.fileno()}")
    assert len(drawings) == 200
    assert (drawings.rasterize() == fastdraw.open_drawings(path).rasterize()).all()


def test_limit_of_descriptors_is_one_clear_error(sources: Path) -> None:
    path = next(sources.glob("*.bin"))  # that is not open: else nothing needs a descriptor
    with few_descriptors():
        for what in (sources, path):
            with pytest.raises(fastdraw.FastdrawError, match=r"cannot be opened: Too many open files.*ulimit"):
                fastdraw.open_drawings(what)


class Fake:
    def __init__(self) -> None:
        self.checks = 0

    def check(self) -> None:
        self.checks += 1


def test_few_files_are_checked_at_each_read_and_many_now_and_then() -> None:
    files = [Fake() for _ in range(100)]
    watch = Watch(files)
    for _ in range(5):
        watch.check(np.arange(3))
    assert [file.checks for file in files] == [5] * 3 + [0] * 97
    watch = Watch(files)
    for _ in range(3):
        watch.check(np.arange(50))
    assert [file.checks for file in files[:50]] == [6] * 3 + [1] * 47
    watch.check(np.arange(100))
    assert [file.checks for file in files[50:]] == [1] * 50


_PROGRAM = """
import multiprocessing, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
import fastdraw

def total(drawings):
    return int(drawings.records()[0].sum()) + len(fastdraw.open_drawings(sys.argv[1]))

if __name__ == "__main__":
    opened = [fastdraw.open_drawings(sys.argv[1]) for _ in range(10)]
    assert len({total(drawings) for drawings in opened}) == 1
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(8) as pool:
            print(len(opened[0]), set(pool.map(total, opened * 2, chunksize=1)) == {total(opened[0])})
"""


@pytest.mark.slow
def test_all_categories_in_eight_workers_with_256_descriptors(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for number, name in enumerate(categories()):
        fastdraw.write_drawings(folder / f"{name}.bin", [[np.full((2, 3), number % 256)]] * 2)
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    run = subprocess.run([sys.executable, program, folder], capture_output=True, text=True, timeout=300)
    assert run.stdout.splitlines() == ["690 True"] * 2, run.stderr[-2000:]
    assert maps._FEW < 345
