"""Callbacks for ``fit`` and `vaekit.train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import keras

from vaekit import pictures
from vaekit.models import VAE


class KLWarmUp(keras.callbacks.Callback):
    """Raises a VAE's ``beta`` from 0 in equal steps (KL warm-up), so that latents are used before they cost anything.

    Bowman et al., "Generating Sentences from a Continuous Space" (2016), section 3.1.

    Validation uses the final ``beta`` in all epochs, so that validation losses can be compared. Without validation
    data, do not pass ``patience`` to `vaekit.train`: the training loss grows with ``beta``.

    Parameters
    ----------
    epochs : int
        Length of the warm-up: ``beta`` is 0 in the first epoch, and has its final value after this many epochs.
    beta : float
        Final value.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> model.compile("adam")
    >>> warm_up = vaekit.callbacks.KLWarmUp(epochs=4)
    >>> history = model.fit(np.zeros((32, 8, 8)), epochs=3, callbacks=[warm_up], verbose=0)
    >>> model.beta
    0.5
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
            raise TypeError(f"expected a VAE or a CVAE, which have beta; received {type(self.model).__name__}")

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._current = self.beta * min(1.0, epoch / self.epochs)
        self.model.beta = self._current

    def on_test_begin(self, logs: Any = None) -> None:
        self.model.beta = self.beta

    def on_test_end(self, logs: Any = None) -> None:
        self.model.beta = self._current


class Pictures(keras.callbacks.Callback):
    """Saves a picture of reconstructions and samples after each epoch, made by `vaekit.pictures.progress`.

    Parameters
    ----------
    folder : path
        Gets ``epoch-0001.png`` and so on; made if it does not exist.
    images : array
        A few images to reconstruct.
    labels : array, optional
        Their labels, for a `CVAE`.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw")[:64].rasterize()
    >>> model = vaekit.VAE.for_images((32, 32, 1), 2, network="mlp", units=(16,))
    >>> model.compile("adam")
    >>> history = model.fit(images, callbacks=[vaekit.callbacks.Pictures("progress", images[:4])], verbose=0)
    >>> import os
    >>> os.listdir("progress")
    ['epoch-0001.png']
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
