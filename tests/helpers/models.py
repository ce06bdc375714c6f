"""Tiny models."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import vaekit


def tiny_model(
    kind: type[vaekit.AE] = vaekit.VAE,
    latent_dim: int = 2,
    shape: tuple[int, int, int] = (8, 8, 1),
    *,
    seed: int = 0,
    contrast: float = 0.0,
    **options: Any,
) -> Any:
    """An untrained model with one small dense layer on each side, compiled with Adam.

    With ``contrast`` the weights of the decoder are normal with this standard deviation: at 3 or more, images of
    different codes are far apart. A `CVAE` has three classes unless ``num_classes`` is given.
    """
    keras.utils.set_random_seed(seed)
    defaults: dict[str, Any] = {} if "network" in options else {"network": "mlp", "units": (16,)}
    if kind is vaekit.CVAE:
        defaults["num_classes"] = 3
    model = kind.for_images(shape, latent_dim, **defaults | options)
    model.compile(keras.optimizers.Adam(1e-3))
    if contrast:
        rng = np.random.default_rng(seed)
        for variable in model.decoder.trainable_variables:
            variable.assign(contrast * rng.standard_normal(variable.shape))
    return model
