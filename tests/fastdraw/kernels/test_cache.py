"""The on-disk cache of kernels: what changes the machine code is noticed, and so is a damaged file."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import llvmlite
import numba
import numpy as np
import pytest
from numba.core.registry import cpu_target

import fastdraw
from fastdraw.kernels import cache

TINY = """
from fastdraw.kernels.jit import jit

@jit
def double(x):
    return 2 * x

def make(factor):
    @jit
    def scale(x):
        return factor * x
    return scale
"""
Dispatcher = numba.core.dispatcher.Dispatcher
Load = Callable[[], Dispatcher]

SIGNATURE = (numba.int64,)

PIXELS = """
import numpy as np
from fastdraw.kernels.line import draw
record = np.zeros(40, np.uint8)
record[15], record[17], record[19:23] = 1, 2, (8, 248, 16, 100)
images = np.empty((1, 8, 8), np.uint8)
draw(record, np.array([0, 25]), 8, False, images)
print(images.tobytes().hex(), sum(draw.stats.cache_hits.values()))
"""

BLEND = """
import numpy as np
from fastdraw.kernels.blended import blended
pixel = np.full(1, 100, np.uint8)
blended(pixel, 3000)
print(pixel[0], sum(blended.stats.cache_hits.values()))
"""
BLENDED = """
from fastdraw.kernels.cairo.coverage import blend
from fastdraw.kernels.jit import jit

@jit
def blended(pixel, coverage):
    blend(pixel, 0, coverage)
"""


def is_cached(double: Dispatcher) -> bool:
    return double._cache.load_overload(SIGNATURE, cpu_target.target_context) is not None


def cache_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.kernel*"))


def start(code: str, package: Path, **environment: str) -> subprocess.Popen[str]:
    """Start code in a new process that imports the package in a folder."""
    # An edit within a second that keeps the size of a file would be missed by Python's own .pyc files.
    variables = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(package / "cache")}
    variables |= environment
    return subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, text=True, cwd=package)


def run(code: str, package: Path, **environment: str) -> list[str]:
    """Run code, and return the words that it prints."""
    process = start(code, package, **environment)
    printed = process.communicate()[0]
    assert process.returncode == 0
    return printed.split()


@contextlib.contextmanager
def edited(package: Path, name: str, old: str, new: str) -> Iterator[None]:
    path = package / "fastdraw/kernels" / name
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))
    yield
    path.write_text(source)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the kernel ``double``, as a new process has it: neither compiled nor loaded from the cache yet."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")  # the cache is beside the module
    (tmp_path / "tiny.py").write_text(TINY)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("tiny")
    yield lambda: importlib.reload(module).double
    del sys.modules["tiny"]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a copy of fastdraw that a test may edit, and a small kernel in it."""
    source = Path(fastdraw.__file__).parent
    shutil.copytree(source, tmp_path / "fastdraw", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "fastdraw/kernels/blended.py").write_text(BLENDED)
    return tmp_path


@pytest.mark.slow
def test_edits_of_other_files_are_noticed(package: Path) -> None:
    code = BLEND + PIXELS
    pixel, _, pixels, _ = run(code, package)
    assert run(code, package) == [pixel, "1", pixels, "1"]

    with edited(package, "cairo/coverage.py", "+ 256) >> 9", "+ 256) >> 8"):
        new = run(code, package)
        assert new[0] != pixel
        assert new[1:] == ["0", pixels, "0"]
    with edited(package, "layout.py", "HEAD = 17", "HEAD = 18"):
        new = run(code, package)
        assert new[:2] == [pixel, "0"]
        assert new[2] != pixels
    assert run(code, package) == [pixel, "1", pixels, "1"]  # those of the old sources are still there


@pytest.mark.slow
def test_a_folder_that_the_user_names(package: Path) -> None:
    folder = package / "named"
    pixel, _ = run(BLEND, package, NUMBA_CACHE_DIR=str(folder))
    files = cache_files(folder)
    assert cache_files(package) == files
    with edited(package, "cairo/coverage.py", "+ 256) >> 9", "+ 256) >> 8"):
        assert run(BLEND, package, NUMBA_CACHE_DIR=str(folder))[0] != pixel
    assert cache_files(package) == files  # replaced, not added to


@pytest.mark.slow
def test_another_installation_is_warm(package: Path) -> None:
    pixel, _ = run(BLEND, package)
    other = package / "other"
    shutil.copytree(package / "fastdraw", other / "fastdraw", copy_function=shutil.copyfile)  # with other times
    shutil.rmtree(package / "fastdraw")
    assert run(BLEND, other, XDG_CACHE_HOME=str(package / "cache")) == [pixel, "1"]


def test_old_sets_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kernels = tmp_path / "fastdraw/kernels"
    for age in range(6):
        make_folder(kernels / f"old{age}")
        os.utime(kernels / f"old{age}", (1e9 - age, 1e9 - age))
    folder = cache._user_folder.__wrapped__()
    assert sorted(kernels.iterdir()) == sorted([folder, *(kernels / f"old{age}" for age in range(3))])


@pytest.mark.slow
def test_files_of_removed_kernels_are_removed(package: Path) -> None:
    run(BLEND, package, NUMBA_CACHE_DIR=str(package))
    [old] = cache_files(package)
    foreign = old.with_name("other-1.py311.nbi")
    foreign.write_bytes(b"of somebody else")
    with edited(package, "blended.py", "def blended", "def renamed"):
        code = BLEND.replace("import blended", "import renamed as blended")
        run(code, package, NUMBA_CACHE_DIR=str(package))
    [new] = cache_files(package)
    assert "renamed" in new.name
    assert foreign.exists()


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """One of the ways in which files get damaged."""
    mutated = bytearray(content)
    start, end = sorted(rng.integers(0, len(content) + 1, 2))
    match rng.integers(5):
        case 0:
            return bytes(mutated[:start])
        case 1:
            mutated[start:end] = bytes(end - start)
        case 2:
            mutated[start:end] = rng.bytes(end - start)
        case 3:
            mutated[start:start] = rng.bytes(1 + end - start)
        case _:
            mutated[rng.integers(len(content))] ^= 1 << rng.integers(8)
    return bytes(mutated)


@pytest.mark.slow
def test_a_damaged_file_is_compiled_again(load: Load, tmp_path: Path) -> None:
    first = load()
    assert first(21) == 42
    [path] = cache_files(tmp_path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for i in range(2000):
        mutated = mutate(content, rng)
        if mutated == content:
            continue
        path.write_bytes(mutated)
        assert not is_cached(first), i
        if i % 100 == 0:
            double = load()
            assert double(21) == 42
            assert not double.stats.cache_hits
            assert is_cached(first)  # made again
    path.write_bytes(content)
    double = load()
    assert double(21) == 42
    assert sum(double.stats.cache_hits.values()) == 1


def test_every_bit_of_a_file_counts(load: Load, tmp_path: Path) -> None:
    double = load()
    assert double(21) == 42
    [path] = cache_files(tmp_path)
    content = path.read_bytes()
    places = [*range(8 * 80), *np.random.default_rng(0).integers(0, 8 * len(content), 500)]
    for place in places:
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        assert not is_cached(double), place
    path.write_bytes(content)
    assert is_cached(double)


def test_a_file_that_was_renamed_is_not_used(load: Load, tmp_path: Path) -> None:
    double = load()
    assert double(21) == 42
    assert double(1.5) == 3.0
    first, second = cache_files(tmp_path)
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    double = load()
    assert double(21) == 42
    assert double(1.5) == 3.0
    assert not double.stats.cache_hits


def test_without_a_home(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """numba makes a folder named ``~`` in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "~/kernels")
    assert load()(21) == 42
    assert not (tmp_path / "~").exists()
    assert cache_files(tmp_path)  # beside the module


def test_recompile(load: Load) -> None:
    load()(21)
    double = load()
    double.recompile()
    assert double(21) == 42
    assert not double.stats.cache_hits


def make_folder(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "file").touch()


@pytest.mark.parametrize("block", [make_folder, lambda path: path.symlink_to(path), lambda path: path.touch(0o000)])
def test_what_is_in_the_way_does_no_harm(load: Load, tmp_path: Path, block: Callable[[Path], None]) -> None:
    load()(21)
    [path] = cache_files(tmp_path)
    path.unlink()
    block(path)
    assert load()(21) == 42
    assert load()(21) == 42


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (numba, "__version__", "0.0"),
        (llvmlite, "__version__", "0.0"),
        (np, "__version__", "0.0"),
        (sys, "version", "3.11.0 of somebody else"),
        (numba.config, "BOUNDSCHECK", not numba.config.BOUNDSCHECK),
        (numba.config, "OPT", 0),
        (numba.config, "LOOP_VECTORIZE", 0),
        (numba.config, "SLP_VECTORIZE", 1),
        (numba.config, "DEBUGINFO_DEFAULT", 1),
        (numba.config, "LLVM_REFPRUNE_FLAGS", "per_bb"),
    ],
)
def test_another_compiler_is_noticed(
    load: Load, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, value: object
) -> None:
    double = load()
    assert double(21) == 42
    assert is_cached(double)
    monkeypatch.setattr(owner, name, value)
    assert not is_cached(double)
    monkeypatch.undo()
    assert is_cached(double)


@pytest.mark.slow
def test_settings_from_the_environment(package: Path) -> None:
    pixel = run(BLEND, package)[0]
    assert run(BLEND, package, NUMBA_OPT="1") == [pixel, "0"]
    assert run(BLEND, package, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="") == [pixel, "0"]
    assert run(BLEND, package, NUMBA_OPT="1", NUMBA_NUM_THREADS="1") == [pixel, "1"]
    assert len(cache_files(package)) == 2  # one for each processor


def test_closed_over_values_are_kept_apart(load: Load, tmp_path: Path) -> None:
    for hits in (0, 1):
        for factor in (2, 3):
            load()
            scale = sys.modules["tiny"].make(factor)
            assert scale(7) == 7 * factor
            assert sum(scale.stats.cache_hits.values()) == hits
    assert len(cache_files(tmp_path)) == 2


def test_a_kernel_of_a_module_that_cannot_be_imported(tmp_path: Path) -> None:
    for _ in range(2):
        names: dict = {"__name__": "nowhere"}
        (tmp_path / "nowhere.py").write_text(TINY)
        exec(compile(TINY, tmp_path / "nowhere.py", "exec"), names)
        assert names["double"](21) == 42
        del names
        gc.collect()


def test_processes_that_compile_at_once(package: Path) -> None:
    processes = [start(BLEND, package) for _ in range(3)]
    printed = {process.communicate()[0].split()[0] for process in processes}
    assert len(printed) == 1
    [path] = cache_files(package)
    assert path.suffix == ".kernel"
    assert run(BLEND, package) == [printed.pop(), "1"]


def test_an_edit_while_a_process_runs(package: Path) -> None:
    """What it compiles is made of the old sources, so that it is not kept for the new ones."""
    path = package / "fastdraw/kernels/cairo/coverage.py"
    edit = f"""
from pathlib import Path
path = Path({str(path)!r})
path.write_text(path.read_text().replace("+ 256) >> 9", "+ 256) >> 8"))
"""
    imports, calls = BLEND.split("pixel =", 1)
    before, _ = run(imports + edit + "pixel =" + calls, package)
    assert not cache_files(package)
    after, hits = run(BLEND, package)
    assert hits == "0"
    assert after != before


def test_on_a_full_disk(package: Path) -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"  # writes beyond fail
    assert run(code + BLEND, package)[1] == "0"
    assert not cache_files(package)


def test_where_no_folder_can_be_made(package: Path) -> None:
    (package / "fastdraw/kernels/__pycache__").touch()
    assert run(BLEND, package, HOME=os.devnull, XDG_CACHE_HOME=os.devnull)[1] == "0"
