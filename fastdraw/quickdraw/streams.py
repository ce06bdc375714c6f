"""Compressed files as streams, read in pieces of bounded size."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from fastdraw.errors import FastdrawError, FormatError
from fastdraw.quickdraw.identify import HEAD, encoding

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
_PIECE = 1 << 20  # bytes
LONGEST_LINE = 1 << 26  # characters: a compressed file of a few KB can make one that fills the memory
_TOO_LONG = f"expected lines of at most {LONGEST_LINE:,} characters"
_FRAME_PIECE = 1 << 10  # bytes, which become 32 MiB at most


def _open_zstd(file: BinaryIO) -> IO[bytes]:
    try:
        import zstandard
    except ImportError:
        raise FastdrawError(
            f'{file.name}: expected the package zstandard, to decompress it: pip install "fastdraw-vaekit[zstd]"'
        ) from None
    return cast(IO[bytes], _Frames(file, zstandard.ZstdDecompressor().decompressobj))


_COMPRESSIONS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _open_zstd,
}


def is_compressed(head: bytes) -> bool:
    """Whether a file begins as those of gzip, bzip2, xz or zstd."""
    return head.startswith(tuple(_COMPRESSIONS))


class _Frames(io.RawIOBase):
    """The content of frames of zstd. A truncated frame is an error, unlike to the reader of zstandard.

    Parameters
    ----------
    file : binary file
    decompressor : callable
        Makes a decompressor for a frame.
    """

    def __init__(self, file: BinaryIO, decompressor: Callable[[], Any]) -> None:
        self._file = file
        self._decompressor = decompressor
        self._frame: Any = None
        self._rest = b""  # not decompressed
        self._made = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, out: Any) -> int:
        while not self._made:
            piece = self._rest or self._file.read(_FRAME_PIECE)
            if not piece:
                if self._frame is not None:
                    raise EOFError("Compressed file ended in the middle of a frame")
                return 0
            self._frame = self._frame or self._decompressor()
            self._made, self._rest = memoryview(self._frame.decompress(piece)), b""
            if self._frame.eof:
                self._frame, self._rest = None, self._frame.unused_data
        size = min(len(out), len(self._made))
        out[:size], self._made = self._made[:size], self._made[size:]
        return size


class _Sound(io.RawIOBase):
    """Decompressed content, which ends where the compressed data is damaged.

    Attributes
    ----------
    damage : Exception or None
    """

    def __init__(self, file: Any) -> None:
        self._read = getattr(file, "readinto1", file.readinto)  # only what it has, or damage would hide some of it
        self.damage: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, out: Any) -> int:
        try:
            return 0 if self.damage else self._read(out)
        except Exception as error:
            known = isinstance(error, (EOFError, zlib.error, lzma.LZMAError)) or type(error).__name__ == "ZstdError"
            if not (known or (isinstance(error, OSError) and error.errno is None)):  # as of gzip and bzip2
                raise
            self.damage = error
            return 0


@contextlib.contextmanager
def open_stream(path: Path) -> Iterator[tuple[bytes, io.BufferedReader]]:
    """The first `HEAD` bytes of a file, and the whole of it as a stream; decompressed, whatever its name.

    Raises
    ------
    FormatError
        At the end of the block, if the compressed data is damaged; the stream ends there.
    """
    with open(path, "rb") as file:
        magic = file.peek(6)
        opener = next((opener for start, opener in _COMPRESSIONS.items() if magic.startswith(start)), None)
        content = _Sound(opener(file)) if opener else None
        stream: io.BufferedReader = io.BufferedReader(cast(Any, content or file), _PIECE)

        def check() -> None:
            if content and content.damage:
                reason = f"expected sound compressed data: {content.damage}"
                raise FormatError(path, file.tell(), reason) from None

        try:
            yield stream.peek(HEAD)[:HEAD], stream
        except FastdrawError:
            check()  # which explains the other error
            raise
        check()


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
    """Lines in UTF-8, without a byte order mark, as many at a time as are read together.

    Raises
    ------
    ValueError
        If a line is too long to be one, or the text is damaged.
    """
    name = encoding(head)
    if name.startswith("utf-16"):
        with text_lines(stream, name, "\n") as texts:
            yield from ([line.encode()] for line in texts)
        return
    rest, mark = b"", codecs.BOM_UTF8
    while piece := stream.read(_PIECE):
        lines = io.BytesIO(piece.removeprefix(mark)).readlines()
        mark = b""
        if rest:
            lines[0] = rest + lines[0]
        rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        if len(rest) > LONGEST_LINE:
            raise ValueError(_TOO_LONG)
        if lines:
            yield lines
    if rest:
        yield [rest]


@contextlib.contextmanager
def text_lines(stream: io.BufferedReader, name: str, newline: str) -> Iterator[Iterator[str]]:
    """The lines of a text in an encoding, with their ends; a ValueError if one is too long to be one.

    Bytes that are no UTF-8 become surrogates, so that they are an error of their line alone.
    """
    text = io.TextIOWrapper(stream, name, errors="surrogateescape", newline=newline)

    def lines() -> Iterator[str]:
        while line := text.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise ValueError(_TOO_LONG)
            yield line

    try:
        yield lines()
    finally:
        text.detach()  # or it would close the stream, which is its caller's
