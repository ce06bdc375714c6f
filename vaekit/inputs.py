"""What models are given, checked once for all methods: arrays of images, of labels and of codes."""

from __future__ import annotations

import math
import reprlib
from typing import Any

import keras
import numpy as np

from vaekit import layers  # names of it are looked up later: it may be the module that is being imported

TOLERANCE = 1e-4  # by which values may be outside 0..1


def form(data: Any) -> Any:
    """What a step is compiled for: shapes without the batch. None for data that has none before it is read.

    On TensorFlow a step that has seen two ranks no longer knows the shape of its inputs.
    """
    if isinstance(data, (tuple, list)):
        return tuple(form(part) for part in data)
    if hasattr(data, "element_spec"):
        return form(data.element_spec)
    if hasattr(data, "shape") and hasattr(data, "dtype"):
        return tuple(data.shape[1:])
    return None


def array(data: Any) -> Any:
    """A list of images or numbers, or the rasters of fastdraw, as an array; all else as it is."""
    if hasattr(data, "balanced") and hasattr(data, "shape"):
        return data[:]
    if not isinstance(data, (tuple, list)):
        return data
    parts = [keras.ops.convert_to_numpy(part) if keras.ops.is_tensor(part) else part for part in data]
    try:
        return np.asarray(parts)
    except ValueError:
        shapes = sorted({np.shape(part) for part in parts})
        raise ValueError(f"expected one array, or a list of parts of one shape; received shapes {shapes}") from None


def images(data: Any, to_images: layers.ToImages, *, may_be_none: bool = False) -> Any:
    """Images as an array, checked; what is no array, as a dataset, as it is.

    Parameters
    ----------
    data : array or list
    to_images : vaekit.layers.ToImages
        Of the model.
    may_be_none : bool
        Whether no images will do.

    Raises
    ------
    ValueError
        If their shape is not that of the model's images, values are outside 0..1, or there are none.
    TypeError
        As `readable`.
    """
    data = readable(array(data))
    if hasattr(data, "shape") and hasattr(data, "dtype"):
        if getattr(data.dtype, "kind", "") in tuple("OUSMmc") or "complex" in str(data.dtype):
            kind = "Python objects" if str(data.dtype) == "object" else data.dtype
            raise ValueError(f"expected images of numbers, received an array of {kind}")
        to_images.check(data.shape, data.dtype)
        if data.shape[0] == 0 and not may_be_none:
            raise ValueError("expected images, received none")
        check_range(data)
    return data


def readable(data: Any) -> Any:
    """What it is given, if that may be images or batches of images.

    Raises
    ------
    TypeError
        If it is nothing that Keras reads, or drawings of fastdraw, which are strokes.
    """
    if hasattr(data, "rasterize"):
        raise TypeError(
            f"expected images, or batches of images; received {data!r}: pass drawings.rasterize() or "
            "fastdraw.batches(drawings, 128)"
        )
    if isinstance(data, (str, bytes, dict)) or not (hasattr(data, "__iter__") or hasattr(data, "__getitem__")):
        raise TypeError(f"expected images, or batches of images; received {reprlib.repr(data)}")
    return data


def check_range(images: Any) -> None:
    """Reject images with values outside 0..1, or ints outside uint8; some hundred of them are looked at.

    Raises
    ------
    ValueError
    """
    kind = keras.backend.standardize_dtype(images.dtype)
    if kind in ("uint8", "bool") or not images.shape or not images.shape[0]:
        return
    some = images[:: max(1, math.ceil(images.shape[0] / 256))]
    some = keras.ops.convert_to_numpy(some) if keras.ops.is_tensor(some) else np.asarray(some)
    if some.size and not (some.min() >= -TOLERANCE and some.max() <= 1 + TOLERANCE):
        raise ValueError(
            f"expected images as uint8, or with values from 0 to 1; received {kind} from {some.min():g} to "
            f"{some.max():g}: divide by 255, or convert to uint8"
        )


def labels(data: Any, classes: int, count: int | None = None) -> Any:
    """Labels (N,) int64, or rows (N, classes) float32, of labels as people have them.

    They may be whole numbers of any type, (N,) or (N, 1), or rows of weights that sum to 1.

    Parameters
    ----------
    data : int or array
    classes : int
    count : int, optional
        How many there must be.

    Raises
    ------
    ValueError
    """
    given = keras.ops.convert_to_numpy(data) if keras.ops.is_tensor(data) else np.asarray(data)
    if count is not None and (not given.ndim or len(given) != count):
        raise ValueError(f"expected as many labels as images, {count}; received labels of shape {given.shape}")
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    wrong = None
    if given.dtype.kind not in "biuf":
        wrong = f"labels of type {given.dtype}"
    elif given.ndim < 2:
        with np.errstate(invalid="ignore"):
            numbers = given.astype(np.int64)
        if (numbers != given).any():
            wrong = f"numbers such as {given[numbers != given].flat[0]}" if given.ndim else f"{given}"
        elif numbers.size and not 0 <= numbers.min() <= numbers.max() < classes:
            raise ValueError(f"expected labels from 0 to {classes - 1}, received {numbers.min()} to {numbers.max()}")
        else:
            return numbers
    elif given.ndim > 2 or given.shape[1] != classes:
        wrong = f"an array of shape {given.shape}"
    else:
        rows = given.astype(np.float32)
        sums = rows.sum(axis=1)
        if np.allclose(sums, 1, atol=1e-4):
            return rows
        wrong = f"a row with the sum {sums[~np.isclose(sums, 1, atol=1e-4)][0]:g}"
    raise ValueError(
        f"expected labels as ints from 0 to {classes - 1}, or rows of {classes} that sum to 1; received {wrong}"
    )


def missing_labels(classes: int) -> ValueError:
    return ValueError(
        f"expected labels from 0 to {classes - 1} with the images, as in fit(images, labels), or batches of pairs; "
        "received none"
    )
