"""The part of ``fastdraw demo`` that trains a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from fastdraw import Drawings, batches
from vaekit import pictures, training
from vaekit.models import CVAE

_LATENTS, _EPOCHS = 8, 10


def train(drawings: Drawings, folder: Path, say: Callable[[str], object]) -> None:
    """Train a `CVAE` on drawings and save pictures of its reconstructions and samples.

    Parameters
    ----------
    drawings : Drawings
    folder : path
        Receives ``cvae/``, ``reconstructions.png`` and ``samples.png``.
    say : callable
        Called with each line of text.
    """
    some, held_out, _ = drawings.split(validation=0.1, test=0.0)
    data = batches(some, 128, labels="int", shuffle=True, seed=0)
    images, labels = held_out.rasterize(), held_out.labels
    keras.utils.set_random_seed(0)
    model = CVAE.for_images((32, 32, 1), _LATENTS, num_classes=len(drawings.categories), units=256)
    began = time.perf_counter()
    training.train(model, data, validation=(images, labels), epochs=_EPOCHS, out=folder / "cvae", verbose=0, seed=0)
    seconds = time.perf_counter() - began
    losses = training.read_history(folder / "cvae" / "history.csv")["val_loss"]
    say(
        f"{model.count_params():,} parameters, {_EPOCHS} epochs in {seconds:.0f} s, including compilation: "
        f"from {losses[0]:.0f} to {losses[-1]:.0f} nats/image on held-out drawings"
    )
    model.fit_prior(some.rasterize(), some.labels)
    shown = np.random.default_rng(0).permutation(len(images))[:25]
    made = pictures.reconstructions(model, images[shown], labels[shown])
    pictures.save(made, folder / "reconstructions.png", zoom=2)
    # In a minute the model learns smooth greys; as ink they are easier to recognise.
    pictures.save(pictures.samples(model, names=drawings.categories, inked=True), folder / "samples.png", zoom=2)
