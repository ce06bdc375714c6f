"""Training that can be killed at any moment and goes on exactly where it was.

The folder of a run holds ``last.keras`` and ``best.keras``, which are plain Keras models, ``history.csv`` with a row an
epoch, and ``logs/`` for TensorBoard. ``last.keras`` also carries the number of its epoch and the history so far, in
one file that is replaced as a whole: nothing can come apart.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import math
import os
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

_STATE = "training.json"  # the entry that last.keras has beside those of Keras

PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")

History = dict[str, list[float]]


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says why, and what is left of it."""


def train(
    model: keras.Model,
    data: Any,
    *,
    epochs: int,
    out: str | os.PathLike[str],
    validation: Any = None,
    batch_size: int = 128,
    precision: str = "auto",
    resume: bool = True,
    patience: int | None = None,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: str | int = "auto",
) -> History:
    """Train a model and keep its checkpoints; the same call again goes on after the last epoch that was finished.

    A run that was killed and resumed gives the same model as one that was not, bit for bit where a processor's sums
    are reproducible: the order of arrays and all random numbers of the model follow from ``seed`` and the epoch alone.

    Parameters
    ----------
    model : keras.Model
        Compiled; or not, for Adam at a rate of 1e-3. It has the weights of the last epoch afterwards.
    data : array, pair of arrays, or data set
        Images, or images and labels; or batches of them. Arrays are shuffled. A resumed run sees the same order as one
        that was not interrupted with arrays, and with what `fastdraw.to_tf_dataset` gives for a seed.
    epochs : int
        In all, those of earlier runs included.
    out : path
        Folder of the run, made where it does not exist.
    validation : array, pair of arrays, or data set, optional
        Without it the best model is that of the least training loss.
    batch_size : int
        Of arrays.
    precision : {"auto", "float32", "mixed_float16", "mixed_bfloat16"}
        ``auto`` is bfloat16 on a GPU that has it in hardware, float16 on one that has only that, float32 elsewhere.
    resume : bool
        Whether to go on with what is in the folder, or to write over it.
    patience : int, optional
        Stop after so many epochs without a better one.
    seed : int
    callbacks : sequence of keras.callbacks.Callback
    verbose
        As for ``keras.Model.fit``.

    Returns
    -------
    dict of list
        What ``history.csv`` has: a list for each measure, an item an epoch.

    Raises
    ------
    TrainingError
        If the loss is no longer a finite number, or ``last.keras`` is not a checkpoint of such a model.
    ValueError
        If an argument is not one of those above, or labels given as an array are not those of the model's classes.
    """
    if epochs < 1:
        raise ValueError(f"expected epochs to be 1 or more, received {epochs}")
    if patience is not None and patience < 1:
        raise ValueError(f"expected patience to be 1 or more, received {patience}")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    policy = choose_precision() if precision == "auto" else precision
    _prepare(model, policy)

    for given in (data, validation):
        _check_labels(model, given)
    batches = _as_batches(data, batch_size, seed)
    checks = None if validation is None else _as_batches(validation, batch_size, None)
    run = _Run(folder, patience, seed, batches)
    if resume and run.last.exists():
        run.restore(model)
    if run.is_over(epochs):
        return run.history
    if not isinstance(batches, keras.utils.PyDataset):
        for _ in range(run.epoch):  # what counts its loops begins where it was
            next(iter(batches), None)
    extra = [] if importlib.util.find_spec("tensorflow") is None else [keras.callbacks.TensorBoard(folder / "logs")]
    model.fit(
        batches,
        validation_data=checks,
        initial_epoch=run.epoch,
        epochs=epochs,
        callbacks=[*callbacks, *extra, run],
        shuffle=False,  # the batches of arrays come shuffled, in a way that we can come back to
        verbose=verbose,
    )
    return run.history


def choose_precision() -> str:
    """The fastest policy that the first device is made for: bfloat16, float16, or float32."""
    if not keras.distribution.list_devices()[0].lower().startswith("gpu"):
        return "float32"
    # Keras does not tell a GPU's generation, its backends do: tensor cores came with 7.0, bfloat16 with 8.0.
    capability = 0.0
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        details = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        major, minor = details.get("compute_capability", (0, 0))
        capability = major + minor / 10
    elif keras.backend.backend() == "jax":
        import jax

        capability = float(getattr(jax.devices("gpu")[0], "compute_capability", 0))
    return "mixed_bfloat16" if capability >= 8 else "mixed_float16" if capability >= 7 else "float32"


def set_precision(model: keras.Model, policy: str) -> None:
    """Have the networks of a model compute in another precision; its weights, codes and logits stay float32.

    Parameters
    ----------
    model : AE, VAE or CVAE
    policy : {"float32", "mixed_float16", "mixed_bfloat16"}
    """
    if policy not in PRECISIONS[1:]:
        raise ValueError(f"expected precision to be one of {PRECISIONS}, received {policy!r}")
    model.dtype_policy = policy  # Keras scales the loss where the outermost policy is float16
    for network in (model.encoder, model.decoder):
        layers = list(_leaves(network))
        # What comes out, a code or logits, is float32: the last layer with weights and those behind it.
        last = max((i for i, layer in enumerate(layers) if layer.weights), default=0)
        keep = last if network is model.decoder or not hasattr(model, "latent_dim") else len(layers)
        for layer in layers[:keep]:
            layer.dtype_policy = policy


def read_history(path: str | os.PathLike[str]) -> History:
    """The content of a ``history.csv``: a list for each measure, an item an epoch."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ()) if name != "epoch"}


class _Run(keras.callbacks.Callback):
    """State of a run: its epochs so far, and the files that keep them."""

    def __init__(self, folder: Path, patience: int | None, seed: int, data: Any) -> None:
        super().__init__()
        self.folder = folder
        self.data = data
        self.last = folder / "last.keras"
        self.patience = patience
        self.seed = seed
        self.history: History = {}

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history.get("loss", []))

    def restore(self, model: keras.Model) -> None:
        try:
            with zipfile.ZipFile(self.last) as archive:
                self.history = json.loads(archive.read(_STATE))
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # Keras's way to say that a part was not in the file
                model.load_weights(self.last)
        except (OSError, KeyError, ValueError, UserWarning, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"{self.last}: expected a checkpoint of a model like this one, found another or a damaged file; "
                "train into another folder, or without resuming to write over it"
            ) from error

    def is_over(self, epochs: int) -> bool:
        return self.epoch >= epochs or self._is_stuck()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if isinstance(self.data, _Arrays):
            self.data.set_epoch(epoch)
        # Keras does not save the state of random generators, so that each epoch begins with one of its own.
        states = [v for v in self.model.non_trainable_variables if v.path.endswith("seed_generator_state")]
        for i, state in enumerate(states):
            state.assign(np.random.SeedSequence([self.seed, epoch, i]).generate_state(2).astype(state.dtype))

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            kept = f"{self.last} has the model after epoch {self.epoch}" if self.epoch else "no epoch was finished"
            raise TrainingError(
                f"the loss is {loss} at step {batch + 1} of epoch {self.epoch + 1}; {kept}. "
                "Try a lower learning rate, or float32"
            )

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(float(value))
        if self._epochs_since_best() == 0:
            self._save(self.folder / "best.keras")
        self._save(self.last)
        with open(self.folder / ".history.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self.history])
            writer.writerows([i + 1, *row] for i, row in enumerate(zip(*self.history.values(), strict=True)))
        os.replace(self.folder / ".history.csv", self.folder / "history.csv")
        if self._is_stuck():
            self.model.stop_training = True

    def _epochs_since_best(self) -> int:
        losses = self.history.get("val_loss", self.history["loss"])
        return len(losses) - 1 - int(np.argmin(losses))

    def _is_stuck(self) -> bool:
        return self.patience is not None and self.epoch > 0 and self._epochs_since_best() >= self.patience

    def _save(self, path: Path) -> None:
        temporary = path.with_name(f".{path.name}")
        self.model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_STATE, json.dumps(self.history))
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)


class _Arrays(keras.utils.PyDataset):
    """Batches of arrays, in an order that follows from a seed and the epoch; without a seed in theirs."""

    def __init__(self, arrays: Sequence[Any], batch_size: int, seed: int | None) -> None:
        super().__init__()
        self.arrays = [np.asarray(array) for array in arrays]
        count = len(self.arrays[0])
        if not count or any(len(array) != count for array in self.arrays):
            raise ValueError(f"expected as many labels as images, received {[len(array) for array in self.arrays]}")
        self.order = np.arange(count)
        self.batch_size = batch_size
        self.seed = seed

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return tuple(array[rows] for array in self.arrays)

    def set_epoch(self, epoch: int) -> None:
        if self.seed is not None:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.order))


def _as_batches(data: Any, batch_size: int, seed: int | None) -> Any:
    if isinstance(data, (tuple, list)):
        return _Arrays(data, batch_size, seed)
    return _Arrays([data], batch_size, seed) if isinstance(data, np.ndarray) else data


def _check_labels(model: keras.Model, data: Any) -> None:
    """Refuse labels that no class has, which would count as no class at all."""
    if not hasattr(model, "num_classes") or not isinstance(data, (tuple, list)):
        return
    labels = np.asarray(data[1])
    if labels.ndim == 1 and len(labels) and not 0 <= labels.min() <= labels.max() < model.num_classes:
        raise ValueError(
            f"expected labels from 0 to {model.num_classes - 1}, received {labels.min()} to {labels.max()}"
        )


def _prepare(model: keras.Model, policy: str) -> None:
    """Set the precision of a model, and have it compiled for that."""
    set_precision(model, policy)
    if not model.compiled:
        model.compile(keras.optimizers.Adam(1e-3))
    if policy == "mixed_float16" and not isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        model.compile(
            # The loss is a sum over pixels, so that Keras's first scale, 2**15, would lose a dozen steps to overflow.
            keras.optimizers.LossScaleOptimizer(model.optimizer, initial_scale=2.0**10),
            loss=model.loss,
            jit_compile=model.jit_compile,
            steps_per_execution=model.steps_per_execution,
            run_eagerly=model.run_eagerly,
        )
    # Otherwise Keras would look at a first batch to build it, in new runs but not in resumed ones.
    model.optimizer.build(model.trainable_variables)


def _leaves(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Layers of a model and of the models in it, in order."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer
