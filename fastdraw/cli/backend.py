"""Which backend Keras gets on the command line."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path


def choose_backend() -> None:
    """Make Keras compute with JAX or torch if TensorFlow is not installed and the user has chosen nothing."""
    chosen = "KERAS_BACKEND" in os.environ or (Path.home() / ".keras/keras.json").exists()
    if not chosen and importlib.util.find_spec("tensorflow") is None:
        for backend in ("jax", "torch"):
            if importlib.util.find_spec(backend) is not None:
                os.environ["KERAS_BACKEND"] = backend
                return
