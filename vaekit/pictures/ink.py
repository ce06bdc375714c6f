"""Grey images turned back to ink."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaekit.pictures.decoding import Array


def ink(images: Any) -> Array:
    """Images of 0 and 1 with as much ink as grey ones: of each image, its sum in pixels, the brightest.

    A model returns the mean of each pixel. Where it is not sure of the place of a line, that is grey, as no drawing is.

    Parameters
    ----------
    images : (N, height, width) or (N, height, width, channels) array
        Floats in 0..1 or uint8, with bright ink.

    Returns
    -------
    array of float32, of the same shape

    Examples
    --------
    >>> vaekit.pictures.ink([[[0.9, 0.6], [0.4, 0.1]]]).tolist()
    [[[1.0, 1.0], [0.0, 0.0]]]
    """
    images = np.asarray(images)
    flat = (images / 255 if images.dtype == np.uint8 else images).reshape(len(images), -1)
    count = np.rint(flat.sum(axis=1, dtype=np.float64)).astype(np.int64)
    rank = np.empty(flat.shape, np.int64)
    np.put_along_axis(rank, np.argsort(-flat, axis=1, kind="stable"), np.arange(flat.shape[1])[None], axis=1)
    inked: Array = (rank < count[:, None]).astype(np.float32).reshape(images.shape)
    return inked
