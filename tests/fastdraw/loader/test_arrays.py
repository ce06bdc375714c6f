"""Batches as NumPy arrays: their content, their order, and resuming."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastdraw
from fastdraw.kernels.order import permute
from fastdraw.loader.counter import IteratorCounter

CHANGES = fastdraw.Augment(rotate=15, scale=(0.8, 1), jitter=3, drop_strokes=0.2, flip=True)


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> fastdraw.Drawings:
    """1,000 drawings; drawing i is the single pixel i."""
    path = tmp_path_factory.mktemp("numbered") / "dots.bin"
    fastdraw.write_drawings(path, ([np.full((2, 2), [[8 * (i % 32)], [8 * (i // 32)]])] for i in range(1000)))
    return fastdraw.open_drawings(path)


def numbers(batch: np.ndarray) -> list[int]:
    """The indices of the drawings in a batch of `numbered`."""
    assert batch.shape[1:] == (32, 32, 1)
    assert (batch.sum(axis=(1, 2, 3)) == 1).all()
    return batch.reshape(len(batch), -1).argmax(axis=1).tolist()


def equal(one: list, other: list) -> bool:
    """Whether batches, or pairs of images and labels, are bit-identical."""
    one, other = (
        [array for batch in batches for array in (batch if isinstance(batch, tuple) else (batch,))]
        for batches in (one, other)
    )
    return len(one) == len(other) and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other, strict=True)
    )


@given(count=st.integers(1, 3000), key=st.integers(0, 2**64 - 1))
def test_the_order_is_a_permutation(count: int, key: int) -> None:
    out = np.full(count, -1)
    permute(np.uint64(key), count, np.arange(count), out)
    assert sorted(out) == list(range(count))


@given(count=st.integers(2**20, 2**62), key=st.integers(0, 2**64 - 1), data=st.data())
def test_the_order_of_very_many(count: int, key: int, data: st.DataObject) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, count - 1), unique=True, max_size=50)), np.int64)
    out = np.full(len(places), -1)
    permute(np.uint64(key), count, places, out)
    assert len(set(out.tolist())) == len(places)
    assert ((out >= 0) & (out < count)).all()


@pytest.mark.parametrize("count", [2, 3, 5, 100])
def test_the_order_is_uniform(count: int) -> None:
    """Every number is equally likely in every place, and consecutive numbers are not more often neighbours."""
    orders = np.empty((20_000, count), np.int64)
    for seed, order in enumerate(orders):
        permute(np.uint64(seed), count, np.arange(count), order)
    expected = len(orders) / count
    for place in {0, 1, count // 2, count - 1}:
        found = np.bincount(orders[:, place], minlength=count)
        assert (abs(found - expected) < 5 * np.sqrt(expected)).all()
    followed = (np.diff(orders, axis=1) == 1).sum(axis=1).mean()
    assert followed == pytest.approx((count - 1) / count, abs=0.05)


def test_batches_are_the_rasters(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    images = drawings.rasterize()[..., None]
    got = list(fastdraw.batches(drawings, 64, dtype="uint8", labels="int"))
    assert [len(batch) for batch, _ in got] == [64] * 9 + [24]
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in got]), images)
    np.testing.assert_array_equal(np.concatenate([labels for _, labels in got]), drawings.labels)
    assert {labels.dtype for _, labels in got} == {np.dtype(np.int64)}

    got = list(fastdraw.batches(drawings, 64, labels="onehot", drop_remainder=True))
    assert [len(batch) for batch, _ in got] == [64] * 9
    np.testing.assert_array_equal(np.concatenate([batch for batch, _ in got]), images[:576] / np.float32(255))
    np.testing.assert_array_equal(
        np.concatenate([labels for _, labels in got]), np.eye(3, dtype=np.float32)[drawings.labels[:576]]
    )

    grey = np.concatenate(list(fastdraw.batches(drawings, 100, style="google", invert=True)))
    assert grey.shape == (600, 28, 28, 1)
    expected = drawings.rasterize(style="google", invert=True)[..., None].astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(grey, expected)
    bits = np.concatenate(list(fastdraw.batches(drawings, 100, packed=True)))
    np.testing.assert_array_equal(np.unpackbits(bits, axis=1).reshape(images.shape) * 255, images)


@pytest.mark.parametrize("layout", [{}, {"flat": True}, {"packed": True}])
def test_rasters_give_the_same(sample: Path, tmp_path: Path, layout: dict) -> None:
    fastdraw.rasterize_files(sample, tmp_path, **layout)
    drawings, rasters = fastdraw.open_drawings(sample), fastdraw.open_rasters(tmp_path)
    for arguments in ({"labels": "int", "shuffle": True}, {"dtype": "uint8"}, {"packed": True, "labels": "onehot"}):
        ours, theirs = (list(fastdraw.batches(source, 50, seed=1, **arguments)) for source in (drawings, rasters))
        assert equal(ours, theirs)
    with pytest.raises(ValueError, match="expected no augment with rasters"):
        fastdraw.batches(rasters, 50, augment=CHANGES)
    for name, wrong in (("size", 28), ("style", "line"), ("line_width", 3), ("invert", True)):
        with pytest.raises(ValueError, match=f"expected {name} to be .*, as in the rasters, received {wrong!r}"):
            fastdraw.batches(rasters, 50, **{name: wrong})
    theirs = {"style": "pillow", "size": 32, "line_width": 2, "invert": False}
    assert equal(list(fastdraw.batches(rasters, 50, **theirs)), list(fastdraw.batches(rasters, 50)))


@settings(max_examples=60)
@given(
    count=st.integers(1, 60),
    batch_size=st.integers(1, 20),
    shards=st.integers(1, 5),
    drop_remainder=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_shards_are_disjoint_and_complete(
    numbered: fastdraw.Drawings, count: int, batch_size: int, shards: int, drop_remainder: bool, seed: int
) -> None:
    arguments = {"shuffle": True, "seed": seed, "drop_remainder": drop_remainder, "threads": 1}
    whole = next(iter(fastdraw.batches(numbered[:count], count, shuffle=True, seed=seed)))
    if count // shards < (batch_size if drop_remainder else 1):
        with pytest.raises(ValueError, match="at least one batch"):
            fastdraw.batches(numbered[:count], batch_size, shard=(shards - 1, shards), **arguments)
        return
    parts = [
        list(map(numbers, fastdraw.batches(numbered[:count], batch_size, shard=(index, shards), **arguments)))
        for index in range(shards)
    ]
    seen = [number for part in parts for batch in part for number in batch]
    assert len(set(seen)) == len(seen)
    if drop_remainder:
        assert {len(batch) for part in parts for batch in part} == {batch_size}
        assert len({len(part) for part in parts}) == 1
        assert len(parts[0]) == count // shards // batch_size
    else:
        assert sorted(seen) == list(range(count))
        assert [list(chain(*part)) for part in parts] == [numbers(whole)[index::shards] for index in range(shards)]


def test_epochs_are_shuffled_anew_and_alike_for_a_seed(numbered: fastdraw.Drawings) -> None:
    def orders(**arguments: object) -> list[tuple[int, ...]]:
        batches = list(map(numbers, fastdraw.batches(numbered, 90, shuffle=True, epochs=3, **arguments)))
        assert [len(batch) for batch in batches] == ([90] * 11 + [10]) * 3
        return [tuple(chain(*batches[12 * epoch : 12 * (epoch + 1)])) for epoch in range(3)]

    first = orders(seed=5)
    assert all(sorted(order) == list(range(1000)) for order in first)
    assert len({*first, *orders(seed=6), *orders(), *orders()}) == 12
    assert orders(seed=5, threads=1) == orders(seed=5, threads=3) == first

    loops = fastdraw.batches(numbered, 90, shuffle=True, seed=5)  # one epoch per iterator
    assert len(loops) == 12
    assert [tuple(chain(*map(numbers, loops))) for _ in range(3)] == first
    endless = fastdraw.batches(numbered, 90, shuffle=True, seed=5, epochs=None)
    assert tuple(chain(*map(numbers, islice(endless, 36)))) == tuple(chain(*first))
    with pytest.raises(TypeError, match="no length"):
        len(endless)


@settings(max_examples=40)
@given(
    cut=st.integers(0, 40),
    batch_size=st.sampled_from([50, 64, 600, 700]),
    epochs=st.sampled_from([1, 3, None]),
    threads=st.integers(1, 4),
)
def test_resuming(sample: Path, cut: int, batch_size: int, epochs: int | None, threads: int) -> None:
    """From a state saved as JSON, with its seed, whatever iterators there were before."""
    drawings = fastdraw.open_drawings(sample)
    arguments = {"shuffle": True, "labels": "int", "augment": CHANGES, "epochs": epochs, "dtype": "uint8"}
    batches = fastdraw.batches(drawings, batch_size, **arguments)
    next(iter(batches))  # an unfinished iterator
    loop = iter(batches)
    read = sum(1 for _ in islice(loop, cut))
    state = json.loads(json.dumps(batches.state_dict()))
    expected = list(islice(loop, 20))
    restored = fastdraw.batches(drawings, batch_size, threads=threads, **arguments)
    next(iter(restored))
    restored.load_state_dict(state)
    assert restored.state_dict() == state
    if expected or not read:
        assert equal(list(islice(restored, 20)), expected)
        assert restored.state_dict() == batches.state_dict()
    following = [next(iter(made)) for made in (batches, restored)]
    assert equal(following[:1], following[1:])


def test_a_state_of_other_batches_is_refused(numbered: fastdraw.Drawings) -> None:
    batches = fastdraw.batches(numbered, 90, seed=1)
    state = batches.state_dict()
    for wrong in (
        fastdraw.batches(numbered[:999], 90).state_dict(),
        fastdraw.batches(numbered, 91).state_dict(),
        fastdraw.batches(numbered, 90, shard=(0, 2)).state_dict(),
        state | {"batch": 12},
        state | {"epoch": -1},
        state | {"seed": 2**32},
        {"epoch": 0},
        None,
    ):
        with pytest.raises(ValueError, match="expected the state of batches like these"):
            batches.load_state_dict(wrong)
    assert batches.state_dict() == state


def test_no_thread_is_left_behind(sample: Path) -> None:
    before = threading.active_count()
    for _ in fastdraw.batches(fastdraw.open_drawings(sample), 10, epochs=None, threads=4):
        assert threading.active_count() > before
        break
    assert threading.active_count() == before


def _in_child(loop: object, pipe: object) -> None:
    pipe.send([batch.tolist() for batch in loop])  # type: ignore[attr-defined]


def test_in_threads_and_forked_children(numbered: fastdraw.Drawings) -> None:
    arguments = {"shuffle": True, "seed": 3}
    expected = list(map(numbers, fastdraw.batches(numbered, 90, **arguments)))
    with ThreadPoolExecutor(4) as pool:
        read = [pool.submit(lambda: list(map(numbers, fastdraw.batches(numbered, 90, **arguments)))) for _ in range(8)]
        assert all(result.result() == expected for result in read)
    batches = fastdraw.batches(numbered, 90, **arguments)
    with ThreadPoolExecutor(4) as pool:  # one object: no two iterators get the same epoch
        loops = list(pool.map(lambda _: tuple(map(tuple, map(numbers, batches))), range(8)))
    assert len(set(loops)) == 8

    loop = iter(fastdraw.batches(numbered, 90, **arguments))
    next(loop)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_in_child, args=(map(np.array, map(numbers, loop)), theirs))
    child.start()
    assert ours.poll(30), "the child hangs"
    assert ours.recv() == expected[1:]
    child.join()
    assert list(map(numbers, loop)) == expected[1:]


def test_no_two_iterators_have_one_number() -> None:
    counter = IteratorCounter()
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: counter.take(), range(500))) == list(range(500))
    counter.mark(700)
    assert counter.take() == 701


def test_without_tensorflow_and_in_another_process(sample: Path) -> None:
    batches = fastdraw.batches(fastdraw.open_drawings(sample), 70, shuffle=True, augment=CHANGES)
    loop = iter(batches)
    list(islice(loop, 3))
    code = (
        "import sys, json, zlib, fastdraw\n"
        "changes = fastdraw.Augment(rotate=15, scale=(0.8, 1), jitter=3, drop_strokes=0.2, flip=True)\n"
        f"batches = fastdraw.batches(fastdraw.open_drawings({str(sample)!r}), 70, shuffle=True, augment=changes)\n"
        f"batches.load_state_dict({batches.state_dict()})\n"
        "print(json.dumps([[zlib.crc32(batch) for batch in batches], 'tensorflow' in sys.modules]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == [[zlib.crc32(batch) for batch in loop], False]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"batch_size": 0}, "expected batch_size to be 1 or more, received 0"),
        ({"batch_size": 2.0}, "expected batch_size to be an integer"),
        ({"style": "oil"}, "expected style to be one of"),
        ({"size": 7}, "expected size to be from 8 to 1024, received 7"),
        ({"size": 1025}, "expected size"),
        ({"line_width": 0}, "expected line_width"),
        ({"labels": "names"}, "expected labels"),
        ({"seed": -1}, "expected seed"),
        ({"seed": 2**32}, "expected seed"),
        ({"seed": "1"}, "expected seed"),
        ({"epochs": 0}, "expected epochs"),
        ({"shuffle": "no"}, "expected shuffle to be True or False, received 'no'"),
        ({"drop_remainder": 1}, "expected drop_remainder to be True or False"),
        ({"augment": {"rotate": 10}}, "expected augment"),
        ({"shard": 1}, "expected shard to be a pair"),
        ({"shard": (2, 2)}, "expected the index of shard to be from 0 to 1, received 2"),
        ({"shard": (-1, 2)}, "expected the index of shard"),
        ({"shard": (0, 0)}, "expected the count of shard"),
        ({"shard": (1000, 1001)}, "at least one batch"),
        ({"batch_size": 1001, "drop_remainder": True}, "at least one batch"),
        ({"packed": True, "style": "google"}, "to pack"),
        ({"packed": True, "style": "line-aa"}, "to pack"),
        ({"dtype": "float16"}, "expected dtype"),
        ({"threads": 0}, "expected threads"),
        ({"lables": "int"}, "expected options among style, .*, labels, .*; received 'lables'"),
        ({"flat": True}, "received 'flat'"),
    ],
)
def test_bad_arguments_raise_at_the_call(numbered: fastdraw.Drawings, arguments: dict, error: str) -> None:
    with pytest.raises((ValueError, TypeError), match=error):
        fastdraw.batches(numbered, **{"batch_size": 10} | arguments)


def test_no_drawings(numbered: fastdraw.Drawings) -> None:
    with pytest.raises(ValueError, match="expected drawings for at least one batch, received 0"):
        fastdraw.batches(numbered[:0], 10)
    with pytest.raises(TypeError, match="expected drawings or rasters"):
        fastdraw.batches(np.zeros((10, 32, 32)), 10)


@pytest.mark.parametrize("saved", [1, 3, 8])
def test_a_shard_with_no_part_of_the_last_batch_ends_the_epoch_too(numbered: fastdraw.Drawings, saved: int) -> None:
    """In one epoch at a time: the last 4 of 100 drawings are the last batches of 4 of 8 shards alone."""
    options = {"shuffle": True, "seed": 4, "epochs": 1}
    loop = fastdraw.batches(numbered[:100], 24 // saved, shard=(0, saved), **options)
    iterator = iter(loop)
    for _ in range(4):
        next(iterator)
    for shards in (1, 3, 8):
        rest, following = [], []
        for i in range(shards):
            again = fastdraw.batches(numbered[:100], 24 // shards, shard=(i, shards), **options)
            again.load_state_dict(loop.state_dict())
            rest += [number for images in again for number in numbers(images)]
            following += [number for images in again for number in numbers(images)]
        whole = list(fastdraw.batches(numbered[:100], 24, **options))
        assert sorted(rest) == sorted(numbers(whole[-1]))
        assert sorted(following) == list(range(100))


@pytest.mark.parametrize("drop_remainder", [False, True])
@pytest.mark.parametrize("cut", [0, 5, 41, 50])
def test_a_state_goes_on_with_another_number_of_shards(
    numbered: fastdraw.Drawings, drop_remainder: bool, cut: int
) -> None:
    """Global batches are the same sets at 1, 3 and 8 shards, and after a change of their number in mid-epoch."""

    def global_batches(shards: int, state: dict[str, int] | None) -> tuple[list[set[int]], dict[str, int]]:
        options = {"shuffle": True, "seed": 4, "epochs": 3, "drop_remainder": drop_remainder}
        loaders = [fastdraw.batches(numbered, 24 // shards, shard=(i, shards), **options) for i in range(shards)]
        per_epoch = max(len(loader) for loader in loaders) // 3
        stop = 3 * per_epoch
        start = 0 if state is None else state["epoch"] * per_epoch + state["batch"]
        made: list[set[int]] = [set() for _ in range(start, stop)]
        states = []
        for loader in loaders:
            if state is not None:
                loader.load_state_dict(state)
            epoch, batch = divmod(start, per_epoch)
            if batch >= len(loader) // 3:
                epoch, batch = epoch + 1, 0
            for images in loader:
                made[epoch * per_epoch + batch - start].update(numbers(images))
                if epoch * per_epoch + batch == cut and state is None:
                    states.append(loader.state_dict())
                batch += 1
                if batch == len(loader) // 3:
                    epoch, batch = epoch + 1, 0
        return made, states[0] if states else {}

    expected, _ = global_batches(1, None)
    assert all(len(batch) in (24, 1000 % 24) for batch in expected)
    for saved in (1, 3, 8):
        all_of_them, state = global_batches(saved, None)
        assert all_of_them == expected
        for restored in (1, 3, 8):
            rest, _ = global_batches(restored, state)
            assert rest == expected[-len(rest) :]
            assert len(rest) in (len(expected) - cut - 1, len(expected) - cut)


@pytest.mark.parametrize("format", ["stroke-3", "stroke-5"])
def test_batches_of_sequences(sample: Path, format: str) -> None:
    drawings = fastdraw.open_drawings(sample)
    rows, lengths = drawings.strokes(format)
    got = list(fastdraw.batches(drawings, 64, strokes=format, labels="int"))
    assert got[0][0].dtype == np.float32
    assert np.array_equal(np.concatenate([batch for batch, _ in got]), rows)
    assert np.array_equal(np.concatenate([labels for _, labels in got]), drawings.labels)
    cut = np.concatenate(list(fastdraw.batches(drawings, 64, strokes=format, max_length=9)))
    assert np.array_equal(cut, drawings.strokes(format, 9)[0])
    options = {"strokes": format, "seed": 1, "shuffle": True, "max_length": int(lengths.max())}
    changed = np.concatenate(list(fastdraw.batches(drawings, 64, augment=CHANGES, **options)))
    plain = np.concatenate(list(fastdraw.batches(drawings, 64, **options)))
    assert changed.shape == plain.shape
    assert not np.array_equal(changed, plain)
    assert np.array_equal(np.unique(plain, axis=0), np.unique(rows, axis=0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strokes": "stroke-4"}, "format to be one of"),
        ({"strokes": "stroke-3", "size": 32}, "expected no size with strokes"),
        ({"strokes": "stroke-3", "dtype": "uint8"}, "float32, with strokes"),
        ({"strokes": "stroke-3", "max_length": 0}, "max_length to be 1 or more"),
        ({"max_length": 9}, "expected no max_length without strokes"),
    ],
)
def test_wrong_options_of_sequences(sample: Path, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fastdraw.batches(fastdraw.open_drawings(sample), 8, **options)
