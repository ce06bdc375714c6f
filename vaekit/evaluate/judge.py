"""A judge of images: a small network that names real drawings, and then stays as it is."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from vaekit import batched, inputs, layers
from vaekit.training.checkpoint import replacing

_FEATURES = 64
_BATCH = 128


class Judge:
    """Names the classes of images, and gives features of them in which distances mean something.

    A model must never be trained or chosen by a judge that then scores it.

    Parameters
    ----------
    network : keras.Model
        Images to (probabilities, features); `train` makes one.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> images, labels = drawings.rasterize(size=16), drawings.labels
    >>> judge = vaekit.evaluate.Judge.train(images, labels, steps=20)
    >>> judge.names(images).shape, judge.features(images).shape
    ((600,), (600, 64))
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network

    @classmethod
    def train(cls, images: Any, labels: Any, *, steps: int = 1500, seed: int = 0) -> Judge:
        """Train a convolutional network of about 100,000 weights. It sets Keras's random seed.

        On a processor the same call gives the same judge; on a GPU, torch sums in another order each time.

        Parameters
        ----------
        images : (N, height, width) or (N, height, width, channels) array
            Real images, uint8 or in 0..1.
        labels : (N,) array of int
            Each class from 0 on has images.
        steps : int
            Batches of 128 images to train on, about: whole epochs.
        seed : int

        Raises
        ------
        ValueError
            If there are not as many labels as images.

        Examples
        --------
        >>> judge = vaekit.evaluate.Judge.train(np.eye(16)[None].repeat(40, 0), np.arange(40) % 2, steps=1)
        >>> judge.network.output_shape
        [(None, 2), (None, 64)]
        """
        keras.utils.set_random_seed(seed)
        images = np.asarray(images)
        shape = (*images.shape[1:], 1)[:3]
        labels = inputs.labels(labels, int(np.max(labels)) + 1, len(images))
        given = keras.Input(images.shape[1:], dtype=images.dtype.name)
        x = layers.ToImages(shape)(given)
        for filters in (16, 32, 64):
            x = keras.layers.Conv2D(filters, 3, 2, "same", use_bias=False)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
        x = keras.layers.Dropout(0.3)(keras.layers.Flatten()(x))
        features = keras.layers.Dense(_FEATURES, "relu", name="features")(x)
        names = keras.layers.Dense(int(labels.max()) + 1, "softmax", name="names")(features)
        network = keras.Model(given, [names, features])
        per_epoch = -(-len(images) // _BATCH)
        epochs = -(-steps // per_epoch)
        rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * per_epoch)
        classifier = keras.Model(given, names)
        classifier.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        classifier.fit(images, labels, batch_size=_BATCH, epochs=epochs, verbose=0)
        return cls(network)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Judge:
        """The judge that `save` wrote.

        Raises
        ------
        ValueError
            If the file holds something else.

        Examples
        --------
        >>> judge = vaekit.evaluate.Judge.train(np.zeros((8, 16, 16)), np.arange(8) % 2, steps=1)
        >>> judge.save("judge.keras")
        >>> vaekit.evaluate.Judge.load("judge.keras").names(np.zeros((3, 16, 16))).shape
        (3,)
        """
        try:
            network = keras.models.load_model(path, compile=False)
        except (ValueError, TypeError, KeyError, zipfile.BadZipFile):
            network = None
        if len(getattr(network, "outputs", None) or []) != 2:
            raise ValueError(f"{os.fspath(path)}: expected a judge, received another model or a damaged file")
        return cls(network)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.keras`` file."""
        with replacing(Path(path)) as temporary:
            self.network.save(temporary)

    def names(self, images: Any) -> npt.NDArray[np.int64]:
        """The most probable class of each image: (N,) int64."""
        names: npt.NDArray[np.int64] = self._run(images)[0].argmax(axis=1)
        return names

    def features(self, images: Any) -> npt.NDArray[np.float32]:
        """Features of images: (N, 64) float32."""
        features: npt.NDArray[np.float32] = self._run(images)[1]
        return features

    def _run(self, images: Any) -> Any:
        shape = self.network.input_shape[1:]
        images = np.asarray(images)
        if images.dtype == np.uint8 and self.network.input.dtype != "uint8":
            images = images / np.float32(255)
        if images.dtype != np.uint8 and self.network.input.dtype == "uint8":
            images = np.rint(images * 255).astype(np.uint8)
        return batched.run_batched(self.network, "judge", self.network, images.reshape(-1, *shape))
