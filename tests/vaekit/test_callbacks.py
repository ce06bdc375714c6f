"""Callbacks: beta of each epoch, and the picture after each epoch."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model
from PIL import Image

import vaekit
from vaekit import pictures
from vaekit.callbacks import KLWarmUp, Pictures

IMAGES = np.random.default_rng(0).random((16, 8, 8, 1)).astype(np.float32)


def make(kind: type[vaekit.AE] = vaekit.VAE) -> vaekit.AE:
    model = tiny_model(kind)
    model.compile(keras.optimizers.Adam(1e-2))
    return model


class Watch(keras.callbacks.Callback):
    """Records beta in each step of training and validation."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, float]] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.seen.append(("train", self.model.beta))

    def on_test_batch_end(self, batch: int, logs: object = None) -> None:
        self.seen.append(("test", self.model.beta))


def test_beta_rises_in_equal_steps_and_is_final_in_validation() -> None:
    model, watch = make(), Watch()
    warm_up = KLWarmUp(4, beta=2.0)
    fit = {"batch_size": 16, "verbose": 0, "validation_data": (IMAGES, None), "callbacks": [warm_up, watch]}
    history = model.fit(IMAGES, epochs=6, **fit).history
    betas = [beta for kind, beta in watch.seen if kind == "train"]
    np.testing.assert_allclose(betas, [0, 0.5, 1, 1.5, 2, 2])
    assert {beta for kind, beta in watch.seen if kind == "test"} == {2.0}
    # Not only the attribute has that beta, but the loss that is minimised.
    for epoch, beta in enumerate(betas):
        total = history["reconstruction"][epoch] + beta * history["kl"][epoch]
        assert history["loss"][epoch] == pytest.approx(total, rel=1e-5)
        total = history["val_reconstruction"][epoch] + 2 * history["val_kl"][epoch]
        assert history["val_loss"][epoch] == pytest.approx(total, rel=0.05)  # codes are random
    assert model.beta == 2


def test_a_resumed_run_resumes_the_warm_up(tmp_path: Path) -> None:
    for epochs in (2, 3):
        model, watch = make(), Watch()
        vaekit.train(model, IMAGES, epochs=epochs, out=tmp_path, verbose=0, callbacks=[KLWarmUp(4), watch])
    assert watch.seen == [("train", 0.5)]


def test_wrong_warm_ups_are_rejected() -> None:
    with pytest.raises(ValueError, match="epochs to be 1 or more, received 0"):
        KLWarmUp(0)
    with pytest.raises(ValueError, match="beta to be 0 or more, received -1"):
        KLWarmUp(2, beta=-1)
    with pytest.raises(TypeError, match="a VAE or a CVAE, which have beta; received AE"):
        make(vaekit.AE).fit(IMAGES, verbose=0, callbacks=[KLWarmUp(2)])


def test_a_picture_shows_the_model_after_its_epoch(tmp_path: Path) -> None:
    model = make()
    folder = tmp_path / "new" / "pictures"
    model.fit(IMAGES, epochs=2, batch_size=4, verbose=0, callbacks=[Pictures(folder, IMAGES[:5])])
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    first, second = (np.asarray(Image.open(path)) for path in sorted(folder.iterdir()))
    np.testing.assert_array_equal(second, pictures.progress(model, IMAGES[:5]))
    assert (first != second).any()
    # Training does not change by it.
    other = make()
    other.fit(IMAGES, epochs=2, batch_size=4, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
