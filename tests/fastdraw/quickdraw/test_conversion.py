"""Files as people have them: other formats, compressed or not, and files that hold something else."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import pickle
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw.export.files import convert_files
from fastdraw.quickdraw import conversion, ndjson, streams


def as_lists(drawings: fastdraw.Drawings) -> list[list[list[list[int]]]]:
    return [[stroke.tolist() for stroke in drawing] for drawing in drawings]


@pytest.fixture
def drawings(sample: Path, tmp_path: Path) -> fastdraw.Drawings:
    """Ten drawings of ``star``, with a raw-looking path of their own."""
    (tmp_path / "source").mkdir()
    original = fastdraw.open_drawings(sample / "star.bin")[:10]
    fastdraw.write_drawings(tmp_path / "source/star.bin", list(original), original.metadata)
    return fastdraw.open_drawings(tmp_path / "source/star.bin")


@pytest.fixture
def items(drawings: fastdraw.Drawings, tmp_path: Path) -> list[dict]:
    fastdraw.bin_to_ndjson(tmp_path / "source/star.bin", tmp_path / "lines")
    return [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]


def json_lines(items: list[dict]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def as_csv(items: list[dict], columns: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(
        [json.dumps(item[name]) if name == "drawing" else item[name] for name in columns] for item in items
    )
    return text.getvalue().encode()


FORMS: dict[str, Callable[[list[dict]], bytes]] = {
    "a.ndjson": json_lines,
    "a.jsonl": lambda items: json_lines(items).rstrip(),
    "a.json": lambda items: json.dumps(items).encode(),
    "pretty.json": lambda items: json.dumps(items, indent=1).encode(),
    "a.txt": json_lines,
    "windows.ndjson": lambda items: b"\xef\xbb\xbf" + json_lines(items).replace(b"\n", b"\r\n\r\n"),
    "utf16.ndjson": lambda items: json_lines(items).decode().encode("utf-16"),
    "big.ndjson": lambda items: b"\xfe\xff" + json_lines(items).decode().encode("utf-16-be"),
    "unmarked.ndjson": lambda items: json_lines(items).decode().encode("utf-16-le"),
    "unmarked.json": lambda items: json.dumps(items, indent=1).encode("utf-16-be"),
    "utf16.json": lambda items: json.dumps(items).encode("utf-16"),
    "a.ndjson.gz": lambda items: gzip.compress(json_lines(items)),
    "a.ndjson.bz2": lambda items: bz2.compress(json_lines(items)),
    "a.json.xz": lambda items: lzma.compress(json.dumps(items).encode()),
    "named.bin": json_lines,
    "gzip_named.bin": lambda items: gzip.compress(json_lines(items)),
    "train.csv": lambda items: as_csv(items, ["countrycode", "drawing", "key_id", "recognized", "timestamp", "word"]),
    "a.csv.gz": lambda items: gzip.compress(as_csv(items, list(items[0])[::-1])),
    "spaced.csv": lambda items: as_csv(items, list(items[0])).replace(b",", b", ", len(items[0]) - 1),
    "strings.ndjson": lambda items: json_lines([item | {"drawing": json.dumps(item["drawing"])} for item in items]),
    "reordered.ndjson": lambda items: json_lines([dict(reversed(item.items())) | {"more": [1]} for item in items]),
    "forms.ndjson": lambda items: json_lines(
        [item | {"key_id": int(item["key_id"]), "recognized": str(item["recognized"])} for item in items]
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_all_forms_give_the_same_drawings(
    name: str,
    items: list[dict],
    drawings: fastdraw.Drawings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    recwarn: pytest.WarningsRecorder,
) -> None:
    (tmp_path / name).write_bytes(FORMS[name](items))
    opened = fastdraw.open_drawings(tmp_path / name)
    assert not recwarn  # of files that are left open
    assert opened.categories == ("star",)
    assert as_lists(opened) == as_lists(drawings)
    assert (opened.metadata == drawings.metadata).all()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{tmp_path / name}: converting to .bin files in ")
    again = fastdraw.open_drawings(str(tmp_path / name))  # from the cache
    assert len(caplog.messages) == 1
    assert (again.rasterize() == drawings.rasterize()).all()


def test_zstd(items: list[dict], drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / "a.ndjson.zst").write_bytes(zstandard.compress(json_lines(items)))
    assert as_lists(fastdraw.open_drawings(tmp_path / "a.ndjson.zst")) == as_lists(drawings)
    frames = [zstandard.compress(content) for content in (json_lines(items), b"", json_lines(items[:3]))]
    (tmp_path / "a.ndjson.zst").write_bytes(b"".join(frames))
    assert len(fastdraw.open_drawings(tmp_path / "a.ndjson.zst")) == 13


def test_zstd_that_is_truncated_between_lines(items: list[dict], tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    writer = zstandard.ZstdCompressor().compressobj()
    content = writer.compress(json_lines(items[:4])) + writer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    (tmp_path / "a.ndjson.zst").write_bytes(content)
    with pytest.raises(fastdraw.FormatError, match=r"sound compressed data: .* in the middle of a frame"):
        fastdraw.open_drawings(tmp_path / "a.ndjson.zst")
    with pytest.warns(fastdraw.DamagedFileWarning, match="kept 4 drawings and left out 1: 1 times .* of a frame"):
        assert len(fastdraw.open_drawings(tmp_path / "a.ndjson.zst", errors="salvage")) == 4


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_records(compress: Callable, drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    content = (tmp_path / "source/star.bin").read_bytes()
    (tmp_path / "star.bin.gz").write_bytes(compress(content))
    assert as_lists(fastdraw.open_drawings(tmp_path / "star.bin.gz")) == as_lists(drawings)
    (tmp_path / "star.bin.gz").write_bytes(compress(content[:-3]))
    with pytest.raises(fastdraw.FormatError, match=r"star.bin.gz: damaged at byte \d+: record 9"):
        fastdraw.open_drawings(tmp_path / "star.bin.gz")
    with pytest.warns(fastdraw.DamagedFileWarning, match=r"kept 9 drawings and left out 1"):
        assert len(fastdraw.open_drawings(tmp_path / "star.bin.gz", errors="salvage")) == 9
    (tmp_path / "cut.bin.gz").write_bytes(compress(content)[:-20])
    with pytest.raises(fastdraw.FormatError, match="sound compressed data"):
        fastdraw.open_drawings(tmp_path / "cut.bin.gz")
    assert [path.name for path in tmp_path.iterdir() if "cut.bin" in path.name] == ["cut.bin.gz"]


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("form", ["ndjson", "bin", "json"])
def test_salvage_of_truncated_compressed_files(
    compress: Callable, form: str, drawings: fastdraw.Drawings, items: list[dict], tmp_path: Path
) -> None:
    records = (tmp_path / "source/star.bin").read_bytes()
    content = {"ndjson": json_lines(items), "bin": records, "json": json.dumps(items).encode()}[form]
    path = tmp_path / f"star.{form}.gz"
    # Two streams, as blocks of bzip2 are long: the second ends in the last drawing.
    path.write_bytes(compress(content[:-30]) + compress(content[-30:])[:-40])
    with pytest.raises(fastdraw.FormatError, match=r"damaged at byte \d+: expected sound compressed data: "):
        fastdraw.open_drawings(path)
    for _ in range(2):  # the second time from the cache
        with pytest.warns(fastdraw.DamagedFileWarning, match="kept 9 drawings and left out 2: .*; 1 times Compressed"):
            assert as_lists(fastdraw.open_drawings(path, errors="salvage")) == as_lists(drawings[:9])


def test_unknown_metadata(items: list[dict], drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    path = tmp_path / "things.ndjson"
    path.write_bytes(json_lines([item["drawing"] for item in items]))
    bare = fastdraw.open_drawings(path)
    assert bare.categories == ("things",)
    assert as_lists(bare) == as_lists(drawings)
    rows = bare.metadata
    assert set(rows["country"].tolist()) == {""}
    assert (rows["timestamp"] == 0).all()
    assert rows["recognized"].all()
    path.write_bytes(json_lines([{"drawing": item["drawing"], "word": None} for item in items[::-1]]))
    assert fastdraw.open_drawings(path).metadata["key_id"].tolist() == rows["key_id"].tolist()[::-1]  # a stable hash


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("timestamp", 1490572634, 1490572634),
        ("timestamp", "1490572634.5", 1490572634),
        ("timestamp", "2017-03-26 23:57:14", 1490572634),
        ("timestamp", "2017-03-27T01:57:14+02:00", 1490572634),
        ("timestamp", "2017-03-26T23:57:14Z", 1490572634),
        ("timestamp", None, 0),
        ("recognized", "False", False),
        ("recognized", "true", True),
        ("recognized", 0, False),
        ("recognized", "1", True),
        ("key_id", "", None),
        ("key_id", 7, 7),
        ("countrycode", "", ""),
        ("countrycode", None, ""),
    ],
)
def test_metadata_in_other_forms(
    items: list[dict], tmp_path: Path, field: str, value: object, expected: object
) -> None:
    (tmp_path / "a.ndjson").write_bytes(json_lines([items[0] | {field: value}]))
    row = fastdraw.open_drawings(tmp_path / "a.ndjson").metadata[0]
    read = row["country" if field == "countrycode" else field]
    assert read > 0 if expected is None else read == expected


def test_words_are_categories(items: list[dict], tmp_path: Path) -> None:
    many = [item | {"word": f"word {i % 3}"} for i, item in enumerate(items)]
    (tmp_path / "a.ndjson").write_bytes(json_lines(many))
    drawings = fastdraw.open_drawings(tmp_path / "a.ndjson")
    assert drawings.categories == ("word 0", "word 1", "word 2")
    assert np.bincount(drawings.labels).tolist() == [4, 3, 3]
    rasters = fastdraw.rasterize_files(tmp_path / "a.ndjson", tmp_path / "out")
    assert (rasters[:] == drawings.rasterize()).all()
    for word in ("../a", "a/b", ".hidden", "a\0"):
        (tmp_path / "b.ndjson").write_bytes(json_lines([items[0] | {"word": word}]))
        with pytest.raises(fastdraw.FormatError, match="line 1: expected word to be a name for a file"):
            fastdraw.open_drawings(tmp_path / "b.ndjson")
    for word, message in (("a" * 201, "of up to 200 bytes, received 201"), ("\ud800", "to be text, received")):
        (tmp_path / "b.ndjson").write_text(json.dumps(items[0] | {"word": word}))
        with pytest.raises(fastdraw.FormatError, match=f"line 1: expected word .*{message}"):
            fastdraw.open_drawings(tmp_path / "b.ndjson")


@pytest.mark.parametrize("wrong", [b'{"word": "caf\xe9"}', bytes(500), b"\xff"])
def test_a_line_that_is_no_text_is_one_line(items: list[dict], tmp_path: Path, wrong: bytes) -> None:
    lines = json_lines(items).splitlines(keepends=True)
    (tmp_path / "a.ndjson").write_bytes(b"".join([*lines[:2], wrong, b"\n", *lines[2:]]))
    with pytest.raises(fastdraw.NdjsonFormatError, match=r"a\.ndjson: damaged at byte \d+: line 3: "):
        fastdraw.open_drawings(tmp_path / "a.ndjson")
    with pytest.warns(fastdraw.DamagedFileWarning, match="kept 10 drawings and left out 1: "):
        assert len(fastdraw.open_drawings(tmp_path / "a.ndjson", errors="salvage")) == 10


def test_third_rows(tmp_path: Path) -> None:
    def read(drawing: object) -> list:
        (tmp_path / "a.ndjson").write_bytes(json_lines([drawing]))  # type: ignore[list-item]
        return as_lists(fastdraw.open_drawings(tmp_path / "a.ndjson"))[0]

    labels = [[[5, 6, 7], [8, 9, 9], [0, 0, 0]], [[1, 2], [3, 4], [1, 1]]]
    assert read(labels) == [stroke[:2] for stroke in labels]
    timed = [[[0, 9, 255], [0, 9, 99], [0, 16, 40]], [[1, 2], [3, 4], [100, 120]]]
    assert read(timed) == [stroke[:2] for stroke in timed]  # coordinates of a simplified drawing
    raw = [[[10.5, 20.5, 30.5], [7.0, 7.0, 7.0], [0, 10, 20]]]
    assert read(raw) == [[[0, 255], [0, 0]]]


def test_salvage_counts_by_reason(items: list[dict], tmp_path: Path) -> None:
    bad = [{"drawing": [[[0, 300], [0, 0]]]}, {"drawing": [[[0, 999], [0, 0]]]}, {"word": "x"}]
    (tmp_path / "a.ndjson").write_bytes(json_lines([*items[:2], *bad, items[2]]) + b"{")
    with pytest.raises(
        fastdraw.FormatError, match=r"a.ndjson: damaged at byte \d+: line 3.*errors=\"salvage\" to keep"
    ):
        fastdraw.open_drawings(tmp_path / "a.ndjson")
    assert not list(tmp_path.glob(".a*"))
    for _ in range(2):  # the second time from the cache
        with pytest.warns(fastdraw.DamagedFileWarning, match="kept 3 drawings and left out 4: 2 times .* 255; 1 "):
            assert len(fastdraw.open_drawings(tmp_path / "a.ndjson", errors="salvage")) == 3
        with pytest.raises(fastdraw.FormatError, match="line 3"):
            fastdraw.open_drawings(tmp_path / "a.ndjson")


@pytest.mark.parametrize(
    ("start", "place"),
    [
        (b'{"word": "cat", "drawing": []}\n{"word": "', "line 2"),
        (b'\xff\xfe{\0"\0', "line 1"),
        (b"drawing,a\n", "row 2"),
    ],
)
def test_a_line_without_end_does_not_fill_the_memory(
    start: bytes, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_LINE", 1 << 21)
    (tmp_path / "a.gz").write_bytes(gzip.compress(start + bytes([120]) * (1 << 25)))
    with pytest.raises(fastdraw.FormatError):
        fastdraw.open_drawings(tmp_path / "a.gz")  # what this imports does not count below
    tracemalloc.start()
    with pytest.raises(fastdraw.FormatError, match=f"{place}: expected lines of at most 67,108,864 characters"):
        fastdraw.open_drawings(tmp_path / "a.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 25
    assert [path.name for path in tmp_path.iterdir()] == ["a.gz"]


def test_one_fault_at_many_places_is_one_reason(items: list[dict], tmp_path: Path) -> None:
    wrong = [{"drawing": [[[0], [0]]] * count + [[[0], [256]]]} for count in range(9)]
    texts = [b'{"key_id": "%s' % (b"1" * count) for count in range(9)]
    (tmp_path / "a.ndjson").write_bytes(json_lines([*items, *wrong]) + b"\n".join(texts))
    with pytest.warns(fastdraw.DamagedFileWarning) as caught:
        fastdraw.open_drawings(tmp_path / "a.ndjson", errors="salvage")
    (line,) = {str(warning.message) for warning in caught}
    assert line.endswith(": 9 times expected integers from 0 to 255; 9 times Unterminated string starting at")


@pytest.mark.parametrize("size", [1, 30, 200, 400])
def test_a_truncated_array_is_called_truncated(items: list[dict], tmp_path: Path, size: int) -> None:
    (tmp_path / "a.json").write_text(json.dumps(items)[:-size])
    with pytest.raises(fastdraw.FormatError, match="expected a bracket at the end: the file is truncated"):
        fastdraw.open_drawings(tmp_path / "a.json")


def test_faults_of_arrays_are_shown(items: list[dict], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(items)[:-1] + ", nothing]")
    with pytest.raises(fastdraw.FormatError, match="drawing 11: Expecting value, received 'nothing]'"):
        fastdraw.open_drawings(tmp_path / "a.json")


BREAKS: list[Callable[[str], str]] = [
    lambda text: text.replace("[[[", "[[[NaN,", 1),
    lambda text: text.replace("[[[", "[[[00", 1),
    lambda text: text.replace("]]", "]", 1),
    lambda text: text.replace("]]", "]]]]", 1),
    lambda text: text.replace('"drawing": ', '"drawing" ', 1),
    lambda text: text.replace('"word": ', '"word": tru', 1),
    lambda text: text.replace("[[[", "[" * 100_000, 1),
    lambda text: text[:-9] + "}",
    lambda text: "null, 7",
    lambda text: text + " " + text,
]


@pytest.mark.parametrize("piece", [5, 1 << 20])
@pytest.mark.parametrize("only_strokes", [False, True])
def test_salvage_goes_on_behind_a_bad_drawing_in_an_array(
    items: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, only_strokes: bool
) -> None:
    monkeypatch.setattr(ndjson, "_PIECE", piece)
    texts = [json.dumps(item["drawing"] if only_strokes else item) for item in items]
    for number, wrong in enumerate(BREAKS):
        broken = wrong(texts[4])
        if broken == texts[4] or (only_strokes and broken.count("]") != texts[4].count("]")):
            continue  # there is no such field, or other brackets, which are all that shows where a drawing ends
        for place in (0, 4, 9):
            content = f"[{', '.join([*texts[:place], broken, *texts[place + 1 :]])}]"
            path = tmp_path / f"{number}-{place}.json"
            path.write_text(content)
            with pytest.warns(fastdraw.DamagedFileWarning, match="kept (9|10) drawings and left out"):
                drawings = fastdraw.open_drawings(path, errors="salvage")
            kept = as_lists(drawings)
            assert all(item["drawing"] in kept for at, item in enumerate(items) if at != place), number


def test_an_error_in_a_large_array_does_not_fill_the_memory(
    items: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ndjson, "_PIECE", 1000)
    monkeypatch.setattr(ndjson, "LONGEST_LINE", 20_000)
    (tmp_path / "a.json").write_text("[{]," + json.dumps(items * 50)[1:])
    with pytest.warns(fastdraw.DamagedFileWarning, match="kept 500 drawings and left out 1"):
        fastdraw.open_drawings(tmp_path / "a.json", errors="salvage")


def test_rows_with_names(items: list[dict], drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    rows = [[{"x": x, "y": y} for x, y in item["drawing"]] for item in items]
    columns = [{axis: [stroke[axis] for stroke in drawing] for axis in ("x", "y")} for drawing in rows]
    raw = {"x": [[0, 0.5, 9]], "y": [[0, 3, 9]], "t": [[0, 10, 20]]}
    for name, forms in (("rows.ndjson", rows), ("columns.ndjson", columns)):
        (tmp_path / name).write_bytes(json_lines([{"drawing": form} for form in [*forms, raw]]))
        opened = fastdraw.open_drawings(tmp_path / name)
        assert as_lists(opened[:-1]) == as_lists(drawings)
        assert opened[-1][0].tolist() == [[0, 14, 255], [0, 85, 255]]
    for bad in ({"x": [[1]]}, {"x": [[1]], "y": [[1], [2]]}, {"x": 1, "y": 2}, [{"x": [1], "z": [2]}]):
        (tmp_path / "bad.ndjson").write_bytes(json_lines([{"drawing": bad}]))
        with pytest.raises(fastdraw.FormatError, match=r"line 1: .*expected"):
            fastdraw.open_drawings(tmp_path / "bad.ndjson")


def test_salvage_goes_on_behind_a_bad_row(tmp_path: Path) -> None:
    rows = [b'cat,"[[[1],[2]]]"', b'cat,"[]"x', b'caf\xe9,"[[[1],[2]]]"', b"cat", b'dog,"[[[3],[4]]]"']
    (tmp_path / "a.csv").write_bytes(b"\n".join([b"word,drawing", *rows]))
    with pytest.warns(fastdraw.DamagedFileWarning, match="kept 2 drawings and left out 3"):
        drawings = fastdraw.open_drawings(tmp_path / "a.csv", errors="salvage")
    assert drawings.categories == ("cat", "dog")
    with pytest.raises(fastdraw.FormatError, match="row 3"):
        fastdraw.open_drawings(tmp_path / "a.csv")


def test_a_changed_file_is_converted_anew(items: list[dict], tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(json_lines(items))
    assert len(fastdraw.open_drawings(path)) == 10
    path.write_bytes(json_lines(items[:4]))
    assert len(fastdraw.open_drawings(path)) == 4


def test_where_nothing_can_be_written(items: list[dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "cache_folder", lambda: tmp_path / "cache")
    (tmp_path / "a.ndjson").write_bytes(json_lines(items))
    mkdtemp = conversion.tempfile.mkdtemp

    def refusing(*, dir: Path, **options: str) -> str:
        if dir == tmp_path:
            raise PermissionError(13, "Permission denied", str(dir))
        return mkdtemp(dir=dir, **options)

    monkeypatch.setattr(conversion.tempfile, "mkdtemp", refusing)
    assert len(fastdraw.open_drawings(tmp_path / "a.ndjson")) == 10
    assert list((tmp_path / "cache/converted").glob("*/star.bin"))


def test_folders(items: list[dict], sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("face.bin", "star.bin"):
        shutil.copy(sample / name, folder)
    (folder / "star.ndjson").write_bytes(json_lines(items))  # the same category: its .bin file counts
    (folder / "sun.ndjson.gz").write_bytes(gzip.compress(json_lines([item | {"word": "sun"} for item in items])))
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    (folder / "README.txt").write_text("read me")
    drawings = fastdraw.open_drawings(folder)
    assert (drawings.categories, len(drawings)) == (("face", "star", "sun"), 410)
    assert fastdraw.open_drawings([folder / "star.bin", folder / "star.ndjson"]).categories == ("star",)


def test_a_folder_says_what_it_passes_over(items: list[dict], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, count in (("star.ndjson.gz", 4), ("star.json", 3), ("star.csv", 2)):
        content = as_csv(items[:count], list(items[0])) if count == 2 else json_lines(items[:count])
        (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert len(fastdraw.open_drawings(folder)) == 2
    assert [line for line in caplog.messages if "left out" in line] == [
        f"{folder / name}: left out, star.csv is read for 'star'" for name in ("star.json", "star.ndjson.gz")
    ]


def sketches(drawings: fastdraw.Drawings, first: bool) -> np.ndarray:
    rows = []
    for drawing in drawings:
        points = np.concatenate([np.r_[stroke, [[0] * (stroke.shape[1] - 1) + [1]]].T for stroke in drawing])
        offsets = points.astype(np.int16)
        offsets[1:, :2] -= points[:-1, :2].astype(np.int16)
        rows.append(offsets if first else offsets[1:])
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


@pytest.mark.parametrize("first", [True, False])
def test_sketch_rnn(drawings: fastdraw.Drawings, tmp_path: Path, first: bool) -> None:
    whole = sketches(drawings, first)
    np.savez_compressed(tmp_path / "star.npz", train=whole[:6], valid=whole[6:8], test=whole[8:])
    opened = fastdraw.open_drawings(tmp_path / "star.npz")
    for read, drawing in zip(opened, drawings, strict=True):
        low = 0 if first else np.min([stroke.min(axis=1) for stroke in drawing], axis=0)[:, None]
        assert [stroke.tolist() for stroke in read] == [(stroke - low).tolist() for stroke in drawing]


def test_the_parts_of_sketch_rnn_are_a_split(drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    """Also of equal drawings in several parts, and after the way through other formats."""
    whole = sketches(drawings, first=True)
    parts = {"train": whole[:5], "valid": whole[4:8], "test": np.concatenate([whole[7:], whole[7:]])}
    np.savez(tmp_path / "star.npz", **parts)
    opened = fastdraw.open_drawings(tmp_path / "star.npz")
    expected = [as_lists(opened[:5]), as_lists(opened[5:9]), as_lists(opened[9:])]
    assert [as_lists(part) for part in opened.split()] == expected
    (by_hand,) = convert_files([tmp_path / "star.npz"], tmp_path / "star.bin")
    (table,) = fastdraw.export_drawings(fastdraw.open_drawings(by_hand), tmp_path / "table.ndjson")
    (back,) = fastdraw.export_drawings(fastdraw.open_drawings(table), tmp_path / "back.npz")
    for path in (by_hand, table, back):
        assert [as_lists(part) for part in fastdraw.open_drawings(path).split()] == expected
    assert [len(part) for part in opened.split(seed=1)] != [5, 4, len(parts["test"])]


@pytest.mark.parametrize("dtype", [np.int16, object])
def test_sketches_of_one_length(dtype: type, tmp_path: Path) -> None:
    rows = [[0, 0, 0], [255, 9, 1], [-255, 0, 0], [1, 0, 1]]
    np.savez(tmp_path / "cat.npz", train=np.array([rows, rows], dtype), valid=np.array([rows], dtype))
    drawings = fastdraw.open_drawings(tmp_path / "cat.npz")
    assert as_lists(drawings) == [[[[0, 255], [0, 9]], [[0, 1], [9, 9]]]] * 3
    np.savez(tmp_path / "dog.npz", train=np.zeros((2, 3), dtype))
    with pytest.raises(
        fastdraw.FormatError, match=r"dog\.npz: damaged: expected an array of drawings, received one of"
    ):
        fastdraw.open_drawings(tmp_path / "dog.npz")


@pytest.mark.parametrize("module", ["gzip", "zstandard"])
def test_sketch_rnn_compressed(drawings: fastdraw.Drawings, tmp_path: Path, module: str) -> None:
    compress = pytest.importorskip(module).compress
    np.savez(tmp_path / "star.npz", train=sketches(drawings, first=True))
    (tmp_path / "other.npz.packed").write_bytes(compress((tmp_path / "star.npz").read_bytes()))
    opened = [fastdraw.open_drawings(tmp_path / name) for name in ("star.npz", "other.npz.packed")]
    assert as_lists(opened[0]) == as_lists(opened[1])


class Malicious:
    def __reduce__(self) -> tuple:
        return print, ("this must not be printed",)


@pytest.mark.parametrize("bad", [Malicious(), [1, 2], "text", np.zeros((2, 2)), np.array([[1, 2, 3]])])
def test_npz_files_run_no_code(bad: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    array = np.empty(1, object)
    array[0] = bad
    np.savez(tmp_path / "a.npz", train=array)
    with pytest.raises(fastdraw.FormatError, match=r"a\.npz"):
        fastdraw.open_drawings(tmp_path / "a.npz")
    assert capsys.readouterr().out == ""


def test_pickles_that_ask_for_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    program = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(L100000000000L\ntS'b'\ntR."
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("train.npy", header.getvalue() + program)
    with pytest.raises(fastdraw.FormatError, match="expected an array"):
        fastdraw.open_drawings(tmp_path / "a.npz")


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "content")
    return file.getvalue()


OTHERS = {
    b"": "an empty file",
    b"<!DOCTYPE html><html></html>": "a web page",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n": "a Git LFS pointer",
    b"{'drawing': [[[1], [2]]]}\n": "the text of Python objects",
    b"[{'drawing': [[[1], [2]]]}]\n": "the text of Python objects",
    b"\x89PNG\r\n\x1a\n0000": "a PNG image",
    b"\xff\xd8\xff\xe0": "a JPEG image",
    b"BM\x36\x14\0\0\0\0\0\0\x36": "a BMP image",
    b"[[(1, 2), (3, 4)]]\n": "the text of Python objects",
    b"{u'word': u'cat'}\n": "the text of Python objects",
    **{pickle.dumps([1] * 10, protocol): "a Python pickle" for protocol in range(2, 6)},
    b"\x1f\x9d\x90" + bytes(9): "of the program compress; decompress it first",
    lzma.compress(b"[]", lzma.FORMAT_ALONE): "a file of LZMA; decompress it first",
    b"Rar!\x1a\x07\1\0" + b"\xff" * 20: "a RAR archive",
    zipped("cat.ndjson"): "a zip archive with cat.ndjson; unpack it first",
    zipped("x_train.npy"): "of sketch-rnn, received x_train.npy",
    b"hello, world": "text that begins with 'hello, world'",
    b"\n\n\n": "blank lines",
}


def test_salvage_leaves_out_what_has_no_drawing(sources: Path, tmp_path: Path) -> None:
    categories = fastdraw.open_drawings(sources).categories
    (sources / "page.ndjson").write_text("<!DOCTYPE html>")
    (sources / "cut.ndjson").write_text('{"word": "cut", "draw')
    with pytest.raises(fastdraw.FormatError):
        fastdraw.open_drawings(sources)
    with pytest.warns(fastdraw.DamagedFileWarning) as warned:
        drawings = fastdraw.open_drawings(sources, errors="salvage")
    assert (len(drawings), drawings.categories) == (600, categories)
    messages = sorted(str(warning.message) for warning in warned)
    assert messages[0].startswith(f"{sources / 'cut.ndjson'}: damaged at byte 0: line 1: ")
    assert messages[1].startswith(f"{sources / 'page.ndjson'}: expected drawings, received a web page")
    assert all(message.endswith("; the file is left out") for message in messages)
    assert warned[0].filename == __file__
    with pytest.raises(fastdraw.OtherFormatError, match="a web page"):
        fastdraw.open_drawings(sources / "page.ndjson", errors="salvage")


@pytest.mark.parametrize("format", ["npy", "webdataset", "parquet"])
def test_rasters_beside_drawings_are_no_drawings(sources: Path, format: str) -> None:
    metadata = {"metadata": "csv"} if format == "npy" else {}
    fastdraw.bulk.run(sources, sources, format=format, **metadata)
    (sources / "package.json").write_text('{\n  "name": "cats"\n}\n')
    (sources / "names.json").write_text('["cat", "dog"]')
    np.savez(sources / "weights.npz", w=np.zeros(3))
    assert len(fastdraw.open_drawings(sources)) == 600
    assert fastdraw.bulk.run(sources, sources, format=format, **metadata) == 600


@pytest.mark.parametrize("form", ["parquet", "webdataset", "npz"])
def test_tables_of_drawings_in_a_folder(form: str, sample: Path, tmp_path: Path) -> None:
    target = {"webdataset": "drawings", "parquet": "drawings/a.parquet", "npz": "drawings/a.npz"}[form]
    (tmp_path / target).parent.mkdir(exist_ok=True)
    fastdraw.export_drawings(fastdraw.open_drawings(sample / "star.bin"), tmp_path / target, form)
    assert len(fastdraw.open_drawings(tmp_path / "drawings")) == 200


def test_a_file_that_is_compressed_twice(items: list[dict], tmp_path: Path) -> None:
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(gzip.compress(json_lines(items))))
    with pytest.raises(fastdraw.OtherFormatError, match="received a file compressed twice; decompress it"):
        fastdraw.open_drawings(tmp_path / "a.ndjson.gz")


@pytest.mark.parametrize("content", OTHERS, ids=lambda content: OTHERS[content])
@pytest.mark.parametrize("name", ["cat.ndjson", "cat.bin", "cat.ndjson.gz"])
def test_what_it_is_not(name: str, content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    if content == b"" and name == "cat.bin":
        assert len(fastdraw.open_drawings(path)) == 0
        assert f"{path}: an empty file" in caplog.text
        return
    with pytest.raises(fastdraw.OtherFormatError) as caught:
        fastdraw.open_drawings(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert OTHERS[content] in str(caught.value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content", ["[" * 100_000 + "]" * 100_000, '{"drawing": ' + "[" * 100_000 + "]" * 100_000 + "}"]
)
def test_lists_nested_too_deeply(content: str, tmp_path: Path) -> None:
    (tmp_path / "cat.ndjson").write_text(content)
    with pytest.raises(fastdraw.FormatError, match=r"1: expected strokes of points, received lists nested too deeply"):
        fastdraw.open_drawings(tmp_path / "cat.ndjson")
    assert [path.name for path in tmp_path.iterdir()] == ["cat.ndjson"]


def test_files_of_the_wild(real: Path, tmp_path: Path) -> None:
    """Each opens with the right strokes, or ends in a line that names what the file is."""
    shutil.copytree(real / "wild", tmp_path / "wild")
    wild = tmp_path / "wild"
    for path in [wild, *wild.iterdir()]:
        path.chmod(0o755)
    cats = fastdraw.open_drawings(real / "quickdraw/bin/cat.bin")
    for name, count in {
        "bare.ndjson": 10, "cat.bin.gz": 25, "cat.json": 15, "cat.ndjson.gz": 10, "kaggle_test_simplified.csv": 12,
        "kaggle_train_simplified.csv": 12, "labelled.ndjson": 6, "reordered.ndjson": 6, "windows.ndjson": 6,
    }.items():  # fmt: skip
        assert as_lists(fastdraw.open_drawings(wild / name)) == as_lists(cats[:count]), name
    moved = [[stroke - np.min([s.min(axis=1) for s in cat], axis=0)[:, None] for stroke in cat] for cat in cats]
    sketches = fastdraw.open_drawings(wild / "sketchrnn_cat.npz")
    assert as_lists(sketches) == as_lists(moved)
    assert [as_lists(part) for part in sketches.split()] == [
        as_lists(moved[a:b]) for a, b in ((0, 15), (15, 20), (20, 25))
    ]
    sun = fastdraw.open_drawings(wild / "sun.jsonl")
    assert (len(sun), sun.categories) == (20, ("sun",))
    assert set(sun.metadata["country"].tolist()) <= {"AF", "OA", "SA"}
    for name, words in {
        "cut.bin": "record 15 is cut off",
        "bitmaps_named.bin": "bitmaps of 28x28 pixels",
        "bitmaps_n1_784.npy": "fastdraw.open_rasters",
        "page_named.npy": "a web page",
        "pointer_named.bin": "a Git LFS pointer",
        "repr.jsonl": "the text of Python objects",
    }.items():
        with pytest.raises(fastdraw.FormatError, match=words):
            fastdraw.open_drawings(wild / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", '[{"drawing": [[[1], [2]]]}, {"drawing": 5}]', "a.json: damaged: drawing 2: "),
        ("a.csv", "countrycode,drawing,word\nUS,[],cat\nUS,5,cat\n", "a.csv: damaged: row "),
        ("a.csv", "word,drawing,word\nhat,[],cat\n", "a.csv: damaged: row 1: expected each column once, received word"),
    ],
)
def test_formats_without_offsets_name_the_row(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(fastdraw.FormatError) as raised:
        fastdraw.open_drawings(tmp_path / name)
    assert message in str(raised.value)
    assert raised.value.offset is None
    assert pickle.loads(pickle.dumps(raised.value)).offset is None
