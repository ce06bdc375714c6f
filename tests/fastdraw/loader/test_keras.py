"""Batches for Keras: those of `fastdraw.batches`, by number."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastdraw

keras = pytest.importorskip("keras")

OPTIONS: dict[str, Any] = {"size": 8, "labels": "int", "shuffle": True, "seed": 3}


def assert_equal(ours: list, expected: list) -> None:
    assert len(ours) == len(expected) > 0
    for one, other in zip(ours, expected, strict=True):
        for mine, theirs in zip(one, other if isinstance(other, tuple) else (other,), strict=True):
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        {**OPTIONS, "labels": "onehot", "shard": (1, 2), "augment": fastdraw.Augment(rotate=20, jitter=2)},
        {"packed": True, "drop_remainder": True},
        {**OPTIONS, "epochs": 2},
    ],
)
def test_batches_in_any_order(sample: Path, options: dict) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = list(fastdraw.batches(drawings, 64, **options))
    data = fastdraw.to_keras_dataset(drawings, 64, **options)
    assert_equal([data[i] for i in range(len(data))], expected)
    assert_equal([data[i] for i in reversed(range(len(data)))], expected[::-1])
    assert_equal([pickle.loads(pickle.dumps(data))[1]], [expected[1]])
    with pytest.raises(IndexError, match="expected the number of a batch"):
        data[len(data)]


def test_epochs_follow_each_other(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = list(fastdraw.batches(drawings, 200, epochs=2, **OPTIONS))
    data = fastdraw.to_keras_dataset(drawings, 200, **OPTIONS)
    first = [data[i] for i in range(3)]
    data.on_epoch_end()
    data[0]
    data.on_epoch_end()  # after a look at the shapes
    assert_equal(first + [data[i] for i in range(3)], expected)
    endless = fastdraw.to_keras_dataset(drawings, 200, epochs=None, **OPTIONS)
    endless.on_epoch_end()  # Keras reads on, with larger numbers
    assert_equal([endless[i] for i in range(6)], expected)
    assert endless.num_batches is None


@pytest.mark.slow
def test_fit_and_train_resume_on_the_same_batches(sample: Path, tmp_path: Path) -> None:
    vaekit = pytest.importorskip("vaekit")
    from models import tiny_model

    drawings = fastdraw.open_drawings(sample)

    def fit(feed: Any) -> list[float]:
        return tiny_model(vaekit.CVAE).fit(feed, epochs=2, shuffle=False, verbose=0).history["loss"]

    data = fastdraw.to_keras_dataset(drawings, 200, **OPTIONS)
    assert fit(data) == pytest.approx(fit(fastdraw.batches(drawings, 200, **OPTIONS)), rel=1e-5)
    assert data.epoch == 2

    def train(out: str, epochs: int) -> Any:
        data = fastdraw.to_keras_dataset(drawings, 200, **OPTIONS)
        return vaekit.train(tiny_model(vaekit.CVAE), data, epochs=epochs, out=tmp_path / out, verbose=0)

    train("parts", 1)
    assert train("parts", 2) == train("whole", 2)
