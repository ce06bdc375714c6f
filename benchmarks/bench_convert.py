"""Conversion of ndjson to ``.bin`` and back, and simplifying raw drawings, against plain Python and bare orjson.

One thread. Run with ``pytest benchmarks/bench_convert.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import plain  # of tests/helpers
import pytest
from measuring import REAL, in_turn, note, rate, report

import fastdraw
from fastdraw.kernels.simplify import simplify as kernel
from fastdraw.quickdraw.index import IndexedFile
from fastdraw.quickdraw.pen import Pen, distort
from fastdraw.quickdraw.sketches import SKETCHES

FAST, SLOW = 100_000, 2_000  # drawings; those of the Python loops
ROUNDS = 9

Raw = list[list[list[float]]]


@pytest.fixture(scope="session")
def records(large: Path, drawings: fastdraw.Drawings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.bin`` file of the first drawings."""
    path = tmp_path_factory.mktemp("convert") / "cat.bin"
    path.write_bytes(IndexedFile(large).data[: IndexedFile(large).offsets[FAST]].tobytes())
    return path


@pytest.fixture(scope="session")
def raw() -> list[Raw]:
    """Real raw drawings; without them, doodles before they are simplified."""
    if REAL:
        files = sorted((Path(REAL) / "quickdraw/raw").glob("*.ndjson"))
        return [orjson.loads(line)["drawing"] for path in files for line in path.read_bytes().splitlines()]
    made = []
    for index in range(200):
        pen = Pen(np.random.default_rng(index))
        list(SKETCHES.values())[index % len(SKETCHES)](pen)
        made.append([[stroke.real.tolist(), stroke.imag.tolist()] for stroke in distort(pen)])
    return made


def parse(source: Path) -> None:
    """Only parse each line, with `orjson`."""
    with open(source, "rb") as file:
        for line in file:
            orjson.loads(line)


def test_to_ndjson(benchmark, records: Path) -> None:
    target = records.with_suffix(".ndjson")
    some = fastdraw.open_drawings(records)[:SLOW]
    fastdraw.bin_to_ndjson(records, target)
    assert target.read_bytes().startswith(plain.ndjson(some))
    best = in_turn({"loop": lambda: plain.ndjson(some)}, rounds=5)
    benchmark.pedantic(fastdraw.bin_to_ndjson, (records, target), rounds=ROUNDS)
    report("to ndjson", rate(benchmark, FAST), "a loop over json.dumps", SLOW / best["loop"], 12)
    report("to ndjson", rate(benchmark, FAST), "100,000 drawings/s", 1e5, 1)


def test_from_ndjson(benchmark, records: Path) -> None:
    source, target = records.with_suffix(".ndjson"), records.with_name("again.bin")
    fastdraw.bin_to_ndjson(records, source)
    lines = source.read_bytes().splitlines(keepends=True)
    assert fastdraw.ndjson_to_bin(source, target) == (FAST, "cat")
    assert target.read_bytes() == records.read_bytes()
    assert records.read_bytes().startswith(plain.read_ndjson(lines[:SLOW]))

    best = in_turn({"parse": lambda: parse(source), "loop": lambda: plain.read_ndjson(lines[:SLOW])}, rounds=5)
    benchmark.pedantic(fastdraw.ndjson_to_bin, (source, target), rounds=ROUNDS)
    report("from ndjson", rate(benchmark, FAST), "orjson.loads of each line alone", FAST / best["parse"], 0.5)
    report("from ndjson", rate(benchmark, FAST), "a loop over orjson.loads", SLOW / best["loop"], 5)


def test_from_raw_ndjson(benchmark, raw: list[Raw], tmp_path: Path) -> None:
    count = 100 * len(raw)
    items = [{"key_id": 1, "drawing": [*map(list, drawing)]} for drawing in raw]
    for item in items:  # doodles have no times
        item["drawing"] = [
            [*stroke[:2], (stroke[2:] or [list(range(len(stroke[0])))])[0]] for stroke in item["drawing"]
        ]
    source, target = tmp_path / "cat.ndjson", tmp_path / "cat.bin"
    source.write_bytes(b"".join(orjson.dumps(item) + b"\n" for item in items) * 100)
    assert fastdraw.ndjson_to_bin(source, target)[0] == count
    made = [[stroke.tolist() for stroke in drawing] for drawing in fastdraw.open_drawings(target)[: len(raw)]]
    assert made == [[stroke.tolist() for stroke in plain.simplify(drawing)] for drawing in raw]

    best = in_turn({"parse": lambda: parse(source)}, rounds=5)
    benchmark.pedantic(fastdraw.ndjson_to_bin, (source, target), rounds=ROUNDS)
    report("from raw ndjson", rate(benchmark, count), "orjson.loads of each line alone", count / best["parse"], 0.5)


def test_simplify(benchmark, raw: list[Raw]) -> None:
    points = [[np.array(stroke[:2], np.float64) for stroke in drawing] for drawing in raw]
    expected = [[stroke.tolist() for stroke in plain.simplify(drawing)] for drawing in raw]
    for given in (raw, points):
        assert [[stroke.tolist() for stroke in fastdraw.simplify(drawing)] for drawing in given] == expected
    flat = [np.concatenate(drawing, axis=1) for drawing in points]
    ends = [np.cumsum([stroke.shape[1] for stroke in drawing]) for drawing in points]
    note(f"simplify: {len(raw)} drawings of {np.mean([x.shape[1] for x in flat]):.0f} points on average")

    def kernels() -> None:
        for (x, y), end in zip(flat, ends, strict=True):
            kernel(x, y, end)

    contestants = {
        "plain NumPy": lambda: [plain.simplify(drawing) for drawing in raw],
        "the function, of lists": lambda: [fastdraw.simplify(drawing) for drawing in raw],
        "the function, of arrays": lambda: [fastdraw.simplify(drawing) for drawing in points],
    }
    rates = {name: len(raw) / seconds for name, seconds in in_turn(contestants, ROUNDS).items()}
    benchmark.pedantic(kernels, rounds=10 * ROUNDS)
    report("simplify, the kernel", rate(benchmark, len(raw)), "100,000 drawings/s", 1e5, 1)
    for name in list(contestants)[1:]:
        report(f"simplify, {name}", rates[name], "plain NumPy", rates["plain NumPy"], 10)
