"""The records of many files, with one numbering for all of them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.maps import Watch
from fastdraw.quickdraw.binary import METADATA
from fastdraw.quickdraw.index import IndexedFile
from fastdraw.quickdraw.views import Ids, as_array


class MappedFiles:
    """Memory-mapped files whose records are read by number. All views of a dataset share one.

    Before each read, the files that it needs are checked. One that was changed in place raises a `FastdrawError`.

    Attributes
    ----------
    files : list of IndexedFile
    first : (f + 1,) int64
        Number of the first record of each file, then the number of records in all files.
    """

    def __init__(self, files: list[IndexedFile]) -> None:
        self.files = files
        self.first = np.cumsum([0, *(file.count for file in files)])
        self._watch = Watch(files)

    def __getstate__(self) -> dict[str, Any]:
        return {"files": self.files, "first": self.first}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _watch=Watch(state["files"]))

    def file_numbers(self, ids: Ids) -> npt.NDArray[np.int64]:
        """The number of the file that holds each record: (n,) int64."""
        return np.searchsorted(self.first, as_array(ids), side="right") - 1

    def records(self, ids: Ids) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """Copies of records, back to back, and where each begins, then the end: (b,) uint8 and (n + 1,) int64."""
        if (view := self._in_one_file(ids)) is not None:
            return view[0].copy(), view[1]
        from fastdraw.kernels.records import gather  # needs numba, which opening files does not

        addresses, starts = self._locate(ids)
        records = np.empty(starts[-1], np.uint8)
        gather(addresses, starts, records)
        return records, starts

    def records_in_place(self, ids: Ids) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        """As `records`, read-only; consecutive records of one file are a view of its memory map, not a copy."""
        if (view := self._in_one_file(ids)) is not None:
            return view
        records, starts = self.records(ids)
        records.flags.writeable = False
        return records, starts

    def _in_one_file(self, ids: Ids) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None:
        """Consecutive records of one file, a view of its memory map; None for others."""
        if len(ids) == 1:
            ids = range(int(ids[0]), int(ids[0]) + 1)
        if not (isinstance(ids, range) and ids.step == 1 and ids):
            return None
        number = int(self.first.searchsorted(ids.start, side="right")) - 1
        if ids.stop > self.first[number + 1]:
            return None
        file, start = self.files[number], ids.start - int(self.first[number])
        file.check()
        offsets = file.offsets[start : start + len(ids) + 1].astype(np.int64)
        return file.data[offsets[0] : offsets[-1]], offsets - offsets[0]

    def metadata(self, ids: Ids) -> npt.NDArray[np.void]:
        """The metadata of records: (n,) METADATA."""
        if (view := self._in_one_file(ids)) is not None:  # NumPy needs no kernel, and no numba
            data, starts = view
            head = np.dtype((np.void, METADATA.itemsize))  # copied several times as fast as its fields
            heads = np.ndarray((len(data) - head.itemsize + 1,), head, data, strides=(1,))
            return heads[starts[:-1]].view(METADATA)
        from fastdraw.kernels.records import gather

        rows = np.empty(len(ids), METADATA)
        starts = np.arange(len(ids) + 1) * METADATA.itemsize
        gather(self._locate(ids)[0], starts, rows.view(np.uint8))
        return rows

    def _locate(self, ids: Ids) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        from fastdraw.kernels.records import find, locate

        numbers = as_array(ids)
        files, used = np.empty(len(numbers), np.int32), np.zeros(len(self.files), np.bool_)
        find(numbers, self.first, files, used)
        data, offsets = self._addresses
        self._watch.check(np.nonzero(used)[0])
        addresses, starts = np.empty(len(numbers), np.uint64), np.empty(len(numbers) + 1, np.int64)
        locate(numbers, files, self.first, data, offsets, addresses, starts)
        return addresses, starts

    @functools.cached_property
    def _addresses(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Memory addresses of the bytes and of the offsets of each file; valid as long as ``files`` exists."""
        return (
            np.array([file.data.ctypes.data for file in self.files], np.uint64),
            np.array([file.offsets.ctypes.data for file in self.files], np.uint64),
        )
