"""The autoencoder, and what all models share."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, Self

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from vaekit import batched, layers, likelihoods, losses, networks
from vaekit.models import parts, watch
from vaekit.models.checked import CheckedModel
from vaekit.models.exported import Exported
from vaekit.models.objectives import Objective, Reconstruction
from vaekit.models.presets import find_preset
from vaekit.networks.parts import Layered

Array = npt.NDArray[np.float32]

_PARTS = ("encoder", "decoder", "corruption", "objective", "binarization")  # Keras objects in a model's config


class _Mean(keras.losses.Loss):
    """Mean of values that are losses already; Keras adds sample weights and the scaling for several devices."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


def call_network(network: keras.Model, inputs: list[Any], training: bool) -> Any:
    return network(inputs if len(inputs) > 1 else inputs[0], training=training)


@keras.saving.register_keras_serializable("vaekit")
class AE(CheckedModel):
    """Autoencoder: the encoder's output is the code.

    It is a plain Keras model: ``compile``, ``fit``, ``evaluate``, ``predict``, ``save``. Images are floats in 0..1,
    (B, height, width, channels), or anything else that `vaekit.layers.ToImages` takes. Calling a model gives
    reconstructions in 0..1 and is deterministic. Random numbers, and labels given as targets, are for the loss alone.

    Parameters
    ----------
    encoder : keras.Model
        Images to codes of any shape.
    decoder : keras.Model
        Codes to logits of the images.
    corruption : keras.layers.Layer, optional
        Pass one for a denoising variant (Vincent et al., 2008): it corrupts the images that the encoder sees in
        training, and the loss compares with the clean ones. For example ``keras.layers.GaussianNoise``,
        `vaekit.layers.SaltAndPepper` or `vaekit.layers.MaskSquares`.
    objective : vaekit.models.Objective, optional
        What to minimise; `vaekit.models.Reconstruction` by default.
    binarization : keras.layers.Layer, optional
        `vaekit.layers.Binarize` draws black-and-white images from grey ones, anew for each batch: the loss is of these,
        and the encoder sees them. So it is in `evaluate` and in validation; `vaekit.evaluate` draws them once, with a
        seed. Other methods take images as they are.

    Notes
    -----
    The metric ``loss`` is what is minimised, the mean over images. ``reconstruction`` is the Bernoulli cross-entropy in
    nats/image, whatever the loss is; or the negative log-likelihood, if the loss is one of `vaekit.likelihoods`.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw")[:64].rasterize()
    >>> model = vaekit.AE.for_images((32, 32, 1), 4, network="mlp", units=(16,))
    >>> model.compile("adam")
    >>> sorted(model.fit(images, epochs=2, verbose=0).history)
    ['loss', 'reconstruction']
    >>> model.encode(images).shape, model.reconstruct(images).shape
    ((64, 4), (64, 32, 32, 1))
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        corruption: keras.layers.Layer | None = None,
        objective: Objective | None = None,
        binarization: keras.layers.Layer | None = None,
        **kwargs: Any,
    ) -> None:
        for name, layer in (("corruption", corruption), ("binarization", binarization)):
            if not (layer is None or isinstance(layer, keras.layers.Layer)):
                raise TypeError(f"expected {name} to be a layer, as of vaekit.layers; received {layer!r}")
        shapes = kwargs.pop("_shapes", None) or parts.shapes(encoder, decoder)
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.corruption = corruption
        self.binarization = binarization
        self._objective = Reconstruction() if objective is None else objective
        self._code_shape, image_shape = shapes
        self.to_images = layers.ToImages(image_shape)
        self._mean = _Mean(name="mean")
        self._only_loss = False
        self._seen: Any = None  # in a step with target images, what the encoder sees of them
        self._trackers = {name: keras.metrics.Mean(name=name) for name in self._objective.measures}
        self.built = True  # encoder and decoder have their shapes

    @property
    def objective(self) -> str | Objective:
        """What the model minimises."""
        return self._objective

    @classmethod
    def for_images(
        cls, image_shape: tuple[int, int, int], latent_dim: int = 64, *, network: str = "residual", **options: Any
    ) -> AE:
        """A model with networks of vaekit.

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

        Examples
        --------
        >>> noise = vaekit.layers.SaltAndPepper(0.1)
        >>> model = vaekit.AE.for_images((28, 28, 1), 4, network="mlp", units=(16,), corruption=noise)
        >>> model.decode(np.zeros((3, 4))).shape
        (3, 28, 28, 1)
        """
        if network in ("ladder", "two_layers"):
            raise ValueError(f"expected network to be one of residual, mlp and conv; {network} is for a VAE or a CVAE")
        encoder, decoder, options = networks.build(network, image_shape, latent_dim, **options)
        head = keras.layers.Dense(latent_dim, dtype="float32", name="code")
        return cls(keras.Sequential([encoder, head], name="encoder"), decoder, **options)

    @classmethod
    def from_preset(cls, preset: str | os.PathLike[str], *, sha256: str | None = None) -> Self:
        """A trained model, not compiled.

        Parameters
        ----------
        preset : str or path
            ``"real7"``, a ``.keras`` file, the folder of a run, or the address of a ``.keras`` file, which Keras keeps
            in its cache. ``"real7"`` is a `CVAE` for 32x32 pixels in style ``pillow``; its classes are backpack, car,
            eye, mouth, power outlet, shoe and sun. Made from Quick, Draw! by Google (CC BY 4.0).
        sha256 : str, optional
            Of the file, in hexadecimal digits.

        Raises
        ------
        ValueError
            If the file has another checksum, or has another kind of model.
        FileNotFoundError
            If there is no such file or folder.

        Examples
        --------
        >>> model = vaekit.CVAE.from_preset("real7")
        >>> model.sample(2, seed=0, labels=1).shape  # two cars
        (2, 32, 32, 1)
        """
        path = find_preset(preset, sha256)
        if not zipfile.is_zipfile(path):
            raise ValueError(f"{path}: expected a .keras file, received something else or a damaged file")
        model = keras.models.load_model(path, compile=False)
        if not isinstance(model, cls):
            raise ValueError(f"{path}: expected a {cls.__name__}, received a model of {type(model).__name__}")
        return model

    def call(self, inputs: Any) -> Any:
        # No ``training`` argument, on purpose: a call has no side effects.
        return None if self._only_loss else self._reconstruct(inputs)

    def train_step(self, *args: Any) -> Any:
        return self._without_call(super().train_step, *args)

    def test_step(self, *args: Any) -> Any:
        return self._without_call(super().test_step, *args)

    def _without_call(self, step: Callable[..., Any], *args: Any) -> Any:
        """Take a step of Keras, which calls the model before it computes the loss, for metrics that compare outputs."""
        self._only_loss = self._compile_metrics is None
        try:
            return step(*args)
        finally:
            self._only_loss = False

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        images, *labels = self.inputs_of(x, y)
        target = self._target_of(x, y)
        right = watch.are_right(images, target, *labels)
        if self.binarization is not None:
            images, target = self.binarization(images), None if target is None else self.binarization(target)
        self._seen = None if target is None else images
        try:
            with self._collected() as extras:
                loss, measures = self._objective(self, images if target is None else target, labels, training)
        finally:
            self._seen = None
        if measures.keys() != self._trackers.keys():
            raise ValueError(
                f"{type(self._objective).__name__}: expected the measures that its attribute `measures` names, "
                f"{sorted(self._trackers)}; received {sorted(measures)}"
            )
        for name, values in measures.items():
            self._trackers[name].update_state(values)
        total = self._mean_of(loss, sample_weight)
        # regularisers, activity regularisers and add_loss
        for extra in (*extras, *self.encoder.losses, *self.decoder.losses):
            total = total + ops.sum(ops.cast(extra, "float32"))
        return watch.loss_if(right, total)

    @contextlib.contextmanager
    def _collected(self) -> Iterator[list[Any]]:
        """A list of what layers pass to `add_loss` in the block, on JAX: Keras drops it there in a loss."""
        if keras.backend.backend() != "jax":
            yield []
            return
        changed = self.non_trainable_variables
        with keras.StatelessScope([(v, v.value) for v in (*self.trainable_variables, *changed)], True) as scope:
            yield scope.losses
        for variable in changed:
            variable.assign(scope.get_current_value(variable))

    def _mean_of(self, loss: Any, sample_weight: Any) -> Any:
        if sample_weight is None and keras.backend.backend() != "tensorflow":
            return ops.mean(loss)
        return self._mean(ops.zeros_like(loss), loss, sample_weight)  # on TensorFlow it knows how many replicas share

    def encode(self, x: Any) -> Array:
        """Codes of images: (N, ...) float32. In a VAE the code is the mean of the posterior.

        Examples
        --------
        >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> model.encode(np.zeros((5, 8, 8))).shape
        (5, 2)
        """
        return watch.run_on_images(self, "encode", lambda given: self.codes(self.inputs_of(given)), x)

    def decode(self, z: Any) -> Array:
        """Images of codes: (N, height, width, channels) float32 in 0..1.

        Examples
        --------
        >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> model.decode(np.eye(2)).shape
        (2, 8, 8, 1)
        """
        return self._run("decode", lambda z: self.means(self.logits([z])), self._codes_checked(z))

    def reconstruct(self, x: Any) -> Array:
        """Images encoded and decoded: (N, height, width, channels) float32 in 0..1.

        Examples
        --------
        >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> images = np.zeros((5, 8, 8))
        >>> np.allclose(model.reconstruct(images), model.decode(model.encode(images)), atol=1e-6)
        True
        """
        return watch.run_on_images(self, "reconstruct", self._reconstruct, x)

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        *,
        part: str = "model",
        **options: Any,
    ) -> None:
        """As ``keras.Model.export``, for use without vaekit.

        Images are float32 (B, height, width, channels) in 0..1, not checked. A `CVAE` takes rows of labels besides,
        (B, num_classes) float32. A program of torch takes tensors on the kind of device that it was exported on.

        Parameters
        ----------
        filepath : str or path
        format : str
            ``"tf_saved_model"``, ``"onnx"``, ``"litert"`` (TFLite), or another one of Keras, where the backend has it.
        verbose : bool, optional
        part : {"model", "encoder", "decoder"}
            Images to reconstructions, images to codes (in a VAE, means), or codes to images.
        **options
            Of the format.

        Raises
        ------
        ModuleNotFoundError
            If the format needs a package that is not installed.

        Examples
        --------
        >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> model.export("decoder.tflite", "litert", part="decoder", verbose=False)
        """
        try:
            Exported(self, part).export(filepath, format, verbose, **options)
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"expected the package {error.name} to export to {format}: pip install {error.name}", name=error.name
            ) from error

    def quantize(self, mode: str | None = None, **options: Any) -> None:
        """As ``keras.Model.quantize``, for encoder and decoder. The model can be saved and loaded, not trained.

        Parameters
        ----------
        mode : str, optional
            Such as ``"int8"``.
        **options

        Raises
        ------
        ValueError
            With the network ``ladder`` or ``two_layers``, or if Keras has no such mode.

        Examples
        --------
        >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> model.quantize("int8")
        >>> model.encode(np.zeros((5, 8, 8))).shape
        (5, 2)
        """
        if isinstance(self.decoder, Layered):
            raise ValueError(
                "expected a network other than ladder and two_layers to quantize: its file would not keep the weights"
            )
        for network in (self.encoder, self.decoder):
            network.quantize(mode, **options)
        batched.forget(self)
        self.train_function = self.test_function = self.predict_function = None

    def get_config(self) -> dict[str, Any]:
        config = keras.layers.Layer.get_config(self)
        return config | {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in _PARTS}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> AE:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in _PARTS
            if name in config  # version 0.1 has no objective in the config of an AE
        }
        return cls(**config | parts)

    def inputs_of(self, x: Any, y: Any = None) -> list[Any]:
        """Inputs of the encoder from those of `fit`, as tensors: [images], and in a CVAE [images, rows of labels]."""
        return [self.images_of(x)]

    def images_of(self, x: Any) -> Any:
        """Images as `vaekit.layers.ToImages` makes them: a tensor."""
        return self.to_images.call(ops.convert_to_tensor(x))  # without what Keras does around a layer, at each step

    def corrupt(self, images: Any, training: bool = False) -> Any:
        """Images as the encoder sees them: tensors.

        They are corrupted in training if the model has a ``corruption``. For target images they are those of `fit`.
        """
        seen = images if self._seen is None else self._seen
        return seen if self.corruption is None else self.corruption(seen, training=training)

    def codes(self, inputs: list[Any], training: bool = False) -> Any:
        """Codes (B, ...) of what `inputs_of` gives: tensors. In a VAE the code is the mean of the posterior."""
        return ops.cast(call_network(self.encoder, inputs, training), "float32")

    def logits(self, inputs: list[Any], training: bool = False) -> Any:
        """Logits of images, (B, height, width, channels) float32, from [codes] or [codes, rows of labels]: tensors."""
        return ops.cast(call_network(self.decoder, inputs, training), "float32")

    def reconstruction_loss(self, images: Any, logits: Any) -> Any:
        """The loss given to `compile`, of each image: (B,) float32; `vaekit.losses.bernoulli` by default."""
        loss, of_logits = losses.resolve(self.loss)
        made = logits if of_logits else ops.sigmoid(logits)
        values = loss.call(images, made) if isinstance(loss, keras.losses.Loss) else loss(images, made)
        if not len(values.shape):
            raise ValueError(
                "expected a loss that returns a value for each image, (B,), or for each pixel; received one that "
                "returns a scalar: leave the mean over the batch out"
            )
        return ops.mean(ops.reshape(ops.cast(values, "float32"), (ops.shape(images)[0], -1)), axis=1)

    def reconstruction_losses(self, images: Any, logits: Any) -> tuple[Any, Any]:
        """The loss given to `compile` and the negative log-likelihood, of each image: two of (B,) float32.

        By default, and with a likelihood for the loss, they are the same tensor: not every backend notices when it
        computes one thing twice.
        """
        loss, _ = losses.resolve(self.loss)
        likelihood = likelihoods.find(loss)
        nats = likelihood.call(images, logits)
        return (nats if loss in (losses.bernoulli, likelihood) else self.reconstruction_loss(images, logits)), nats

    def means(self, logits: Any) -> Any:
        """Images of logits: the mean of each pixel, tensors in 0..1."""
        return likelihoods.find(self.loss).mean(logits)

    def _target_of(self, x: Any, y: Any) -> Any:
        """Target images as tensors; None for labels, and without targets."""
        return self.images_of(y) if y is not None and self.to_images.has_form_of_images(y.shape, y.dtype) else None

    def _run(self, name: str, function: Any, given: Any) -> Any:
        return batched.run_batched(self, name, function, given)

    def _reconstruct(self, given: Any) -> Any:
        images, *labels = self.inputs_of(given)
        return self.means(self.logits([self.codes([images, *labels]), *labels]))
