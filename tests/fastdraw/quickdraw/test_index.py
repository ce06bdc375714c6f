"""The index of a file: the scan that checks it, what counts as damage, and the sidecar."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import parse

import fastdraw
from fastdraw.kernels import records as kernels
from fastdraw.quickdraw import index
from fastdraw.quickdraw.binary import METADATA
from fastdraw.quickdraw.scan import scan_records


@pytest.fixture(params=["sample", "real"])
def some_file(request: pytest.FixtureRequest, sample: Path) -> Path:
    if request.param == "sample":
        return sorted(sample.glob("*.bin"))[0]
    return request.getfixturevalue("real") / "quickdraw/bin/cat.bin"


def test_every_cut_of_the_first_three_records_and_of_the_last(some_file: Path, tmp_path: Path) -> None:
    data = some_file.read_bytes()
    starts = [record[5] for record in parse(data)]
    path = tmp_path / "cut.bin"
    for cut in [*range(starts[3] + 1), *range(starts[-1], len(data))]:
        path.write_bytes(data[:cut])
        if cut in starts:
            assert len(fastdraw.open_drawings(path)) == starts.index(cut)
            continue
        start = max(s for s in starts if s < cut)
        with pytest.raises(fastdraw.FormatError) as caught:
            fastdraw.open_drawings(path)
        assert (caught.value.path, caught.value.offset) == (str(path), start)
        assert str(path) in str(caught.value)
        assert start == 0 or f"byte {start}" in str(caught.value)  # a few bytes may be those of a text
        if start == 0:  # nothing to keep
            with pytest.raises(fastdraw.FormatError):
                fastdraw.open_drawings(path, errors="salvage")
            continue
        with pytest.warns(fastdraw.DamagedFileWarning, match=f"last {cut - start} bytes"):
            kept = fastdraw.open_drawings(path, errors="salvage")
        assert len(kept) == starts.index(start)
        kept.rasterize(threads=1)


def test_flag_that_is_neither_0_nor_1_is_damage(sample: Path, tmp_path: Path) -> None:
    data = bytearray(next(sample.glob("*.bin")).read_bytes())
    second = parse(bytes(data))[1][5]
    data[second + kernels.FLAG] = 7
    (tmp_path / "bad.bin").write_bytes(data)
    with pytest.raises(fastdraw.BinFormatError, match="recognized flag") as caught:
        fastdraw.open_drawings(tmp_path / "bad.bin")
    assert caught.value.offset == second


@pytest.mark.parametrize("zeros", [16, 17, 20, 4096])
def test_zero_bytes_are_no_records(sample: Path, tmp_path: Path, zeros: int) -> None:
    """Files that are preallocated, sparse or half downloaded end in them."""
    data = next(sample.glob("*.bin")).read_bytes()
    starts = [record[5] for record in parse(data)]
    for start, tail in ((starts[7], data[starts[7] :]), (len(data), b"")):
        (tmp_path / "cat.bin").write_bytes(data[:start] + bytes(zeros) + tail)
        reason = "received zero bytes; the file may be incomplete" if zeros >= kernels.HEAD else "expected"
        with pytest.raises(fastdraw.BinFormatError, match=reason) as caught:
            fastdraw.open_drawings(tmp_path / "cat.bin")
        if tail == b"" or zeros >= kernels.HEAD:
            assert caught.value.offset == start
            with pytest.warns(fastdraw.DamagedFileWarning, match=f"from byte {start} on"):
                kept = fastdraw.open_drawings(tmp_path / "cat.bin", errors="salvage")
            assert len(kept) == (starts.index(start) if tail else len(starts))


def test_sidecars_that_took_zero_bytes_for_records_are_rebuilt(file: Path) -> None:
    count = len(fastdraw.open_drawings(file))
    sound = sidecar_of(file).read_bytes()
    header = np.frombuffer(sound[: index._HEADER.itemsize], index._HEADER).copy()
    header["magic"], header["count"] = b"fastdraw index 1", 0
    header["header_crc"] = index._header_crc(header[0])
    sidecar_of(file).write_bytes(header.tobytes() + bytes(8))
    assert len(fastdraw.open_drawings(file)) == count


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_random_bytes_never_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("random") / "random.bin"
    path.write_bytes(data)
    drawings = _salvaged(path)
    if drawings is None:
        return
    assert drawings.rasterize(threads=1).shape == (len(drawings), 32, 32)
    assert len(drawings.metadata) == len(list(drawings))


@settings(max_examples=50)
@given(st.data())
def test_flipped_bytes_never_crash(sample: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(next(sample.glob("*.bin")).read_bytes()[:5000])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("flip") / "flip.bin"
    path.write_bytes(content)
    if (drawings := _salvaged(path)) is not None:
        drawings.rasterize(threads=1)


def _salvaged(path: Path) -> fastdraw.Drawings | None:
    """What salvage keeps; None if it finds no drawing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fastdraw.DamagedFileWarning)
        try:
            return fastdraw.open_drawings(path, errors="salvage")
        except fastdraw.FormatError:
            return None


def test_salvage_leaves_out_files_without_drawings(sources: Path) -> None:
    """A Git LFS pointer, a web page and raw bitmaps are no categories."""
    names = fastdraw.open_drawings(sources).categories
    contents = {
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "page": b"<!DOCTYPE html><html><body>404</body></html>",
        "bitmaps": np.pad(np.eye(26, dtype=np.uint8), 1).tobytes() * 5,
    }
    for name, content in contents.items():
        (sources / f"{name}.bin").write_bytes(content)
    with pytest.warns(fastdraw.DamagedFileWarning) as caught:
        drawings = fastdraw.open_drawings(sources, errors="salvage")
    assert (drawings.categories, len(drawings)) == (names, 600)
    for name in contents:
        (line,) = [str(warning.message) for warning in caught if f"{name}.bin: " in str(warning.message)]
        assert "left out, because it has no drawing: " in line
    with pytest.raises(fastdraw.OtherFormatError, match=r"page\.bin: expected drawings, received a web page"):
        fastdraw.open_drawings(sources / "page.bin", errors="salvage")


def test_empty_file_holds_no_drawings(tmp_path: Path) -> None:
    (tmp_path / "cat.bin").touch()
    drawings = fastdraw.open_drawings(tmp_path / "cat.bin")
    assert len(drawings) == 0
    assert drawings.rasterize().shape == (0, 32, 32)
    assert len(drawings.metadata) == 0
    assert [len(part) for part in drawings.split()] == [0, 0, 0]


def test_missing_and_empty_paths(tmp_path: Path) -> None:
    for paths in (tmp_path / "no.bin", tmp_path, []):
        with pytest.raises(fastdraw.FastdrawError, match="expected"):
            fastdraw.open_drawings(paths)
    with pytest.raises(ValueError, match="'ignore'"):
        fastdraw.open_drawings(tmp_path, errors="ignore")
    for wrong in (None, 12, b"cat.bin", [tmp_path, 3], [b"cat.bin"]):
        with pytest.raises(TypeError, match="expected a path, received"):
            fastdraw.open_drawings(wrong)
        with pytest.raises(TypeError, match="expected a path, received"):
            fastdraw.rasterize_files(wrong, tmp_path / "out")


@pytest.fixture
def file(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(next(sample.glob("*.bin")), tmp_path / "doodle.bin"))


def sidecar_of(file: Path) -> Path:
    return file.with_name(file.name + index.SUFFIX)


def test_second_opening_does_not_scan(file: Path) -> None:
    """A scan would write the sidecar anew."""
    first = fastdraw.open_drawings(file).rasterize()
    written = sidecar_of(file).stat()
    assert (fastdraw.open_drawings(file).rasterize() == first).all()
    again = sidecar_of(file).stat()
    assert (again.st_ino, again.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


@pytest.mark.parametrize("place", [0, 20, 60, -30, -1])
def test_damaged_sidecar_is_rebuilt(file: Path, place: int) -> None:
    expected = fastdraw.open_drawings(file).rasterize()
    sidecar = sidecar_of(file)
    sound = sidecar.read_bytes()
    data = bytearray(sound)
    data[place] ^= 0x55
    for damaged in (bytes(data), sound[:50], b"", sound + b"more"):
        sidecar.write_bytes(damaged)
        assert (fastdraw.open_drawings(file).rasterize(threads=1) == expected).all()
        assert sidecar.read_bytes() == sound


def test_stale_and_foreign_sidecars_are_rebuilt(file: Path, sample: Path) -> None:
    count = len(fastdraw.open_drawings(file))
    sidecar = sidecar_of(file)
    own = sidecar.read_bytes()
    other = sorted(sample.glob("*.bin"))[1]
    others = len(fastdraw.open_drawings(other))
    shutil.copy(sidecar_of(other), sidecar)
    assert len(fastdraw.open_drawings(file)) == count
    assert sidecar.read_bytes() == own
    file.write_bytes(file.read_bytes() + other.read_bytes())
    assert len(fastdraw.open_drawings(file)) == count + others
    assert sidecar.read_bytes() != own


def test_same_size_and_time_but_other_content(tmp_path: Path) -> None:
    path = tmp_path / "cat.bin"
    fastdraw.write_drawings(path, [[np.zeros((2, 3), int)]])
    fastdraw.open_drawings(path)
    before = path.stat()
    # As many bytes, in two records instead of one.
    first = METADATA.itemsize + 2 + 2 + 6
    path.write_bytes(path.read_bytes()[: METADATA.itemsize] + b"\0\0" + bytes(first - METADATA.itemsize - 2))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    with pytest.raises(fastdraw.BinFormatError):
        fastdraw.open_drawings(path)


def test_sidecar_that_cannot_be_written_is_no_error(file: Path) -> None:
    sidecar = sidecar_of(file)
    sidecar.mkdir()  # a read-only folder would not stop root
    for _ in range(2):
        assert len(fastdraw.open_drawings(file).rasterize()) == 200
    assert sorted(file.parent.iterdir()) == [file, sidecar]


def test_small_scan_blocks_give_the_same_index(file: Path) -> None:
    content = np.frombuffer(file.read_bytes()[:-3], np.uint8)
    whole = scan_records(content)
    assert len(whole.offsets) == 200
    assert whole.damage != kernels.SOUND
    for block in (1, 7, 199, 200):
        in_blocks = scan_records(content, block)
        assert (in_blocks.offsets == whole.offsets).all()
        assert in_blocks[1:] == whole[1:]


def test_categories_of_a_folder_are_in_the_order_of_their_names(sample: Path, tmp_path: Path) -> None:
    """So that drawings and rasters number them alike; the names of the files sort "house plant.bin" first."""
    content = next(sample.glob("*.bin")).read_bytes()
    for name in ("house plant", "house", "The Mona Lisa", "houseboat"):
        (tmp_path / f"{name}.bin").write_bytes(content)
    names = ("The Mona Lisa", "house", "house plant", "houseboat")
    assert fastdraw.open_drawings(tmp_path).categories == names
    assert fastdraw.rasterize_files(tmp_path, tmp_path / "out").categories == names


def test_dotfiles_and_folders_in_a_folder_are_skipped(sources: Path, tmp_path: Path) -> None:
    """macOS keeps attributes of ``cat.bin`` on foreign disks in ``._cat.bin``."""
    names = fastdraw.open_drawings(sources).categories
    (sources / "._cat.bin").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    (sources / ".bin").write_bytes(b"")
    (sources / "folder.bin").mkdir()
    assert fastdraw.open_drawings(sources).categories == names
    assert fastdraw.rasterize_files(sources, tmp_path / "out").categories == names
    with pytest.raises(fastdraw.FastdrawError, match=r"folder\.bin: expected a folder of \.bin files"):
        fastdraw.open_drawings(sources / "folder.bin")


def test_a_link_to_a_file_that_is_not_there(sample: Path, tmp_path: Path) -> None:
    """As git-annex makes them for each file that was not fetched."""
    shutil.copy(next(sample.glob("*.bin")), tmp_path / "sound.bin")
    (tmp_path / "linked.bin").symlink_to("../nowhere")
    with pytest.raises(fastdraw.FormatError, match=r"linked.bin: .*found a link to ../nowhere, which is not there"):
        fastdraw.open_drawings(tmp_path)
    with pytest.warns(fastdraw.DamagedFileWarning, match="linked.bin: .*the file is left out"):
        assert fastdraw.open_drawings(tmp_path, errors="salvage").categories == ("sound",)
