"""Files that appear whole, and what a checkpoint holds besides the weights.

A checkpoint is a plain Keras model: a zip archive, which has the state of the run as further entries of JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fastdraw.storage import expect_file_name

Values = list[list[Any]]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name to write to, which becomes ``path`` at the end of the block; nothing is left of it after an error.

    Raises
    ------
    FastdrawError
        As `fastdraw.storage.expect_file_name`.
    """
    expect_file_name(path)
    temporary = path.with_name(f".{path.name}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write(path: Path, model: keras.Model, entries: Mapping[str, Any]) -> None:
    """Save a model, with entries by their names."""
    with replacing(path) as temporary:
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            for name, value in entries.items():
                archive.writestr(name, json.dumps(value))


def read(path: Path, *names: str) -> list[Any]:
    """Entries by their names; None for one that is missing, as some are in files of version 0.1."""
    with zipfile.ZipFile(path) as archive:
        known = archive.namelist()
        return [json.loads(archive.read(name)) if name in known else None for name in names]


def load_weights(path: Path, model: keras.Model) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Keras only warns if weights are missing in the file
        model.load_weights(path)


def generators(model: keras.Model) -> list[Any]:
    """The states of a model's random generators, which Keras does not save."""
    return [v for v in model.non_trainable_variables if v.path.endswith("seed_generator_state")]


def values(variables: list[Any]) -> Values:
    """The content of variables, for `assign`."""
    return [keras.ops.convert_to_numpy(variable).ravel().tolist() for variable in variables]


def assign(variables: list[Any], content: Values) -> None:
    """Give variables the content that `values` read.

    Raises
    ------
    ValueError
        If these are other variables.
    """
    for variable, read in zip(variables, content, strict=True):
        variable.assign(np.array(read, variable.dtype).reshape(variable.shape))


def are_finite(model: keras.Model) -> bool:
    """Whether no weight is NaN or infinite."""
    return all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.trainable_variables)


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Within the block, the weights are the moving averages of an optimizer that has them (``use_ema=True``)."""
    if not getattr(getattr(model.optimizer, "inner_optimizer", model.optimizer), "use_ema", False):
        yield
        return
    trained = _copies(model.trainable_variables)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    # Without copies a step of JAX, which gives the memory of the weights away, would give that of the averages away.
    assign(model.trainable_variables, _copies(model.trainable_variables))
    try:
        yield
    finally:
        assign(model.trainable_variables, trained)


def _copies(variables: list[Any]) -> list[Any]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]
