"""The ``.npz`` files of sketch-rnn: drawings as rows of (dx, dy, pen lifted), in parts for training and testing.

The parts are arrays of objects, which NumPy stores as pickles. They are read by an unpickler that knows arrays only, so
a file cannot run code.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import pickle
import reprlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FormatError, OtherFormatError
from fastdraw.kernels.hashing import mix
from fastdraw.quickdraw.binary import Item
from fastdraw.quickdraw.fields import encode_fields
from fastdraw.quickdraw.selection import split_numbers
from fastdraw.quickdraw.streams import seekable

PARTS = ("train", "valid", "test")  # in the order of `View.split`
_LARGEST = 1 << 30  # bytes of a part, decompressed: ten times what the largest of the published files has
_PIECE = 1 << 20  # bytes
_SPLIT = 0.1, 0.1, 0  # the defaults of `View.split`

_ADMITTED = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, name: text.encode("latin-1"),  # how Python 3 pickles bytes for Python 2
}


def _reconstruct(kind: Any, shape: Any, code: Any) -> npt.NDArray[Any]:
    """An empty array; a pickle fills it in the next step."""
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("expected an array")
    return np.empty(0, np.uint8)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return _reconstruct
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"expected arrays alone, received {module}.{name}")
        return _ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("expected arrays alone")


def read_sketchrnn(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | FormatError]:
    """The drawings of the parts ``train``, ``valid`` and ``test``, in this order.

    Offsets are added up from the origin. A drawing whose first point is unknown, or that has coordinates above 255, is
    moved so that its smallest coordinates are 0, and scaled so that its largest is 255 only if it is larger. Its key_id
    is such that `View.split`, with its defaults, gives the parts.

    Yields
    ------
    Item, or FormatError for a drawing that is none

    Raises
    ------
    OtherFormatError
        If it is a zip archive of something else.
    """
    try:
        with seekable(stream) as file, zipfile.ZipFile(file) as archive:
            names = [f"{part}.npy" for part in PARTS if f"{part}.npy" in archive.namelist()]
            if not names:
                raise OtherFormatError(path, None, _other(archive.namelist()))
            if others := [name for name in archive.namelist() if name not in names]:
                yield FormatError(path, None, f"{others[0]}: expected the arrays {', '.join(PARTS)} alone")
            for name in names:
                if archive.getinfo(name).file_size > _LARGEST:
                    raise ValueError(f"expected {name} to have at most {_LARGEST:,} bytes")
                with archive.open(name) as part, io.BufferedReader(cast(io.RawIOBase, part), _PIECE) as content:
                    sketches = _objects(content)
                yield from _drawings(path, name.removesuffix(".npy"), sketches)
    except zipfile.BadZipFile as error:
        yield FormatError(path, None, f"expected a sound .npz file: {error}; it may be incomplete")
    except OtherFormatError:
        raise
    except (ValueError, TypeError, pickle.UnpicklingError, EOFError, MemoryError) as error:
        yield FormatError(path, None, str(error) or "not enough memory")
    except Exception as error:  # a pickle can end in any
        yield FormatError(path, None, f"expected arrays of drawings: {error}")


def _other(names: list[str]) -> str:
    """What a zip archive is that has none of the parts, and what to do."""
    some = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    if names and all(name.endswith(".npy") for name in names):
        return f"expected the arrays {', '.join(PARTS)} of sketch-rnn, received {some}"
    return f"expected drawings, received a zip archive with {some or 'nothing in it'}; unpack it first"


def _drawings(path: Path, part: str, sketches: npt.NDArray[Any]) -> Iterator[Item | FormatError]:
    """The drawings of a part.

    The first row is the offset from the first point, which the file leaves out. Where no drawing has a sum of offsets
    below 0, it is the first point itself, as sketch-rnn's own ``lines_to_strokes`` writes it.
    """
    drawings: list[npt.NDArray[np.float64] | ValueError] = []
    for sketch in sketches:
        try:
            drawings.append(_points(sketch))
        except ValueError as error:
            drawings.append(error)
    sound = [points for points in drawings if not isinstance(points, ValueError)]
    from_origin = any(points[:, :2].min() < 0 for points in sound)
    keys = iter(_keys(part, sound).tolist())
    for number, points in enumerate(drawings, 1):
        place = f"{part}, drawing {number}"
        if isinstance(points, ValueError):
            yield FormatError(path, None, f"{place}: {points}")
        else:
            fields = {"drawing": _strokes(points, from_origin), "key_id": next(keys)}
            yield Item(None, encode_fields(fields, regular=True), 0, place)


def _keys(part: str, drawings: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.uint64]:
    """A key_id for each drawing of a part: a hash of it, hashed again until the default split is that part."""
    digests = b"".join(hashlib.blake2b(points.tobytes(), digest_size=8).digest() for points in drawings)
    keys = np.frombuffer(digests, "<u8").astype(np.uint64)
    while (others := split_numbers(keys, *_SPLIT) != PARTS.index(part)).any():
        keys[others] = mix(keys[others])
    return keys


def _objects(file: IO[bytes]) -> npt.NDArray[Any]:
    """The array of drawings in a ``.npy`` file.

    Drawings of one length are one array of numbers, (n, length, 3): NumPy makes such of a list of them.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        array = _Unpickler(file, encoding="latin1").load()
    else:
        file.seek(0)
        array = np.lib.format.read_array(file, allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.shape != shape or array.ndim not in (1, 3):
        raise ValueError(f"expected an array of drawings, received one of {dtype} and shape {shape}")
    if array.ndim == 1:
        return array
    array = array.astype(np.float64)
    if array.size and not (array[:, -1, -1] == 1).all():
        raise ValueError("expected drawings of one length to end with the pen lifted; leave out the padding")
    return array


def _points(sketch: Any) -> npt.NDArray[np.float64]:
    """Sums of the offsets, (n, 3): x and y from the origin, and whether the pen is lifted after the point."""
    if not (isinstance(sketch, np.ndarray) and sketch.ndim == 2 and sketch.shape[1] == 3 and len(sketch)):
        raise ValueError(f"expected rows of (dx, dy, pen lifted), received {reprlib.repr(sketch)}")
    if sketch.dtype.kind not in "iuf" or not np.isfinite(sketch).all() or not np.isin(sketch[:, 2], (0, 1)).all():
        raise ValueError(f"expected finite offsets, and 0 or 1 for the pen, received {reprlib.repr(sketch.tolist())}")
    points = sketch.astype(np.float64)
    points[:, :2] = np.cumsum(points[:, :2], axis=0)
    return points


def _strokes(points: npt.NDArray[np.float64], from_origin: bool) -> list[list[list[int]]]:
    """Strokes of coordinates from 0 to 255."""
    if from_origin:
        points = np.concatenate([np.zeros((1, 3)), points])
    places = points[:, :2]
    if from_origin or places.max() > 255:
        places = places - places.min(axis=0)
    if (extent := places.max()) > 255:
        places *= 255 / extent
    pixels = np.rint(places).astype(int)
    ends = [0, *(np.nonzero(points[:, 2])[0] + 1), len(points)]
    return [pixels[a:b].T.tolist() for a, b in itertools.pairwise(ends) if b > a]
