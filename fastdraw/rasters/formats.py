"""The forms of the files that rasters are written to.

Each is a header and then rows of equal length, one for each image. So where an image's bytes go is known before any is
drawn, and ranges of a file can be written in any order, by any number of threads and machines.
"""

from __future__ import annotations

import io
import math
import tempfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

_FRAME = 16  # bytes that a TFRecord file adds to a record: its length and two checksums

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


class TfRecord:
    """TFRecord files, see `fastdraw.loader.tfrecord`. All records of a file are equally long."""

    suffix = ".tfrecord"

    def header(self, shape: tuple[int, ...]) -> bytes:
        return b""

    def row_bytes(self, shape: tuple[int, ...], category: str) -> int:
        return _FRAME + len(_example(bytes(math.prod(shape[1:])), category))

    def encode(self, images: npt.NDArray[np.uint8], category: str) -> memoryview:
        import tensorflow as tf

        # Only the image differs from record to record, so what protobuf writes around it is made once.
        length = images[0].size
        marker = np.random.default_rng(0).bytes(length)
        before, after = _example(marker, category).split(marker)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chunk"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for image in images.reshape(len(images), length):
                    writer.write(before + image.tobytes() + after)
            return memoryview(path.read_bytes())


def _example(image: bytes, category: str) -> bytes:
    import tensorflow as tf

    def feature(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = tf.train.Features(feature={"category": feature(category.encode()), "image": feature(image)})
    serialized: bytes = tf.train.Example(features=features).SerializeToString(deterministic=True)
    return serialized


FORMS: dict[str, Form] = {"npy": Npy(), "tfrecord": TfRecord()}
