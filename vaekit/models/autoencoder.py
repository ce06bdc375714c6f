"""Autoencoders, composed of an encoder, a decoder and a rule for the code between them.

All are plain Keras models: ``compile``, ``fit``, ``evaluate``, ``predict``, ``save``. Images are floats in
0..1, (B, height, width, channels), or anything else that `vaekit.layers.ToImages` takes. Calling a model gives its
reconstructions in 0..1, without chance; chance, and labels that come as targets, belong to the loss.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from vaekit import losses, networks
from vaekit.batched import run_batched
from vaekit.layers import ToImages

Array = npt.NDArray[np.float32]


class _Mean(keras.losses.Loss):
    """Mean of numbers that are losses already; Keras adds sample weights and the scaling for several devices."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


def call_network(network: keras.Model, inputs: list[Any], training: bool) -> Any:
    return network(inputs if len(inputs) > 1 else inputs[0], training=training)


@keras.saving.register_keras_serializable("vaekit")
class AE(keras.Model):
    """Autoencoder: the code is what the encoder gives.

    Parameters
    ----------
    encoder : keras.Model
        Images to codes of any shape.
    decoder : keras.Model
        Codes to logits of the images.
    corruption : keras.layers.Layer, optional
        Damages the images that the encoder sees in training, such as ``keras.layers.GaussianNoise``,
        `vaekit.layers.SaltAndPepper` or `vaekit.layers.MaskSquares`; the loss looks at the clean ones. This makes any
        of the models a denoising one (Vincent et al., 2008).

    Notes
    -----
    ``loss`` is what is minimised, the mean over images; ``reconstruction`` is the Bernoulli cross-entropy in nats per
    image, whatever the loss is.
    """

    _measures: tuple[str, ...] = ("reconstruction",)  # names of the metrics

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        corruption: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.corruption = corruption
        self.to_images = ToImages(decoder.output_shape[1:])
        self._mean = _Mean(name="mean")
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._measures}
        self.built = True  # encoder and decoder have their shapes

    @classmethod
    def for_images(
        cls, image_shape: tuple[int, int, int], latent_dim: int = 64, *, network: str = "residual", **options: Any
    ) -> AE:
        """A model with networks of ours.

        Parameters
        ----------
        image_shape : tuple of int
            (height, width, channels).
        latent_dim : int
            Length of the code.
        network : {"residual", "mlp", "conv"}
            A builder in `vaekit.networks`.
        **options
            Of the model, or of the builder.
        """
        encoder, decoder, options = networks.build(network, image_shape, latent_dim, **options)
        head = keras.layers.Dense(latent_dim, dtype="float32", name="code")
        return cls(keras.Sequential([encoder, head], name="encoder"), decoder, **options)

    def call(self, inputs: Any) -> Any:
        # There is no ``training`` here on purpose: Keras calls a model before it asks for the loss, and in training
        # nothing of that call is used, so that it must be free of side effects for the compiler to drop it.
        return self._reconstruct(inputs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        images, *labels = self.inputs_of(x, y)
        seen = images if self.corruption is None else self.corruption(images, training=training)
        loss, measures = self._objective(images, [seen, *labels], labels, training)
        for name, values in measures.items():
            self._trackers[name].update_state(values)
        return self._mean(ops.zeros_like(loss), loss, sample_weight)

    def encode(self, x: Any) -> Array:
        """Codes of images: (N, ...) float32; of the models with a distribution, its mean."""
        return self._run("encode", lambda inputs: self._code(self.inputs_of(inputs)), x)

    def decode(self, z: Any) -> Array:
        """Images of codes: (N, height, width, channels) float32 in 0..1."""
        return self._run("decode", lambda z: ops.sigmoid(self.logits([z])), z)

    def reconstruct(self, x: Any) -> Array:
        """What the model makes of images: (N, height, width, channels) float32 in 0..1."""
        return self._run("reconstruct", self._reconstruct, x)

    def get_config(self) -> dict[str, Any]:
        parts = {"encoder": self.encoder, "decoder": self.decoder, "corruption": self.corruption}
        config = keras.layers.Layer.get_config(self)
        return config | {name: keras.saving.serialize_keras_object(part) for name, part in parts.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> AE:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("encoder", "decoder", "corruption")
        }
        return cls(**config | parts)

    def _run(self, name: str, function: Any, inputs: Any) -> Any:
        return run_batched(self, name, function, inputs)

    def inputs_of(self, x: Any, y: Any = None) -> list[Any]:
        """What the encoder takes, out of what `fit` is given: images, and in a CVAE rows of labels; all tensors."""
        return [self.to_images(x)]

    def _code(self, inputs: list[Any], training: bool = False) -> Any:
        return call_network(self.encoder, inputs, training)

    def logits(self, inputs: list[Any], training: bool = False) -> Any:
        """Logits of the images (B, height, width, channels) float32, of codes and in a CVAE rows of labels: tensors."""
        return ops.cast(call_network(self.decoder, inputs, training), "float32")

    def _reconstruct(self, inputs: Any) -> Any:
        images, *labels = self.inputs_of(inputs)
        return ops.sigmoid(self.logits([self._code([images, *labels]), *labels]))

    def _reconstruction_loss(self, images: Any, logits: Any) -> Any:
        """Loss of each image, as given to `compile`."""
        loss = self.loss or losses.bernoulli
        if not callable(loss):
            raise TypeError(f"expected loss to be a function of (images, logits) or a Keras loss, received {loss!r}")
        values = loss.call(images, logits) if isinstance(loss, keras.losses.Loss) else loss(images, logits)
        return ops.mean(ops.reshape(ops.cast(values, "float32"), (ops.shape(images)[0], -1)), axis=1)

    def _objective(self, images: Any, seen: list[Any], labels: list[Any], training: bool) -> tuple[Any, dict[str, Any]]:
        """Loss of each image, and each image's measures."""
        logits = self.logits([self._code(seen, training), *labels], training)
        return self._reconstruction_loss(images, logits), {"reconstruction": losses.bernoulli(images, logits)}
