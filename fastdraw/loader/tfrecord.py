"""Reading rasters from TFRecord files, as ``fastdraw rasterize --format tfrecord`` writes them.

There is a file for each category, with a ``tf.train.Example`` for each image:

``image``
    bytes: the pixels as uint8, row by row, with three channels pixel by pixel; or, packed, size * size / 8 bytes in the
    order of ``numpy.packbits``. The folder's ``dataset.json`` has the size, the channels and whether it is packed.
``category``
    bytes: its name in UTF-8. Labels depend on what else is in the folder, names do not.

The feature spec: ``{"image": tf.io.FixedLenFeature([], tf.string), "category": tf.io.FixedLenFeature([], tf.string)}``.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastdraw.checks import check_dtype, check_labels, integer
from fastdraw.errors import FastdrawError, naming_the_extra
from fastdraw.rasters.manifest import read_finished
from fastdraw.storage import Address, local_copy, open_store

if TYPE_CHECKING:
    import tensorflow as tf


def read_tfrecords(
    folder: Address,
    batch_size: int,
    *,
    labels: Literal["int", "onehot"] | None = None,
    packed: bool = False,
    dtype: Literal["float32", "uint8"] = "float32",
    drop_remainder: bool = False,
) -> tf.data.Dataset:
    """Batches from TFRecord files, equal to those of `to_tf_dataset` of the same drawings, in order.

    The drawings are sorted by category. Shuffle them before training, within a buffer at least:
    ``read_tfrecords(folder, 1).unbatch().shuffle(100_000).batch(256)``.

    Parameters
    ----------
    folder : path
        On this machine, or an address. TensorFlow reads ``gs://`` itself; files at other addresses are first copied to
        the user's cache folder.
    batch_size : int
        Images in a batch; the last may have fewer.
    labels : {"int", "onehot"}, optional
        Return pairs of images and labels, as ints or one-hot rows; they are those of ``dataset.json``.
    packed : bool
        Return one bit per pixel, as the files have it; for a folder written with ``packed``.
    dtype : {"float32", "uint8"}
        Pixels from 0 to 1, or from 0 to 255; ignored with ``packed``.
    drop_remainder : bool
        Leave out the last batch if it is not full.

    Returns
    -------
    tf.data.Dataset
        Images (B, size, size, channels), or packed (B, size * size / 8) uint8; or pairs of these and labels, (B,) int64
        or (B, number of categories) float32.

    Raises
    ------
    FastdrawError
        If the folder holds no finished TFRecord files.
    ValueError
        If an argument is not valid.

    Examples
    --------
    >>> fastdraw.bulk.run("quickdraw", "records", format="tfrecord")
    600
    >>> images, labels = next(iter(fastdraw.read_tfrecords("records", 64, labels="int")))
    >>> tuple(images.shape), tuple(labels.shape)
    ((64, 32, 32, 1), (64,))
    """
    with naming_the_extra():
        import tensorflow as tf

    check_labels(labels)
    check_dtype(dtype)
    batch_size = integer("batch_size", batch_size, 1)
    store = open_store(folder)
    manifest = read_finished(store)
    settings = manifest.settings
    if manifest.format != "tfrecord":
        raise FastdrawError(f"{store}: expected TFRecord files, found {manifest.format} files; see open_rasters")
    if packed and not settings.packed:
        raise ValueError(f"expected packed only for a folder that was written with it, which {store} was not")

    names = [name.encode(errors="surrogateescape") for name in manifest.categories]
    numbers = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(names, np.arange(len(names))), -1)
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "category")}

    def images(encoded: Any) -> Any:
        pixels = tf.ensure_shape(tf.io.decode_raw(encoded, tf.uint8), (None, math.prod(settings.shape)))
        if packed:
            return pixels
        if settings.packed:
            shifts = tf.cast(tf.range(7, -1, -1), tf.uint8)
            pixels = 255 * (tf.bitwise.right_shift(pixels[:, :, None], shifts) & 1)
        pixels = tf.reshape(pixels, (-1, settings.size, settings.size, settings.channels))
        return pixels if dtype == "uint8" else tf.cast(pixels, tf.float32) / 255

    def parse(batch: Any) -> Any:
        examples = tf.io.parse_example(batch, features)
        if not labels:
            return images(examples["image"])
        number = numbers.lookup(examples["category"])
        return images(examples["image"]), tf.one_hot(number, len(names)) if labels == "onehot" else number

    count = manifest.count
    always_full = drop_remainder or count % batch_size == 0
    files = [_readable(store / entry.file) for entry in manifest.categories.values()]
    dataset = tf.data.TFRecordDataset(files, buffer_size=1 << 22).batch(batch_size, drop_remainder=always_full)
    dataset = dataset.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    batches = count // batch_size if always_full else -(-count // batch_size)
    return dataset.prefetch(2).apply(tf.data.experimental.assert_cardinality(batches))


def _readable(path: Path) -> bytes:
    """A path or address that TensorFlow can read."""
    return os.fsencode(str(path) if str(path).startswith("gs://") else local_copy(path))
