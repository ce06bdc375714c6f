"""Rasters as TFRecord files, for training from a bucket: what ``fastdraw rasterize --tfrecord`` writes, and its reader.

There is a file for each category, with a ``tf.train.Example`` for each image:

``image``
    bytes, the pixels as uint8 by rows: size * size of them, or packed size * size / 8 in the order of
    ``numpy.packbits``. The folder's ``dataset.json`` says which, and the size.
``category``
    bytes, its name in UTF-8. Numbers of categories depend on what else is in the folder, names do not.

In TensorFlow's words: ``{"image": tf.io.FixedLenFeature([], tf.string), "category": tf.io.FixedLenFeature([],
tf.string)}``.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastdraw.checks import check_dtype, check_labels, integer
from fastdraw.errors import FastdrawError
from fastdraw.storage import Address, as_path, is_local, local_copy

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
    """Batches of what ``fastdraw rasterize --tfrecord`` wrote: those of `to_tf_dataset` of the same drawings, in order.

    The drawings are in the order of their categories' names, and so not yet fit to be trained on:
    ``read_tfrecords(folder, 1).unbatch().shuffle(100_000).batch(256)`` shuffles them a little, the more the larger its
    buffer is.

    Parameters
    ----------
    folder : path
        On this machine, or an address. TensorFlow reads ``gs://`` itself; files of other addresses are copied to
        the user's cache folder first.
    batch_size : int
        Images in a batch. The last may have fewer.
    labels : {"int", "onehot"}, optional
        Give pairs of images and category numbers, or images and rows of zeros with a one at the category's number; the
        numbers are those of ``dataset.json``.
    packed : bool
        Give a bit a pixel, as the files have it; for a folder that was written with ``--packed``.
    dtype : {"float32", "uint8"}
        Pixels from 0 to 1, or from 0 to 255; of no importance with ``packed``.
    drop_remainder : bool
        Leave out the last batch if it is not full.

    Returns
    -------
    tf.data.Dataset
        Of images (B, size, size, 1), packed (B, size * size / 8) uint8; or of pairs of images and labels, (B,) int64 or
        (B, number of categories) float32.

    Raises
    ------
    FastdrawError
        If the folder holds no finished TFRecord files.
    ValueError
        If an argument is not one of those above.
    """
    import tensorflow as tf

    from fastdraw.rasters.manifest import read_manifest
    from fastdraw.settings import Settings

    check_labels(labels)
    check_dtype(dtype)
    batch_size = integer("batch_size", batch_size, 1)
    target = as_path(folder)
    manifest = read_manifest(target)
    settings = Settings(**manifest["settings"])
    entries = list(manifest["categories"].values())
    if manifest["form"] != "tfrecord":
        raise FastdrawError(f"{target}: expected TFRecord files, found {manifest['form']} files; see open_rasters")
    if manifest["pending"]:
        raise FastdrawError(f"{target}: the run that writes it is not finished; run the same command again")
    if packed and not settings.packed:
        raise ValueError(f"expected packed only for a folder that was written with it, which {target} was not")

    names = list(manifest["categories"])
    numbers = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(names, np.arange(len(names))), -1)
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in ("image", "category")}

    def images(encoded: Any) -> Any:
        pixels = tf.ensure_shape(tf.io.decode_raw(encoded, tf.uint8), (None, math.prod(settings.shape)))
        if packed:
            return pixels
        if settings.packed:
            shifts = tf.cast(tf.range(7, -1, -1), tf.uint8)
            pixels = 255 * (tf.bitwise.right_shift(pixels[:, :, None], shifts) & 1)
        pixels = tf.reshape(pixels, (-1, settings.size, settings.size, 1))
        return pixels if dtype == "uint8" else tf.cast(pixels, tf.float32) / 255

    def parse(batch: Any) -> Any:
        examples = tf.io.parse_example(batch, features)
        if not labels:
            return images(examples["image"])
        number = numbers.lookup(examples["category"])
        return images(examples["image"]), tf.one_hot(number, len(names)) if labels == "onehot" else number

    count = sum(entry["count"] for entry in entries)
    always_full = drop_remainder or count % batch_size == 0
    files = [_readable(target / entry["file"]) for entry in entries]
    dataset = tf.data.TFRecordDataset(files, buffer_size=1 << 22).batch(batch_size, drop_remainder=always_full)
    dataset = dataset.map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    batches = count // batch_size if always_full else -(-count // batch_size)
    return dataset.prefetch(2).apply(tf.data.experimental.assert_cardinality(batches))


def _readable(path: Path) -> str:
    """A name under which TensorFlow can read a file."""
    return str(path) if is_local(path) or str(path).startswith("gs://") else os.fspath(local_copy(path))
