"""Batches drawn from strokes against ``tf.data`` over images in memory, and against `rasterize` alone.

Run with ``pytest benchmarks/bench_tfdata.py``. The contestants of a ratio are timed in turn, and each result is checked
before it is timed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from measuring import in_turn, note, report, same

import fastdraw

SIZES = {128: 4, 512: 3}  # batch size: target
SEED = 1
FIT = 60_000  # drawings in the training set of `test_fit`
EPOCHS = 4  # epochs per iterator against `rasterize`, so that making the iterator (8 ms) counts little

# Peak anonymous memory while batches are read from the file in argv.
MEMORY = """
import sys, fastdraw
drawings = fastdraw.open_drawings(sys.argv[1])
dataset = fastdraw.to_tf_dataset(drawings, 1024, shuffle=True, seed=1, labels="int", epochs=None)
peak = 0
for number, (images, labels) in zip(range(600), dataset):
    if number % 20 == 0:
        status = open("/proc/self/status").read().split()
        peak = max(peak, int(status[status.index("RssAnon:") + 1]))
print(len(drawings), peak)
"""


def read(dataset: tf.data.Dataset) -> int:
    """Read a dataset of images to its end. Returns the number of images."""
    return sum(images.shape[0] for images in dataset)


@pytest.fixture(scope="module")
def images(drawings: fastdraw.Drawings) -> np.ndarray:
    """All images, float32 in 0..1, (N, 32, 32, 1)."""
    images = drawings.rasterize()
    return np.divide(images[..., None], 255, dtype=np.float32)


def ink(dataset: tf.data.Dataset) -> float:
    return sum(float(tf.reduce_sum(tf.cast(batch, tf.float64))) for batch in dataset)


@pytest.mark.parametrize("batch_size", SIZES)
def test_against_images_in_memory(drawings: fastdraw.Drawings, images: np.ndarray, batch_size: int) -> None:
    few = fastdraw.to_tf_dataset(drawings[:5000], batch_size)
    assert same(np.concatenate(list(few.as_numpy_iterator())), images[:5000])
    ours = fastdraw.to_tf_dataset(drawings, batch_size, shuffle=True, seed=SEED)
    assert ink(ours) == images.sum(dtype=np.float64) > 0
    theirs = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(batch_size)
    best = in_turn({"ours": lambda: read(ours), "theirs": lambda: read(theirs)}, rounds=4)
    report(
        f"to_tf_dataset, shuffled, batch {batch_size}",
        len(images) / best["ours"],
        "images in memory, shuffle(len)",
        len(images) / best["theirs"],
        SIZES[batch_size],
    )


@pytest.mark.parametrize("shuffle", [False, True])
def test_against_rasterize(drawings: fastdraw.Drawings, shuffle: bool) -> None:
    """Batches of 1,024 against one call that draws all images, in as random an order, into an existing array."""
    view = drawings[np.random.default_rng(0).permutation(len(drawings))] if shuffle else drawings
    outs = {dtype: np.zeros((len(view), 32, 32), dtype) for dtype in ("float32", "uint8")}
    contestants: dict[str, Callable[[], object]] = {}
    for dtype, out in outs.items():
        whole = view.rasterize(out=out).sum(dtype=np.float64)
        contestants[f"rasterize {dtype}"] = lambda out=out: view.rasterize(out=out)
        dataset = fastdraw.to_tf_dataset(drawings, 1024, shuffle=shuffle, seed=SEED, dtype=dtype, epochs=EPOCHS)
        assert ink(dataset) == EPOCHS * whole > 0
        contestants[f"to_tf_dataset {dtype}"] = lambda dataset=dataset: read(dataset)
        batches = fastdraw.batches(drawings, 1024, shuffle=shuffle, seed=SEED, dtype=dtype, epochs=EPOCHS)
        contestants[f"batches {dtype}"] = lambda batches=batches: sum(len(batch) for batch in batches)
    assert same(outs["uint8"] / np.float32(255), outs["float32"])
    best = in_turn(contestants, rounds=6)
    rates = {name: len(view) / seconds * (1 if "rasterize" in name else EPOCHS) for name, seconds in best.items()}
    order = "shuffled" if shuffle else "in order"
    for made in ("to_tf_dataset", "batches"):
        for dtype in outs:
            for rival in sorted({f"rasterize {dtype}", "rasterize uint8"}):
                name = f"{made} {dtype}"
                report(f"{name}, 1024, {order}", rates[name], f"{rival}, {order}", rates[rival], 0.7)


def test_fit(drawings: fastdraw.Drawings, images: np.ndarray) -> None:
    """Training a small model takes at most 5% longer than from the same images in memory."""
    some, x = drawings[:FIT], images[:FIT]
    y = np.arange(FIT) % 10  # the file has one category; any labels do

    def model() -> keras.Model:
        keras.utils.set_random_seed(0)
        made = keras.Sequential(
            [
                keras.Input((32, 32, 1)),
                keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
                keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(10),
            ]
        )
        made.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return made

    ours, theirs = model(), model()
    strokes = fastdraw.to_tf_dataset(some, 128, shuffle=True, seed=SEED, labels="int")
    memory = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(FIT).batch(128).prefetch(tf.data.AUTOTUNE)
    assert sum(float(tf.reduce_sum(batch)) for batch, _ in strokes) == x.sum(dtype=np.float64)
    arrays = model()
    runs: dict[str, Callable[[], object]] = {
        "strokes": lambda: ours.fit(strokes, verbose=0, shuffle=False),
        "dataset": lambda: theirs.fit(memory, verbose=0, shuffle=False),
        "arrays": lambda: arrays.fit(x, y, batch_size=128, verbose=0),
    }
    for run in runs.values():
        run()  # builds
    best = in_turn(runs, rounds=5)
    for rival in ("dataset", "arrays"):
        report(
            "fit, from to_tf_dataset", FIT / best["strokes"], f"fit, from {rival} in memory", FIT / best[rival], 0.95
        )


def test_memory(large: Path, tmp_path: Path) -> None:
    content = large.read_bytes()
    count = len(fastdraw.open_drawings(large))
    peaks = {}
    for drawings in (10**5, 10**6, 10**7):
        path = tmp_path / f"{drawings}.bin"
        if drawings < count:
            records, _ = fastdraw.open_drawings(large)[:drawings].records()
            path.write_bytes(records.tobytes())
        else:
            with open(path, "wb") as file:
                for _ in range(-(-drawings // count)):
                    file.write(content)
        fastdraw.open_drawings(path)  # writes the sidecar
        command = [sys.executable, "-c", MEMORY, str(path)]
        made = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout.split()
        peaks[int(made[0])] = int(made[1]) / 1024
        path.unlink()
    sizes = ", ".join(f"{count:,} drawings {peak:.0f} MiB" for count, peak in peaks.items())
    flat = max(peaks.values()) < 1.1 * min(peaks.values())
    note(f"peak memory of reading batches of 1,024, TensorFlow included: {sizes}; flat: {'met' if flat else 'MISSED'}")
