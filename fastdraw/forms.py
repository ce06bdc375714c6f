"""The forms of the files that rasters are written to.

Each is a header and then rows of equal length, one for each image. So where an image's bytes go is known before any is
drawn, and ranges of a file can be written in any order, by any number of threads and machines.
"""

from __future__ import annotations

import io
import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fastdraw.tfrecord import TfRecord

Images = npt.NDArray[np.uint8]


class Form(Protocol):
    """What a bulk run has to know of a form."""

    suffix: str

    def header(self, shape: tuple[int, ...]) -> bytes:
        """What the file of an array of images of this shape begins with."""

    def row_bytes(self, shape: tuple[int, ...], category: str) -> int:
        """Bytes that each image takes."""

    def encode(self, images: Images, category: str) -> memoryview:
        """The rows of some images."""


class Npy:
    """NumPy's own files: the images as they are."""

    suffix = ".npy"

    def header(self, shape: tuple[int, ...]) -> bytes:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        return file.getvalue()

    def row_bytes(self, shape: tuple[int, ...], category: str) -> int:
        return math.prod(shape[1:])

    def encode(self, images: Images, category: str) -> memoryview:
        return images.data


FORMS: dict[str, Form] = {"npy": Npy(), "tfrecord": TfRecord()}
