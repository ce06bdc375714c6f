"""What a file is, by its content: names are not reliable."""

from __future__ import annotations

import codecs
import enum
import re

from fastdraw.quickdraw.binary import FLAG

BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
HEAD = 1 << 16  # bytes from which a file is identified

_PICKLE = "a Python pickle, which could run any code"
_OTHERS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"RIFF": "a RIFF file, such as WebP",
    b"%PDF": "a PDF file",
    b"\x7fELF": "a program",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"\x80\x04\x95": _PICKLE,
    b"\x80\x05\x95": _PICKLE,
    b"Rar!\x1a\x07": "a RAR archive; unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"\x04\x22\x4d\x18": "a file of LZ4; decompress it first",
    b"\x1f\x9d\x90": "a file of the program compress; decompress it first",
    b"\x5d\0\0": "a file of LZMA; decompress it first",
    b"ARROW1": "an Arrow file",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
}


class Kind(enum.Enum):
    """What fastdraw can read."""

    BIN = "records"
    LINES = "a drawing on each line, as JSON"
    ARRAY = "a JSON array of drawings"
    CSV = "CSV"
    NPZ = "arrays of sketch-rnn"
    PARQUET = "Parquet"
    TAR = "a tar file of WebDataset"


def identify(head: bytes) -> Kind:
    """Tell what a file is.

    Parameters
    ----------
    head : bytes
        Its first `HEAD` bytes, decompressed.

    Raises
    ------
    ValueError
        If it is something else, with what it is and what to do.
    """
    if not head:
        raise ValueError("expected drawings, received an empty file; get the file again")
    if head[:4] == b"PK\x03\x04":
        return Kind.NPZ
    if head[:4] == b"PAR1":
        return Kind.PARQUET
    if head[257:262] == b"ustar":
        return Kind.TAR
    if head[:6] == b"\x93NUMPY":
        raise ValueError("expected strokes, received a NumPy array; open bitmaps with fastdraw.open_rasters")
    for magic, name in _OTHERS.items():
        if head.startswith(magic):
            raise ValueError(f"expected drawings, received {name}")
    if re.match(rb"\x80[\2\3][]}(cX]", head):  # an object of an earlier version; two bytes alone may be a key_id
        raise ValueError(f"expected drawings, received {_PICKLE}")
    if head[:2] == b"BM" and head[6:10] == bytes(4):  # two letters alone may be a key_id
        raise ValueError("expected drawings, received a BMP image")
    text = as_text(head)
    if text is None:
        # One line with bytes that are no text must not make records of all: their byte 10 is 0 or 1.
        is_json = re.match(rb'(\xef\xbb\xbf)?\s*\{\s*"', head) is not None and head[FLAG : FLAG + 1] > b"\1"
        is_csv = re.match(rb'(\xef\xbb\xbf)?[\w", ]*\bdrawing\b[\w", ]*\r?\n', head) is not None
        return Kind.LINES if is_json else Kind.CSV if is_csv else Kind.BIN
    start = text.lstrip()
    if start.startswith("version https://git-lfs"):
        raise ValueError("expected drawings, received a Git LFS pointer; fetch the file itself with: git lfs pull")
    if start.startswith("<"):
        raise ValueError("expected drawings, received a web page; get the file again from its real address")
    if re.match(r"(?=[\[{(])[\[{(\s]*(u?'|\(\s*[\[(\d-])", start):
        raise ValueError("expected JSON, received the text of Python objects; write them with json.dumps")
    if start.startswith("{"):
        return Kind.LINES
    if start.startswith("["):
        # A drawing is an array of strokes, of rows, of numbers: three brackets. One more is an array of drawings.
        brackets = re.match(r"[\[\s]*", start).group().count("[")  # type: ignore[union-attr]
        return Kind.LINES if brackets == 3 else Kind.ARRAY
    header = start.partition("\n")[0]
    if "drawing" in [name.strip('"\r ') for name in header.split(",")]:
        return Kind.CSV
    if not start:
        raise ValueError("expected drawings, received a file of blank lines; get the file again")
    raise ValueError(f"expected drawings, received text that begins with {header[:40]!r}")


def has_drawings(head: bytes, tail: bytes) -> bool:
    """Whether a file can be one of drawings, by its first and last bytes: JSON, Parquet and tar files often are others.

    Parameters
    ----------
    head, tail : bytes
        The first and the last `HEAD` bytes.
    """
    try:
        kind = identify(head)
    except ValueError:
        return False
    if kind is Kind.NPZ:
        return any(part in tail for part in (b"train.npy", b"valid.npy", b"test.npy"))
    if kind in (Kind.LINES, Kind.ARRAY):
        text = as_text(head) or head.decode("latin-1")
        return '"drawing"' in text or re.match(r"\s*(\[\s*){3}", text) is not None
    return kind is Kind.BIN or b"drawing" in head + tail  # names of columns and fields


def encoding(head: bytes) -> str:
    """The encoding of a text, by its first bytes: UTF-8 or UTF-16, which may have no byte order mark."""
    if re.match(rb"([\s!-~]\0){4}", head):
        return "utf-16-le"
    if re.match(rb"(\0[\s!-~]){4}", head):
        return "utf-16-be"
    return next((name for bom, name in BOMS.items() if head.startswith(bom)), "utf-8")


def as_text(head: bytes) -> str | None:
    """The first bytes of a file as text; None if they are none."""
    try:
        text = codecs.getincrementaldecoder(encoding(head))().decode(head)
    except UnicodeDecodeError:
        return None
    return None if re.search("[\0-\x08\x0e-\x1f]", text) else text
