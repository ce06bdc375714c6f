"""What `fit` reads: loops over batches lose none of them and change no order."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit

IMAGES = np.random.default_rng(0).random((64, 8, 8, 1)).astype(np.float32)
BATCHES = [(IMAGES[start : start + 16],) for start in range(0, 64, 16)]


class Endless:
    """A loop that can begin again, of no length."""

    def __iter__(self) -> Any:
        return itertools.cycle(BATCHES)


class Sized(Endless):
    """The same, with an end and a length."""

    def __iter__(self) -> Any:
        return iter(BATCHES)

    def __len__(self) -> int:
        return 4


FEEDS: dict[str, Callable[[], Any]] = {
    "generator": lambda: (batch for batch in itertools.cycle(BATCHES)),
    "iterator": lambda: itertools.cycle(BATCHES),
    "map": lambda: map(tuple, itertools.cycle(BATCHES)),
    "loop": Endless,
    "sized": Sized,
}


def trained(feed: Any, **options: Any) -> list[float]:
    model = tiny_model(vaekit.AE)
    model.compile(keras.optimizers.Adam(1e-3))
    return model.fit(feed, epochs=2, shuffle=False, verbose=0, **options).history["loss"]


@pytest.mark.parametrize("name", FEEDS)
def test_loops_lose_no_batch(name: str) -> None:
    losses = trained(FEEDS[name](), **({} if name == "sized" else {"steps_per_epoch": 4}))
    assert losses == pytest.approx(trained(IMAGES, batch_size=16), rel=1e-5)


def test_a_run_takes_no_generator(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected batches with a length, which can be read again; received generator"):
        vaekit.train(tiny_model(vaekit.AE), (batch for batch in BATCHES), epochs=1, out=tmp_path, verbose=0)


class Parts(keras.utils.PyDataset):
    """Batches of some form, by number."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.images = np.zeros((4, 16, *shape), np.float32)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        return (self.images[index],)


@pytest.mark.slow
@pytest.mark.parametrize("feed", [Parts, lambda *shape: ((batch,) for batch in Parts(*shape).images)])
def test_batches_of_other_forms_may_follow(feed: Callable[..., Any]) -> None:
    model = tiny_model(vaekit.VAE)
    for shape in ((8, 8), (64,), (8, 8, 1), (8, 8)):
        history = model.fit(feed(*shape), steps_per_epoch=4, verbose=0, validation_data=feed(*shape)).history
        assert np.isfinite(history["loss"] + history["val_loss"]).all()
        assert model.predict(feed(*shape), verbose=0).shape == (64, 8, 8, 1)
        assert model.encode(feed(*shape)).shape == (64, 2)
    with pytest.raises(ValueError, match=r"expected images of \(8, 8, 1\)"):
        model.fit(feed(3, 8, 8), steps_per_epoch=4, verbose=0)
