"""Bounds on the log-likelihood, to compare with papers, and the number of latents in use.

Bounds are in nats/image. Grey images are used as they are, or binarised first: ``binarize="threshold"`` at 0.5, or
``"sampled"`` with each grey value as the probability of a white pixel (Salakhutdinov and Murray, 2008). Figures of
images that were binarised differently do not compare.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from fastdraw.checks import integer
from vaekit import likelihoods
from vaekit.batched import compiled
from vaekit.devices import filled, replicas
from vaekit.models import CVAE, VAE

BINARIZE = ("none", "threshold", "sampled")

_BATCH = 100  # images
_DECODED = 1 << 22  # pixels decoded at a time: 16 MB of float32


def elbo(
    model: VAE, x: Any, labels: Any = None, *, samples: int = 1, binarize: str | None = None, seed: int = 0
) -> float:
    """Evidence lower bound of the log-likelihood, ``E[log p(x|z)] - KL(q(z|x) || p(z))``, mean over images.

    With ``beta`` of 1 and no free bits, a VAE's loss is its negative.

    Parameters
    ----------
    model : VAE or CVAE
    x : array
        Images.
    labels : array, optional
        For a `CVAE`.
    samples : int
        Codes drawn for each image.
    binarize : {"none", "threshold", "sampled"}, optional
        How to binarise the images first; by default as the model's loss does: ``"sampled"`` if the model has a
        ``binarization``, otherwise ``"none"``.
    seed : int
        For the codes, and for ``binarize="sampled"``.

    Returns
    -------
    float, in nats/image

    Examples
    --------
    >>> images = np.zeros((20, 8, 8))
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> vaekit.evaluate.elbo(model, images, samples=10) < 0
    True
    """
    total = 0.0
    for kl, log_likelihoods, _ in _draws(model, x, labels, samples, binarize, seed):
        total += float(np.sum(np.mean(log_likelihoods - kl, axis=1, dtype=np.float64)))
    return total / len(x)


def nll(
    model: VAE, x: Any, labels: Any = None, *, samples: int = 5000, binarize: str | None = None, seed: int = 0
) -> float:
    """Importance-weighted estimate of the negative log-likelihood, ``-log mean(p(x, z) / q(z|x))``, mean over images.

    Burda et al., "Importance Weighted Autoencoders" (2016), equation 8. Its expectation is an upper bound of the true
    value, and approaches it as ``samples`` grows. Images are decoded in chunks, so that memory hardly grows with it.

    Parameters
    ----------
    model, x, labels, samples, binarize, seed
        As for `elbo`.

    Returns
    -------
    float, in nats/image

    Examples
    --------
    >>> images = np.zeros((20, 8, 8))
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> vaekit.evaluate.nll(model, images, samples=100) < -vaekit.evaluate.elbo(model, images, samples=100)
    True
    """
    total = 0.0
    for _, log_likelihoods, log_ratios in _draws(model, x, labels, samples, binarize, seed):
        total -= float(np.sum(np.logaddexp.reduce((log_likelihoods + log_ratios).astype(np.float64), axis=1)))
    return total / len(x) + math.log(samples)


def active_units(model: VAE, x: Any, labels: Any = None, *, threshold: float = 0.01) -> int:
    """Number of latents that carry information: those whose posterior mean varies over the images.

    Burda et al. (2016), section 5.1: the variance of the mean is above ``threshold``.

    Parameters
    ----------
    model, x, labels
        As for `elbo`.
    threshold : float

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> vaekit.evaluate.active_units(model, np.zeros((20, 8, 8)))  # all images are equal
    0
    """
    means = model.encode(x if labels is None else (x, labels))
    return int(np.sum(np.var(means, axis=0, dtype=np.float64) > threshold))


def _draws(
    model: VAE, x: Any, labels: Any, samples: int, binarize: str | None, seed: int, *, decoded: int = _DECODED
) -> Iterator[tuple[npt.NDArray[np.float32], ...]]:
    """For each batch of images, (B, samples): KL, log p(x|z) and log p(z) / q(z|x).

    At most about ``decoded`` pixels are decoded at a time.
    """
    if not isinstance(model, VAE):
        raise TypeError(f"expected a VAE or a CVAE, received {type(model).__name__}")
    integer("samples", samples, 1)
    if binarize is None:
        binarize = "none" if model.binarization is None else "sampled"
    if binarize not in BINARIZE:
        raise ValueError(f"expected binarize to be one of {BINARIZE}, received {binarize!r}")
    x, labels = model.checked(x, labels if isinstance(model, CVAE) else None)
    rng = np.random.default_rng(seed)
    function = compiled(model, "draw", lambda inputs: _draw(model, inputs), labels)
    step = max(1, min(samples, decoded // (_BATCH * math.prod(model.to_images.image_shape))))
    for start in range(0, len(x), _BATCH):
        images = ops.convert_to_numpy(model.to_images(ops.convert_to_tensor(x[start : start + _BATCH])))
        if binarize != "none":
            limit = 0.5 if binarize == "threshold" else rng.random(images.shape, np.float32)
            images = (images > limit).astype(np.float32)
        given = (images,) if labels is None else (images, labels[start : start + _BATCH])
        parts = []
        for first in range(0, samples, step):
            count = min(step, samples - first)
            noise = rng.standard_normal((len(images), count, model.latent_dim), np.float32)
            whole = tuple(filled(rows, replicas()) for rows in (*given, noise))
            parts.append([rows[: len(images)] for rows in function.predict_on_batch(whole)])
        yield tuple(np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True))


def _draw(model: VAE, inputs: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    *given, noise = inputs
    batch, samples, _ = ops.shape(noise)
    images, *labels = model.inputs_of(*given)
    drawn = model.draw([images, *labels], samples=samples, noise=ops.reshape(noise, (-1, model.latent_dim)))
    log_likelihoods = -likelihoods.find(model.loss).call(ops.repeat(images, samples, axis=0), drawn.logits)
    # z = mean + exp(log_var / 2) * noise, so log q(z|x) is the log density of the noise minus the sum of log_var / 2.
    squares = ops.square(noise) - ops.reshape(ops.square(drawn.codes) - drawn.log_var, ops.shape(noise))
    kl = ops.sum(model.kl(drawn), axis=1)
    return (*(ops.reshape(part, (batch, samples)) for part in (kl, log_likelihoods)), 0.5 * ops.sum(squares, axis=2))
