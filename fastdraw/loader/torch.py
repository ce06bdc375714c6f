"""Batches as an ``IterableDataset`` of torch."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any, Unpack

import torch
from torch.utils.data import IterableDataset, get_worker_info

from fastdraw.loader.ahead import drawn_ahead
from fastdraw.loader.options import BatchOptions
from fastdraw.loader.pipeline import Pipeline
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters

_WORKERS = 1024  # processes that read one dataset, at most


def to_torch_dataset(drawings: Drawings | Rasters, batch_size: int, **options: Unpack[BatchOptions]) -> TorchDataset:
    """Draw batches while torch trains: for ``torch.utils.data.DataLoader(dataset, batch_size=None)``.

    The processes of ``num_workers=n`` share the work: the loader yields each batch once, in the same order for every n.
    torchdata's ``StatefulDataLoader`` saves and restores the position.

    Parameters
    ----------
    drawings, batch_size, **options
        See `batches`, which yields the same batches.

    Returns
    -------
    TorchDataset

    Raises
    ------
    ValueError, TypeError
        See `batches`.

    Examples
    --------
    >>> import torch
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> data = fastdraw.to_torch_dataset(drawings, 200, labels="int", shuffle=True, seed=0)
    >>> for images, labels in torch.utils.data.DataLoader(data, batch_size=None, num_workers=2):
    ...     print(images.shape, labels.shape)
    torch.Size([200, 32, 32, 1]) torch.Size([200])
    torch.Size([200, 32, 32, 1]) torch.Size([200])
    torch.Size([200, 32, 32, 1]) torch.Size([200])
    """
    return TorchDataset(Pipeline(drawings, batch_size, **options))


class TorchDataset(IterableDataset):  # type: ignore[misc]
    """An iterable of batches as tensors; `to_torch_dataset` makes one.

    Each new iterator, or each new pass of a loader, continues with the next epochs.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._seed = pipeline.seed
        # Passes that each worker has begun. In shared memory: workers may live for one pass.
        self._begun = torch.zeros(_WORKERS, dtype=torch.int64).share_memory_()
        self._workers = 1
        self._first = 0  # number of the first batch of a pass, through all epochs
        self._next = 0  # that of the next batch of this process
        self._restored = False

    def __len__(self) -> int:
        return len(self._pipeline.sampler)

    @property
    def batches_per_epoch(self) -> int:
        """Fewer than an iteration has, if that is of several epochs."""
        return self._pipeline.sampler.batches_per_epoch

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        worker, self._workers = (0, 1) if info is None else (info.id, info.num_workers)
        sampler = self._pipeline.sampler
        length = sampler.epochs_per_iterator * sampler.batches_per_epoch
        if not self._restored:
            self._first = int(self._begun[worker]) * length
            self._next = self._first + worker
        self._restored = False
        self._begun[worker] = self._first // length + 1
        return self._read(self._next, self._workers, None if sampler.epochs is None else self._first + length)

    def _read(self, number: int, workers: int, end: int | None) -> Iterator[Any]:
        """Every ``workers``-th batch from a number on."""
        numbers = iter(range(number, end, workers)) if end is not None else itertools.count(number, workers)
        draw = functools.partial(self._pipeline.batch, self._seed)
        threads = max(1, self._pipeline.threads // workers)
        for made in drawn_ahead(draw, numbers, threads):
            number += workers
            self._next = number
            tensors = tuple(map(torch.from_numpy, made))
            yield tensors if len(tensors) > 1 else tensors[0]

    def state_dict(self) -> dict[str, int]:
        """The position of the last iterator of this process, see `DataLoader.state_dict`.

        Examples
        --------
        >>> data = fastdraw.to_torch_dataset(fastdraw.open_drawings("quickdraw"), 100, seed=0)
        >>> first = next(iter(data))
        >>> data.state_dict()
        {'seed': 0, 'epoch': 0, 'batch': 1, 'drawings': 600, 'batch_size': 100, 'shards': 1}
        """
        state = self._pipeline.state(self._seed, *divmod(self._next, self._pipeline.sampler.batches_per_epoch))
        # A worker may have no more batches in a pass that is not over.
        return state if self._workers == 1 else state | {"first": self._first}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Make the next iterator continue where `state_dict` was called, here or on the same `batches`.

        Raises
        ------
        ValueError
            If the state is not of batches made from as many drawings by the same arguments.
        """
        state = dict(state)
        first = state.pop("first", None)
        self._seed, (epoch, batch) = self._pipeline.check_state(state)
        per_epoch, epochs = self._pipeline.sampler.batches_per_epoch, self._pipeline.sampler.epochs_per_iterator
        # The state of a process that read all batches does not have the first.
        self._first = state["epoch"] // epochs * epochs * per_epoch if first is None else first
        self._next = epoch * per_epoch + batch
        self._restored = True
