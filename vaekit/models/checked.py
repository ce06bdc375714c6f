"""The methods of Keras, behind checks of what they are given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np

from vaekit import batched, feeds, inputs, layers, losses
from vaekit.devices import filled, replicas
from vaekit.models import parts, watch


class CheckedModel(keras.Model):
    """A model of images whose methods check arrays, take the batches of fastdraw, and any form of images in turn.

    Attributes
    ----------
    decoder : keras.Model
    to_images : vaekit.layers.ToImages
    """

    decoder: keras.Model
    to_images: layers.ToImages
    _code_shape: tuple[int, ...]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"autocast": False} | kwargs)  # each network casts its own inputs
        self._forms = SimpleNamespace()  # by the name of a step, what it was compiled for

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As ``keras.Model.fit``; `fastdraw.batches` will do as well.

        ``fit(noisy, clean)`` learns the clean images from the noisy ones. An `AE` and a `VAE` ignore labels.

        Examples
        --------
        >>> batches = fastdraw.batches(fastdraw.open_drawings("quickdraw")[:64], 16, shuffle=True, seed=0)
        >>> model = vaekit.AE.for_images((32, 32, 1), 2, network="mlp", units=(16,))
        >>> model.compile("adam")
        >>> len(model.fit(batches, epochs=2, verbose=0).history["loss"])
        2
        """
        parts.check_logits(self.decoder)
        x, y = self._given("train_function", x, y, kwargs)
        if isinstance(x, feeds.Loop) or not (isinstance(x, keras.utils.PyDataset) or hasattr(x, "shape")):
            kwargs["shuffle"] = False  # the order is that of the batches; of some Keras warns that it cannot change it
        if not isinstance(kwargs.get("callbacks"), keras.callbacks.CallbackList):
            kwargs["callbacks"] = [*feeds.InOrder.of(x), watch.Watch(), *(kwargs.get("callbacks") or [])]
        held_out = kwargs.get("validation_data")
        if isinstance(held_out, (tuple, list)):
            images, labels, weights = (*held_out, None, None)[:3]
            options = {"sample_weight": weights}
            kwargs["validation_data"] = (*self._given("test_function", images, labels, options), *options.values())
        elif held_out is not None:
            kwargs["validation_data"] = self._given("test_function", held_out, None, {})[0]
        elif kwargs.get("validation_split"):
            self._compiled_for("test_function", x, y)
        with batched.values_kept(self), watch.explained(self.checked, x, held_out):
            return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As ``keras.Model.evaluate``; `fastdraw.batches` will do as well.

        Examples
        --------
        >>> batches = fastdraw.batches(fastdraw.open_drawings("quickdraw")[:64], 16)
        >>> model = vaekit.AE.for_images((32, 32, 1), 2, network="mlp", units=(16,))
        >>> model.compile("adam")
        >>> sorted(model.evaluate(batches, verbose=0, return_dict=True))
        ['loss', 'reconstruction']
        """
        if kwargs.get("_use_cached_eval_dataset"):  # a call from `fit`, which checked its data
            return super().evaluate(x, y, *args, **kwargs)
        x, y = self._given("test_function", x, y, kwargs)
        if not isinstance(kwargs.get("callbacks"), keras.callbacks.CallbackList):
            kwargs["callbacks"] = [watch.Watch(), *(kwargs.get("callbacks") or [])]
        with batched.values_kept(self), watch.explained(self.checked, x):
            return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As ``keras.Model.predict``: `reconstruct` for datasets, too.

        Examples
        --------
        >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> model.predict(np.zeros((5, 8, 8)), verbose=0).shape
        (5, 8, 8, 1)
        """
        x = self.inputs_checked(x)
        images = x[0] if isinstance(x, (tuple, list)) else x
        if hasattr(images, "shape") and images.shape[0] == 0:  # Keras fails
            return np.zeros((0, *self.to_images.image_shape), np.float32)
        x = self._compiled_for("predict_function", x)
        with batched.values_kept(self):
            return super().predict(x, *args, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().train_on_batch(*self._given("train_function", x, y, kwargs), *args, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().test_on_batch(*self._given("test_function", x, y, kwargs), *args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        return super().predict_on_batch(self._compiled_for("predict_function", self.inputs_checked(x)))

    def checked(self, x: Any, y: Any = None) -> tuple[Any, Any]:
        """Images, and target images or labels, as `fit` takes them: arrays that were checked. Datasets as they are.

        Raises
        ------
        ValueError
            If arrays are not what the model takes.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> model.checked(np.zeros((2, 8, 8)), [0, 3])
        Traceback (most recent call last):
            ...
        ValueError: expected labels from 0 to 2, received 0 to 3
        """
        x, y = inputs.images(x, self.to_images), inputs.array(y)
        if hasattr(y, "shape") and self.to_images.has_form_of_images(y.shape, y.dtype):
            inputs.images(y, self.to_images)
        if hasattr(x, "shape") and hasattr(y, "shape") and (not y.shape or x.shape[0] != y.shape[0]):
            raise ValueError(
                f"expected as many targets as images, or as many labels as images; received {x.shape[0]} images and "
                f"targets of shape {tuple(y.shape)}"
            )
        return x, y

    def inputs_checked(self, x: Any) -> Any:
        """What `predict` takes: images that were checked, in a `CVAE` also with labels. Datasets as they are.

        Examples
        --------
        >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> model.inputs_checked([np.zeros((8, 8)), np.ones((8, 8))]).shape
        (2, 8, 8)
        """
        return inputs.images(x, self.to_images, may_be_none=True)

    def _given(self, step: str, x: Any, y: Any, options: dict[str, Any]) -> tuple[Any, Any]:
        """What Keras's methods take for what callers give, checked; the step is compiled for it."""
        losses.resolve(self.loss)  # torch would hide its errors behind its own
        x, y = self.checked(x, y)
        weights = inputs.array(options.get("sample_weight"))
        if weights is not None:
            options["sample_weight"] = weights
        if hasattr(x, "shape"):
            if weights is not None and y is None:
                y = x  # Keras drops the weights of data that have no targets
            if options.get("class_weight") is not None and np.ndim(y) not in (1, 2):
                raise ValueError("expected class_weight with labels, as in fit(images, labels, class_weight=...)")
        if (count := replicas()) > 1 and hasattr(x, "shape"):
            x, y = filled(x, count), filled(y, count)
            options["sample_weight"] = filled(weights, count)
        return self._compiled_for(step, feeds.as_feed(x, self.checked), y, weights), y

    def _compiled_for(self, step: str, x: Any, y: Any = None, weights: Any = None) -> Any:
        """The data; Keras compiles a step anew for data of another form than before: see `inputs.form`."""
        batch, x = feeds.peeked(x)
        form = inputs.form(
            (x, y, weights) if batch is None else batch if isinstance(batch, (tuple, list)) else (batch,)
        )
        if None not in form[:1] and vars(self._forms).setdefault(step, form) != form:
            setattr(self._forms, step, form)
            setattr(self, step, None)
        return x

    def _codes_checked(self, z: Any) -> Any:
        """Codes as an array; datasets as they are."""
        z = inputs.array(z)
        if hasattr(z, "shape") and not (len(z.shape) and parts.fits(self._code_shape, z.shape[1:])):
            raise ValueError(
                f"expected codes {('N', *self._code_shape)}, received shape {tuple(z.shape)}".replace("'", "")
            )
        return z
