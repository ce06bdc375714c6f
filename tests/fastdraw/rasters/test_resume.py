"""A bulk run that was stopped: the next one goes on where it was, and trusts nothing that is not as it should be."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from folders import Drawn, Stopped, Threads, Watched, checksums, run_in_chunks, visible

import fastdraw
from fastdraw.rasters.tasks import draw
from fastdraw.storage import LocalStore


def test_only_what_changed_is_drawn_again(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def drawn() -> set[str]:
        before = {path.name: path.stat().st_ino for path in out.glob("*.npy")}
        fastdraw.rasterize_files(sources, out)
        return {path.stem for path in out.glob("*.npy") if before.get(path.name) != path.stat().st_ino}

    first, second, third = sorted(path.stem for path in sources.glob("*.bin"))
    assert drawn() == {first, second, third}
    assert drawn() == set()
    (sources / f"{first}.bin").touch()
    assert drawn() == set()
    fastdraw.write_drawings(sources / f"{second}.bin", fastdraw.open_drawings(sources)[:10])
    assert drawn() == {second}
    (out / f"{third}.npy").unlink()
    assert drawn() == {third}
    os.truncate(out / f"{first}.npy", 5000)
    assert drawn() == {first}
    (sources / f"{first}.bin").rename(sources / "zebra.bin")
    assert drawn() == {"zebra"}
    rasters = fastdraw.open_rasters(out)
    assert rasters.categories == tuple(sorted([first, second, third, "zebra"]))
    assert (rasters["zebra"] == rasters[first]).all()


def interrupted(sources: Path, out: Path, calls: int, executor: Threads | None = None) -> None:
    """Run until progress has been reported so many times."""
    left = calls

    def progress(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Stopped

    with pytest.raises(Stopped):
        run_in_chunks(sources, out, executor or Threads(1), progress=progress)


@pytest.mark.parametrize("calls", [3, 5, 7, 9, 12, 16])
def test_goes_on_where_it_was(sources: Path, tmp_path: Path, calls: int) -> None:
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")
    out = tmp_path / "out"
    interrupted(sources, out, calls)
    done = 128 + 200 * 1024  # bytes of a finished file
    finished = len(list(out.glob("*.npy")))
    parts = [path.stat().st_size for path in out.glob(".*.part")]
    with pytest.raises(fastdraw.FastdrawError, match="not finished"):
        fastdraw.open_rasters(out)
    drawn = Drawn()
    run_in_chunks(sources, out, drawn)
    assert checksums(out) == checksums(tmp_path / "undisturbed")
    assert visible(out) == visible(tmp_path / "undisturbed")
    saved = sum((min(size, done) - 128) // (37 * 1024) * 37 for size in parts)
    assert drawn.drawings <= 600 - 200 * finished - saved + 37
    assert saved > 0 or calls not in (5, 7, 9)


@pytest.mark.parametrize(
    ("damage", "again"),  # drawings of the finished chunks that are drawn again
    [
        ("zeros", {0, 37}),  # at the end, where a chunk may be that the journal does not have
        ("garbage", {37}),
        ("shorter", {0, 37}),
        ("longer", {0}),
        ("header", {0}),
        ("no journal", {5 * 37}),
    ],
)
def test_damaged_part_is_drawn_again(sources: Path, tmp_path: Path, damage: str, again: set[int]) -> None:
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")
    out = tmp_path / "out"
    interrupted(sources, out, 7)
    (part,) = out.glob(".*.part")
    content = part.read_bytes()
    assert len(content) > 128 + 37 * 1024
    changed = {
        "zeros": content[:-5000] + bytes(5000),
        "garbage": content[:20_000] + b"?" + content[20_001:],
        "shorter": content[:-1],
        "longer": content + b"more",
        "header": bytes(128) + content[128:],
    }
    part.write_bytes(changed.get(damage, content))
    if damage == "no journal":
        next(out.glob(".*.journal")).unlink()
    drawn = Drawn()
    run_in_chunks(sources, out, drawn)
    assert drawn.drawings - (600 - 5 * 37) in again
    assert checksums(out) == checksums(tmp_path / "undisturbed")


def test_part_of_another_source_or_other_settings_is_not_used(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    interrupted(sources, out, 7)
    first, second, _ = sorted(sources.glob("*.bin"))
    second.replace(first)
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")
    run_in_chunks(sources, out)
    assert checksums(out) == checksums(tmp_path / "undisturbed")
    other = tmp_path / "other"
    interrupted(sources, other, 6)
    run_in_chunks(sources, other, invert=True, overwrite=True)
    assert (fastdraw.open_rasters(other)[:] == 255 - fastdraw.open_rasters(out)[:]).all()


def test_progress_goes_on_from_what_was_saved(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    interrupted(sources, out, 7)  # once for each of three categories, then after four chunks of the first
    seen: list[tuple[str, int, int]] = []
    run_in_chunks(sources, out, Threads(1), progress=lambda *call: seen.append(call))
    first = seen[0][0]
    drawn = [done for name, done, _ in seen[3:] if name == first]
    assert drawn[0] >= 4 * 37
    assert drawn == sorted(drawn)
    assert drawn[-1] == 200


def test_the_live_bar_counts_what_was_saved_as_no_work(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    interrupted(sources, out, 7)
    seen: list[tuple[str, int, int]] = []
    run_in_chunks(sources, out, Threads(1), progress=lambda *call: seen.append(call))
    assert [done for _, done, _ in seen[:3]] == [5 * 37, 0, 0]
    again: list[tuple[str, int, int]] = []
    run_in_chunks(sources, out, progress=lambda *call: again.append(call))
    assert [done for _, done, _ in again] == [200, 200, 200]


class FailingStore(LocalStore):
    """A folder whose manifest can be written once only, as if the process were killed before the second time."""

    writes = 0

    def write(self, name: str, content: bytes) -> None:
        self.writes += 1
        if self.writes > 1:
            raise Stopped
        super().write(name, content)


def test_stopped_after_renaming_and_before_saying_so(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")

    def progress(category: str, done: int, count: int) -> None:
        if done == count:
            raise Stopped

    with pytest.raises(Stopped):
        run_in_chunks(sources, FailingStore(out), Threads(1), progress=progress)
    (renamed,) = out.glob("*.npy")
    assert renamed.stem in json.loads((out / "dataset.json").read_text())["pending"]
    drawn = Drawn()
    run_in_chunks(sources, out, drawn)
    assert renamed.stem not in drawn.categories
    assert len(drawn.categories) == 2
    assert checksums(out) == checksums(tmp_path / "undisturbed")
    assert visible(out) == visible(tmp_path / "undisturbed")


def test_a_late_worker_of_an_earlier_run_does_no_harm(sources: Path, tmp_path: Path) -> None:
    """A worker that was cut off from its run may write its chunk much later, when another run is on."""
    out = tmp_path / "out"
    late: list[tuple[Any, ...]] = []

    def note(function: Any, *arguments: Any) -> Any:
        if function is draw:
            late.append(arguments)
        return function(*arguments)

    interrupted(sources, out, 7, Watched(note))
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed", invert=True)
    attempts: list[str] = []

    def disturb(function: Any, *arguments: Any) -> Any:
        if function is draw:
            with contextlib.suppress(fastdraw.FastdrawError):
                draw(*late[0])
            attempts.append("late")
        return function(*arguments)

    run_in_chunks(sources, out, Watched(disturb), invert=True, overwrite=True)
    assert attempts
    assert checksums(out) == checksums(tmp_path / "undisturbed")


def test_a_disk_that_forgets_is_noticed(sources: Path, tmp_path: Path) -> None:
    drawn: list[int] = []

    def forget(function: Any, *arguments: Any) -> Any:
        result = function(*arguments)
        if function is not draw:
            return result
        chunk, crc = result
        drawn.append(chunk)
        return chunk, crc ^ 1

    with pytest.raises(fastdraw.FastdrawError, match="expected this disk to keep what was written"):
        run_in_chunks(sorted(sources.glob("*.bin"))[0], tmp_path / "out", Watched(forget))
    assert drawn == [*range(6), *range(6)]  # all are drawn a second time, but not a third
    assert not list((tmp_path / "out").glob("*.npy"))


def test_a_source_that_changes_during_the_run(sources: Path, tmp_path: Path) -> None:
    first, second, _ = sorted(sources.glob("*.bin"))

    def progress(name: str, done: int, count: int) -> None:
        if done and first.exists():
            first.replace(second)

    with pytest.raises(fastdraw.FastdrawError, match="was changed while it was being read"):
        run_in_chunks(sources, tmp_path / "out", Threads(1), progress=progress)
    assert len(fastdraw.rasterize_files(second, tmp_path / "out")) == 200


def test_a_changed_category_that_was_put_off_is_still_ours(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    first, second, _ = sorted(sources.glob("*.bin"))
    shutil.copy(second, first)
    interrupted(sources, out, 3)
    fastdraw.rasterize_files(second, out)
    assert (fastdraw.rasterize_files(sources, out)[first.stem] == fastdraw.open_rasters(out)[second.stem]).all()
