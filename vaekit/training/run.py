"""A run on disk: its history and its checkpoints.

``last.keras`` also carries the history, and where in the data the run is. It is replaced as a whole, so that all of it
always matches.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fastdraw.notices import notice
from vaekit import feeds
from vaekit.training import checkpoint
from vaekit.training.arguments import Arguments, differences, inner
from vaekit.training.precision import has_accelerator

_AHEAD = 50  # steps that may be under way before the loss of the first of them is known
_WAIT = 60  # seconds for the losses of all steps before a checkpoint
_HISTORY, _ARGUMENTS, _PROGRESS = "training.json", "arguments.json", "progress.json"  # entries of a checkpoint
_COUNTS = ("best", "best_epoch", "wait", "cooldown_counter")  # of EarlyStopping and ReduceLROnPlateau

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

    def __init__(
        self,
        folder: Path,
        data: Any,
        arguments: Arguments,
        *,
        seed: int,
        validated: bool,
        patience: int | None,
        checkpoint_every: int | None,
        callbacks: Sequence[keras.callbacks.Callback],
    ) -> None:
        super().__init__()
        self.folder = folder
        self.data = data
        self.arguments = arguments
        self.last = folder / "last.keras"
        self.seed = seed
        self.validated = validated
        self.patience = patience
        self.checkpoint_every = checkpoint_every
        self.async_safe = has_accelerator()
        self.history: History = {}
        self._betas: list[float | None] = []  # of each epoch, the weight of the KL term in the loss that ranks it
        self._beta: float | None = None
        self._counters = [
            callback
            for callback in callbacks
            if isinstance(callback, (keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau))
        ]
        self._restored: dict[str, Any] = {}  # what the first epoch begins with
        self._first = 0  # steps of this epoch that were taken before it was resumed
        self._saved = 0  # those that the last checkpoint has
        self._checked = -1  # the last step whose loss is known to be finite
        self._news = threading.Condition()
        self._test = contextlib.ExitStack()

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history.get("loss", []))

    def restore(self, model: keras.Model, changed: bool) -> None:
        """Read history and weights from ``last.keras``; if ``changed``, that of a run with other arguments, too."""
        rate = self.arguments.get("learning_rate")
        try:
            history, before, progress = checkpoint.read(self.last, _HISTORY, _ARGUMENTS, _PROGRESS)
            if history is None:
                raise KeyError(_HISTORY)
            before, progress = before or {}, progress or {}
            self._compare(before, changed)
            checkpoint.load_weights(self.last, model)
        except (OSError, KeyError, ValueError, UserWarning, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"{self.last}: expected a checkpoint of a model like this one, received one of another model or a "
                "damaged file; train into another folder, or pass resume=False to overwrite it"
            ) from error
        self.history = history
        self._betas = progress.get("betas", [None] * self.epoch)
        optimizer = inner(model.optimizer)
        if isinstance(rate, float) and before.get("learning_rate", rate) != rate:
            optimizer.learning_rate = rate  # the checkpoint has that of before
        if isinstance(optimizer.get_config()["learning_rate"], float):
            progress["learning_rate"] = float(optimizer.learning_rate)
        self._restored = progress

    def _compare(self, before: Arguments, changed: bool) -> None:
        different = differences(before, json.loads(json.dumps(self.arguments)))
        if different and not changed:
            raise TrainingError(
                f"{self.last}: expected the arguments that this run began with, received others: {different}; train "
                'into another folder, or pass resume="changed" to go on all the same, or resume=False to overwrite it'
            )

    def is_over(self, epochs: int) -> bool:
        return self.epoch >= epochs or self._is_stuck()

    def on_train_begin(self, logs: Any = None) -> None:
        # The callbacks before this one have reset themselves.
        known = list(self._restored.get("callbacks", []))
        for callback in self._counters:
            kind = type(callback).__name__
            found = next((entry for entry in known if entry[0] == kind), None)
            if found is not None:
                known.remove(found)
                vars(callback).update(found[1])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._checked = -1
        self._first = self._saved = self._seek(epoch)
        restored, self._restored = self._restored, {}
        states = checkpoint.generators(self.model)
        if self._first:
            checkpoint.assign(states, restored["random"])
            if len(self.model.metrics_variables) == len(restored["metrics"]):
                checkpoint.assign(self.model.metrics_variables, restored["metrics"])
            if "learning_rate" in restored:  # a callback has set it at the begin of this epoch already
                inner(self.model.optimizer).learning_rate = restored["learning_rate"]
            return
        # Keras does not save the state of random generators; each epoch starts with a state of its own.
        for i, state in enumerate(states):
            state.assign(np.random.SeedSequence([self.seed, epoch, i]).generate_state(2).astype(state.dtype))

    def steps_left(self) -> int:
        """Steps of an epoch that was begun and is resumed; 0 if the next epoch begins."""
        step = self._seek(self.epoch)
        return len(self.data) - step if step else 0

    def _seek(self, epoch: int) -> int:
        """Let the data begin where the run is; the steps of this epoch that were taken already."""
        step, start = self._restored.pop("step", 0), feeds.position(self.data, epoch)
        if start is not None:
            try:
                self.data.load_state_dict(self._restored.get("feed") or start)
            except ValueError:  # the state of other data
                self.data.load_state_dict(start)
                self._restored.pop("feed")
            else:
                self._restored["step"] = step
                return step
        elif hasattr(self.data, "set_epoch"):
            self.data.set_epoch(epoch)
        if step:
            notice(
                f"{self.last}: epoch {epoch + 1} begins again, with the weights of its step {step}: these data cannot "
                "be read from there on"
            )
        return 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        with self._news:
            # Ends early if another callback failed; Keras raises its error in the next step.
            self._news.wait_for(lambda: batch - self._checked <= _AHEAD, timeout=10)
        step = self._first + batch
        if self.checkpoint_every and step - self._saved >= self.checkpoint_every and step < len(self.data):
            with self._news:
                known = self._news.wait_for(lambda: self._checked >= batch - 1, timeout=_WAIT)
            if known:
                self._checkpoint(step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise self._diverged(f"the loss is {loss} at step {self._first + batch + 1} of epoch {self.epoch + 1}")
        with self._news:
            self._checked = max(batch, self._checked)
            self._news.notify_all()

    def on_test_begin(self, logs: Any = None) -> None:
        self._beta = getattr(self.model, "beta", None)
        self._test.enter_context(checkpoint.averaged(self.model))

    def on_test_end(self, logs: Any = None) -> None:
        self._test.close()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if not checkpoint.are_finite(self.model):
            raise self._diverged(f"the weights are not finite after epoch {epoch + 1}")
        before = self.epoch
        for name in [*self.history, *(name for name in logs if name not in self.history)]:
            # An epoch before a metric was added, or after it was dropped, has none.
            self.history.setdefault(name, [math.nan] * before).append(float(logs.get(name, math.nan)))
        self._betas.append(self._beta if self.validated else getattr(self.model, "beta", None))
        self._saved = 0
        if self._epochs_since_best() == 0:
            with checkpoint.averaged(self.model):
                self._save(self.folder / "best.keras", self._progress(0))
        self._save(self.last, self._progress(0))
        with checkpoint.replacing(self.folder / "history.csv") as path, open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["epoch", *self.history])
            writer.writerows([i + 1, *row] for i, row in enumerate(zip(*self.history.values(), strict=True)))
        if self._is_stuck():
            self.model.stop_training = True

    def _epochs_since_best(self) -> int:
        """Epochs since the one with the lowest loss, among those of the present weight of the KL term."""
        losses = np.array(self.history.get("val_loss" if self.validated else "loss", [math.nan] * self.epoch))
        losses[[beta not in (None, self._betas[-1]) for beta in self._betas]] = math.nan
        return self.epoch if np.isnan(losses).all() else self.epoch - 1 - int(np.nanargmin(losses))

    def _is_stuck(self) -> bool:
        return self.patience is not None and self.epoch > 0 and self._epochs_since_best() >= self.patience

    def _diverged(self, what: str) -> TrainingError:
        kept = f"{self.last} has the model after " if self.epoch or self._saved else "no checkpoint was saved"
        if self._saved:
            kept += f"step {self._saved} of epoch {self.epoch + 1}"
        elif self.epoch:
            kept += f"epoch {self.epoch}"
        return TrainingError(f"{what}; {kept}. Try a lower learning rate, or float32")

    def _checkpoint(self, step: int) -> None:
        """Save the run in mid-epoch, before a step."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        if not checkpoint.are_finite(self.model):
            raise self._diverged(f"the weights are not finite after step {step} of epoch {self.epoch + 1}")
        state = checkpoint.values(checkpoint.generators(self.model)), checkpoint.values(self.model.metrics_variables)
        self._save(self.last, self._progress(step) | dict(zip(("random", "metrics"), state, strict=True)))
        self._saved = step

    def _progress(self, step: int) -> dict[str, Any]:
        """Where the run is: before a step of the next epoch that is not finished."""
        counts = [(type(callback).__name__, _counts(callback)) for callback in self._counters]
        feed = feeds.position(self.data, self.epoch, step)
        return {"step": step, "feed": feed, "betas": self._betas, "callbacks": counts}

    def _save(self, path: Path, progress: dict[str, Any]) -> None:
        checkpoint.write(path, self.model, {_HISTORY: self.history, _ARGUMENTS: self.arguments, _PROGRESS: progress})


def _counts(callback: keras.callbacks.Callback) -> dict[str, float | None]:
    held = vars(callback)
    return {name: None if held[name] is None else float(held[name]) for name in _COUNTS if name in held}
