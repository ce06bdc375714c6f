"""Checkpoints within an epoch: what a kill costs, and that the resumed run is the uninterrupted one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from models import tiny_model

import fastdraw
import vaekit

IMAGES = np.random.default_rng(0).integers(0, 256, (100, 8, 8)).astype(np.uint8)
OPTIONS: dict[str, Any] = {"size": 8, "style": "line", "shuffle": True, "seed": 1}


def torch_loader(drawings: Any) -> Any:
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(fastdraw.to_torch_dataset(drawings, 16, **OPTIONS), batch_size=None)


FEEDS: dict[str, Callable[[Any], Any]] = {
    "arrays": lambda drawings: IMAGES,
    "batches": lambda drawings: fastdraw.batches(drawings, 16, **OPTIONS),
    "passes of two epochs": lambda drawings: fastdraw.batches(drawings, 32, epochs=2, **OPTIONS),
    "keras": lambda drawings: fastdraw.to_keras_dataset(drawings, 16, **OPTIONS),
    "resident": lambda drawings: fastdraw.resident(drawings, 16, **OPTIONS),
    "torch": torch_loader,
}


class Interrupt(keras.callbacks.Callback):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.steps -= 1
        if not self.steps:
            raise KeyboardInterrupt


def train(out: Path, data: Any, **options: Any) -> tuple[Any, Any]:
    model = tiny_model(vaekit.VAE, corruption=vaekit.layers.SaltAndPepper(0.1))
    options = {"epochs": 2, "batch_size": 16, "verbose": 0} | options
    return model, vaekit.train(model, data, out=out, **options)


@pytest.mark.parametrize("name", FEEDS)
def test_a_run_resumes_within_an_epoch(tmp_path: Path, sample: Path, name: str) -> None:
    drawings = fastdraw.open_drawings(sample)[::6]
    whole, history = train(tmp_path / "whole", FEEDS[name](drawings))
    out = tmp_path / "parts"
    with pytest.raises(KeyboardInterrupt):  # at step 5 of the first epoch; the second is resumed, too
        train(out, FEEDS[name](drawings), checkpoint_every=3, callbacks=[Interrupt(5)])
    assert [path.name for path in out.iterdir()] == ["last.keras"]
    resumed, again = train(out, FEEDS[name](drawings))
    assert again == history
    for ours, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_schedules_and_counts_are_resumed(tmp_path: Path) -> None:
    def callbacks() -> list[keras.callbacks.Callback]:
        return [
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
            keras.callbacks.ReduceLROnPlateau("loss", min_delta=1e9, patience=2),
        ]

    _, history = train(tmp_path / "whole", IMAGES, epochs=4, callbacks=callbacks())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", IMAGES, epochs=4, checkpoint_every=3, callbacks=[*callbacks(), Interrupt(7 + 5)])
    assert train(tmp_path / "parts", IMAGES, epochs=4, callbacks=callbacks())[1] == history


def test_an_interrupt_while_saving_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(self: Any, path: Path, *args: Any, **kwargs: Any) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(vaekit.VAE, "save", save)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, IMAGES, epochs=1)
    assert list(tmp_path.glob(".*")) == []


def test_data_without_a_position_are_rejected(tmp_path: Path) -> None:
    class Batches:
        def __iter__(self) -> Any:
            return iter([(IMAGES,)])

        def __len__(self) -> int:
            return 1

    with pytest.raises(ValueError, match="expected data whose position can be saved, for checkpoint_every"):
        train(tmp_path, Batches(), checkpoint_every=1)
    with pytest.raises(ValueError, match="expected checkpoint_every to be 1 or more, received 0"):
        train(tmp_path, IMAGES, checkpoint_every=0)


def test_the_best_model_has_the_averages_that_were_evaluated(tmp_path: Path) -> None:
    model = tiny_model(vaekit.AE)
    model.compile(keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9))
    history = vaekit.train(model, IMAGES, validation=IMAGES, epochs=2, out=tmp_path, verbose=0)
    best = keras.models.load_model(tmp_path / "best.keras")
    measured = best.evaluate(IMAGES, verbose=0, return_dict=True)["loss"]
    assert measured == pytest.approx(min(history["val_loss"]), rel=1e-5)


def test_the_best_epoch_is_one_of_the_same_beta_and_finite(tmp_path: Path) -> None:
    class Beta(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.model.beta = float(min(epoch, 2))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["loss"] = [1.0, 2.0, 9.0, np.nan, 10.0][epoch]

    train(tmp_path, IMAGES, epochs=5, batch_size=100, callbacks=[Beta()])
    best = keras.models.load_model(tmp_path / "best.keras")
    assert int(best.optimizer.iterations) == 3
