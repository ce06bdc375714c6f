"""Drawings: a lazy sequence over the records of any number of mapped files."""

from __future__ import annotations

import datetime
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Unpack, overload

import numpy as np
import numpy.typing as npt

from fastdraw.checks import known_options, one_of
from fastdraw.errors import DamagedFileWarning
from fastdraw.kernels.hashing import hash_to_unit_interval
from fastdraw.quickdraw.binary import Stroke, decode
from fastdraw.quickdraw.index import IndexedFile, find_bin_files
from fastdraw.quickdraw.mapped import Ids, MappedFiles, as_array
from fastdraw.render.render import Images, render
from fastdraw.settings import ImageOptions, Settings

Paths = str | os.PathLike[str] | list[str | os.PathLike[str]]
Time = int | str | datetime.date | np.datetime64

_BLOCK = 1 << 20  # drawings whose metadata is in memory at a time


def open_drawings(paths: Paths, *, errors: Literal["raise", "salvage"] = "raise") -> Drawings:
    """Open ``.bin`` files as one sequence of drawings.

    Every file is checked in full before its drawings are used; the result is kept beside it, in
    ``<file>.index``, so that the next time is quick.

    Parameters
    ----------
    paths : path or list of paths
        Files, or folders of ``*.bin``. The category of a drawing is the name of its file.
    errors : {"raise", "salvage"}
        What to do about a damaged file: raise, or keep every complete record before the damage and warn.

    Returns
    -------
    Drawings

    Raises
    ------
    BinFormatError
        If a file is damaged, with its path, the byte offset of the damaged record and the reason.
    FastdrawError
        If a path does not exist, or a folder holds no ``.bin`` file.

    Warns
    -----
    DamagedFileWarning
        With ``errors="salvage"``, for each damaged file: how many bytes are left out.
    """
    one_of("errors", errors, ("raise", "salvage"))
    files = [IndexedFile(path) for path in find_bin_files(paths)]
    for file in files:
        if file.damage and errors == "raise":
            raise file.damage
        if file.left_out:
            warnings.warn(file.left_out, DamagedFileWarning, stacklevel=2)
    categories = tuple(dict.fromkeys(file.path.stem for file in files))
    labels = np.array([categories.index(file.path.stem) for file in files])
    return Drawings(MappedFiles(files), categories, labels, range(sum(file.count for file in files)))


class Drawings(Sequence[list[Stroke]]):
    """A lazy sequence of drawings; `open_drawings` makes one.

    ``drawings[i]`` is a list of strokes, each a (2, n) uint8 view of its x and y, 0..255, y pointing down. A slice, an
    array of indices or a boolean mask gives another `Drawings`, which copies no strokes.

    Attributes
    ----------
    categories : tuple of str
        Names, from the names of the files. A view has those of the drawings it was taken from.
    """

    def __init__(
        self,
        mapped: MappedFiles,
        categories: tuple[str, ...],
        file_labels: npt.NDArray[np.int64],
        ids: Ids,
    ) -> None:
        self.categories = categories
        self._mapped = mapped
        self._file_labels = file_labels
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    def __repr__(self) -> str:
        return f"<{len(self):,} drawings of {len(self.categories)} categories>"

    @overload
    def __getitem__(self, index: int) -> list[Stroke]: ...
    @overload
    def __getitem__(self, index: slice | npt.ArrayLike) -> Drawings: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (int, np.integer)):
            at = index + len(self) if index < 0 else index
            if not 0 <= at < len(self):
                raise IndexError(f"drawing {index} of {len(self)}")
            return decode(self._mapped.records(self._ids[at : at + 1])[0])
        if isinstance(index, slice):
            return self._view(self._ids[index])
        chosen = np.asarray(index)
        if chosen.size == 0 and chosen.dtype != np.bool_:
            chosen = chosen.astype(np.int64)
        if chosen.ndim != 1 or chosen.dtype.kind not in "biu":
            raise TypeError(
                f"expected an int, a slice, or a 1-D array of ints or bools; received {chosen.ndim}-D {chosen.dtype}"
            )
        if chosen.dtype != np.bool_ and isinstance(self._ids, range):
            if chosen.size and not (-len(self) <= chosen.min() and chosen.max() < len(self)):
                raise IndexError(
                    f"drawing {chosen.max() if chosen.max() >= len(self) else chosen.min()} of {len(self)}"
                )
            chosen = chosen.astype(np.int64)
            return self._view(self._ids.start + self._ids.step * np.where(chosen < 0, chosen + len(self), chosen))
        return self._view(as_array(self._ids)[chosen])

    def __iter__(self) -> Iterator[list[Stroke]]:
        for start in range(0, len(self), 1024):
            stop = min(start + 1024, len(self))
            records, starts = self._mapped.records(self._ids[start:stop])
            for i in range(stop - start):
                yield decode(records[starts[i] : starts[i + 1]])

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Number of each drawing's category, an index into ``categories``: (N,) int64."""
        return self._file_labels[self._mapped.file_numbers(self._ids)]

    @property
    def metadata(self) -> npt.NDArray[np.void]:
        """What each record says besides its strokes: (N,) structured array.

        Fields: ``key_id`` (uint64), ``country`` (two bytes), ``recognized`` (bool), ``timestamp`` (uint32, seconds
        since 1970 in UTC).
        """
        return self._mapped.metadata(self._ids)

    def records(self, copy: bool = True) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """The records, back to back, and where each begins, then the end: (b,) uint8 and (N + 1,) int64.

        Parameters
        ----------
        copy : bool
            If False, the records are read-only, and a memory map where they are consecutive in one file.

        Examples
        --------
        >>> records, starts = fastdraw.open_drawings("quickdraw").records(copy=False)
        >>> len(starts)
        601
        """
        return self._mapped.records(self._ids) if copy else self._mapped.records_in_place(self._ids)

    def filter(
        self,
        recognized: bool | None = None,
        countries: str | Sequence[str] | None = None,
        categories: str | Sequence[str] | None = None,
        after: Time | None = None,
        before: Time | None = None,
    ) -> Drawings:
        """The drawings that meet every given condition, in the same order.

        Parameters
        ----------
        recognized : bool, optional
            Whether the game recognized the drawing.
        countries : str or sequence of str, optional
            Two-letter codes.
        categories : str or sequence of str, optional
            Names. The view has just these categories, numbered in the order given here.
        after, before : int, str, datetime.datetime or numpy.datetime64, optional
            ``after <= timestamp < before``: seconds since 1970, ISO 8601 text or a date; UTC unless it says otherwise.

        Returns
        -------
        Drawings

        Raises
        ------
        ValueError
            If a category is not among these, or a country is not a two-letter code.
        """
        view = self if categories is None else self._of_categories(categories)
        if recognized is None and countries is None and after is None and before is None:
            return view
        codes = None if countries is None else _as_countries(countries)
        earliest, end = _as_seconds(after), _as_seconds(before)
        keep = np.ones(len(view), np.bool_)
        for start in range(0, len(view), _BLOCK):
            rows = self._mapped.metadata(view._ids[start : start + _BLOCK])
            kept = keep[start : start + _BLOCK]
            if recognized is not None:
                kept &= rows["recognized"] == recognized
            if codes is not None:
                kept &= np.isin(rows["country"], codes)
            if earliest is not None:
                kept &= rows["timestamp"] >= earliest
            if end is not None:
                kept &= rows["timestamp"] < end
        return view[keep]

    def split(self, validation: float = 0.1, test: float = 0.1, seed: int = 0) -> tuple[Drawings, Drawings, Drawings]:
        """Three views for training, validation and test.

        The part of a drawing depends on its key_id and ``seed`` alone, so it stays in its part whatever else is
        loaded, filtered out or added later.

        Parameters
        ----------
        validation, test : float
            Expected shares of the two smaller parts.
        seed : int
            Other seeds give other splits.

        Returns
        -------
        training, validation, test : Drawings
        """
        if not (validation >= 0 and test >= 0 and validation + test <= 1):
            raise ValueError(f"expected shares from 0 to 1 in all, received validation={validation}, test={test}")
        part = np.empty(len(self), np.int8)
        for start in range(0, len(self), _BLOCK):
            keys = self._mapped.metadata(self._ids[start : start + _BLOCK])["key_id"]
            share = hash_to_unit_interval(keys, seed)
            part[start : start + _BLOCK] = np.where(share < validation, 1, np.where(share < validation + test, 2, 0))
        return self[part == 0], self[part == 1], self[part == 2]

    def rasterize(
        self,
        indices: npt.ArrayLike | slice | None = None,
        *,
        threads: int | None = None,
        out: Images | None = None,
        **options: Unpack[ImageOptions],
    ) -> Images:
        """Draw the drawings as images.

        Parameters
        ----------
        indices : slice or (N,) array of ints or bools, optional
            Which drawings; by default all.
        threads : int, optional
            Number of threads; by default one for each CPU core that the process may use. The images do not depend on
            it.
        out : (N, size, size) uint8 or float32, or packed (N, size * size / 8) uint8; optional
            Contiguous array to draw in. In float32 images ink is 1, not 255.
        style : {"pillow", "line", "line-aa", "google"}
            How to draw; by default ``pillow``.

            ``pillow``: each stroke as by ``PIL.ImageDraw.line(points, fill, width)``, with coordinates
            ``p * size // 256``. A stroke of one point draws nothing, one of two equal points draws one pixel.

            ``line``, ``line-aa``: each segment as by ``skimage.draw.line`` or ``line_aa``, with the same coordinates.
            Anti-aliased values are ``rint(255 * value)``; where segments overlap, the largest is kept.

            ``google``: the grey levels of Google's ``numpy_bitmap`` files.

            Output is bit-identical to Pillow, scikit-image and Google's bitmaps.
        size : int, optional
            Side of the images, 8 to 256 pixels; by default 28 for ``google``, 32 for the others.
        line_width : int
            Line width of ``pillow``, 1 to 32 pixels, by default 2. Other styles ignore it.
        invert : bool
            Black ink (0) on white (255). The default is white ink on black, as in MNIST.
        packed : bool
            One bit per pixel, in the order of ``numpy.packbits``. Only for the styles ``pillow`` and ``line`` and sizes
            that are multiples of 4.

        Returns
        -------
        (N, size, size) or packed (N, size * size / 8)
            ``out``, or a new uint8 array.

        Raises
        ------
        ValueError, TypeError
            If an argument is not one of those above.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")
        >>> drawings.rasterize(style="google").shape
        (600, 28, 28)
        >>> drawings.rasterize(slice(0, 100), size=64, packed=True).shape
        (100, 512)
        """
        known_options(options, ["threads", "out", *ImageOptions.__annotations__])
        view = self if indices is None else self[indices]
        if not isinstance(view, Drawings):
            raise TypeError(f"expected a slice or an array of indices, received {indices!r}")
        return render(
            lambda start, stop: view[start:stop].records(copy=False),
            len(view),
            Settings.of(**options),
            threads=threads,
            out=out,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Memory maps do not travel to other processes, paths do.
        return _reopen, ([file.path for file in self._mapped.files], self.categories, self._file_labels, self._ids)

    def _view(self, ids: Ids) -> Drawings:
        return Drawings(self._mapped, self.categories, self._file_labels, ids)

    def _of_categories(self, categories: str | Sequence[str]) -> Drawings:
        names = tuple(dict.fromkeys([categories] if isinstance(categories, str) else categories))
        if unknown := [name for name in names if name not in self.categories]:
            raise ValueError(f"expected categories among {list(self.categories)}, received {unknown}")
        labels = np.array([names.index(name) if name in names else -1 for name in self.categories])[self._file_labels]
        chosen = self[labels[self._mapped.file_numbers(self._ids)] >= 0]
        return Drawings(self._mapped, names, labels, chosen._ids)


def _reopen(
    paths: list[str | os.PathLike[str]],
    categories: tuple[str, ...],
    file_labels: npt.NDArray[np.int64],
    ids: Ids,
) -> Drawings:
    return Drawings(MappedFiles([IndexedFile(path) for path in paths]), categories, file_labels, ids)


def _as_countries(countries: str | Sequence[str]) -> list[bytes]:
    codes = [countries] if isinstance(countries, str) else list(countries)
    for code in codes:
        if not (isinstance(code, str) and len(code) == 2 and code.isascii()):
            raise ValueError(f"expected two-letter country codes, received {code!r}")
    return [code.upper().encode() for code in codes]


def _as_seconds(time: Time | None) -> float | None:
    if time is None or isinstance(time, (int, np.integer)):
        return time
    if isinstance(time, str):
        time = datetime.datetime.fromisoformat(time)
    if isinstance(time, datetime.datetime) and time.tzinfo is not None:
        return time.timestamp()
    moment: np.datetime64[Any] = np.datetime64(time).astype("datetime64[us]")
    return int(moment.astype(np.int64)) / 1e6
