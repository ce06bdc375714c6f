"""The bulk run: what it writes, what it skips and refuses, and that it survives anything."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from killing import Killer, at_random, chunks_done
from strategies import FASTDRAW

import fastdraw
from fastdraw import plan, shards


@pytest.fixture
def sources(sample: Path, tmp_path: Path) -> Path:
    """A folder of three files that a test may change."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for path in sample.glob("*.bin"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CHUNK", 37 * 1024)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in folder.glob("*.npy")}


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def test_files_equal_rasterize(sources: Path, tmp_path: Path, small_chunks: None) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path / "out", size=28, line_width=3, invert=True)
    drawings = fastdraw.open_drawings(sources)
    expected = drawings.rasterize(size=28, line_width=3, invert=True)
    assert rasters.categories == drawings.categories
    assert rasters.labels.tolist() == drawings.labels.tolist()
    assert (rasters[:] == expected).all()
    for label, name in enumerate(drawings.categories):
        images = np.load(tmp_path / "out" / f"{name}.npy", mmap_mode="r")
        assert isinstance(images, np.memmap)
        assert images.dtype == np.uint8
        assert (images == expected[drawings.labels == label]).all()
        assert (rasters[name] == images).all()
    assert visible(tmp_path / "out") == {"dataset.json", *(f"{name}.npy" for name in drawings.categories)}


def test_manifest_says_what_is_there(sources: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(sources, tmp_path / "out")
    manifest = json.loads((tmp_path / "out/dataset.json").read_text())
    assert manifest["version"] == 1
    assert manifest["settings"] == {
        "style": "pillow",
        "size": 32,
        "line_width": 2,
        "invert": False,
        "packed": False,
        "flat": False,
    }
    assert manifest["pending"] == {}
    assert list(manifest["categories"]) == sorted(path.stem for path in sources.glob("*.bin"))
    for label, (name, entry) in enumerate(manifest["categories"].items()):
        source = sources / f"{name}.bin"
        assert (entry["label"], entry["count"], entry["file"]) == (label, 200, f"{name}.npy")
        assert entry["sha256"] == sha256(tmp_path / "out" / entry["file"])
        assert entry["source"]["size"] == source.stat().st_size
        assert entry["source"]["sha256"] == sha256(source)


@pytest.mark.parametrize("form", [{"packed": True}, {"flat": True, "style": "google"}])
def test_packed_and_flat_files(sources: Path, tmp_path: Path, small_chunks: None, form: dict) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path / "out", **form)
    drawings = fastdraw.open_drawings(sources)
    expected = drawings.rasterize(style=form.get("style", "pillow")).reshape(600, -1)
    if "packed" in form:
        expected = np.packbits(expected, axis=1)
    assert rasters.shape == expected.shape
    assert (rasters[:] == expected).all()
    assert np.load(tmp_path / f"out/{rasters.categories[0]}.npy").shape == (200, expected.shape[1])


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


def test_other_settings_need_overwrite(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    before = checksums(out)
    with pytest.raises(fastdraw.FastdrawError, match=r"other settings \(size 32, now 28\);") as caught:
        fastdraw.rasterize_files(sources, out, size=28)
    assert "overwrite" in str(caught.value)
    assert checksums(out) == before
    assert fastdraw.rasterize_files(sources, out, size=28, overwrite=True).shape == (600, 28, 28)


def test_refusals(sources: Path, tmp_path: Path) -> None:
    first = sorted(sources.glob("*.bin"))[0]
    copy = tmp_path / first.name
    shutil.copy(first, copy)
    with pytest.raises(fastdraw.FastdrawError) as caught:
        fastdraw.rasterize_files([sources, copy], tmp_path / "out")
    assert str(first) in str(caught.value)
    assert str(copy) in str(caught.value)

    out = tmp_path / "foreign"
    out.mkdir()
    (out / f"{first.stem}.npy").write_bytes(b"somebody's")
    with pytest.raises(fastdraw.FastdrawError, match="in the way"):
        fastdraw.rasterize_files(sources, out)
    assert (out / f"{first.stem}.npy").read_bytes() == b"somebody's"
    assert len(fastdraw.rasterize_files(sources, out, overwrite=True)) == 600

    copy.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(fastdraw.BinFormatError):
        fastdraw.rasterize_files(copy, tmp_path / "damaged")
    with pytest.warns(fastdraw.DamagedFileWarning):
        assert len(fastdraw.rasterize_files(copy, tmp_path / "damaged", errors="salvage")) == 199


def test_empty_category(tmp_path: Path) -> None:
    (tmp_path / "nothing.bin").touch()
    rasters = fastdraw.rasterize_files(tmp_path / "nothing.bin", tmp_path / "out")
    assert rasters["nothing"].shape == (0, 32, 32)
    assert np.load(tmp_path / "out/nothing.npy").shape == (0, 32, 32)


def test_second_run_into_the_same_folder_stops(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def progress(*_: object) -> None:
        with pytest.raises(fastdraw.FastdrawError, match="another run"):
            fastdraw.rasterize_files(sources, out)

    assert len(fastdraw.rasterize_files(sources, out, progress=progress)) == 600


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


def test_rasters_index_like_one_array(sources: Path, tmp_path: Path) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path / "out")
    array = fastdraw.open_drawings(sources).rasterize()
    order = np.random.default_rng(0).integers(-600, 600, 50)
    mask = np.arange(600) % 7 == 0
    lists = (order.tolist(), mask.tolist(), np.empty(0, int))
    for index in (0, -1, 599, slice(3, 500, 50), slice(None, None, -100), order, mask, *lists):
        expected = array[index]
        assert rasters[index].shape == expected.shape
        assert (rasters[index] == expected).all()
    assert rasters.shape == (600, 32, 32)
    assert len(rasters) == 600
    assert rasters[[]].shape == (0, 32, 32)
    for wrong, error in ((600, IndexError), ([-601], IndexError), ("dragon", KeyError), (1.5, TypeError)):
        with pytest.raises(error):
            rasters[wrong]


def test_folders_that_are_not_rasters(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(fastdraw.FastdrawError, match=r"no dataset\.json"):
        fastdraw.open_rasters(tmp_path)
    out = tmp_path / "out"
    rasters = fastdraw.rasterize_files(sources, out)
    file = out / f"{rasters.categories[1]}.npy"
    content = file.read_bytes()
    for damaged in (content[:-1], content[:50], b""):
        file.write_bytes(damaged)
        with pytest.raises(fastdraw.FastdrawError, match=file.name):
            fastdraw.open_rasters(out)
    file.write_bytes(content)
    manifest = json.loads((out / "dataset.json").read_text())
    for changed in ({"settings": {"colour": 1}}, {"version": 2}):
        (out / "dataset.json").write_text(json.dumps(manifest | changed))
        with pytest.raises(fastdraw.FastdrawError, match=r"dataset\.json: expected"):
            fastdraw.open_rasters(out)
    (out / "dataset.json").write_text('{"version": 1}')
    with pytest.raises(fastdraw.FastdrawError, match="expected a description of rasters"):
        fastdraw.open_rasters(out)
    (out / "dataset.json").write_text("{")
    with pytest.raises(fastdraw.FastdrawError, match="expected JSON"):
        fastdraw.open_rasters(out)
    with pytest.raises(fastdraw.FastdrawError, match="expected JSON"):
        fastdraw.rasterize_files(sources, out)
    assert len(fastdraw.rasterize_files(sources, out, overwrite=True)) == 600


def test_a_source_added_in_front_renumbers_the_labels(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    names = sorted(path.stem for path in sources.glob("*.bin"))
    kept = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in out.glob("*.npy")}
    shutil.copy(sources / f"{names[-1]}.bin", sources / "aardvark.bin")
    rasters = fastdraw.rasterize_files(sources, out)
    entries = json.loads((out / "dataset.json").read_text())["categories"]
    assert {name: entry["label"] for name, entry in entries.items()} == {
        name: label for label, name in enumerate(["aardvark", *names])
    }
    assert rasters.labels.tolist() == np.repeat(np.arange(4), 200).tolist()
    assert kept == {name: ((out / name).stat().st_ino, (out / name).stat().st_mtime_ns) for name in kept}


def test_lock_of_another_process(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = (
        "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, out / ".lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(fastdraw.FastdrawError, match="another run"):
            fastdraw.rasterize_files(sources, out)
        assert visible(out) == set()
    finally:
        holder.kill()
        holder.communicate()
    assert len(fastdraw.rasterize_files(sources, out)) == 600  # the lock does not outlive the one who held it


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


def test_all_threads_draw_ranges_of_the_same_file(
    sources: Path, tmp_path: Path, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(3, timeout=20)
    draw = plan.draw
    order: list[tuple[str, int]] = []

    def meeting(output: shards.Output, part: str, chunk: int) -> int:
        if chunk < 3:
            together.wait()  # passes when three chunks are being drawn at the same time
        order.append((output.category, chunk))
        return draw(output, part, chunk)

    monkeypatch.setattr(plan, "draw", meeting)
    fastdraw.rasterize_files(sorted(sources.glob("*.bin"))[0], tmp_path / "out", threads=3)
    assert sorted(order) == [(order[0][0], chunk) for chunk in range(6)]


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


def test_empty_category_is_skipped_like_others(tmp_path: Path) -> None:
    (tmp_path / "nothing.bin").touch()
    for _ in range(2):
        assert len(fastdraw.rasterize_files(tmp_path / "nothing.bin", tmp_path / "out")) == 0


def test_a_changed_category_that_was_put_off_is_still_ours(sources: Path, tmp_path: Path, small_chunks: None) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    first, second, _ = sorted(sources.glob("*.bin"))
    shutil.copy(second, first)
    interrupted(sources, out, 3)
    fastdraw.rasterize_files(second, out)
    assert (fastdraw.rasterize_files(sources, out)[first.stem] == fastdraw.open_rasters(out)[second.stem]).all()


def test_overwrite_replaces_a_finished_file_of_another_shape(sources: Path, tmp_path: Path) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path / "out")
    np.save(tmp_path / "out" / f"{rasters.categories[0]}.npy", np.zeros((200, 5, 5), np.uint8))
    assert len(fastdraw.rasterize_files(sources, tmp_path / "out", overwrite=True)) == 600


@pytest.mark.parametrize("damage", [{"categories": []}, {"categories": {"x": {}}}, {"pending": 3}, {"settings": None}])
def test_manifest_of_wrong_types(sources: Path, tmp_path: Path, damage: dict) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    manifest = json.loads((out / "dataset.json").read_text())
    (out / "dataset.json").write_text(json.dumps(manifest | damage))
    with pytest.raises(fastdraw.FastdrawError):
        fastdraw.open_rasters(out)
    with pytest.raises(fastdraw.FastdrawError):
        fastdraw.rasterize_files(sources, out)


@pytest.fixture(scope="module")
def large(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of 60,000 drawings each: 120 MB of rasters."""
    folder = tmp_path_factory.mktemp("large")
    for path in sorted(sample.glob("*.bin"))[:2]:
        (folder / path.name).write_bytes(path.read_bytes() * 300)
    fastdraw.open_drawings(folder).rasterize(slice(0, 9))  # the index is there and the kernels are compiled
    return folder


@pytest.mark.slow
def test_fifty_kills(large: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(large, tmp_path / "undisturbed")
    expected = checksums(tmp_path / "undisturbed")
    chunks = {path.stem: 8 for path in large.glob("*.bin")}
    rng = random.Random(0)
    kills = in_the_middle = 0
    out = tmp_path / "out"
    command = ["rasterize", large, "--out", out, "--quiet"]
    with Killer(large) as killer:
        while kills < 50:
            status = killer.run(command, at_random(rng, out, chunks))
            if status == -signal.SIGKILL:
                kills += 1
                in_the_middle += 0 < chunks_done(out, chunks) < 16
                continue
            assert status == 0
            assert checksums(out) == expected
            assert visible(out) == visible(tmp_path / "undisturbed")
            shutil.rmtree(out)
        assert killer.run(command) == 0
    assert checksums(out) == expected
    assert in_the_middle >= 25


@pytest.mark.slow
def test_interrupt_says_how_to_go_on(large: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen([FASTDRAW, "rasterize", large, "--out", out], stderr=subprocess.PIPE, text=True)
    while not any(path.stat().st_size > 1000 for path in out.glob(".*.part")):
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    message = process.communicate()[1]
    assert process.returncode == 130
    assert message.splitlines()[-1] == "fastdraw: interrupted; run the same command again to go on"
    assert "Traceback" not in message
    for path in out.glob("*.npy"):
        assert len(np.load(path)) == 60_000


@pytest.mark.slow
def test_memory_stays_flat(large: Path, tmp_path: Path) -> None:
    """Eight times the drawings in one file take no more memory than the larger index and the mapped file itself."""
    peaks = {}
    for times in (1, 8):
        source = tmp_path / f"{times}" / "doodle.bin"
        source.parent.mkdir()
        source.write_bytes(next(large.glob("*.bin")).read_bytes() * times)
        code = (
            "import sys, resource, fastdraw; fastdraw.rasterize_files(sys.argv[1], sys.argv[2]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", code, source, tmp_path / f"out{times}"]
        kilobytes = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        peaks[times] = kilobytes * 1024 - source.stat().st_size - 2 * 8 * 60_000 * times
    written = 60_000 * 1024
    assert peaks[8] - peaks[1] < written / 2  # of the 7 times as many bytes that are written


@pytest.mark.slow
def test_full_disk(large: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", disk], capture_output=True)
    if mount.returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        command = [FASTDRAW, "rasterize", large, "--out", disk / "out", "--quiet"]
        full = subprocess.run(command, capture_output=True, text=True)
        assert full.returncode == 1
        assert len(full.stderr.splitlines()) == 1
        assert "No space left" in full.stderr
        chunks = sum(path.stat().st_size // 8 for path in (disk / "out").glob(".*.journal"))
        assert chunks + 8 * len(list((disk / "out").glob("*.npy"))) >= 8  # of 15: nothing that was drawn is lost
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        subprocess.run(command, check=True)
        fastdraw.rasterize_files(large, tmp_path / "undisturbed")
        assert checksums(disk / "out") == checksums(tmp_path / "undisturbed")
    finally:
        subprocess.run(["umount", disk], check=True)
