"""Shards of images, as other programs read them: PNG files with labels and metadata, in tar files or Parquet."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdraw.quickdraw.tar import add_member
from fastdraw.rasters.metadata import as_utf8, metadata_columns


class Block(NamedTuple):
    """Some samples.

    Attributes
    ----------
    first : int
        Number of the first in the dataset.
    images : list of bytes
        PNG files.
    labels : (N,) int64
    metadata : (N,) METADATA
    """

    first: int
    images: list[bytes]
    labels: npt.NDArray[np.int64]
    metadata: npt.NDArray[np.void]


Write = Callable[[Iterator[Block], tuple[str, ...], BinaryIO], None]


def write_tar(blocks: Iterator[Block], categories: tuple[str, ...], file: BinaryIO) -> None:
    """WebDataset: samples of ``.png``, ``.cls``, the label, and ``.json``, what else is known."""
    names = [as_utf8(category) for category in categories]
    with tarfile.open(fileobj=file, mode="w|") as tar:
        for block in blocks:
            rows = zip(block.images, block.labels.tolist(), block.metadata.tolist(), strict=True)
            for number, (image, label, (key_id, country, recognized, timestamp)) in enumerate(rows, block.first):
                known = {
                    "category": names[label],
                    "key_id": str(key_id),  # as in ndjson: programs that read JSON round large numbers
                    "country": country.decode("latin-1"),
                    "timestamp": timestamp,
                    "recognized": recognized,
                }
                key = f"{number:09d}-{key_id}"
                add_member(tar, f"{key}.png", image)
                add_member(tar, f"{key}.cls", str(label).encode())
                add_member(tar, f"{key}.json", json.dumps(known).encode())


def write_parquet(blocks: Iterator[Block], categories: tuple[str, ...], file: BinaryIO) -> None:
    """Parquet, with the types of Hugging Face ``datasets``: there ``image`` is an image, and ``label`` a class."""
    import pyarrow as pa
    import pyarrow.parquet

    names = [as_utf8(category) for category in categories]
    schema, writer = _schema(names), None
    try:
        writer = pyarrow.parquet.ParquetWriter(file, schema, compression="zstd")
        for block in blocks:
            images = pa.array(block.images, pa.binary())
            paths = pa.nulls(len(images), pa.string())
            columns = {
                "image": pa.StructArray.from_arrays([images, paths], ["bytes", "path"]),
                "label": pa.array(block.labels),
                "category": pa.array([names[label] for label in block.labels], pa.string()),
                **metadata_columns(block.metadata),
            }
            writer.write_table(pa.table(columns).cast(schema))
    finally:
        if writer is not None:
            writer.close()


def _schema(categories: list[str]) -> Any:
    import pyarrow as pa

    types = {
        "category": pa.string(),
        "key_id": pa.uint64(),
        "country": pa.string(),
        "timestamp": pa.timestamp("ms", tz="UTC"),  # Parquet has no seconds
        "recognized": pa.bool_(),
    }
    features = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": categories},
        **{name: {"_type": "Value", "dtype": str(kind)} for name, kind in types.items()},
    }
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    fields = {"image": image, "label": pa.int64(), **types}
    return pa.schema(fields.items(), {"huggingface": json.dumps({"info": {"features": features}})})


WRITERS: dict[str, Write] = {"webdataset": write_tar, "parquet": write_parquet}
