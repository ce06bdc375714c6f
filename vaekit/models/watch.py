"""Batches of datasets that Keras reads itself, of which a model sees nothing before a step: the step checks them.

To read a batch ahead would change the order of a dataset that shuffles, and may take long. So the loss of a batch that
is not what the model takes is minus infinity, without a gradient; a callback sees it, and `fit` raises.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from vaekit import batched, inputs

_SOME = 16  # images of a batch whose values are looked at
_MESSAGE = (
    "expected images as uint8, or with values from 0 to 1, and labels of the model's classes; received a batch with "
    "others"
)


class WrongBatchError(ValueError):
    """A batch is not what the model takes."""


def are_right(images: Any, target: Any = None, rows: Any = None) -> Any:
    """Whether images and target images have values from 0 to 1, and rows of labels sum to 1: a scalar tensor.

    A label outside the classes is a row of zeros.
    """
    found = ops.convert_to_tensor(True)
    for some in (images, target):
        if some is not None:
            low, high = ops.min(some[:_SOME]), ops.max(some[:_SOME])
            inside = ops.logical_and(low >= -inputs.TOLERANCE, high <= 1 + inputs.TOLERANCE)
            found = ops.logical_and(found, inside)
    if rows is not None:
        found = ops.logical_and(found, ops.max(ops.abs(ops.sum(rows, axis=-1) - 1)) <= 1e-3)
    return found


def loss_if(right: Any, loss: Any) -> Any:
    """The loss of a step, or minus infinity, which has no gradient."""
    return ops.where(right, loss, -math.inf)


class Watch(keras.callbacks.Callback):
    """Ends `fit` or `evaluate` at a batch that is not what the model takes."""

    async_safe = True  # a GPU need not wait

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (logs or {}).get("loss") == -math.inf:
            raise WrongBatchError(_MESSAGE)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.on_train_batch_end(batch, logs)


@contextlib.contextmanager
def explained(check: Callable[..., Any], *datasets: Any) -> Iterator[None]:
    """Say what is wrong with the first batch of a dataset if the block ends in a `WrongBatchError`.

    Parameters
    ----------
    check : callable
        Is called with the images and labels of a batch, and raises.
    *datasets
    """
    try:
        yield
    except WrongBatchError as error:
        for dataset in datasets:
            if dataset is None or hasattr(dataset, "shape") or isinstance(dataset, (tuple, list)):
                continue  # arrays, which were checked
            try:
                batch = dataset[0] if isinstance(dataset, keras.utils.PyDataset) else next(iter(dataset))
            except Exception:  # such as of a generator that has ended
                continue
            try:
                check(*(batch[:2] if isinstance(batch, (tuple, list)) else (batch,)))
            except (TypeError, ValueError) as found:
                raise found from error
        raise


def run_on_images(model: Any, name: str, function: Callable[[Any], Any], x: Any) -> Any:
    """A function of the inputs of a model, as NumPy arrays, computed in batches; those of a dataset are checked.

    Raises
    ------
    ValueError
    """
    given = model.inputs_checked(x)
    if hasattr(given, "shape") or isinstance(given, tuple):  # which were checked
        return batched.run_batched(model, name, function, given)

    def checked(batch: Any) -> Any:
        images = model.inputs_of(batch)[0]
        return function(batch), ops.broadcast_to(are_right(images), ops.shape(images)[:1])

    with explained(model.inputs_checked, given):
        found, right = batched.run_batched(model, f"{name} of a dataset", checked, given)
        if not right.all():
            raise WrongBatchError(_MESSAGE)
        return found
