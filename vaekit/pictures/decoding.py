"""From a model to arrays of images: decoded codes, images in a common form, and checked labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from vaekit.models import AE, CVAE

Array = npt.NDArray[np.float32]


def to_array(model: AE, images: Any) -> Array:
    """Images (N, height, width, channels) in 0..1 of images in any form that the model takes."""
    return np.asarray(ops.convert_to_numpy(model.to_images(ops.convert_to_tensor(images))))


def check_labels(model: AE, labels: Any) -> Any:
    """Return the labels; raise ValueError if the model takes none."""
    if labels is not None and not isinstance(model, CVAE):
        raise ValueError(f"expected labels for a CVAE only, received them for a {type(model).__name__}")
    return labels


def check_classes(model: AE) -> None:
    """Raise TypeError if the model has no classes."""
    if not isinstance(model, CVAE):
        raise TypeError(f"expected a model with classes, a CVAE; received {type(model).__name__}")


def one_hot(model: CVAE, classes: Any) -> Array:
    """One-hot rows (len(classes), num_classes) of class numbers."""
    check_classes(model)
    if not all(0 <= number < model.num_classes for number in classes):
        raise ValueError(f"expected classes from 0 to {model.num_classes - 1}, received {list(classes)}")
    return np.eye(model.num_classes, dtype=np.float32)[list(classes)]


def decode_rows(model: AE, z: Any, labels: Any = None) -> Array:
    """Images (rows, columns, height, width, channels) of codes (rows, columns, ...), decoded in one batch.

    Parameters
    ----------
    model : AE, VAE or CVAE
    z : array
    labels : int or array, optional
        Of a `CVAE`: one for all codes, or one for each in row-major order.
    """
    flat = np.reshape(z, (-1, *np.shape(z)[2:])).astype(np.float32)
    images = model.decode(flat) if check_labels(model, labels) is None else model.decode(flat, labels)  # type: ignore[call-arg]
    return images.reshape(*np.shape(z)[:2], *images.shape[1:])
