"""Batches made on the device: those of `fastdraw.batches`, on the backend at hand."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastdraw
from fastdraw.kernels.hashing import key
from fastdraw.kernels.order import permute

keras = pytest.importorskip("keras")
vaekit = pytest.importorskip("vaekit")


@pytest.fixture
def drawings(sample: Path) -> fastdraw.Drawings:
    return fastdraw.open_drawings(sample)


def arrays(batch: Any) -> tuple[np.ndarray, ...]:
    """A batch as arrays, with labels as int64, which JAX makes int32."""
    made = [keras.ops.convert_to_numpy(x) for x in (batch if isinstance(batch, tuple) else (batch,))]
    return tuple(array.astype(np.int64) if array.dtype == np.int32 else array for array in made)


def assert_equal(batches: list, expected: list) -> None:
    assert len(batches) == len(expected) > 0
    for one, other in zip(batches, expected, strict=True):
        for mine, theirs in zip(arrays(one), arrays(other), strict=True):
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("batch_size", "options"),
    [
        (64, {}),
        (64, {"shuffle": True, "seed": 1}),
        (7, {"shuffle": True, "seed": 2**32 - 1, "labels": "int", "shard": (1, 2)}),
        (64, {"shuffle": True, "seed": 3, "labels": "onehot", "drop_remainder": True}),
        (100, {"size": 28, "style": "line", "invert": True, "labels": "int", "shard": (2, 3)}),
        (600, {"shuffle": True, "seed": 0}),
        (1000, {"line_width": 1}),
        (3, {"shuffle": True, "seed": 5}),  # more than one call makes
    ],
)
def test_batches_of_three_epochs(drawings: fastdraw.Drawings, batch_size: int, options: dict) -> None:
    feed = fastdraw.resident(drawings, batch_size, **options)
    expected = list(fastdraw.batches(drawings, batch_size, packed=True, epochs=3, **options))
    assert_equal([batch for _ in range(3) for batch in feed], expected)
    assert len(feed) * 3 == len(expected)


MEMORY = """
import keras, numpy as np, resource
from fastdraw.loader.on_device import Table, _gather

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3

small, piece = Table(1000, 128, False), np.ones((1 << 16, 128), np.uint8)
small.write(0, piece[:1000], None)
before = peak()
table = Table(40 << 16, 128, False)  # 336 MB
for start in range(0, 40 << 16, 1 << 16):
    table.write(start, piece, None)
assert keras.ops.convert_to_numpy(_gather(table.rows, np.array([0, (40 << 16) - 1]))).all()
print(peak() - before)
"""


@pytest.mark.slow
def test_the_host_keeps_images_once() -> None:
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.2 * 336


def test_rasters_are_read(drawings: fastdraw.Drawings, sample: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(sample, tmp_path / "rasters")
    rasters = fastdraw.open_rasters(tmp_path / "rasters")
    options = {"shuffle": True, "seed": 0, "labels": "int"}
    assert_equal(list(fastdraw.resident(rasters, 50, **options)), list(fastdraw.resident(drawings, 50, **options)))


@pytest.mark.parametrize("cut", [0, 1, 5, 8, 9])
def test_a_run_moves_between_the_two_in_mid_epoch(drawings: fastdraw.Drawings, cut: int) -> None:
    options: Any = {"shuffle": True, "seed": 4, "labels": "int"}
    whole = list(fastdraw.batches(drawings, 64, packed=True, epochs=2, **options))
    feed = fastdraw.resident(drawings, 64, **options)
    begun = list(islice(feed, cut))
    other = fastdraw.batches(drawings, 64, packed=True, epochs=2, labels="int", shuffle=True)
    other.load_state_dict(feed.state_dict())
    assert_equal(begun + list(other), whole)

    other = fastdraw.batches(drawings, 64, packed=True, epochs=2, **options)
    begun = list(islice(other, cut))
    feed = fastdraw.resident(drawings, 64, labels="int", shuffle=True)
    feed.load_state_dict(other.state_dict())
    assert_equal([*begun, *feed, *feed], whole)


def test_an_iterator_that_is_dropped_yields_its_batches_again(drawings: fastdraw.Drawings) -> None:
    feed = fastdraw.resident(drawings, 64, shuffle=True, seed=0)
    first = next(iter(feed))
    assert_equal([next(iter(feed))], [first])
    assert feed.state_dict()["batch"] == 1


def test_states_and_arguments_that_do_not_fit(drawings: fastdraw.Drawings) -> None:
    feed = fastdraw.resident(drawings, 64)
    with pytest.raises(ValueError, match="expected the state of batches like these"):
        feed.load_state_dict({**feed.state_dict(), "drawings": 601})
    with pytest.raises(ValueError, match="expected a style without greys"):
        fastdraw.resident(drawings, 64, style="google")
    with pytest.raises(TypeError, match="expected options among"):
        fastdraw.resident(drawings, 64, augment=None)


def test_progress(drawings: fastdraw.Drawings) -> None:
    calls: list[tuple[str, int, int]] = []
    fastdraw.resident(drawings, 64, progress=lambda *call: calls.append(call))
    assert calls == [("resident", 600, 600)]


@pytest.mark.parametrize("count", [1, 2, 511, 513, 1024, 1025, 50_426_266, 2**31 - 1])
def test_order_on_the_device_is_that_of_the_kernel(count: int) -> None:
    from fastdraw.loader.on_device import round_keys

    places = np.unique(np.linspace(0, count - 1, 300).astype(np.int64))
    expected = np.empty(len(places), np.int64)
    permute(key(7, 2, 0), count, places, expected)
    np.testing.assert_array_equal(order(places, round_keys(7, 2), count), expected)


def order(places: np.ndarray, keys: np.ndarray, count: int) -> np.ndarray:
    from fastdraw.loader import on_device

    def permute(places: Any, keys: Any) -> Any:
        return on_device.permute(places, keys, count)

    if on_device.BACKEND == "jax":
        import jax

        with on_device._int64():
            return np.asarray(jax.jit(permute)(places, keys))
    if on_device.BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(permute, autograph=False)(places, keys).numpy()
    return permute(*map(keras.ops.convert_to_tensor, (places, keys))).numpy()


def model() -> Any:
    keras.utils.set_random_seed(0)
    made = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
    made.compile("adam")
    return made


def test_fit_trains_as_on_the_same_batches(drawings: fastdraw.Drawings) -> None:
    options: Any = {"size": 8, "shuffle": True, "seed": 0, "labels": "int"}
    feed = fastdraw.resident(drawings, 250, **options)
    losses = model().fit(feed, epochs=2, verbose=0).history["loss"]
    assert feed.state_dict()["epoch"] == 2
    expected = (batch for batch in fastdraw.batches(drawings, 250, packed=True, epochs=2, **options))
    np.testing.assert_allclose(
        losses, model().fit(expected, epochs=2, steps_per_epoch=3, verbose=0).history["loss"], rtol=1e-5
    )


@pytest.mark.slow
def test_train_resumes_it(drawings: fastdraw.Drawings, tmp_path: Path) -> None:
    def feed() -> Any:
        return fastdraw.resident(drawings, 200, size=8, shuffle=True, seed=0, labels="int")

    whole = vaekit.train(model(), feed(), epochs=3, out=tmp_path / "whole", verbose=0)
    vaekit.train(model(), feed(), epochs=1, out=tmp_path / "cut", verbose=0)
    assert vaekit.train(model(), feed(), epochs=3, out=tmp_path / "cut", verbose=0) == whole


def test_what_does_not_fit_is_refused(drawings: fastdraw.Drawings, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastdraw.loader import on_device

    room = on_device._room()
    assert room is None or room > 2**28
    monkeypatch.setattr(on_device, "_room", lambda: 70_000)
    message = r"expected room for 600 drawings of 128 bytes on the device, 0\.000 GB; received 0\.000 GB: take fewer"
    with pytest.raises(MemoryError, match=message):
        fastdraw.resident(drawings, 64)
    assert len(fastdraw.resident(drawings[:500], 100)) == 5


def test_planes_are_refused(drawings: fastdraw.Drawings, sample: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="received 'channels'"):
        fastdraw.resident(drawings, 50, channels=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="expected channels=1 with packed"):
        fastdraw.resident(fastdraw.rasterize_files(sample, tmp_path, channels=3), 50)
