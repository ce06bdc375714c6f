"""Drawings as WebDataset: tar files of samples ``<number>-<key_id>.json``, with the fields of ndjson."""

from __future__ import annotations

import io
import tarfile
from typing import BinaryIO

import numpy as np

from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.ndjson import write_ndjson
from fastdraw.quickdraw.tar import add_member

_BLOCK = 4096  # drawings that are in memory as text at a time


def write(drawings: Drawings, file: BinaryIO, first: int = 0) -> None:
    """Write all drawings, in their order, to one shard; they are numbered from ``first`` on."""
    with tarfile.open(fileobj=file, mode="w") as tar:
        for start in range(0, len(drawings), _BLOCK):
            block = drawings[start : start + _BLOCK]
            text = io.BytesIO()
            write_ndjson(block, text)  # category by category
            lines = text.getvalue().splitlines()
            places = np.argsort(np.argsort(block.labels, kind="stable"))
            for number, (place, key_id) in enumerate(zip(places, block.metadata["key_id"], strict=True)):
                add_member(tar, f"{first + start + number:09d}-{key_id}.json", lines[place])
