"""Errors about files. A wrong argument raises a plain ``ValueError`` or ``TypeError``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_BACKENDS = ("tensorflow", "jax", "torch")  # of Keras; each is an extra of the same name
_EXTRAS = {**{name: name for name in _BACKENDS}, "pyarrow": "parquet"}


class FastdrawError(Exception):
    """Base class of errors about files and folders.

    Examples
    --------
    >>> try:
    ...     fastdraw.open_drawings("missing.bin")
    ... except fastdraw.FastdrawError as error:
    ...     print(error)
    missing.bin: no such file or folder; expected a .bin file or a folder of them
    """


class MissingPackageError(FastdrawError, ModuleNotFoundError):
    """A part of the project needs a package that is not installed; the message names the extra that brings it.

    Examples
    --------
    >>> print(fastdraw.errors.MissingPackageError("tensorflow"))
    expected tensorflow, which is not installed: pip install "fastdraw-vaekit[tensorflow]"
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, name=name)

    def __str__(self) -> str:
        if extra := _EXTRAS.get(self.name or ""):
            return f'expected {self.name}, which is not installed: pip install "fastdraw-vaekit[{extra}]"'
        return (
            "expected Keras and a backend for it, which are not installed: "
            'pip install "fastdraw-vaekit[tensorflow]", or [jax], or [torch]'
        )

    def __reduce__(self) -> tuple[type[MissingPackageError], tuple[str | None]]:
        return type(self), (self.name,)


@contextlib.contextmanager
def naming_the_extra() -> Iterator[None]:
    """Raise `MissingPackageError` if an import inside does not find a package that an extra brings.

    Examples
    --------
    >>> with fastdraw.errors.naming_the_extra():
    ...     import json
    """
    try:
        yield
    except MissingPackageError:
        raise
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in (*_EXTRAS, "keras", "skimage", "sklearn"):
            raise
        raise MissingPackageError(name) from None


class FormatError(FastdrawError, ValueError):
    """A file is damaged, or not in the expected format.

    Attributes
    ----------
    path : str
        The file.
    offset : int or None
        Byte offset of the damaged record or line; everything before it is sound. None in formats whose parts have no
        place in the file: arrays of JSON, CSV, ``.npz`` and Parquet.
    reason : str
        What was expected there and what was received; in formats without offsets it begins with the row or drawing.
    salvageable : bool
        Whether the file holds drawings that ``errors="salvage"`` keeps.

    Examples
    --------
    >>> with open("cat.bin", "wb") as file:
    ...     file.write(bytes(10))
    10
    >>> try:
    ...     fastdraw.open_drawings("cat.bin")
    ... except fastdraw.FormatError as error:
    ...     print(error.path, error.offset)
    cat.bin 0
    """

    salvageable = False

    def __init__(self, path: str | os.PathLike[str], offset: int | None, reason: str) -> None:
        self.path = os.fspath(path)
        self.offset = offset
        self.reason = reason
        super().__init__(self.path, offset, reason)

    @property
    def damage(self) -> str:
        """Where the damage is and what it is, without advice."""
        place = "" if self.offset is None else f" at byte {self.offset}"
        return f"{self.path}: damaged{place}: {self.reason}"

    def __str__(self) -> str:
        return self.damage + ('; correct it, or pass errors="salvage" to keep the others' if self.salvageable else "")


class BinFormatError(FormatError):
    """A ``.bin`` file has a record that is cut off or malformed.

    Examples
    --------
    >>> with open("cat.bin", "wb") as file:
    ...     file.write(bytes(10))
    10
    >>> try:
    ...     fastdraw.open_drawings("cat.bin")
    ... except fastdraw.BinFormatError as error:
    ...     print(error.reason)
    record 0 is cut off: expected 17 bytes for its head, received 10
    """

    def __str__(self) -> str:
        if not self.offset:  # salvage has nothing to keep here
            return f"{self.damage}; get the file again, or leave it out"
        return f'{self.damage}; get the file again, or pass errors="salvage" to keep the records before the damage'


class OtherFormatError(FormatError):
    """A file holds something other than drawings, such as a web page; the message says what it is and what to do.

    Examples
    --------
    >>> with open("cat.bin", "w") as file:
    ...     file.write("<html>404</html>")
    16
    >>> try:
    ...     fastdraw.open_drawings("cat.bin")
    ... except fastdraw.FormatError as error:
    ...     print(error)
    cat.bin: expected drawings, received a web page; get the file again from its real address
    """

    @property
    def damage(self) -> str:
        return f"{self.path}: {self.reason}"


class NdjsonFormatError(FormatError):
    """A line of an ``.ndjson`` file is not a drawing.

    Examples
    --------
    >>> with open("cat.ndjson", "w") as file:
    ...     file.write("{}")
    2
    >>> try:
    ...     fastdraw.ndjson_to_bin("cat.ndjson", "cat.bin")
    ... except fastdraw.NdjsonFormatError as error:
    ...     print(error.reason)
    line 1: expected a field drawing, received none
    """


class DamagedFileWarning(UserWarning):
    """A damaged file was opened with ``errors="salvage"``; what follows the damage is left out.

    Examples
    --------
    >>> import warnings
    >>> from pathlib import Path
    >>> size = Path("cat.bin").write_bytes(Path("quickdraw/face.bin").read_bytes()[:-1])
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", fastdraw.DamagedFileWarning)
    ...     drawings = fastdraw.open_drawings("cat.bin", errors="salvage")
    >>> print(caught[0].message)
    cat.bin: kept 199 drawings and left out the last ... bytes, from byte ... on: record 199 is cut off: ...
    """
