"""Rasters as TFRecord files, for training from a bucket: what ``fastdraw rasterize --tfrecord`` writes, and its reader.

There is a file for each category, with a ``tf.train.Example`` for each image:

``image``
    bytes, the pixels as uint8 by rows: size * size of them, or packed size * size / 8 in the order of
    ``numpy.packbits``. The folder's ``dataset.json`` says which, and the size.
``category``
    bytes, its name in UTF-8. Numbers of categories depend on what else is in the folder, names do not.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_FRAME = 16  # bytes that a TFRecord file adds to a record: its length and two checksums


class TfRecord:
    """The form of these files, for a bulk run. All records of a file are equally long."""

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
