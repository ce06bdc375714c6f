"""What can go wrong with files; a wrong argument is a plain ``ValueError`` or ``TypeError``."""

from __future__ import annotations

import os


class FastdrawError(Exception):
    """Base of the errors that fastdraw raises about files and folders."""


class FormatError(FastdrawError, ValueError):
    """A file is not what its format says.

    Attributes
    ----------
    path : str
        The file.
    offset : int
        Byte offset of the record or line that is damaged; all before it is sound.
    reason : str
        What was expected there and what was found.
    """

    def __init__(self, path: str | os.PathLike[str], offset: int, reason: str) -> None:
        self.path = os.fspath(path)
        self.offset = offset
        self.reason = reason
        super().__init__(self.path, offset, reason)

    def __str__(self) -> str:
        return f"{self.path}: damaged at byte {self.offset}: {self.reason}"


class BinFormatError(FormatError):
    """A ``.bin`` file holds a record that is cut off or malformed."""

    def __str__(self) -> str:
        return f'{super().__str__()}; get the file again, or keep the records before the damage with errors="salvage"'


class NdjsonFormatError(FormatError):
    """A line of an ``.ndjson`` file is not a simplified drawing."""


class DamagedFileWarning(UserWarning):
    """A damaged file was opened with ``errors="salvage"``: its last bytes are left out."""
