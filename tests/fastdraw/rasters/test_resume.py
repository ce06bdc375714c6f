"""A bulk run that was stopped: the next one goes on where it was, and trusts nothing that is not as it should be."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest
from folders import checksums, visible

import fastdraw
from fastdraw.rasters import plan
from fastdraw.rasters import tasks as shards


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


class Stopped(Exception):
    pass


def interrupted(sources: Path, out: Path, calls: int) -> None:
    """Run until progress has been reported so many times."""
    left = calls

    def progress(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Stopped

    with pytest.raises(Stopped):
        fastdraw.rasterize_files(sources, out, progress=progress, threads=1)


@pytest.mark.parametrize("calls", [3, 5, 7, 9, 12, 16])
def test_goes_on_where_it_was(
    sources: Path, tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")
    out = tmp_path / "out"
    interrupted(sources, out, calls)
    done = 128 + 200 * 1024  # bytes of a finished file
    finished = len(list(out.glob("*.npy")))
    parts = [path.stat().st_size for path in out.glob(".*.part")]
    with pytest.raises(fastdraw.FastdrawError, match="not finished"):
        fastdraw.open_rasters(out)
    drawn: list[int] = []
    draw = plan.draw

    def counting(output: shards.Output, part: str, chunk: int) -> int:
        start, stop = output.bounds(chunk)
        drawn.append(stop - start)
        return draw(output, part, chunk)

    monkeypatch.setattr(plan, "draw", counting)
    fastdraw.rasterize_files(sources, out, threads=1)
    assert checksums(out) == checksums(tmp_path / "undisturbed")
    assert visible(out) == visible(tmp_path / "undisturbed")
    saved = sum((min(size, done) - 128) // (37 * 1024) * 37 for size in parts)
    assert sum(drawn) <= 600 - 200 * finished - saved + 37
    assert saved > 0 or calls not in (5, 7, 9)


@pytest.mark.parametrize("damage", ["zeros", "garbage", "shorter", "longer", "header", "no checksums"])
def test_damaged_part_is_drawn_again(sources: Path, tmp_path: Path, small_chunks: None, damage: str) -> None:
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
    if damage == "no checksums":
        next(out.glob(".*.journal")).unlink()
    fastdraw.rasterize_files(sources, out)
    assert checksums(out) == checksums(tmp_path / "undisturbed")


def test_part_of_another_source_or_other_settings_is_not_used(
    sources: Path, tmp_path: Path, small_chunks: None
) -> None:
    out = tmp_path / "out"
    interrupted(sources, out, 7)
    first, second, _ = sorted(sources.glob("*.bin"))
    second.replace(first)
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")
    fastdraw.rasterize_files(sources, out)
    assert checksums(out) == checksums(tmp_path / "undisturbed")
    interrupted_size = tmp_path / "size"
    interrupted(sources, interrupted_size, 6)
    fastdraw.rasterize_files(sources, interrupted_size, invert=True, overwrite=True)
    assert (fastdraw.open_rasters(interrupted_size)[:] == 255 - fastdraw.open_rasters(out)[:]).all()


def test_progress_goes_on_from_what_was_saved(sources: Path, tmp_path: Path, small_chunks: None) -> None:
    out = tmp_path / "out"
    interrupted(sources, out, 7)  # once for each of three categories, then after four chunks of the first
    seen: list[tuple[str, int, int]] = []
    fastdraw.rasterize_files(sources, out, progress=lambda *call: seen.append(call), threads=1)
    first = seen[0][0]
    drawn = [done for name, done, _ in seen[3:] if name == first]
    assert drawn[0] >= 4 * 37
    assert drawn == sorted(drawn)
    assert drawn[-1] == 200


def test_the_live_bar_counts_what_was_saved_as_no_work(sources: Path, tmp_path: Path, small_chunks: None) -> None:
    out = tmp_path / "out"
    interrupted(sources, out, 7)
    seen: list[tuple[str, int, int]] = []
    fastdraw.rasterize_files(sources, out, progress=lambda *call: seen.append(call), threads=1)
    assert [done for _, done, _ in seen[:3]] == [5 * 37, 0, 0]
    again: list[tuple[str, int, int]] = []
    fastdraw.rasterize_files(sources, out, progress=lambda *call: again.append(call))
    assert [done for _, done, _ in again] == [200, 200, 200]


def test_stopped_after_renaming_and_before_saying_so(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "CHUNK", 37 * 1024)
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed")
    publish = plan.Part.publish

    def stop(part: plan.Part) -> None:
        publish(part)
        raise Stopped

    monkeypatch.setattr(plan.Part, "publish", stop)
    with pytest.raises(Stopped):
        fastdraw.rasterize_files(sources, out, threads=1)
    monkeypatch.undo()
    monkeypatch.setattr(plan, "CHUNK", 37 * 1024)
    (renamed,) = out.glob("*.npy")
    drawn: list[str] = []
    draw = plan.draw
    monkeypatch.setattr(plan, "draw", lambda output, *rest: drawn.append(output.category) or draw(output, *rest))
    fastdraw.rasterize_files(sources, out)
    assert renamed.stem not in drawn
    assert len(set(drawn)) == 2
    assert checksums(out) == checksums(tmp_path / "undisturbed")
    assert visible(out) == visible(tmp_path / "undisturbed")


def test_a_late_worker_of_an_earlier_run_does_no_harm(
    sources: Path, tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was cut off from its run may write its chunk much later, when another run is on."""
    out = tmp_path / "out"
    late: list[tuple[shards.Output, str, int]] = []
    draw = plan.draw
    with monkeypatch.context() as patch:
        patch.setattr(plan, "draw", lambda *task: late.append(task) or draw(*task))
        interrupted(sources, out, 7)
    fastdraw.rasterize_files(sources, tmp_path / "undisturbed", invert=True)
    attempts: list[str] = []

    def disturbed(*task: object) -> int:
        with contextlib.suppress(fastdraw.FastdrawError):
            draw(*late[0])
        attempts.append("late")
        return draw(*task)

    monkeypatch.setattr(plan, "draw", disturbed)
    fastdraw.rasterize_files(sources, out, invert=True, overwrite=True)
    assert attempts
    assert checksums(out) == checksums(tmp_path / "undisturbed")


def test_a_disk_that_forgets_is_noticed(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = plan.draw
    monkeypatch.setattr(plan, "draw", lambda *task: draw(*task) ^ 1)
    with pytest.raises(fastdraw.FastdrawError, match="expected this disk to keep what was written"):
        fastdraw.rasterize_files(sources, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.npy"))


def test_a_source_that_changes_during_the_run(sources: Path, tmp_path: Path, small_chunks: None) -> None:
    first, second, _ = sorted(sources.glob("*.bin"))

    def progress(name: str, done: int, count: int) -> None:
        if done and first.exists():
            first.replace(second)

    with pytest.raises(fastdraw.FastdrawError, match="was changed while it was being read"):
        fastdraw.rasterize_files(sources, tmp_path / "out", progress=progress, threads=1)
    assert len(fastdraw.rasterize_files(second, tmp_path / "out")) == 200


def test_a_changed_category_that_was_put_off_is_still_ours(sources: Path, tmp_path: Path, small_chunks: None) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    first, second, _ = sorted(sources.glob("*.bin"))
    shutil.copy(second, first)
    interrupted(sources, out, 3)
    fastdraw.rasterize_files(second, out)
    assert (fastdraw.rasterize_files(sources, out)[first.stem] == fastdraw.open_rasters(out)[second.stem]).all()
