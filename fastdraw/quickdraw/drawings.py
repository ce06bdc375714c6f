"""Drawings: a lazy sequence over the records of any number of memory-mapped files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Unpack, overload

import numpy as np
import numpy.typing as npt

from fastdraw.checks import integer, known_options
from fastdraw.quickdraw.binary import Stroke, decode
from fastdraw.quickdraw.mapped import MappedFiles
from fastdraw.quickdraw.sequences import SequenceFormat, columns, point_counts, write_sequences
from fastdraw.quickdraw.views import Ids, View
from fastdraw.render.render import Images, render
from fastdraw.settings import ImageOptions, Settings


class Drawings(View, Sequence[list[Stroke]]):
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
        super().__init__(categories, file_labels, ids)
        self._mapped = mapped

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
            at = int(index) + len(self) if index < 0 else int(index)
            if not 0 <= at < len(self):
                raise self._index_error(index)
            return decode(self._mapped.records(self._ids[at : at + 1])[0])
        return self.select(index)

    def __iter__(self) -> Iterator[list[Stroke]]:
        for start in range(0, len(self), 1024):
            stop = min(start + 1024, len(self))
            records, starts = self._mapped.records(self._ids[start:stop])
            for i in range(stop - start):
                yield decode(records[starts[i] : starts[i + 1]])

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
        out : (N, size, size) or (N, size, size, 3) uint8 or float32, or packed (N, size * size / 8) uint8; optional
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
            Side of the images, 8 to 1,024 pixels, for ``google`` to 720; by default 28 for ``google``, 32 for the
            others.
        line_width : int
            Line width of ``pillow``, 1 to 32 pixels, by default 2. With other styles it is an error.
        invert : bool
            Black ink (0) on white (255). The default is white ink on black, as in MNIST.
        packed : bool
            One bit per pixel, in the order of ``numpy.packbits``. Only for the styles ``pillow`` and ``line`` and sizes
            that are multiples of 4.
        channels : {1, 3}
            1, the default, draws the ink alone. 3 also says when it was drawn, as public code for Quick, Draw! does;
            not for ``google``, and not packed. Plane 0 is the ink. Plane 1 is ``255 - 13 * min(t, 10)``, 255 to 125,
            for stroke t of the drawing. Plane 2 is ``max(255 - 255 // n * i, 20)``, 255 to 20, for segment i of the n
            of its stroke. Both t and i start from 0, and strokes of one point count. Later segments are drawn over
            earlier ones. In ``line-aa``, a pixel has the levels of the segment with the most ink there, the last of
            equals, times ``ink / 255``, rounded. ``invert`` inverts all planes.

        Returns
        -------
        (N, size, size), with three channels (N, size, size, 3), or packed (N, size * size / 8)
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
        >>> drawings.rasterize(slice(0, 10), size=300, channels=3).shape
        (10, 300, 300, 3)
        """
        known_options(options, ["threads", "out", *ImageOptions.__annotations__])
        view = self if indices is None else self[indices]
        if not isinstance(view, Drawings):
            raise TypeError(f"expected a slice or an array of indices, received {indices!r}")
        return render(view._records_between, len(view), Settings.of(**options), threads=threads, out=out)

    def _records_between(self, start: int, stop: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        return self[start:stop].records(copy=False)

    def _file_numbers(self, ids: Ids) -> npt.NDArray[np.int64]:
        return self._mapped.file_numbers(ids)

    def _metadata(self, ids: Ids) -> npt.NDArray[np.void]:
        return self._mapped.metadata(ids)

    def _split_keys(self, ids: Ids) -> npt.NDArray[np.uint64]:
        keys: npt.NDArray[np.uint64] = self._mapped.metadata(ids)["key_id"]
        return keys
