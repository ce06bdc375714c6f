"""Conversion between ndjson and bin."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import drawings as any_drawings
from strategies import metadata as any_metadata

import fastdraw
from fastdraw.export.files import convert_files

LINE = {
    "word": "cat",
    "countrycode": "US",
    "timestamp": "2017-03-26 23:57:14.63954 UTC",
    "recognized": True,
    "key_id": "4819728134569984",
    "drawing": [[[0, 126], [7, 1]]],
}


def write(path: Path, *lines: dict) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_real_twins_are_the_same_bytes(real: Path, tmp_path: Path) -> None:
    files = sorted((real / "quickdraw/simplified").glob("*.ndjson"))
    assert len(files) == 7
    for path in files:
        count, word = fastdraw.ndjson_to_bin(path, tmp_path / "made.bin")
        assert (count, word) == (25, path.stem)
        assert (tmp_path / "made.bin").read_bytes() == (real / f"quickdraw/bin/{path.stem}.bin").read_bytes()


def test_real_files_go_to_ndjson_with_all_but_fractions_of_seconds(real: Path, tmp_path: Path) -> None:
    official = real / "quickdraw/simplified/cat.ndjson"
    fastdraw.bin_to_ndjson(real / "quickdraw/bin/cat.bin", tmp_path / "cat.ndjson")
    for ours, theirs in zip((tmp_path / "cat.ndjson").open(), official.open(), strict=True):
        mine, expected = json.loads(ours), json.loads(theirs)
        assert list(mine) == list(expected)
        assert mine.pop("timestamp")[:19] == expected.pop("timestamp")[:19]
        assert mine == expected


@given(st.data())
def test_there_and_back_is_the_identity(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(any_drawings(), max_size=4))
    folder = tmp_path_factory.mktemp("convert")
    fastdraw.write_drawings(folder / "cat.bin", drawn, data.draw(any_metadata(len(drawn))))
    assert fastdraw.bin_to_ndjson(folder / "cat.bin", folder / "cat.ndjson") == len(drawn)
    fastdraw.ndjson_to_bin(folder / "cat.ndjson", folder / "again.bin")
    assert (folder / "again.bin").read_bytes() == (folder / "cat.bin").read_bytes()


def test_raw_drawings_are_simplified(tmp_path: Path) -> None:
    raw = LINE | {"drawing": [[[10.5, 20.5, 30.5], [7.0, 7.0, 7.0], [0, 10, 20]]]}
    fastdraw.ndjson_to_bin(write(tmp_path / "raw.ndjson", raw), tmp_path / "raw.bin")
    (stroke,) = fastdraw.open_drawings(tmp_path / "raw.bin")[0]
    assert stroke.tolist() == [[0, 255], [0, 0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"drawing": [[[0, 300], [0, 0]]]}, "received 300"),
        ({"drawing": [[[0, 1], [0]]]}, "as many x as y"),
        ({"drawing": [[0, 1]]}, "stroke 0"),
        ({"drawing": "cat"}, "list of strokes, .*received 'cat'"),
        ({"drawing": [[[0.5], [0]]]}, r"integers from 0 to 255, received 0\.5"),
        ({"key_id": "x"}, "key_id"),
        ({"key_id": str(2**64)}, "key_id"),
        ({"countrycode": "USA"}, "two letters"),
        ({"timestamp": "yesterday"}, "'yesterday'"),
        ({"timestamp": "1960-01-01 00:00:00 UTC"}, "1970"),
        ({"recognized": "yes"}, "true or false, received 'yes'"),
        ({"word": 5}, "word to be a string, received 5"),
        ({"word": "dog"}, "one category"),
        ({"drawing": [[[1, 2], [3, 4], [5, 6]]]}, r"three points \(x, y\)"),
        ({"drawing": [[[1, 2], [3, 4], [0, 6]], [[1, 2], [3, 4], [5, 7]]]}, r"three points \(x, y\)"),
        ({"drawing": [[[1, 2], [3, 4], [5, 6], [7, 8]]]}, "stroke 0: .*received 4 rows"),
        ({"drawing": [[[1, 2], [3, 4]], [[1, 2], [3, 4], [0, 9]]]}, "strokes of 2 and of 3 rows"),
        ({"drawing": [[[1, 2, 3], [3, 4, 5], [0, 9, 8]]]}, r"do not decrease, received \[0, 9, 8\]"),
        ({"drawing": [[[1, 2, 3], [3, 4, 5], [0, 9]]]}, "received 3, 3 and 2"),
        ({"drawing": [[[1, 2, 3], [3, 4, 5], [0, 9, math.inf]]]}, "finite numbers, received"),
        ({"drawing": [[[1, math.nan], [3, 4]]]}, "finite numbers, received"),
        ({"drawing": [[[10**400, 1, 2], [3, 4, 5], [0, 9, 10]]]}, "line 2"),
        ({"drawing": [[[True, 2], [3, 4]]]}, r"rows of numbers, received \[True, 2\]"),
        ({"drawing": [[["1", 2], [3, 4]]]}, r"rows of numbers, received \['1', 2\]"),
        ({"drawing": [[[1, 2, 3], [3, 4, 5], ["0", "1", "2"]]]}, "stroke 0: expected rows of numbers"),
        ({"drawing": [[[None, 2], [3, 4]]]}, "rows of numbers, received"),
        *(
            ({"key_id": key}, "key_id")
            for key in (True, 0.9, 5.0, "1_0", " 1", "+1", "01", "1.0", -1, "-1", "\u0661", [])
        ),
        *(({"countrycode": code}, "two letters") for code in ("U", "U\0", "üs", 12, True, ["U", "S"])),
        *(({"recognized": value}, "true or false") for value in (2, -1, 1.0, "t", "yes", [])),
        *(
            ({"timestamp": time}, "timestamp")
            for time in (
                20170326,
                "20170326",
                1490572634639,
                -1,
                True,
                "1969-12-31 23:59:59.5 UTC",
                "2017-03-26 23:57:14+01:00 UTC",
            )
        ),
    ],
)
def test_wrong_lines_are_named_and_nothing_is_written(tmp_path: Path, change: dict, message: str) -> None:
    path = write(tmp_path / "cat.ndjson", LINE, LINE | change)
    offset = len(path.read_text().splitlines()[0]) + 1
    with pytest.raises(fastdraw.NdjsonFormatError, match=message) as caught:
        fastdraw.ndjson_to_bin(path, tmp_path / "cat.bin")
    assert caught.value.offset == offset
    assert "line 2" in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("times", [[[0, 5]], [[0, 0], [0, 5]], [[0, 5], [5, 9]]])
def test_raw_strokes_of_two_points_have_times_from_0_on(tmp_path: Path, times: list[list[int]]) -> None:
    raw = LINE | {"drawing": [[[1, 2], [3, 3], time] for time in times]}
    fastdraw.ndjson_to_bin(write(tmp_path / "raw.ndjson", raw), tmp_path / "raw.bin")
    (drawing,) = fastdraw.open_drawings(tmp_path / "raw.bin")
    assert [stroke.tolist() for stroke in drawing] == [[[0, 255], [0, 0]]] * len(times)


def test_a_field_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.ndjson").write_text(json.dumps(LINE)[:-1] + ', "key_id": "1"}')
    with pytest.raises(fastdraw.NdjsonFormatError, match="each field once"):
        fastdraw.ndjson_to_bin(tmp_path / "cat.ndjson", tmp_path / "cat.bin")


def test_folders_are_converted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(fastdraw.FastdrawError, match=r"in: expected a folder of \.bin files, received one without any"):
        list(convert_files([tmp_path / "in"], tmp_path / "cat.bin"))
    for name in ("cat", "dog"):
        write(tmp_path / f"in/{name}.ndjson", LINE | {"word": name})
    with pytest.raises(fastdraw.FastdrawError, match="expected an existing folder for 2 files"):
        list(convert_files([tmp_path / "in"], tmp_path / "cat.bin"))
    (tmp_path / "out").mkdir()
    files = list(convert_files([tmp_path / "in"], tmp_path / "out"))
    assert files == [tmp_path / "out/cat.bin", tmp_path / "out/dog.bin"]
    assert len(fastdraw.open_drawings(tmp_path / "out")) == 2
    assert [file.name for file in convert_files([tmp_path / "out"], tmp_path)] == ["cat.ndjson", "dog.ndjson"]


def test_other_forms_become_ndjson(tmp_path: Path) -> None:
    items = [LINE | {"word": name, "key_id": str(number)} for number, name in enumerate(("dog", "cat", "dog"))]
    (tmp_path / "pets.json").write_text(json.dumps(items))
    assert list(convert_files([tmp_path / "pets.json"], tmp_path / "pets.ndjson")) == [tmp_path / "pets.ndjson"]
    lines = [json.loads(line) for line in (tmp_path / "pets.ndjson").read_text().splitlines()]
    assert [(line["word"], line["key_id"]) for line in lines] == [("cat", "1"), ("dog", "0"), ("dog", "2")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pets.json", "pets.ndjson"]


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff\xfe\0", b"null", b'{"word": "cat"}'])
def test_other_contents(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cat.ndjson").write_bytes(content)
    with pytest.raises(fastdraw.NdjsonFormatError, match="line 1"):
        fastdraw.ndjson_to_bin(tmp_path / "cat.ndjson", tmp_path / "cat.bin")


def test_timestamp_keeps_its_second(tmp_path: Path) -> None:
    fastdraw.ndjson_to_bin(write(tmp_path / "cat.ndjson", LINE), tmp_path / "cat.bin")
    row = fastdraw.open_drawings(tmp_path / "cat.bin").metadata[0]
    assert row["timestamp"] == np.datetime64("2017-03-26T23:57:14").astype(int)
    assert row["country"] == "US"
