"""Batches for torch: those of `fastdraw.batches`, whoever draws them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastdraw

torch = pytest.importorskip("torch")

OPTIONS: dict[str, Any] = {"size": 8, "labels": "int", "shuffle": True, "seed": 3}


def assert_equal(ours: list, expected: list) -> None:
    assert len(ours) == len(expected) > 0
    for one, other in zip(ours, expected, strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine.numpy(), theirs)


@pytest.fixture
def drawings(sample: Path) -> fastdraw.Drawings:
    return fastdraw.open_drawings(sample)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_workers_share_the_batches(drawings: fastdraw.Drawings, workers: int) -> None:
    """Each batch once and in order, and each pass with the next epoch."""
    data = fastdraw.to_torch_dataset(drawings, 64, **OPTIONS)
    loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers)
    expected = list(fastdraw.batches(drawings, 64, epochs=2, **OPTIONS))
    assert len(loader) == 10
    assert_equal([*loader, *loader], expected)


def test_images_alone_are_tensors(drawings: fastdraw.Drawings) -> None:
    data = fastdraw.to_torch_dataset(drawings, 500, packed=True, epochs=None)
    images = next(iter(data))
    assert images.shape == (500, 128)
    assert images.dtype == torch.uint8
    with pytest.raises(TypeError, match="no length"):
        len(data)


@pytest.mark.parametrize("cut", [0, 1, 9, 10, 13])
def test_a_state_moves_between_batches_and_the_dataset(drawings: fastdraw.Drawings, cut: int) -> None:
    expected = list(fastdraw.batches(drawings, 64, epochs=2, **OPTIONS))
    data = fastdraw.to_torch_dataset(drawings, 64, epochs=2, **OPTIONS)
    begun = list(islice(data, cut))
    other = fastdraw.batches(drawings, 64, epochs=2, size=8, labels="int", shuffle=True)
    other.load_state_dict(data.state_dict())
    again = fastdraw.to_torch_dataset(drawings, 64, epochs=2, size=8, labels="int", shuffle=True)
    again.load_state_dict(data.state_dict())
    rest = list(again)
    assert_equal(begun + rest, expected)
    assert_equal(rest, list(other))
    with pytest.raises(ValueError, match="expected the state of batches like these"):
        again.load_state_dict({**data.state_dict(), "drawings": 1})


def test_a_shard_with_no_part_of_the_last_batch_ends_the_epoch_too(drawings: fastdraw.Drawings) -> None:
    state = fastdraw.batches(drawings[:100], 24, **OPTIONS).state_dict() | {"batch": 4}
    data = fastdraw.to_torch_dataset(drawings[:100], 3, shard=(7, 8), **OPTIONS)
    data.load_state_dict(state)
    assert [len(list(data)) for _ in range(2)] == [0, 4]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cut", [4, 9])
def test_a_stateful_loader_continues_in_mid_epoch(drawings: fastdraw.Drawings, workers: int, cut: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader")

    def loader() -> Any:
        data = fastdraw.to_torch_dataset(drawings, 64, **OPTIONS)
        return stateful.StatefulDataLoader(data, batch_size=None, num_workers=workers)

    first = loader()
    begun = list(islice(first, cut))
    again = loader()
    again.load_state_dict(first.state_dict())
    whole = list(fastdraw.batches(drawings, 64, epochs=2, **OPTIONS))
    assert_equal([*begun, *again], whole[:10])
    assert_equal(list(again), whole[10:])
