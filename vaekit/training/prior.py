"""The prior of a model that was trained: fitted to the codes of some of its images, and saved with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from fastdraw.notices import notice
from vaekit.feeds import number_of_batches
from vaekit.models import CVAE, VAE
from vaekit.training import checkpoint

_IMAGES = 10_000  # at most
_PER_COMPONENT = 10  # images of each class, at least


def fit_priors(model: VAE, path: Path, batches: Any, components: int) -> None:
    """Fit the prior of a model and of the one in a file, with fewer components if classes are small."""
    images, labels = _some(model, batches)
    smallest = int(np.bincount(labels, minlength=model.num_classes).min()) if isinstance(model, CVAE) else len(images)
    if smallest < 2 * _PER_COMPONENT:
        notice(f"no prior was fitted: expected {2 * _PER_COMPONENT} images of each class, received {smallest}")
        return
    notice(f"fitting the prior to the codes of {len(images):,} images")
    options = {"components": min(components, smallest // _PER_COMPONENT)}
    best = keras.models.load_model(path)
    for one in (model, best):
        one.fit_prior(images, *([labels] if isinstance(model, CVAE) else []), **options)
    with checkpoint.replacing(path) as temporary:
        best.save(temporary)


def _some(model: VAE, batches: Any) -> tuple[Any, Any]:
    """Images of the first batches, and their labels as numbers."""
    images: list[Any] = []
    labels: list[Any] = []
    for batch in batches:
        some, *targets = batch if isinstance(batch, (tuple, list)) else (batch,)
        images.append(ops.convert_to_numpy(some))
        rows: Any = ops.convert_to_numpy(targets[0]) if isinstance(model, CVAE) else np.zeros(len(images[-1]))
        labels.append(rows.argmax(axis=1) if rows.ndim == 2 and rows.shape[1] > 1 else rows.reshape(-1))
        if len(images) == number_of_batches(batches) or sum(map(len, images)) >= _IMAGES:
            break
    return np.concatenate(images), np.concatenate(labels).astype(np.int64)
