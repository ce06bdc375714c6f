"""The kernel that writes ndjson writes what ``json.dumps`` does, and nothing else, whatever the bytes are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import plain
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import drawings as any_drawings
from strategies import metadata as any_metadata

import fastdraw
from fastdraw.kernels.write import FIXED, WIDEN, write_lines
from fastdraw.quickdraw.binary import METADATA
from fastdraw.quickdraw.ndjson import _escapes


def check(path: Path) -> None:
    fastdraw.bin_to_ndjson(path, path.with_suffix(".ndjson"))
    assert path.with_suffix(".ndjson").read_bytes() == plain.ndjson(fastdraw.open_drawings(path))


@given(st.data())
def test_the_bytes_of_json(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(any_drawings(), max_size=4))
    path = tmp_path_factory.mktemp("write") / "cat.bin"
    fastdraw.write_drawings(path, drawn, data.draw(any_metadata(len(drawn))))
    check(path)


@pytest.mark.parametrize("word", ["a b", 'the "cat"', "back\\slash", "kätzchen", "\x01\t", "not\udcffutf8"])
def test_any_word_and_all_numbers(tmp_path: Path, word: str) -> None:
    every = np.arange(256).repeat(2).reshape(-1, 2).T
    metadata = np.array([(key, b"US", key % 2, key) for key in (0, 9, 10, 2**32 - 1)], METADATA)
    fastdraw.write_drawings(tmp_path / f"{word}.bin", [[every]] * 4, metadata)
    check(tmp_path / f"{word}.bin")


@pytest.mark.parametrize("first", [0, 1, 10, 31, 34, 65, 92, 127, 128, 255])
def test_any_country(tmp_path: Path, first: int) -> None:
    codes = [bytes([first, second]) for second in range(256)]
    metadata = np.array([(2**64 - 1, code, True, 86_400 * 365 * i // 2) for i, code in enumerate(codes)], METADATA)
    fastdraw.write_drawings(tmp_path / "cat.bin", [[]] * 256, metadata)
    check(tmp_path / "cat.bin")


@given(st.binary(max_size=120), st.lists(st.integers(0, 120), max_size=4))
@example(b"\0" * 15 + b"\xff\xff" + b"\xff\xff" * 20, [40])
def test_any_bytes_stay_within(content: bytes, cuts: list[int]) -> None:
    records = np.frombuffer(content, np.uint8)
    starts = np.array([0, *sorted(min(cut, len(content)) for cut in cuts), len(content)])
    prefix = np.frombuffer(b'{"word":"cat","countrycode":"', np.uint8)
    size = len(records) * WIDEN + (len(starts) - 1) * (len(prefix) + FIXED)
    memory = np.full(size + 64, 7, np.uint8)
    assert write_lines(records, starts, prefix, *_escapes(), memory[:size]) <= size
    assert (memory[size:] == 7).all()


def test_real_files(real: Path, tmp_path: Path) -> None:
    for name in ("cat", "The Eiffel Tower", "camouflage"):
        (tmp_path / f"{name}.bin").write_bytes((real / f"quickdraw/bin/{name}.bin").read_bytes())
        check(tmp_path / f"{name}.bin")
