"""Shards of WebDataset: tar files whose members are the fields of samples, ``<key>.<field>``."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import orjson

from fastdraw.errors import FormatError
from fastdraw.quickdraw.binary import Item
from fastdraw.quickdraw.fields import encode_fields, word_of

SHARD = 1 << 16  # samples in a shard
_LARGEST = 1 << 26  # bytes of a drawing as JSON


def shard_name(number: int, suffix: str) -> str:
    """The name of a shard, as WebDataset numbers them."""
    return f"{number:05d}{suffix}"


def add_member(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Append a member that depends on nothing but its name and content."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def read_tar(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | FormatError]:
    """The drawings of a shard: members ``<key>.json`` with the fields of ndjson. Others are passed over.

    Yields
    ------
    Item, or FormatError for a member that is no drawing
    """
    at, watched = 0, _Tail(stream)
    try:
        with tarfile.open(fileobj=watched, mode="r|") as tar:
            for member in tar:
                at = member.offset
                if not (member.isfile() and member.name.endswith(".json")):
                    continue
                try:
                    if member.size > _LARGEST:
                        raise ValueError(f"expected a drawing of at most {_LARGEST:,} bytes, received {member.size:,}")
                    fields = orjson.loads(tar.extractfile(member).read())  # type: ignore[union-attr]
                    if not isinstance(fields, dict):
                        raise ValueError("expected a JSON object")
                    yield Item(word_of(fields), encode_fields(fields), at, member.name)
                except ValueError as error:
                    yield FormatError(path, at, f"{member.name}: {error}")
                tar.members = []  # type: ignore[attr-defined]  # or it would remember all
        if watched.tail.strip(b"\0"):
            yield FormatError(path, at, "expected two blocks of zeros at the end: the tar file is truncated")
    except tarfile.TarError as error:
        yield FormatError(path, at, f"expected a sound tar file: {error}")


class _Tail(io.RawIOBase):
    """A stream, and the last block that was read of it: a file that is cut after a member ends without an error."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        if content:
            self.tail = content[-tarfile.BLOCKSIZE :]
        return content
