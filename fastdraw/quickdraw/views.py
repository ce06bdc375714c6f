"""Views: some of the drawings or images of a set of files, by number, and the ways to choose them."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from fastdraw import checks
from fastdraw.quickdraw.binary import with_text

if TYPE_CHECKING:
    from fastdraw.quickdraw.selection import Time

# The methods import `selection` themselves: it needs numba, which opening rasters does not.

Ids = range | npt.NDArray[np.int64]

_BLOCK = 1 << 20  # drawings whose metadata is in memory at a time


def as_array(ids: Ids) -> npt.NDArray[np.int64]:
    """Record numbers as an array; NumPy converts a range number by number, which is slow."""
    return (
        np.arange(ids.start, ids.stop, ids.step, dtype=np.int64)
        if isinstance(ids, range)
        else np.asarray(ids, np.int64)
    )


class View(abc.ABC):
    """What `Drawings` and `Rasters` share: both are numbers of rows in files, each of which has one category.

    Parameters
    ----------
    categories : tuple of str
    file_labels : (files,) int64
        The category of each file, an index into ``categories``.
    ids : range or (N,) int64
        Numbers of the rows, through all files.

    Attributes
    ----------
    categories : tuple of str
    """

    def __init__(self, categories: tuple[str, ...], file_labels: npt.NDArray[np.int64], ids: Ids) -> None:
        self.categories = categories
        self._file_labels = file_labels
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @abc.abstractmethod
    def _file_numbers(self, ids: Ids) -> npt.NDArray[np.int64]:
        """The number of the file that holds each row."""

    @abc.abstractmethod
    def _metadata(self, ids: Ids) -> npt.NDArray[np.void]:
        """The metadata of rows: (n,) METADATA."""

    @abc.abstractmethod
    def _split_keys(self, ids: Ids) -> npt.NDArray[np.uint64]:
        """A number for each row, which decides its split: (n,) uint64."""

    def _view(
        self,
        ids: Ids,
        categories: tuple[str, ...] | None = None,
        file_labels: npt.NDArray[np.int64] | None = None,
    ) -> Self:
        """Other rows of the same files."""
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__, _ids=ids)
        if categories is not None:
            view.__dict__.update(categories=categories, _file_labels=file_labels)
        return view

    def select(self, indices: slice | npt.ArrayLike) -> Self:
        """Some of these, as a view that copies nothing.

        Parameters
        ----------
        indices : slice or (N,) array of ints or bools

        Raises
        ------
        IndexError, TypeError
            If a number is too large, or ``indices`` is something else.

        Examples
        --------
        >>> fastdraw.rasterize_files("quickdraw", "rasters").select(slice(0, None, 10))
        <60 rasters of 32x32 pixels in 3 files>
        >>> fastdraw.open_drawings("quickdraw").select([5, 3])
        <2 drawings of 3 categories>
        """
        if isinstance(indices, slice):
            return self._view(self._ids[indices])
        chosen = np.asarray(indices)
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
        return IndexError(f"expected indices of {self!r}, received {index}")

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The category of each, an index into ``categories``: (N,) int64."""
        return self._file_labels[self._file_numbers(self._ids)]

    @property
    def metadata(self) -> npt.NDArray[np.void]:
        """What is known besides strokes and pixels: (N,) structured array.

        Fields: ``key_id`` (uint64), ``country`` (two letters, U2), ``recognized`` (bool), ``timestamp`` (uint32,
        seconds since 1970 in UTC). ``country`` also compares with bytes, as it did in version 0.1.

        Raises
        ------
        FastdrawError
            If there is none beside rasters.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")
        >>> drawings[drawings.metadata["country"] == "US"]
        <... drawings of 3 categories>
        >>> drawings.metadata["timestamp"].dtype
        dtype('uint32')
        """
        return with_text(self._metadata(self._ids))

    def filter(
        self,
        recognized: bool | None = None,
        countries: str | Sequence[str] | None = None,
        categories: str | Sequence[str] | None = None,
        after: Time | None = None,
        before: Time | None = None,
    ) -> Self:
        """Those that meet every given condition, in the same order.

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
        Drawings or Rasters
            As these are.

        Raises
        ------
        FastdrawError
            If rasters have no metadata, and a condition other than ``categories`` needs it.
        ValueError, TypeError
            If a category is not among these, a country is not a two-letter code, or an argument is not one of those
            above.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")
        >>> drawings.filter(categories=["star", "face"], after="2017-01-01", before="2018-01-01")
        <400 drawings of 2 categories>
        """
        from fastdraw.quickdraw.selection import metadata_filter

        view = self if categories is None else self._of_categories(categories)
        if recognized is None and countries is None and after is None and before is None:
            return view
        meets = metadata_filter(recognized, countries, after, before)
        return view.select(view._by_block(lambda ids: meets(view._metadata(ids)), np.bool_))

    def split(self, validation: float = 0.1, test: float = 0.1, seed: int = 0) -> tuple[Self, Self, Self]:
        """Views for training, validation and test.

        The split of a drawing depends only on its key_id and ``seed``. It stays the same whatever else is loaded,
        filtered out or added later. Drawings of sketch-rnn's ``.npz`` have key_ids with which the default arguments
        give its parts ``train``, ``valid`` and ``test``. Rasters without metadata have no key_id: there it depends on
        the name of the category, the number in its file, and ``seed``.

        Parameters
        ----------
        validation, test : float
            Expected fractions of the two smaller splits.
        seed : int
            Other seeds give other splits.

        Returns
        -------
        training, validation, test : Drawings or Rasters

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
        from fastdraw.quickdraw.selection import split_numbers

        for share in (validation, test):
            if isinstance(share, (bool, np.bool_)) or not isinstance(share, (int, float, np.number)):
                raise TypeError(f"expected fractions, received {share!r}")
        seed = _seed(seed)
        if not (validation >= 0 and test >= 0 and validation + test <= 1):
            raise ValueError(
                f"expected fractions with a sum of at most 1, received validation={validation}, test={test}"
            )
        numbers = self._by_block(lambda ids: split_numbers(self._split_keys(ids), validation, test, seed), np.int8)
        return self.select(numbers == 0), self.select(numbers == 1), self.select(numbers == 2)

    def balanced(self, per_category: int | None = None, seed: int = 0) -> Self:
        """As many of each category, chosen at random.

        Parameters
        ----------
        per_category : int, optional
            How many of each; by default as many as the smallest category has. A category with fewer repeats its
            drawings, each as often as the others or once more.
        seed : int
            Other seeds choose others.

        Returns
        -------
        Drawings or Rasters
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
        from fastdraw.quickdraw.selection import balanced_counts, random_places

        labels = self.labels
        takes = balanced_counts(per_category, self.categories, self._counts(labels))
        return self.select(random_places(labels, takes, _seed(seed)))

    def sample(self, n: int, weights: Mapping[str, float] | None = None, seed: int = 0) -> Self:
        """Some of these, chosen at random.

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
        Drawings or Rasters
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
        from fastdraw.quickdraw.selection import category_shares, random_places, random_sample, weighted_counts

        seed = _seed(seed)
        if weights is None:
            return self.select(random_sample(len(self), checks.integer("n", n, 0, len(self)), seed))
        labels = self.labels
        shares = category_shares(weights, self.categories, self._counts(labels))
        return self.select(random_places(labels, weighted_counts(checks.integer("n", n, 0), shares, seed), seed))

    def _counts(self, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.bincount(labels, minlength=len(self.categories))

    def _by_block(self, function: Callable[[Ids], npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """A value for each row, computed block by block."""
        values = np.empty(len(self), dtype)
        for start in range(0, len(self), _BLOCK):
            values[start : start + _BLOCK] = function(self._ids[start : start + _BLOCK])
        return values

    def _of_categories(self, categories: str | Sequence[str]) -> Self:
        names = tuple(dict.fromkeys(checks.names("categories", categories)))
        if unknown := [name for name in names if name not in self.categories]:
            raise ValueError(f"expected categories among {list(self.categories)}, received {unknown}")
        labels = np.array([names.index(name) if name in names else -1 for name in self.categories])[self._file_labels]
        chosen = self.select(labels[self._file_numbers(self._ids)] >= 0)
        return self._view(chosen._ids, names, labels)


def _seed(seed: int) -> int:
    return checks.integer("seed", seed, -(2**63), 2**64 - 1)
