"""Callbacks for ``fit`` and `vaekit.train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from vaekit import pictures
from vaekit.models import VAE


class KLWarmUp(keras.callbacks.Callback):
    """Raises ``beta`` of a VAE in equal steps from 0, so that the latents are of use before they cost anything.

    Validation is measured with the full ``beta`` from the first epoch on: its losses can be compared, and the best
    model is not one of the cheap first epochs. Without validation, give `vaekit.train` no ``patience``, for the
    training loss grows with ``beta``.

    Bowman et al., "Generating Sentences from a Continuous Space" (2016), section 3.1.

    Parameters
    ----------
    epochs : int
        Over which it rises: it is 0 in the first of them, and full in the first after them.
    beta : float
        The full one.
    """

    def __init__(self, epochs: int, beta: float = 1.0) -> None:
        super().__init__()
        if epochs < 1:
            raise ValueError(f"expected epochs to be 1 or more, received {epochs}")
        if beta < 0:
            raise ValueError(f"expected beta to be 0 or more, received {beta}")
        self.epochs = epochs
        self.beta = beta
        self._current = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        if not isinstance(self.model, VAE):
            raise TypeError(f"expected a model with beta, a VAE or a CVAE; received {type(self.model).__name__}")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._current = self.beta * min(1.0, epoch / self.epochs)
        self.model.beta = self._current

    def on_test_begin(self, logs: Any = None) -> None:
        self.model.beta = self.beta

    def on_test_end(self, logs: Any = None) -> None:
        self.model.beta = self._current


class Pictures(keras.callbacks.Callback):
    """Saves a picture after each epoch, ``epoch-0001.png`` and on, made by `vaekit.pictures.progress`.

    Parameters
    ----------
    folder : path
        Made where it does not exist.
    images : array
        A few, always the same.
    labels : array, optional
        Theirs, for a `CVAE`.
    """

    def __init__(self, folder: str | os.PathLike[str], images: Any, labels: Any = None) -> None:
        super().__init__()
        self.folder = Path(folder)
        self.images = images
        self.labels = labels

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        picture = pictures.progress(self.model, self.images, labels=self.labels)
        pictures.save(picture, self.folder / f"epoch-{epoch + 1:04d}.png")
