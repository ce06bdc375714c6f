"""The registry of output formats. Importing it needs neither NumPy nor numba; TensorFlow is imported to encode.

A file is a header followed by rows of equal length, one for each image. So the place of an image in the file is known
before any is drawn, and threads and machines write ranges of a file in any order.
"""

from __future__ import annotations

import io
import math
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from fastdraw.checks import one_of
from fastdraw.errors import naming_the_extra

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Images = npt.NDArray[np.uint8]

_CHECKSUM = 4  # bytes
_FRAME = 8 + 2 * _CHECKSUM  # bytes that a TFRecord file adds to a record: its length and two checksums


class Format(Protocol):
    """A file format for the images of a category."""

    name: str
    suffix: str

    def header(self, shape: tuple[int, ...]) -> bytes:
        """The first bytes of a file with images of this shape, (N, ...)."""

    def row_bytes(self, shape: tuple[int, ...], category: str) -> int:
        """Bytes of each image in the file."""

    def encode(self, images: Images, category: str) -> bytes | memoryview:
        """The rows of some images, back to back."""

    def decode(self, rows: Images, shape: tuple[int, ...]) -> Images:
        """The images of this shape in rows, (N, row_bytes): a view of them."""


FORMATS: dict[str, Format] = {}
DEFAULT_FORMAT = "npy"

SHARDS = {"webdataset": ".tar", "parquet": ".parquet"}  # formats of files with all categories, and their suffixes

MetadataForm = Literal["csv", "parquet"]  # of the metadata beside the images, see `fastdraw.rasters.metadata`
METADATA_FORMS: tuple[str, ...] = get_args(MetadataForm)


def register_format(format: Format) -> None:
    """Make a format known, under its name, to the library and the command line; on Dask workers too, if they write it.

    Examples
    --------
    >>> from fastdraw.rasters.formats import FORMATS, Npy, register_format
    >>> class Raw(Npy):
    ...     name, suffix = "raw", ".raw"
    ...     def header(self, shape):
    ...         return b""
    >>> register_format(Raw())
    >>> fastdraw.bulk.run("quickdraw", "raw", format="raw")
    600
    >>> fastdraw.verify_rasters("raw")
    []
    >>> del FORMATS["raw"]
    """
    FORMATS[format.name] = format


def choose_format(name: str | None, tfrecord: bool | None = None) -> str:
    """The name of a format, checked; ``tfrecord=True`` is version 0.1's way to ask for ``"tfrecord"``."""
    if tfrecord:
        if name not in (None, "tfrecord"):
            raise ValueError(f"expected format='tfrecord' or none with tfrecord=True, received {name!r}")
        return "tfrecord"
    return str(one_of("format", DEFAULT_FORMAT if name is None else name, [*FORMATS, *SHARDS]))


class Npy:
    """NumPy files: an array of all images."""

    name = "npy"
    suffix = ".npy"

    def header(self, shape: tuple[int, ...]) -> bytes:
        import numpy as np

        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        return file.getvalue()

    def row_bytes(self, shape: tuple[int, ...], category: str) -> int:
        return math.prod(shape[1:])

    def encode(self, images: Images, category: str) -> memoryview:
        return images.data

    def decode(self, rows: Images, shape: tuple[int, ...]) -> Images:
        return rows.reshape(shape)


class TfRecord:
    """TFRecord files, see `fastdraw.loader.tfrecord`. All records of a file have the same length."""

    name = "tfrecord"
    suffix = ".tfrecord"

    def header(self, shape: tuple[int, ...]) -> bytes:
        return b""

    def row_bytes(self, shape: tuple[int, ...], category: str) -> int:
        return _FRAME + len(_example(bytes(math.prod(shape[1:])), category))

    def encode(self, images: Images, category: str) -> bytes:
        import tensorflow as tf

        # Records differ only in their images: what protobuf writes around the image is made once.
        length = images[0].size
        marker = random.Random(0).randbytes(length)
        before, after = _example(marker, category).split(marker)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chunk"
            with tf.io.TFRecordWriter(str(path)) as writer:
                for image in images.reshape(len(images), length):
                    writer.write(before + image.tobytes() + after)
            return path.read_bytes()

    def decode(self, rows: Images, shape: tuple[int, ...]) -> Images:
        # The image ends the record: features are in alphabetical order. A checksum follows.
        return rows[:, -_CHECKSUM - math.prod(shape[1:]) : -_CHECKSUM].reshape(shape)


def _example(image: bytes, category: str) -> bytes:
    with naming_the_extra():
        import tensorflow as tf

    def feature(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = tf.train.Features(
        feature={"category": feature(category.encode(errors="surrogateescape")), "image": feature(image)}
    )
    serialized: bytes = tf.train.Example(features=features).SerializeToString(deterministic=True)
    return serialized


register_format(Npy())
register_format(TfRecord())
