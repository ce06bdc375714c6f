"""Batches for several devices, of which each gets the same number of rows (``keras.distribution``, on JAX)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def replicas() -> int:
    """The number of devices that share a batch.

    Examples
    --------
    >>> from vaekit.devices import replicas
    >>> replicas()
    1
    """
    distribution = keras.distribution.distribution()
    if distribution is None or distribution.batch_dim_name is None:
        return 1
    mesh = distribution.device_mesh
    return int(mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)])


def filled(rows: Any, count: int) -> Any:
    """An array whose length is a multiple of ``count``: the first rows again at its end. None stays None.

    Examples
    --------
    >>> from vaekit.devices import filled
    >>> filled(np.array([1, 2, 3]), 2).tolist()
    [1, 2, 3, 1]
    """
    if rows is None or len(rows) % count == 0:
        return rows
    return np.concatenate([rows, np.resize(rows, (-len(rows) % count, *rows.shape[1:]))])
