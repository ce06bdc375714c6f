"""Drawings in other processes: forked among threads, spawned, from a fork server, and in torch's workers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

import fastdraw

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
AUGMENT = fastdraw.Augment(rotate=20, jitter=2, drop_strokes=0.2)


def checksum(drawings: fastdraw.Drawings) -> list[int]:
    """What all ways to read the drawings give."""
    batches = fastdraw.batches(drawings, 64, shuffle=True, seed=0, threads=2, augment=AUGMENT)
    return [
        int(drawings.rasterize(threads=2).sum()),
        int(drawings[:50].rasterize(style="google", threads=2).sum()),
        sum(int(batch.sum()) for batch in batches),
        int(drawings.metadata["timestamp"].sum()),
        sum(len(drawing) for drawing in drawings[:50]),
    ]


def test_sixty_forks_among_threads(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = checksum(drawings)
    stop = threading.Event()
    results: list[bool] = []

    def work() -> None:
        while not stop.is_set():
            results.append(checksum(fastdraw.open_drawings(sample)) == expected)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            child = os.fork()
            if child == 0:
                signal.alarm(60)  # a hang ends the child
                os._exit(0 if checksum(drawings) == expected else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert results
    assert all(results)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_pools(sample: Path, method: str) -> None:
    drawings = fastdraw.open_drawings(sample)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(checksum, [drawings] * 4, chunksize=1) == [checksum(drawings)] * 4


class Images:
    """A dataset of torch's kind: what people write themselves."""

    def __init__(self, drawings: fastdraw.Drawings) -> None:
        self.drawings = drawings

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.drawings.rasterize([index], threads=1)[0]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_torch(sample: Path, method: str) -> None:
    data = pytest.importorskip("torch.utils.data")
    drawings = fastdraw.open_drawings(sample)[::5]
    expected = drawings.rasterize()
    loader = data.DataLoader(Images(drawings), 32, num_workers=2, multiprocessing_context=method)
    for _ in range(2):
        assert (np.concatenate([batch.numpy() for batch in loader]) == expected).all()
