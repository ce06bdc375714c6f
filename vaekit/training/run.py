"""A run on disk: its history and its checkpoints.

``last.keras`` also carries the history. It is replaced as a whole, so that weights and history always match.
"""

from __future__ import annotations

import csv
import json
import math
import os
import threading
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vaekit.training.arguments import Arguments, differences, inner
from vaekit.training.precision import has_accelerator

_AHEAD = 50  # steps that may be under way before the loss of the first of them is known
_STATE = "training.json"  # the entry with the history, in the zip archive of a .keras file
_ARGUMENTS = "arguments.json"  # and with what the run was made with

History = dict[str, list[float]]


class TrainingError(RuntimeError):
    """A run cannot continue; the message says why, and what is left of it.

    Examples
    --------
    >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> history = vaekit.train(model, np.zeros((16, 8, 8)), epochs=1, out="run", verbose=0)
    >>> other = vaekit.AE.for_images((8, 8, 1), 5, network="mlp", units=(16,))
    >>> vaekit.train(other, np.zeros((16, 8, 8)), epochs=2, out="run", verbose=0)
    Traceback (most recent call last):
        ...
    vaekit.training.run.TrainingError: run/last.keras: expected the arguments that this run began with, ...
    """


def read_history(path: str | os.PathLike[str]) -> History:
    """The content of a ``history.csv``: for each metric a list with a value per epoch.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> history = vaekit.train(model, np.zeros((16, 8, 8)), epochs=2, out="run", verbose=0)
    >>> vaekit.read_history("run/history.csv") == history
    True
    """
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ()) if name != "epoch"}


class Run(keras.callbacks.Callback):
    """State of a run: the epochs so far, and the files that keep them.

    Attributes
    ----------
    async_safe : bool
        Keras reads it. If true, `on_train_batch_end` is called on other threads (JAX, torch), so that an accelerator
        does not wait for the loss of a step before it gets the next one. A processor would only do more work.
    """

    def __init__(self, folder: Path, patience: int | None, seed: int, data: Any, arguments: Arguments) -> None:
        super().__init__()
        self.folder = folder
        self.data = data
        self.arguments = arguments
        self.last = folder / "last.keras"
        self.patience = patience
        self.seed = seed
        self.async_safe = has_accelerator()
        self.history: History = {}
        self._checked = -1  # the last step whose loss is known to be finite
        self._news = threading.Condition()

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history.get("loss", []))

    def restore(self, model: keras.Model, changed: bool) -> None:
        """Read history and weights from ``last.keras``; if ``changed``, that of a run with other arguments, too."""
        rate = self.arguments.get("learning_rate")
        try:
            with zipfile.ZipFile(self.last) as archive:
                self.history = json.loads(archive.read(_STATE))
                known = _ARGUMENTS in archive.namelist()  # not in version 0.1
                before = json.loads(archive.read(_ARGUMENTS)) if known else {}
            self._compare(before, changed)
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # Keras only warns if weights are missing in the file
                model.load_weights(self.last)
        except (OSError, KeyError, ValueError, UserWarning, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"{self.last}: expected a checkpoint of a model like this one, received one of another model or a "
                "damaged file; train into another folder, or pass resume=False to overwrite it"
            ) from error
        if isinstance(rate, float) and before.get("learning_rate", rate) != rate:
            inner(model.optimizer).learning_rate = rate  # the checkpoint has that of before

    def _compare(self, before: Arguments, changed: bool) -> None:
        different = differences(before, json.loads(json.dumps(self.arguments)))
        if different and not changed:
            raise TrainingError(
                f"{self.last}: expected the arguments that this run began with, received others: {different}; train "
                'into another folder, or pass resume="changed" to go on all the same, or resume=False to overwrite it'
            )

    def is_over(self, epochs: int) -> bool:
        return self.epoch >= epochs or self._is_stuck()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._checked = -1
        if hasattr(self.data, "set_epoch"):
            self.data.set_epoch(epoch)
        # Keras does not save the state of random generators; each epoch starts with a state of its own.
        states = [v for v in self.model.non_trainable_variables if v.path.endswith("seed_generator_state")]
        for i, state in enumerate(states):
            state.assign(np.random.SeedSequence([self.seed, epoch, i]).generate_state(2).astype(state.dtype))

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        with self._news:
            # Ends early if another callback failed; Keras raises its error in the next step.
            self._news.wait_for(lambda: batch - self._checked <= _AHEAD, timeout=10)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            kept = f"{self.last} has the model after epoch {self.epoch}" if self.epoch else "no epoch was finished"
            raise TrainingError(
                f"the loss is {loss} at step {batch + 1} of epoch {self.epoch + 1}; {kept}. "
                "Try a lower learning rate, or float32"
            )
        with self._news:
            self._checked = max(batch, self._checked)
            self._news.notify_all()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        before = self.epoch
        for name in [*self.history, *(name for name in logs if name not in self.history)]:
            # An epoch before a metric was added, or after it was dropped, has none.
            self.history.setdefault(name, [math.nan] * before).append(float(logs.get(name, math.nan)))
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
        losses = self.history.get("val_loss", [math.nan])
        if math.isnan(losses[-1]):  # without validation
            losses = self.history["loss"]
        return len(losses) - 1 - int(np.nanargmin(losses))

    def _is_stuck(self) -> bool:
        return self.patience is not None and self.epoch > 0 and self._epochs_since_best() >= self.patience

    def _save(self, path: Path) -> None:
        temporary = path.with_name(f".{path.name}")
        self.model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_STATE, json.dumps(self.history))
            archive.writestr(_ARGUMENTS, json.dumps(self.arguments))
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
