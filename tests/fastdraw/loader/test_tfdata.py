"""Batches as a ``tf.data.Dataset``: equal to the NumPy ones; fit, checkpoints, strategies, threads and forks."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tfdata_child import CHANGES, checksums, dataset, numbers

import fastdraw

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

CHILD = [sys.executable, str(Path(__file__).parents[2] / "helpers/tfdata_child.py")]


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 1,000 drawings; drawing i is the single pixel i."""
    path = tmp_path_factory.mktemp("numbered") / "dots.bin"
    fastdraw.write_drawings(path, ([np.full((2, 2), [[8 * (i % 32)], [8 * (i // 32)]])] for i in range(1000)))
    return path


def run(*arguments: object) -> object:
    """The result that a child process prints."""
    done = subprocess.run([*CHILD, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 64},
        {"batch_size": 64, "shuffle": True, "labels": "int", "epochs": 2, "augment": CHANGES, "threads": 4},
        {"batch_size": 100, "labels": "onehot", "dtype": "uint8", "invert": True, "threads": 1},
        {"batch_size": 64, "packed": True, "shuffle": True, "shard": (1, 3), "drop_remainder": True},
        {"batch_size": 600, "style": "google", "labels": "int"},
        {"batch_size": 300, "style": "line-aa", "size": 96},  # each batch is a group of its own
        {"batch_size": 1, "shuffle": True, "epochs": None, "labels": "onehot"},
        {"batch_size": 64, "strokes": "stroke-5", "max_length": 40, "weights": {"star": 3}, "labels": "int"},
    ],
)
def test_the_same_as_numpy_batches(sample: Path, arguments: dict) -> None:
    drawings = fastdraw.open_drawings(sample)
    batches = fastdraw.batches(drawings, seed=7, **arguments)
    made = fastdraw.to_tf_dataset(drawings, seed=7, **arguments)
    count = 50 if arguments.get("epochs", 1) is None else len(batches)
    assert made.cardinality() == (
        len(batches) if "epochs" not in arguments or arguments["epochs"] else tf.data.INFINITE_CARDINALITY
    )
    spec = made.element_spec if isinstance(made.element_spec, tuple) else (made.element_spec,)
    for _ in range(2):  # the second iterator continues with the next epochs
        expected, got = list(islice(batches, count)), list(islice(made.as_numpy_iterator(), count))
        assert len(got) == count
        for one, other in zip(expected, got, strict=True):
            one, other = (part if isinstance(part, tuple) else (part,) for part in (one, other))
            for a, b, shape in zip(one, other, spec, strict=True):
                np.testing.assert_array_equal(a, b)
                assert a.dtype == b.dtype == shape.dtype.as_numpy_dtype
                assert shape.shape[1:].as_list() == list(a.shape[1:])
                full = arguments.get("drop_remainder") or 600 % arguments["batch_size"] == 0
                assert shape.shape[0] == (arguments["batch_size"] if full else None)
    if arguments.get("epochs", 1) is not None:
        assert len(list(made)) == count


def test_rasters_too(sample: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(sample, tmp_path, packed=True)
    sources = fastdraw.open_drawings(sample), fastdraw.open_rasters(tmp_path)
    drawn, stored = (
        checksums(fastdraw.to_tf_dataset(source, 50, shuffle=True, seed=1, labels="int").as_numpy_iterator(), 99)
        for source in sources
    )
    assert drawn == stored
    with pytest.raises(ValueError, match="expected no augment with rasters"):
        fastdraw.to_tf_dataset(sources[1], 50, augment=CHANGES)


class Reader(keras.Model):
    """Records the drawings that it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[list[int]] = []

    def train_step(self, data: tf.Tensor) -> dict:
        self.read.append(numbers(data))
        return {"loss": 0.0}


def test_fit_sees_a_new_order_every_epoch(numbered: Path) -> None:
    drawings = fastdraw.open_drawings(numbered)

    def orders(epochs: int, seed: int | None, endless: bool = False) -> list[tuple[int, ...]]:
        model = Reader()
        model.compile(run_eagerly=True)
        data = fastdraw.to_tf_dataset(drawings, 90, shuffle=True, seed=seed, epochs=None if endless else 1)
        model.fit(data, epochs=epochs, verbose=0, shuffle=False, steps_per_epoch=12 if endless else None)
        assert len(model.read) == 12 * epochs
        read = np.concatenate(model.read).reshape(epochs, 1000)
        return [tuple(order) for order in read.tolist()]

    first = orders(3, seed=5)
    assert [sorted(order) for order in first] == [list(range(1000))] * 3
    assert orders(3, seed=5) == first
    assert orders(3, seed=5, endless=True) == first
    assert len({*first, *orders(2, seed=6), *orders(2, seed=None), *orders(2, seed=None)}) == 9
    numpy_batches = fastdraw.batches(drawings, 90, shuffle=True, seed=5, epochs=3)
    assert tuple(number for batch in numpy_batches for number in numbers(batch)) == sum(first, ())


CUT = [
    {"batch_size": 64, "shuffle": True, "labels": "int", "augment": True, "epochs": 3},  # 10 batches, the last partial
    {"batch_size": 7, "shuffle": True, "labels": "onehot", "augment": True, "epochs": None, "seed": 3},
    {"batch_size": 50, "shuffle": True, "style": "line", "size": 200, "epochs": 2, "shard": (1, 2), "threads": 3},
]


@pytest.mark.slow
def test_checkpoints_are_restored_in_another_process(sample: Path, tmp_path: Path) -> None:
    """Saved at random positions of the second iterator, with random seeds if none is given."""
    rng = np.random.default_rng()
    items, expected = [], []
    for number, arguments in enumerate(CUT):
        made = dataset(sample, arguments)
        next(iter(made))
        for cut in sorted(1 + rng.choice(28 if number == 0 else 10, 3, replace=False)):
            iterator = iter(made)
            for _ in range(cut):
                next(iterator)
            path = tf.train.Checkpoint(iterator=iterator).save(tmp_path / f"{number}-{cut}")
            assert sum(file.stat().st_size for file in tmp_path.glob(f"{number}-{cut}*")) < 8000
            limit = 30
            items.append({"arguments": arguments, "checkpoint": path, "limit": limit, "cut": int(cut)})
            rest = (tuple(x.numpy() for x in b) if isinstance(b, tuple) else b.numpy() for b in iterator)
            expected.append(checksums(rest, limit))
            assert expected[-1]
    (tmp_path / "plan.json").write_text(json.dumps({"drawings": str(sample), "items": items}))
    found = run("restore", tmp_path)
    for item, one, other in zip(items, found, expected, strict=True):
        assert one == other, f"{item}"


def test_checkpoints_at_every_batch(numbered: Path, tmp_path: Path) -> None:
    """Inside and at the end of groups and epochs, and before partial batches."""
    drawings = fastdraw.open_drawings(numbered)[:50]
    arguments = {
        "batch_size": 4,
        "shuffle": True,
        "epochs": 2,
        "seed": 11,
    }  # groups of two, and a partial batch
    expected = [numbers(batch) for batch in fastdraw.batches(drawings, **arguments)]
    assert len(expected) == 26
    iterator = iter(fastdraw.to_tf_dataset(drawings, **arguments))
    checkpoint = tf.train.Checkpoint(iterator=iterator)
    saved = []
    for _ in expected:
        next(iterator)
        saved.append(checkpoint.write(str(tmp_path / f"cut-{len(saved)}")))
    for cut in range(1, 27):
        made = fastdraw.to_tf_dataset(drawings, **arguments | {"seed": None})
        restored = iter(made)
        tf.train.Checkpoint(iterator=restored).read(saved[cut - 1])
        assert [numbers(batch) for batch in restored] == expected[cut:]


def test_the_iterator_after_a_restored_one_continues(numbered: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(numbered)
    arguments = {"batch_size": 90, "shuffle": True, "seed": 1}
    made = fastdraw.to_tf_dataset(drawings, **arguments)
    for _ in range(3):
        iterator = iter(made)
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "third"))
    afresh = fastdraw.to_tf_dataset(drawings, **arguments)
    iterator = iter(afresh)
    tf.train.Checkpoint(iterator=iterator).restore(path)
    next(iterator)
    assert [numbers(batch) for batch in afresh] == [numbers(batch) for batch in made]


@pytest.mark.slow
def test_two_logical_devices(numbered: Path) -> None:
    found = run("mirrored", numbered)
    drawings = fastdraw.open_drawings(numbered)
    for name, size in (("function", 50), ("whole", 100)):
        batches = fastdraw.batches(drawings, size, shuffle=True, seed=1)
        for loop in found[name]:
            assert [number for batch in loop for number in batch] == [n for batch in batches for n in numbers(batch)]
    assert np.isfinite(found["loss"]).all()


@pytest.mark.slow
def test_two_workers(numbered: Path) -> None:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("localhost", 0))
        other.bind(("localhost", 0))
        ports = [one.getsockname()[1], other.getsockname()[1]]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda index: run("worker", index, *ports, numbered), range(2)))
    assert all(len(part["read"]) == 500 for part in found)
    assert sorted(found[0]["read"] + found[1]["read"]) == list(range(1000))
    assert [part["ink"] for part in found] == [1000, 1000]


def read_all(path: Path) -> list[list[int]]:
    return [numbers(batch) for batch in fastdraw.to_tf_dataset(fastdraw.open_drawings(path), 90, shuffle=True, seed=3)]


def _in_child(path: Path, pipe: object) -> None:
    pipe.send(read_all(path))  # type: ignore[attr-defined]


def test_many_at_once(numbered: Path) -> None:
    """Two read alternately, eight in threads, two in forked processes."""
    expected = read_all(numbered)
    drawings = fastdraw.open_drawings(numbered)
    made = fastdraw.to_tf_dataset(drawings, 90, shuffle=True, seed=3)
    other = fastdraw.to_tf_dataset(drawings, 90, seed=3)
    pairs = [(numbers(one), numbers(two)) for one, two in tf.data.Dataset.zip((made, other))]
    assert [one for one, _ in pairs] == expected
    assert [number for _, two in pairs for number in two] == list(range(1000))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read_all, [numbered] * 8)) == [expected] * 8
    context = multiprocessing.get_context("fork")
    for _ in range(2):
        ours, theirs = context.Pipe()
        child = context.Process(target=_in_child, args=(numbered, theirs))
        child.start()
        answered = ours.poll(60)
        if not answered:
            child.kill()
        assert answered, "the child hangs"
        assert ours.recv() == expected
        child.join()


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["on", "off"])
def test_a_program_may_exit_with_unfinished_iterators(sample: Path, reading: str) -> None:
    """A deleted iterator waits for its threads, which never return from Python once the interpreter shuts down."""
    assert run("leave", sample, reading) == 8


def test_no_thread_is_left_behind(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)

    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    def leave_early() -> None:
        for _ in fastdraw.to_tf_dataset(drawings, 10, epochs=None, threads=3):
            break

    leave_early()  # starts the threads that TensorFlow keeps
    before = threads()
    for _ in range(10):
        leave_early()
    deadline = time.monotonic() + 20
    while threads() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threads() <= before


def test_bad_arguments_raise_at_the_call(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    for arguments in ({"batch_size": 0}, {"style": "oil"}, {"shard": (2, 2)}, {"threads": 0}, {"seed": -1}):
        with pytest.raises(ValueError, match="expected"):
            fastdraw.to_tf_dataset(drawings, **{"batch_size": 10} | arguments)
    with pytest.raises(TypeError, match=r"expected options among style, .*; received 'suffle'"):
        fastdraw.to_tf_dataset(drawings, 10, suffle=True)
