"""Callbacks: beta by epoch, and what the pictures of an epoch show."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import vaekit
from vaekit import pictures
from vaekit.callbacks import KLWarmUp, Pictures

IMAGES = np.random.default_rng(0).random((16, 8, 8, 1)).astype(np.float32)


def make(kind: type = vaekit.VAE) -> vaekit.AE:
    keras.utils.set_random_seed(0)
    model = kind.for_images((8, 8, 1), 2, network="mlp", units=(8,))
    model.compile(keras.optimizers.Adam(1e-2))
    return model


class Watch(keras.callbacks.Callback):
    """Notes beta in each step of training and of validation."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, float]] = []

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.seen.append(("train", self.model.beta))

    def on_test_batch_end(self, batch: int, logs: object = None) -> None:
        self.seen.append(("test", self.model.beta))


def test_beta_rises_in_equal_steps_and_validation_has_all_of_it() -> None:
    model, watch = make(), Watch()
    warm_up = KLWarmUp(4, beta=2.0)
    fit = {"batch_size": 16, "verbose": 0, "validation_data": (IMAGES, None), "callbacks": [warm_up, watch]}
    history = model.fit(IMAGES, epochs=6, **fit).history
    betas = [beta for kind, beta in watch.seen if kind == "train"]
    np.testing.assert_allclose(betas, [0, 0.5, 1, 1.5, 2, 2])
    assert {beta for kind, beta in watch.seen if kind == "test"} == {2.0}
    # The loss that is minimised has that beta too, not only the attribute.
    for epoch, beta in enumerate(betas):
        total = history["reconstruction"][epoch] + beta * history["kl"][epoch]
        assert history["loss"][epoch] == pytest.approx(total, rel=1e-5)
        total = history["val_reconstruction"][epoch] + 2 * history["val_kl"][epoch]
        assert history["val_loss"][epoch] == pytest.approx(total, rel=0.05)  # the codes differ by chance
    assert model.beta == 2


def test_warm_up_goes_on_where_a_run_was(tmp_path: Path) -> None:
    for epochs in (2, 3):
        model, watch = make(), Watch()
        vaekit.train(model, IMAGES, epochs=epochs, out=tmp_path, verbose=0, callbacks=[KLWarmUp(4), watch])
    assert watch.seen == [("train", 0.5)]


def test_wrong_warm_ups_are_refused() -> None:
    with pytest.raises(ValueError, match="epochs to be 1 or more, received 0"):
        KLWarmUp(0)
    with pytest.raises(ValueError, match="beta to be 0 or more, received -1"):
        KLWarmUp(2, beta=-1)
    with pytest.raises(TypeError, match="a VAE or a CVAE, which have beta; received AE"):
        make(vaekit.AE).fit(IMAGES, verbose=0, callbacks=[KLWarmUp(2)])


def test_a_picture_after_each_epoch_shows_the_model_as_it_is_then(tmp_path: Path) -> None:
    model = make()
    folder = tmp_path / "new" / "pictures"
    model.fit(IMAGES, epochs=2, batch_size=4, verbose=0, callbacks=[Pictures(folder, IMAGES[:5])])
    assert sorted(path.name for path in folder.iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    first, second = (np.asarray(Image.open(path)) for path in sorted(folder.iterdir()))
    np.testing.assert_array_equal(second, pictures.progress(model, IMAGES[:5]))
    assert (first != second).any()
    # And training is none the worse for it.
    other = make()
    other.fit(IMAGES, epochs=2, batch_size=4, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
