"""Drawings as a sequence: views, labels, filter, split."""

from __future__ import annotations

import datetime
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastdraw
from fastdraw.quickdraw.binary import METADATA


@pytest.fixture(scope="module")
def drawings(sample: Path) -> fastdraw.Drawings:
    return fastdraw.open_drawings(sample)


@pytest.fixture(scope="module")
def everything(drawings: fastdraw.Drawings) -> list[bytes]:
    return [digest(drawing) for drawing in drawings]


def digest(drawing: list[np.ndarray]) -> bytes:
    return b"|".join(stroke.tobytes() for stroke in drawing)


def test_is_a_sequence_in_file_order(drawings: fastdraw.Drawings, sample: Path, everything: list[bytes]) -> None:
    assert isinstance(drawings, Sequence)
    files = sorted(sample.glob("*.bin"))
    assert drawings.categories == tuple(path.stem for path in files)
    assert everything == [digest(drawing) for path in files for drawing in fastdraw.open_drawings(path)]
    assert len(set(everything)) > 0.99 * len(everything)
    assert drawings.labels.tolist() == np.repeat(np.arange(3), 200).tolist()
    assert digest(drawings[-1]) == everything[-1]
    with pytest.raises(IndexError, match="600"):
        drawings[600]
    with pytest.raises(IndexError, match="-601"):
        drawings[-601]


def test_strokes_are_read_only_views_or_copies_of_uint8(drawings: fastdraw.Drawings) -> None:
    for stroke in drawings[0]:
        assert stroke.dtype == np.uint8
        assert stroke.shape[0] == 2


@given(st.data())
def test_views_of_views_match_numpy(drawings: fastdraw.Drawings, everything: list[bytes], data: st.DataObject) -> None:
    view, expected = drawings, np.arange(len(drawings))
    for _ in range(data.draw(st.integers(1, 3))):
        n = len(expected)
        index = data.draw(
            st.one_of(
                st.slices(n),
                st.lists(st.integers(-n, n - 1), max_size=5).map(lambda ids: np.array(ids, int)) if n else st.just([]),
                st.just(np.arange(n) % 3 == 0),
            )
        )
        view, expected = view[index], expected[np.asarray(index, int) if isinstance(index, list) else index]
    assert len(view) == len(expected)
    assert [digest(drawing) for drawing in view] == [everything[i] for i in expected]
    assert view.labels.tolist() == drawings.labels[expected].tolist()
    assert view.metadata.tolist() == drawings.metadata[expected].tolist()
    assert view.categories == drawings.categories


@pytest.mark.parametrize("index", [[0.5], "cat", np.zeros((2, 2), int), None, True])
def test_wrong_indices(drawings: fastdraw.Drawings, index: object) -> None:
    with pytest.raises(TypeError, match="expected"):
        drawings[index]


def test_out_is_an_array(drawings: fastdraw.Drawings) -> None:
    with pytest.raises(TypeError, match="expected out to be an array, received 'images'"):
        drawings.rasterize(out="images")


def test_small_ints_of_numpy_are_indices(drawings: fastdraw.Drawings) -> None:
    for index in (np.int8(-1), np.uint8(200), np.int16(-600), np.uint64(3)):
        assert digest(drawings[index]) == digest(drawings[int(index)])


def test_out_of_range_index_arrays(drawings: fastdraw.Drawings) -> None:
    for view in (drawings, drawings[np.arange(600)]):
        for index in ([600], [0, -601], np.array([2**63], np.uint64)):
            with pytest.raises((IndexError, OverflowError)):
                view[index]
        with pytest.raises(IndexError):
            view[np.ones(599, bool)]


def test_records_that_are_not_copied_cannot_be_written_to(sample: Path) -> None:
    """In another process, which would die if the memory map could be written to."""
    code = f"""
import fastdraw, numpy as np
drawings = fastdraw.open_drawings({str(sample)!r})
for view in (drawings, drawings[3:9], drawings[::-1]):
    records, starts = view.records(copy=False)
    assert np.array_equal(records, view.records()[0]) and view.records()[0].flags.writeable
    for write in (lambda: records.fill(0), lambda: records.__setitem__(0, 1), lambda: np.copyto(records, 7),
                  lambda: fastdraw.Augment(flip=True).apply(records, starts, np.arange(len(view)), np.uint64(1))):
        try:
            write()
        except ValueError as error:
            print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    assert len(run.stdout.splitlines()) == 12


def test_filter_matches_a_loop(drawings: fastdraw.Drawings) -> None:
    rows = drawings.metadata
    middle = int(np.median(rows["timestamp"]))
    day = datetime.datetime.fromtimestamp(middle, datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    cases = [
        ({"recognized": True}, rows["recognized"]),
        ({"recognized": False}, ~rows["recognized"]),
        ({"countries": "US"}, rows["country"] == "US"),
        ({"countries": ["de", "GB"]}, (rows["country"] == "DE") | (rows["country"] == "GB")),
        ({"after": middle}, rows["timestamp"] >= middle),
        ({"before": middle}, rows["timestamp"] < middle),
        ({"before": day}, rows["timestamp"] < day.timestamp()),
        ({"before": day.date()}, rows["timestamp"] < day.timestamp()),
        ({"after": day.date().isoformat()}, rows["timestamp"] >= day.timestamp()),
        ({"after": day.isoformat()}, rows["timestamp"] >= day.timestamp()),
        ({"after": day.replace(tzinfo=None).isoformat() + "+01:00"}, rows["timestamp"] >= day.timestamp() - 3600),
        ({"after": np.datetime64(middle, "s")}, rows["timestamp"] >= middle),
        ({"recognized": True, "countries": "US", "before": middle},
         rows["recognized"] & (rows["country"] == "US") & (rows["timestamp"] < middle)),
    ]  # fmt: skip
    for conditions, keep in cases:
        assert 0 < keep.sum() < len(rows)
        assert drawings.filter(**conditions).metadata.tolist() == rows[keep].tolist(), conditions


def test_filter_by_category_renumbers(drawings: fastdraw.Drawings) -> None:
    first, second, third = drawings.categories
    view = drawings.filter(categories=[third, first])
    assert view.categories == (third, first)
    assert view.labels.tolist() == [1] * 200 + [0] * 200
    assert [digest(d) for d in view[:2]] == [digest(d) for d in drawings[:2]]
    assert drawings.filter(categories=second).categories == (second,)
    assert view.filter(categories=third).labels.tolist() == [0] * 200
    for wrong in ({"categories": "dragon"}, {"countries": "USA"}, {"countries": [b"US"]}, {"after": "tomorrow"}):
        with pytest.raises(ValueError, match=r"expected|Invalid"):
            drawings.filter(**wrong)
    with pytest.raises(ValueError, match="expected"):
        view.filter(categories=second)


@pytest.mark.parametrize(
    "conditions",
    [
        {"recognized": "yes"}, {"recognized": "car"}, {"recognized": 1}, {"recognized": np.ones(600, bool)},
        {"countries": 5}, {"countries": b"US"}, {"countries": "12"}, {"categories": 5},
        {"after": np.datetime64("NaT")}, {"before": np.datetime64("NaT")}, {"after": np.timedelta64(5)},
        {"after": True}, {"after": 1.5e9}, {"before": float("nan")}, {"before": "NaT"}, {"before": ""},
    ],
)  # fmt: skip
def test_conditions_of_a_wrong_type(drawings: fastdraw.Drawings, conditions: dict) -> None:
    with pytest.raises((TypeError, ValueError), match=r"expected .*, received"):
        drawings.filter(**conditions)


def test_fractions_of_seconds_and_far_years(drawings: fastdraw.Drawings) -> None:
    rows = drawings.metadata
    middle = np.datetime64(int(np.median(rows["timestamp"])), "s")
    for after in (middle + np.timedelta64(500, "ms"), (middle + np.timedelta64(1, "us")).item()):
        assert len(drawings.filter(after=after)) == (rows["timestamp"] > middle.astype(int)).sum()
        assert len(drawings.filter(before=after)) == (rows["timestamp"] <= middle.astype(int)).sum()
    assert len(drawings.filter(before=np.datetime64("300000-01-01"))) == 600


@pytest.mark.parametrize(
    "arguments",
    [{"validation": "0.1"}, {"test": True}, {"validation": None}, {"seed": 0.5}, {"seed": True}, {"seed": "1"}],
)
def test_arguments_of_split_of_a_wrong_type(drawings: fastdraw.Drawings, arguments: dict) -> None:
    with pytest.raises(TypeError, match=r"expected .*, received"):
        drawings.split(**arguments)


def test_country_codes_compare_with_text_and_with_bytes(drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    rows = drawings.metadata
    assert rows.dtype["country"] == "U2"
    us = drawings[rows["country"] == "US"]
    assert 0 < len(us) < len(drawings)
    assert set(us.metadata["country"].tolist()) == {"US"}
    assert us.metadata.tolist() == drawings.filter(countries="US").metadata.tolist()
    for code in (b"US", np.bytes_(b"US"), np.array([b"US"])):
        assert (rows["country"] == code).sum() == len(us)
        assert (rows["country"] != code).sum() == len(drawings) - len(us)
    stored = np.zeros(600, METADATA)
    for name in METADATA.names:
        stored[name] = rows[name]
    assert (rows == stored).all()
    for metadata in (rows, stored, rows.astype([(name, object) for name in METADATA.names])):
        fastdraw.write_drawings(tmp_path / "all.bin", drawings, metadata)
        assert fastdraw.open_drawings(tmp_path / "all.bin").metadata.tolist() == rows.tolist()


def test_lower_case_country_codes_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"drawing":[[[1],[2]]],"countrycode":"us"}\n')
    for code in ("US", "us"):
        assert len(fastdraw.open_drawings(tmp_path / "a.ndjson").filter(countries=code)) == 1


def test_damaged_country_codes_are_kept(tmp_path: Path) -> None:
    rows = np.array([(1, b"\xff\x80", True, 1), (2, b"A", True, 2), (3, b"\0A", True, 2)], METADATA)
    fastdraw.write_drawings(tmp_path / "cat.bin", [[]] * 3, rows)
    drawings = fastdraw.open_drawings(tmp_path / "cat.bin")
    assert drawings.metadata["country"].tolist() == ["\xff\x80", "A", "\0A"]
    fastdraw.write_drawings(tmp_path / "again.bin", drawings)
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "cat.bin").read_bytes()


def test_split_is_complete_disjoint_and_stable(drawings: fastdraw.Drawings) -> None:
    parts = drawings.split(validation=0.2, test=0.1, seed=1)
    keys = [set(part.metadata["key_id"].tolist()) for part in parts]
    assert sum(len(part) for part in parts) == len(drawings)
    assert set.union(*keys) == set(drawings.metadata["key_id"].tolist())
    assert sum(map(len, keys)) == len(set.union(*keys))
    assert [len(part) / len(drawings) for part in parts] == pytest.approx([0.7, 0.2, 0.1], abs=0.06)
    # Alone, filtered or in another order, a drawing is in the same part.
    alone = drawings[200:400][::-1].filter(recognized=True).split(validation=0.2, test=0.1, seed=1)
    for part, other in zip(keys, alone, strict=True):
        assert set(other.metadata["key_id"].tolist()) <= part
    assert set(drawings.split(validation=0.2, test=0.1, seed=2)[1].metadata["key_id"].tolist()) != keys[1]
    for shares in ((-0.1, 0.1), (0.6, 0.6), (float("nan"), 0.1)):
        with pytest.raises(ValueError, match="expected fractions"):
            drawings.split(*shares)


def test_split_is_unbiased_for_consecutive_keys(tmp_path: Path) -> None:
    fastdraw.write_drawings(tmp_path / "cat.bin", [[]] * 20_000)
    parts = fastdraw.open_drawings(tmp_path / "cat.bin").split()
    assert [len(part) / 20_000 for part in parts] == pytest.approx([0.8, 0.1, 0.1], abs=0.01)


def test_pickle_reopens(drawings: fastdraw.Drawings) -> None:
    view = drawings[::-7]
    again = pickle.loads(pickle.dumps(view))
    assert [digest(d) for d in again] == [digest(d) for d in view]
    assert again.labels.tolist() == view.labels.tolist()


def test_two_files_of_one_category_share_a_label(sample: Path, tmp_path: Path) -> None:
    path = next(sample.glob("*.bin"))
    (tmp_path / path.name).write_bytes(path.read_bytes())
    both = fastdraw.open_drawings([path, tmp_path / path.name])
    assert both.categories == (path.stem,)
    assert set(both.labels.tolist()) == {0}
    assert len(both) == 400


def test_writing_a_view_keeps_its_metadata(drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    view = drawings[250:350].filter(recognized=True)
    fastdraw.write_drawings(tmp_path / "some.bin", view)
    assert fastdraw.open_drawings(tmp_path / "some.bin").metadata.tolist() == view.metadata.tolist()


def test_public_names_import_and_nothing_heavy_comes_with_the_package() -> None:
    for name in fastdraw.__all__:
        assert getattr(fastdraw, name) is not None
    assert fastdraw.__all__ == sorted(fastdraw.__all__)
    code = "import sys, fastdraw; print([m for m in ('tensorflow', 'keras', 'numba', 'skimage') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    code = "import sys, fastdraw; fastdraw.open_drawings; print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, path: d.filter(categories=[["eye"]]), r"categories to be a name or several, received \[\['eye'\]\]"),
        (lambda d, path: d.filter(categories=b"eye"), "categories to be a name or several, received b'eye'"),
        (lambda d, path: d.filter(categories=5), "categories to be a name or several, received 5"),
        (lambda d, path: d.rasterize(channels=True), "channels to be an integer, received True"),
        (lambda d, path: fastdraw.load(5), "names to be a name or several, received 5"),
        (lambda d, path: fastdraw.write_drawings(path, 5), "drawings to be lists of strokes, received 5"),
        (lambda d, path: fastdraw.write_drawings(path, [None]), "drawing 0: expected a list of strokes, received None"),
        (lambda d, path: fastdraw.simplify(5), "strokes to be a list of .* received 5"),
    ],
)
def test_arguments_of_other_types(call: Callable, message: str, sample: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=message):
        call(fastdraw.open_drawings(sample), tmp_path / "made.bin")
    assert not list(tmp_path.iterdir())
