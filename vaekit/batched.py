"""Methods of a model over arrays of any length: compiled once, run batch by batch, on every backend."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np

from vaekit import feeds
from vaekit.devices import filled, replicas
from vaekit.inputs import form


class _Method(keras.Model):
    """A function as a model, because ``predict`` is the one compiled loop over batches that all backends share."""

    def __init__(self, model: keras.Model, function: Callable[[Any], Any]) -> None:
        # Keras would cast inputs to half precision under such a global policy.
        super().__init__(name="method", dtype="float32", autocast=False)
        self.model = model  # so that Keras tracks its variables
        self.function = function
        self.built = True  # else Keras runs it once more to build it

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with _compiled_once(), values_kept(self):
            return super().predict(*args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        with _compiled_once():
            return super().predict_on_batch(x)


def compiled(model: keras.Model, name: str, function: Callable[[Any], Any], inputs: Any) -> keras.Model:
    """A function of tensors that uses a model's variables, to be run with ``predict`` and ``predict_on_batch``.

    The model caches it, so that it is compiled once for its name, the form of its inputs and the model's loss, on which
    the means of pixels depend.
    """
    # A namespace hides the cache from Keras, which would track its entries as layers of the model.
    if "_methods" not in vars(model):
        model._methods = SimpleNamespace(cached={})
    methods = model._methods.cached
    key = name, str(form(inputs)), model.loss if callable(model.loss) else str(model.loss)
    if key not in methods:
        methods[key] = _Method(model, function)
    return methods[key]


def forget(model: keras.Model) -> None:
    """Compile the model's functions anew when they are called next: its layers have changed."""
    vars(model).pop("_methods", None)


def run_batched(
    model: keras.Model, name: str, function: Callable[[Any], Any], inputs: Any, batch_size: int = 250
) -> Any:
    """``function(inputs)`` as NumPy arrays, computed in batches.

    Parameters
    ----------
    model, name, function
        As for `compiled`; the function treats each row on its own.
    inputs : array, tuple of arrays, or dataset
        As for ``keras.Model.predict``.
    batch_size : int
    """
    batch, inputs = feeds.peeked(inputs)
    method, count = compiled(model, name, function, inputs if batch is None else batch), replicas()
    are_arrays = isinstance(inputs, tuple) or hasattr(inputs, "shape")
    rows = len(inputs[0] if isinstance(inputs, tuple) else inputs) if are_arrays else None
    with _same_random_state():
        if rows is None or (rows and count == 1):
            return method.predict(inputs, batch_size=batch_size, verbose=0)
        if not rows:  # for the shapes of the results
            inputs = keras.tree.map_structure(lambda array: np.zeros((1, *array.shape[1:]), "float32"), inputs)
        whole = keras.tree.map_structure(lambda array: filled(array, count), inputs)
        found = method.predict(whole, batch_size=-(-batch_size // count) * count, verbose=0)
        return keras.tree.map_structure(lambda array: array[:rows], found)


@contextlib.contextmanager
def values_kept(model: keras.Model) -> Iterator[None]:
    """Give a model its values back if Keras's loop fails in the block: on JAX, Keras takes them out before a step.

    An error in the first step, such as of labels that are missing in a dataset, would leave a model without weights; an
    error in a callback of ``evaluate`` one without metrics.
    """
    if keras.backend.backend() != "jax":
        yield
        return
    optimizer = getattr(model, "optimizer", None)  # which a model that is not compiled has not
    variables = [*model.trainable_variables, *model.non_trainable_variables, *model.metrics_variables]
    variables += optimizer.variables if optimizer is not None else []
    before = [variable.value for variable in variables]
    try:
        yield
    except BaseException:
        model.jax_state_sync()  # gives it the values after the last step, if there was one
        for variable, value in zip(variables, before, strict=True):
            if variable._value is None and not value.is_deleted():
                variable.assign(value)
        raise


@contextlib.contextmanager
def _compiled_once() -> Iterator[None]:
    """Silence TensorFlow's warning that one function is compiled often: it takes all methods of all models for one."""
    logger = logging.getLogger("tensorflow")

    def is_other(record: logging.LogRecord) -> bool:
        return "retracing" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def _same_random_state() -> contextlib.AbstractContextManager[None]:
    """Leave torch's global random state as it is: `fit` shuffles by it, and every data loader draws from it."""
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.random.fork_rng(devices=[])
