"""Drawings: a lazy sequence over the records of any number of memory-mapped files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Unpack, overload

import numpy as np
import numpy.typing as npt

from fastdraw.checks import integer, known_options
from fastdraw.kernels.hashing import key
from fastdraw.quickdraw.binary import Stroke, decode, with_text
from fastdraw.quickdraw.mapped import Ids, MappedFiles, as_array
from fastdraw.quickdraw.selection import (
    Metadata,
    Time,
    balanced_counts,
    category_shares,
    metadata_filter,
    random_order,
    random_places,
    split_numbers,
    weighted_counts,
)
from fastdraw.quickdraw.sequences import SequenceFormat, columns, point_counts, write_sequences
from fastdraw.render.render import Images, render
from fastdraw.settings import ImageOptions, Settings

_BLOCK = 1 << 20  # drawings whose metadata is in memory at a time


class Drawings(Sequence[list[Stroke]]):
    """A lazy sequence of drawings; `open_drawings` returns one.

    ``drawings[i]`` is a list of strokes, each a (2, n) uint8 array: x above y, 0 to 255, y pointing down. A slice, an
    array of indices or a boolean mask gives another `Drawings`, a view that copies no strokes.

    Attributes
    ----------
    categories : tuple of str
        Names, from the names of the files. A view keeps all names.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> [stroke.shape for stroke in drawings[0]]
    [(2, ...), ...]
    >>> some = drawings[drawings.metadata["recognized"]][::2]
    >>> images, labels = some.rasterize(), some.labels
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
        if isinstance(index, bool):
            raise TypeError(f"expected an int, a slice, or a 1-D array of ints or bools; received {index}")
        if isinstance(index, (int, np.integer)):
            at = index + len(self) if index < 0 else index
            if not 0 <= at < len(self):
                raise self._index_error(index)
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
                raise self._index_error(chosen.max() if chosen.max() >= len(self) else chosen.min())
            chosen = chosen.astype(np.int64)
            return self._view(self._ids.start + self._ids.step * np.where(chosen < 0, chosen + len(self), chosen))
        return self._view(as_array(self._ids)[chosen])

    def _index_error(self, index: Any) -> IndexError:
        return IndexError(f"expected indices of {len(self)} drawings, received {index}")

    def __iter__(self) -> Iterator[list[Stroke]]:
        for start in range(0, len(self), 1024):
            stop = min(start + 1024, len(self))
            records, starts = self._mapped.records(self._ids[start:stop])
            for i in range(stop - start):
                yield decode(records[starts[i] : starts[i + 1]])

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The category of each drawing, an index into ``categories``: (N,) int64."""
        return self._file_labels[self._mapped.file_numbers(self._ids)]

    @property
    def metadata(self) -> npt.NDArray[np.void]:
        """What the records hold besides strokes: (N,) structured array.

        Fields: ``key_id`` (uint64), ``country`` (two letters, U2), ``recognized`` (bool), ``timestamp`` (uint32,
        seconds since 1970 in UTC). ``country`` also compares with bytes, as it did in version 0.1.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")
        >>> drawings[drawings.metadata["country"] == "US"]
        <... drawings of 3 categories>
        >>> drawings.metadata["timestamp"].dtype
        dtype('uint32')
        """
        return with_text(self._mapped.metadata(self._ids))

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

    def strokes(
        self, format: SequenceFormat = "stroke-3", max_length: int | None = None
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        """The points as sequences of offsets, as sketch-rnn has them, padded to one length.

        Parameters
        ----------
        format : {"stroke-3", "stroke-5"}
            Rows of (dx, dy, pen lifted after the point), padded with zeros. Or of (dx, dy, pen down, pen lifted, end),
            where one of the last three is 1, padded with (0, 0, 0, 0, 1). The first offset is from (0, 0).
        max_length : int, optional
            Rows of each drawing; by default as many as the longest has points. Points after them are left out.

        Returns
        -------
        rows : (N, max_length, 3 or 5) int16
        lengths : (N,) int64
            Points of each drawing, more than ``max_length`` where some are left out.

        Raises
        ------
        ValueError, TypeError
            If an argument is not one of those above.

        References
        ----------
        Ha, Eck: A Neural Representation of Sketch Drawings, 2017, section 3.1.

        Examples
        --------
        >>> rows, lengths = fastdraw.open_drawings("quickdraw").strokes("stroke-5", max_length=30)
        >>> rows.shape, rows.dtype
        ((600, 30, 5), dtype('int16'))
        """
        records = self._records_between
        lengths = point_counts(records, len(self))
        longest = int(lengths.max(initial=0)) if max_length is None else integer("max_length", max_length, 1)
        rows = np.empty((len(self), longest, columns(format)), np.int16)
        write_sequences(records, rows)
        return rows, lengths

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
            Names. The view has only these categories, numbered in this order.
        after, before : int, str, datetime.datetime or numpy.datetime64, optional
            ``after <= timestamp < before``: seconds since 1970, ISO 8601 text or a date, in UTC if it has no time zone.

        Returns
        -------
        Drawings

        Raises
        ------
        ValueError, TypeError
            If a category is not among these, a country is not a two-letter code, or an argument is not one of those
            above.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")
        >>> drawings.filter(categories=["star", "face"], after="2017-01-01", before="2018-01-01")
        <400 drawings of 2 categories>
        """
        view = self if categories is None else self._of_categories(categories)
        if recognized is None and countries is None and after is None and before is None:
            return view
        meets = metadata_filter(recognized, countries, after, before)
        return view[view._for_metadata(meets, np.bool_)]

    def split(self, validation: float = 0.1, test: float = 0.1, seed: int = 0) -> tuple[Drawings, Drawings, Drawings]:
        """Views for training, validation and test.

        The split of a drawing depends only on its key_id and ``seed``. It stays the same whatever else is loaded,
        filtered out or added later.

        Parameters
        ----------
        validation, test : float
            Expected fractions of the two smaller splits.
        seed : int
            Other seeds give other splits.

        Returns
        -------
        training, validation, test : Drawings

        Raises
        ------
        ValueError, TypeError
            If the fractions are negative, NaN or more than 1 in all, or an argument is no number.

        Examples
        --------
        >>> training, validation, test = fastdraw.open_drawings("quickdraw").split(validation=0.2, test=0)
        >>> len(training) + len(validation), len(test)
        (600, 0)
        """
        for share in (validation, test):
            if isinstance(share, (bool, np.bool_)) or not isinstance(share, (int, float, np.number)):
                raise TypeError(f"expected fractions, received {share!r}")
        seed = _seed(seed)
        if not (validation >= 0 and test >= 0 and validation + test <= 1):
            raise ValueError(
                f"expected fractions with a sum of at most 1, received validation={validation}, test={test}"
            )
        numbers = self._for_metadata(lambda rows: split_numbers(rows, validation, test, seed), np.int8)
        return self[numbers == 0], self[numbers == 1], self[numbers == 2]

    def balanced(self, per_category: int | None = None, seed: int = 0) -> Drawings:
        """As many drawings of each category, chosen at random.

        Parameters
        ----------
        per_category : int, optional
            How many of each; by default as many as the smallest category has. A category with fewer repeats its
            drawings, each as often as the others or once more.
        seed : int
            Other seeds choose others.

        Returns
        -------
        Drawings
            In the order of these.

        Raises
        ------
        ValueError, TypeError
            If a category has no drawings, or an argument is not one of those above.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")[150:]
        >>> np.bincount(drawings.labels), np.bincount(drawings.balanced().labels)
        (array([ 50, 200, 200]), array([50, 50, 50]))
        """
        labels = self.labels
        takes = balanced_counts(per_category, self.categories, self._counts(labels))
        return self[random_places(labels, takes, _seed(seed))]

    def sample(self, n: int, weights: Mapping[str, float] | None = None, seed: int = 0) -> Drawings:
        """Some drawings, chosen at random.

        Parameters
        ----------
        n : int
            How many.
        weights : mapping of str to float, optional
            The shares of the categories, relative to each other; 1 for a category that it leaves out. A category with
            fewer drawings than its share repeats them. By default all drawings are equally likely, and none repeats.
        seed : int
            Other seeds choose others.

        Returns
        -------
        Drawings
            In the order of these.

        Raises
        ------
        ValueError, TypeError
            If there are fewer drawings than ``n``, or an argument is not one of those above.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")
        >>> drawings.sample(50)
        <50 drawings of 3 categories>
        >>> np.bincount(drawings.sample(50, weights={"face": 2, "star": 0.5, "house": 0}).labels)
        array([40,  0, 10])
        """
        seed = _seed(seed)
        if weights is None:
            return self[np.sort(random_order(key(seed), len(self), integer("n", n, 0, len(self))))]
        labels = self.labels
        shares = category_shares(weights, self.categories, self._counts(labels))
        return self[random_places(labels, weighted_counts(integer("n", n, 0), shares, seed), seed)]

    def _counts(self, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.bincount(labels, minlength=len(self.categories))

    def _for_metadata(self, function: Callable[[Metadata], npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A value for each drawing, computed from its metadata block by block."""
        values = np.empty(len(self), dtype)
        for start in range(0, len(self), _BLOCK):
            values[start : start + _BLOCK] = function(self._mapped.metadata(self._ids[start : start + _BLOCK]))
        return values

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
            Line width of ``pillow``, 1 to 32 pixels, by default 2. With other styles it is an error.
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
        return render(view._records_between, len(view), Settings.of(**options), threads=threads, out=out)

    def _records_between(self, start: int, stop: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        return self[start:stop].records(copy=False)

    def _view(self, ids: Ids) -> Drawings:
        return Drawings(self._mapped, self.categories, self._file_labels, ids)

    def _of_categories(self, categories: str | Sequence[str]) -> Drawings:
        if not isinstance(categories, Iterable):
            raise TypeError(f"expected categories to be names, received {categories!r}")
        names = tuple(dict.fromkeys([categories] if isinstance(categories, str) else categories))
        if unknown := [name for name in names if name not in self.categories]:
            raise ValueError(f"expected categories among {list(self.categories)}, received {unknown}")
        labels = np.array([names.index(name) if name in names else -1 for name in self.categories])[self._file_labels]
        chosen = self[labels[self._mapped.file_numbers(self._ids)] >= 0]
        return Drawings(self._mapped, names, labels, chosen._ids)


def _seed(seed: int) -> int:
    return integer("seed", seed, -(2**63), 2**64 - 1)
