"""The reference of the styles ``line`` and ``line-aa``: scikit-image, segment by segment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from skimage.draw import line, line_aa


def skimage_raster(drawing: Sequence[np.ndarray], size: int, antialias: bool) -> np.ndarray:
    """One drawing by scikit-image, (size, size) uint8."""
    image = np.zeros((size, size), np.uint8)
    for stroke in drawing:
        x, y = stroke.astype(int) * size // 256
        for segment in zip(y[:-1], x[:-1], y[1:], x[1:], strict=True):
            if antialias:
                rows, columns, values = line_aa(*segment)
                inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
                rows, columns = rows[inside], columns[inside]
                shades = np.rint(255 * values[inside]).astype(np.uint8)
                np.maximum.at(image, (rows, columns), shades)
            else:
                image[line(*segment)] = 255
    return image
