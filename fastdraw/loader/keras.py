"""Batches as a ``PyDataset`` of Keras."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Unpack

import keras

from fastdraw.loader.options import BatchOptions
from fastdraw.loader.pipeline import Pipeline
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters


def to_keras_dataset(drawings: Drawings | Rasters, batch_size: int, **options: Unpack[BatchOptions]) -> KerasDataset:
    """Draw batches while Keras trains, on any of its backends.

    Parameters
    ----------
    drawings, batch_size, **options
        See `batches`, which yields the same batches. With ``epochs=None``, pass ``steps_per_epoch`` to ``fit``.

    Returns
    -------
    KerasDataset

    Raises
    ------
    ValueError, TypeError
        See `batches`.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> data = fastdraw.to_keras_dataset(drawings, 200, labels="onehot", shuffle=True, seed=0)
    >>> images, labels = data[2]
    >>> len(data), images.shape, labels.shape
    (3, (200, 32, 32, 1), (200, 3))
    >>> model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")])
    >>> model.compile("adam", "categorical_crossentropy")
    >>> history = model.fit(data, epochs=2, shuffle=False, verbose=0)  # the order is that of the batches
    """
    return KerasDataset(Pipeline(drawings, batch_size, **options))


class KerasDataset(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches by number; `to_keras_dataset` makes one.

    After each epoch of ``fit`` come the next epochs. Batches that are read in order are drawn ahead on threads, unless
    ``workers`` is set: then Keras reads them ahead.

    Attributes
    ----------
    epoch : int
        The epoch of batch 0.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._seed = pipeline.seed
        self.epoch = 0
        self._first = 0  # the batch of the epoch that number 0 is
        self._ended = False  # whether the last batch was read
        self._reset()

    def _reset(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: dict[int, Future[Any]] = {}  # by the number of the batch
        self._last = -1  # the number of the batch that was read last

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_pool", "_ahead", "_last")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    @property
    def num_batches(self) -> int | None:
        """Batches of an iteration, None without end; fewer after `load_state_dict`."""
        sampler = self._pipeline.sampler
        return None if sampler.epochs is None else len(sampler) - self._first

    @property
    def batches_per_epoch(self) -> int:
        """Fewer than an iteration has, if that is of several epochs."""
        return self._pipeline.sampler.batches_per_epoch

    def __len__(self) -> int:
        return len(self._pipeline.sampler)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        count = self.num_batches
        if index < 0 or (count is not None and index >= count):
            raise IndexError(f"expected the number of a batch, 0 to {len(self) - self._first - 1}; received {index}")
        self._ended = self._ended or index + 1 == count
        first = self.epoch * self.batches_per_epoch + self._first
        if self.workers > 1 or self.use_multiprocessing:
            return self._draw(first + index)
        return self._read(first + index, None if count is None else first + count)

    def _draw(self, number: int) -> tuple[Any, ...]:
        return self._pipeline.batch(self._seed, number)

    def _read(self, number: int, end: int | None) -> tuple[Any, ...]:
        """A batch; the next are drawn meanwhile if it follows the one before."""
        drawn, in_order = self._ahead.pop(number, None), number == self._last + 1
        self._last = number
        wanted = range(number + 1, number + 1 + self._pipeline.threads) if in_order else ()
        for other in [other for other in self._ahead if other not in wanted]:
            self._ahead.pop(other).cancel()
        for other in wanted:
            if other not in self._ahead and (end is None or other < end):
                self._pool = self._pool or ThreadPoolExecutor(self._pipeline.threads)
                self._ahead[other] = self._pool.submit(self._draw, other)
        return self._draw(number) if drawn is None else drawn.result()

    def on_epoch_end(self) -> None:
        # Keras also calls this after it read a batch or two for their shapes.
        if self._ended:
            self.set_epoch(self.epoch + (self._pipeline.sampler.epochs or 0))

    def set_epoch(self, epoch: int) -> None:
        """Read this epoch next, as `vaekit.train` does to resume.

        Examples
        --------
        >>> data = fastdraw.to_keras_dataset(fastdraw.open_drawings("quickdraw"), 600, shuffle=True, seed=0)
        >>> data.set_epoch(1)
        >>> second = list(fastdraw.batches(fastdraw.open_drawings("quickdraw"), 600, shuffle=True, seed=0, epochs=2))[1]
        >>> np.array_equal(data[0][0], second)
        True
        """
        self.epoch, self._first = epoch, 0
        self._ended = False

    def state_dict(self) -> dict[str, int]:
        """The position of batch 0, see `DataLoader.state_dict`.

        ``fit`` reads batches before they are trained on, and a dataset knows no iterators: count the steps.

        Examples
        --------
        >>> fastdraw.to_keras_dataset(fastdraw.open_drawings("quickdraw"), 100, seed=0).state_dict()
        {'seed': 0, 'epoch': 0, 'batch': 0, 'drawings': 600, 'batch_size': 100, 'shards': 1}
        """
        passed, batch = divmod(self._first, self.batches_per_epoch)
        return self._pipeline.state(self._seed, self.epoch + passed, batch)

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let batch 0 be that of a state of `batches`; batches end with the epochs of one iteration.

        Raises
        ------
        ValueError
            If the state is not of batches made from as many drawings by the same arguments.

        Examples
        --------
        >>> data = fastdraw.to_keras_dataset(fastdraw.open_drawings("quickdraw"), 100, seed=0)
        >>> data.load_state_dict(data.state_dict() | {"batch": 4})
        >>> data.num_batches
        2
        """
        sampler = self._pipeline.sampler
        self._seed, (epoch, batch) = self._pipeline.check_state(state)
        begin = epoch // sampler.epochs_per_iterator * sampler.epochs_per_iterator
        self.set_epoch(begin)
        self._first = (epoch - begin) * sampler.batches_per_epoch + batch
