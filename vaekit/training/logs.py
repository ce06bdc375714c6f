"""Metrics for TensorBoard."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import keras


class Logs(keras.callbacks.Callback):
    """Writes the metrics of each epoch for TensorBoard.

    Keras's own callback needs TensorFlow, and makes each step wait for its loss. Without the package ``tensorboard``
    this one does nothing.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            return
        from tensorboard.summary import Writer

        parts: dict[str, dict[str, float]] = {}
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            parts.setdefault(part, {})[name.removeprefix("val_")] = value
        for part, values in parts.items():
            writer = Writer(str(self.folder / part))  # closed after each epoch, so that a kill loses nothing
            for name, value in values.items():
                writer.add_scalar(f"epoch_{name}", value, epoch)
            writer.close()
