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
        self.epoch = 0
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
        """Batches of an iteration, None without end."""
        sampler = self._pipeline.sampler
        return None if sampler.epochs is None else len(sampler)

    def __len__(self) -> int:
        return len(self._pipeline.sampler)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if not 0 <= index < (index + 1 if self.num_batches is None else self.num_batches):
            raise IndexError(f"expected the number of a batch, 0 to {len(self) - 1}; received {index}")
        self._ended = self._ended or index + 1 == self.num_batches
        first = self.epoch * self._pipeline.sampler.batches_per_epoch
        if self.workers > 1 or self.use_multiprocessing:
            return self._draw(first + index)
        return self._read(first + index, None if self.num_batches is None else first + len(self))

    def _draw(self, number: int) -> tuple[Any, ...]:
        return self._pipeline.batch(self._pipeline.seed, number)

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
        self.epoch = epoch
        self._ended = False
