"""Mutated files, and what must hold for each: ``python tests/helpers/fuzzing.py --bin 1000000`` for a campaign.

Mutations know the format: they change counts, lengths and flags, cut, insert, delete and repeat blocks, swap parts of
files, and flip bits. An independent reader says which records are sound. A campaign runs in processes of their own, so
that a crash or a hang is seen; it prints the seed of each failure.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import csv
import datetime
import io
import itertools
import json
import multiprocessing
import os
import random
import shutil
import struct
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from records import HEAD, as_lists, parse, sound_records

import fastdraw
from fastdraw import Augment
from fastdraw.quickdraw.binary import decode
from fastdraw.quickdraw.conversion import convert
from fastdraw.quickdraw.doodles import write_sample
from fastdraw.settings import STYLES

AUGMENT = Augment(rotate=30, scale=(0.5, 1.5), shear=10, translate=20, jitter=3, drop_strokes=0.3, flip=True)
TEXT = [
    b"null",
    b"true",
    b"-1",
    b"0.5",
    b'"1_0"',
    b"1e999",
    b"NaN",
    b"[]",
    b"{}",
    b'""',
    b"[[1,2],[3,4],[5,6]]",
    b"\xff",
]
JSON = b':,["0123456789'  # in JSON a value can follow these
FIELDS = ["cat", "US", "us", "1", "0", "", "2017-03-26 23:57:14 UTC", True, False, 1, -1, 2**64, 1.5, None, [], {}]


class Seeds:
    """Sound files to mutate."""

    def __init__(self, folder: Path) -> None:
        source = folder / "source"
        paths = list(write_sample(source, 3, 40))
        contents = [path.read_bytes() for path in paths]
        self.bins = [content[: parse(content)[1 + 3 * i][5]] for i, content in enumerate(contents)]
        self.lines = []
        for path in paths:
            fastdraw.bin_to_ndjson(path, folder / "a.ndjson")
            self.lines.append(b"".join((folder / "a.ndjson").read_bytes().splitlines(keepends=True)[:3]))
        rows = [json.loads(line) for lines in self.lines for line in lines.splitlines()]
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows([row | {"drawing": json.dumps(row["drawing"])} for row in rows])
        self.csv = text.getvalue().encode()
        sketches = np.empty(6, object)
        for i in range(len(sketches)):
            sketches[i] = np.array([[3, 4, 0], [-7, 2, 1], [5, -1, 0], [1, i, 1]], np.int16)
        np.savez(folder / "a.npz", train=sketches[:4], valid=sketches[4:])
        self.npz = (folder / "a.npz").read_bytes()
        self.rasters = folder / "rasters"
        fastdraw.rasterize_files(source, self.rasters, size=8)
        self.manifest = (self.rasters / "dataset.json").read_bytes()


def mutate(rng: random.Random, files: list[bytes], values: Callable[[bytearray], None], share: float = 0.25) -> bytes:
    """One of the files after one to three mutations, of which a share is ``values``, which knows the format."""
    data = bytearray(rng.choice(files))
    for _ in range(rng.randint(1, 3)):
        if rng.random() < share:
            values(data)
            continue
        at = int((len(data) + 1) * rng.random() ** 0.5)  # rather late, so that something sound is left
        length = rng.choice([1, 2, 4, 17, rng.randrange(1, 300)])
        kind = rng.randrange(6)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = rng.choice([bytes(length), rng.randbytes(length), data[at : at + length]])
        elif kind == 3:
            other = rng.choice(files)
            data[at:] = other[rng.randrange(len(other)) :]
        elif kind == 4 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        else:
            data[at : at + length] = bytes(len(data[at : at + length]))
    return bytes(data)


def check_bin(rng: random.Random, seeds: Seeds, folder: Path) -> str:
    """Index, draw in every style, augment and convert a mutated ``.bin`` file."""
    files = seeds.bins

    def values(data: bytearray) -> None:
        """Overwrite a flag, a number of strokes or the length of the first stroke of some record."""
        positions = [at for at in _record_starts(bytes(data)) if at + HEAD.size + 2 <= len(data)]
        if positions:
            at = rng.choice(positions) + rng.choice([10, 15, 17])
            data[at : at + 2] = rng.choice([0, 1, 2, 255, 256, 65535, rng.randrange(65536)]).to_bytes(2, "little")

    data = mutate(rng, files, values)
    path = folder / f"{rng.randrange(4)}.bin"
    path.write_bytes(data)
    expected, end = sound_records(data)
    if end < len(data):
        try:
            fastdraw.open_drawings(path)
        except fastdraw.FormatError as error:
            assert (error.path, error.offset) == (str(path), end)
        else:
            raise AssertionError("damage without an error")
    if not expected and end < len(data):
        return "nothing to keep"
    drawings = fastdraw.open_drawings(path, errors="salvage")
    assert [as_lists(drawing) for drawing in drawings] == [record[4] for record in expected]
    rows = drawings.metadata
    assert rows["key_id"].tolist() == [record[0] for record in expected]
    assert rows["timestamp"].tolist() == [record[3] for record in expected]
    for name, style in STYLES.items():
        images = drawings.rasterize(style=name, size=rng.choice([8, 28, 32, 64]), threads=1)
        assert len(images) == len(expected)
        if style.bilevel:
            assert np.isin(images, (0, 255)).all()
    records, starts = drawings.records()
    AUGMENT.apply(records, starts, np.arange(len(drawings)), np.uint64(rng.getrandbits(64)))
    assert len(list(map(decode, (records[a:b] for a, b in itertools.pairwise(starts))))) == len(expected)
    if end < len(data):
        return "salvaged"
    with contextlib.suppress(ValueError):  # such as a country code that is no text
        fastdraw.bin_to_ndjson(path, folder / "a.ndjson")
        with contextlib.suppress(fastdraw.FastdrawError):
            fastdraw.ndjson_to_bin(folder / "a.ndjson", folder / "again.bin")
            assert (folder / "again.bin").read_bytes() == data
    return "sound"


def check_ndjson(rng: random.Random, seeds: Seeds, folder: Path) -> str:
    """Convert mutated lines: one drawing a line, or an error that names the line."""

    def values(data: bytearray) -> None:
        """Change a field of a line, or a coordinate."""
        lines = bytes(data).splitlines(keepends=True)
        with contextlib.suppress(ValueError, IndexError, TypeError, KeyError, AttributeError):  # broken already
            number = rng.randrange(len(lines))
            item = json.loads(lines[number])
            if rng.random() < 0.5:
                row = rng.choice(rng.choice(item["drawing"]))
                row[rng.randrange(len(row))] = rng.choice([0, 255, 1.0, 7, 256, -1, 0.5, True, "1", None, [1]])
            else:
                item[rng.choice(list(item))] = rng.choice(FIELDS)
            lines[number] = json.dumps(dict(rng.sample(list(item.items()), len(item)))).encode() + b"\n"
        data[:] = b"".join(lines)

    data = mutate(rng, seeds.lines, values, 0.9)
    (folder / "a.ndjson").write_bytes(data)
    (folder / "a.bin").unlink(missing_ok=True)
    try:
        count, _ = fastdraw.ndjson_to_bin(folder / "a.ndjson", folder / "a.bin")
    except fastdraw.FastdrawError as error:
        assert "line " in str(error)
        assert not (folder / "a.bin").exists()
        return "refused"
    lines = [line for line in data.split(b"\n") if line.strip()]
    assert count == len(lines)
    drawings = fastdraw.open_drawings(folder / "a.bin")
    assert len(drawings) == count
    for line, drawing in zip(lines, drawings, strict=True):
        given = json.loads(line)["drawing"]
        if all(len(stroke) == 2 for stroke in given):  # others are raw, and simplified
            assert [stroke.tolist() for stroke in drawing] == given
    return "converted"


def check_manifest(rng: random.Random, seeds: Seeds, folder: Path) -> str:
    """Open rasters by a mutated ``dataset.json``: the same images, or an error."""

    out = folder / "rasters"
    if not out.exists():
        out.mkdir()
        for path in seeds.rasters.glob("*.npy"):
            os.link(path, out / path.name)
    (out / "dataset.json").write_bytes(mutate(rng, [seeds.manifest], lambda data: _overwrite(rng, data, JSON)))
    try:
        rasters = fastdraw.open_rasters(out)
        rasters[: len(rasters)].sum()
    except fastdraw.FastdrawError as error:
        assert str(out) in str(error)
        return "refused"
    assert len(rasters) in (0, 40, 80, 120)  # a mutation may take out a whole category
    return "opened"


def check_csv(rng: random.Random, seeds: Seeds, folder: Path) -> str:
    """Convert mutated CSV: each row is a drawing, or is left out with a reason."""
    data = mutate(rng, [seeds.csv], lambda data: _overwrite(rng, data, JSON), 0.7)
    (folder / "a.csv").write_bytes(data)
    return _convert(folder / "a.csv", folder, lambda: sum(1 for row in _rows(data) if row) - 1)


def _rows(data: bytes) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(data.decode(), newline=""))  # a line may end in a carriage return alone


def check_npz(rng: random.Random, seeds: Seeds, folder: Path) -> str:
    """Convert a mutated file of sketch-rnn, whose zip archive is not compressed: no code runs, no memory is taken."""
    data = mutate(rng, [seeds.npz], lambda data: _overwrite(rng, data, b"(cRtbdlK"), 0.7)
    (folder / "a.npz").write_bytes(data)
    return _convert(folder / "a.npz", folder, lambda: 6)


def _convert(path: Path, folder: Path, expected: Callable[[], int]) -> str:
    out = folder / "converted"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    try:
        result = convert(path, out)
    except fastdraw.FastdrawError as error:
        assert str(path) in str(error)
        return "refused"
    assert sum(len(fastdraw.open_drawings(file)) for file in result.files) == result.drawings
    if result.error is None:
        assert result.drawings == expected()
        return "converted"
    assert sum(result.left_out.values()) > 0
    return "salvaged"


def _overwrite(rng: random.Random, data: bytearray, places: bytes) -> None:
    """Put a token behind one of these bytes, in place of what is there."""
    found = [at for at, byte in enumerate(data) if byte in places]
    if found:
        at = rng.choice(found) + 1
        data[at : at + rng.choice([0, 1, 4])] = rng.choice(TEXT)


CHECKS = {"bin": check_bin, "ndjson": check_ndjson, "manifest": check_manifest, "csv": check_csv, "npz": check_npz}


def run(
    kind: str, seeds: Seeds, folder: Path, numbers: range
) -> tuple[collections.Counter[str], list[tuple[int, str]]]:
    """How many files had which outcome, and the seeds of failures with their tracebacks."""
    outcomes: collections.Counter[str] = collections.Counter()
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fastdraw.DamagedFileWarning)
        for number in numbers:
            (folder / "now").write_text(str(number))
            try:
                outcomes[CHECKS[kind](random.Random(f"{kind} {number}"), seeds, folder)] += 1
            except Exception:
                failures.append((number, traceback.format_exc()))
    return outcomes, failures


def _record_starts(data: bytes) -> list[int]:
    starts, position = [], 0
    while position + HEAD.size <= len(data):
        starts.append(position)
        (count,) = struct.unpack_from("<H", data, position + 15)
        position += HEAD.size
        for _ in range(count):
            if position + 2 > len(data):
                break
            position += 2 + 2 * struct.unpack_from("<H", data, position)[0]
    return starts


def _work(kind: str, numbers: range, results: multiprocessing.Queue, place: Path) -> None:
    place.mkdir()
    results.put(run(kind, Seeds(place), place, numbers))


def _campaign(kind: str, start: int, count: int, block: int, limit: float) -> Iterator[str]:
    """Run the checks block by block, each in a process of its own."""
    context = multiprocessing.get_context("spawn")
    outcomes: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    for first in range(start, start + count, block):
        numbers = range(first, min(first + block, start + count))
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
            results = context.SimpleQueue()
            place = Path(scratch) / "place"
            process = context.Process(target=_work, args=(kind, numbers, results, place))
            process.start()
            process.join(limit)
            now = (place / "now").read_text() if (place / "now").exists() else "none"
            if process.is_alive():
                process.kill()
                yield f"{kind}: hang at seed {now}"
            elif process.exitcode != 0:
                yield f"{kind}: process ended with {process.exitcode} at seed {now}"
            else:
                done, failures = results.get()
                outcomes += done
                for number, text in failures:
                    yield f"{kind}: failure at seed {number}\n{text}"
    counts = ", ".join(f"{name} {number:,}" for name, number in outcomes.most_common())
    yield f"{kind}: {sum(outcomes.values()):,} of {count:,} files ({counts}) in {time.monotonic() - began:.0f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in CHECKS:
        parser.add_argument(f"--{kind}", type=int, default=0, help="number of mutated files")
    parser.add_argument("--first", type=int, default=0, help="seed of the first file, to go on with a campaign")
    parser.add_argument("--block", type=int, default=10_000, help="files a process checks")
    parser.add_argument("--limit", type=float, default=1200, help="seconds after which a block hangs")
    arguments = parser.parse_args()
    print(datetime.date.today(), fastdraw.__version__)
    for kind in CHECKS:
        if count := getattr(arguments, kind):
            for line in _campaign(kind, arguments.first, count, arguments.block, arguments.limit):
                print(line, flush=True)


if __name__ == "__main__":
    main()
