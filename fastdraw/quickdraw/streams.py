"""Compressed files as streams, read in pieces of bounded size."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import itertools
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from fastdraw.errors import FastdrawError, FormatError
from fastdraw.quickdraw.identify import HEAD, encoding

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
_PIECE = 1 << 20  # bytes


def _open_zstd(file: BinaryIO) -> IO[bytes]:
    try:
        import zstandard
    except ImportError:
        raise FastdrawError(
            f'{file.name}: expected the package zstandard, to decompress it: pip install "fastdraw-vaekit[zstd]"'
        ) from None
    return cast(IO[bytes], zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))


_COMPRESSIONS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _open_zstd,
}


def is_compressed(head: bytes) -> bool:
    """Whether a file begins as those of gzip, bzip2, xz or zstd."""
    return head.startswith(tuple(_COMPRESSIONS))


@contextlib.contextmanager
def open_stream(path: Path) -> Iterator[tuple[bytes, io.BufferedReader]]:
    """The first `HEAD` bytes of a file, and the whole of it as a stream; decompressed, whatever its name.

    Raises
    ------
    FormatError
        In the block, too, if the compressed data is damaged.
    """
    with open(path, "rb") as file:
        try:
            magic = file.peek(6)
            opened = next((opener(file) for start, opener in _COMPRESSIONS.items() if magic.startswith(start)), file)
            stream = io.BufferedReader(opened, _PIECE)
            yield stream.peek(HEAD)[:HEAD], stream
        except Exception as error:
            damaged = isinstance(error, (EOFError, zlib.error, lzma.LZMAError)) or type(error).__name__ == "ZstdError"
            if not (damaged or (isinstance(error, OSError) and error.errno is None)):  # as of gzip and bzip2
                raise
            raise FormatError(path, file.tell(), f"expected sound compressed data: {error}") from None


def seekable(stream: io.BufferedReader) -> contextlib.AbstractContextManager[IO[bytes]]:
    """A stream, or a copy of it if it cannot go back."""
    if stream.seekable():
        return contextlib.nullcontext(stream)
    file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by the caller
    shutil.copyfileobj(stream, file, 1 << 20)
    return file


def base_name(path: Path) -> str:
    """The name of a file without its folder, and without the suffixes of its compression and its format."""
    name = path.name
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return Path(name).stem


def line_blocks(head: bytes, stream: io.BufferedReader) -> Iterator[list[bytes]]:
    """Lines in UTF-8, without a byte order mark, as many at a time as are read together."""
    name = encoding(head)
    if name == "utf-16":
        text = io.TextIOWrapper(stream, name, newline="\n")
        try:
            yield from ([line.encode()] for line in text)
        finally:
            text.detach()  # or it would close the stream, which is its caller's
        return
    yield [line.removeprefix(codecs.BOM_UTF8) for line in itertools.islice(stream, 1)]
    while block := stream.readlines(_PIECE):
        yield block
