"""Measures of samples beside real images: whether they are recognised, as varied, and no copies."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from vaekit.evaluate.judge import Judge
from vaekit.models import CVAE

Floats = npt.NDArray[np.floating]

_NEIGHBOURS = 3  # whose distance is the radius of an image's surroundings (Kynkäänniemi et al., 2019, section 3)
_ROWS = 256  # of distances at a time


@dataclasses.dataclass(frozen=True)
class SampleScores:
    """What a judge says of samples.

    Attributes
    ----------
    recognised : float
        Share of the samples that the judge names as was asked for.
    frechet : float
        `frechet_distance` of their features to those of held-out images.
    precision, recall : float
        `precision_recall` of their features and those of held-out images.
    novelty : float
        Median distance of the samples' pixels to the nearest training image, divided by that of held-out images. Far
        below 1 means copies.

    Examples
    --------
    >>> vaekit.evaluate.SampleScores(recognised=0.9, frechet=1.5, precision=0.8, recall=0.7, novelty=1.0).recognised
    0.9
    """

    recognised: float
    frechet: float
    precision: float
    recall: float
    novelty: float


def score_samples(samples: Any, labels: Any, judge: Judge, training: Any, held_out: Any) -> SampleScores:
    """Score samples, or other images, of which the class is known.

    Parameters
    ----------
    samples : CVAE or (N, height, width, channels) array in 0..1
        Images; of a model, one sample for each label.
    labels : (N,) array of int
        The classes that were asked for.
    judge : Judge
        Trained on real training images.
    training, held_out : array
        Real images, uint8 or in 0..1; for comparable figures, of ``held_out`` as many as there are samples.

    Returns
    -------
    SampleScores

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> images, labels = drawings.rasterize(size=16), drawings.labels
    >>> judge = vaekit.evaluate.Judge.train(images[::2], labels[::2], steps=20)
    >>> scores = vaekit.evaluate.score_samples(images[1::4], labels[1::4], judge, images[::2], images[3::4])
    >>> 0 <= scores.recognised <= 1, 0.5 < scores.novelty < 2
    (True, True)
    """
    labels = np.asarray(labels)
    if isinstance(samples, CVAE):
        samples = samples.sample(len(labels), seed=0, labels=labels)
    samples, training, held_out = (_unit(images) for images in (samples, training, held_out))
    made, real = judge.features(samples).astype(np.float64), judge.features(held_out).astype(np.float64)
    precision, recall = precision_recall(real, made)
    return SampleScores(
        recognised=float((judge.names(samples) == labels).mean()),
        frechet=frechet_distance(real, made),
        precision=precision,
        recall=recall,
        novelty=float(np.median(_nearest(samples, training)) / np.median(_nearest(held_out, training))),
    )


def frechet_distance(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    """Fréchet distance of two normal distributions that are fitted to features (Heusel et al., 2017), squared.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` for means m and covariances C.

    Parameters
    ----------
    one, other : (N, features) arrays

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(1000, 4))
    >>> round(vaekit.evaluate.frechet_distance(features, features + 2), 6)  # the means differ by 2 in each of 4
    16.0
    """
    (mean, covariance), (other_mean, other_covariance) = (
        (features.mean(axis=0), np.cov(features.T, dtype=np.float64)) for features in (one, other)
    )
    # The trace of a root is the sum of the roots of the eigenvalues, which are 0 or more but for rounding.
    roots = np.sqrt(np.linalg.eigvals(covariance @ other_covariance).real.clip(0))
    difference = mean.astype(np.float64) - other_mean
    return float(difference @ difference + np.trace(covariance) + np.trace(other_covariance) - 2 * roots.sum())


def precision_recall(real: npt.NDArray[Any], made: npt.NDArray[Any]) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al., 2019), with three neighbours.

    Precision is the share of made images that are in the surroundings of a real one: no farther from it than its third
    neighbour among the real ones. Recall is the share of real images in the surroundings of a made one.

    Parameters
    ----------
    real, made : (N, features) arrays

    Returns
    -------
    precision, recall : float

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(200, 4))
    >>> precision, recall = vaekit.evaluate.precision_recall(features, features[:50])
    >>> precision, recall < 1
    (1.0, True)
    >>> vaekit.evaluate.precision_recall(features, features + 99)
    (0.0, 0.0)
    """
    return _covered(made, real), _covered(real, made)


def _covered(points: npt.NDArray[Any], centres: npt.NDArray[Any]) -> float:
    """The share of points in the surroundings of a centre."""
    among = np.concatenate([np.sort(rows, axis=1)[:, _NEIGHBOURS] for rows in _distances(centres, centres)])
    inside = [(rows <= among * (1 + 1e-9) + 1e-9).any(axis=1) for rows in _distances(points, centres)]
    return float(np.concatenate(inside).mean())


def _nearest(images: Floats, training: Floats) -> Floats:
    """The distance of the pixels of each image to the nearest training image."""
    return np.concatenate([np.sqrt(rows.min(axis=1)) for rows in _distances(images, training)])


def _distances(points: npt.NDArray[Any], centres: npt.NDArray[Any]) -> Any:
    """Squared distances, some rows at a time."""
    points, centres = (array.reshape(len(array), -1) for array in (points, centres))
    squares = (centres**2).sum(axis=1)
    for start in range(0, len(points), _ROWS):
        some = points[start : start + _ROWS]
        yield ((some**2).sum(axis=1)[:, None] + squares - 2 * some @ centres.T).clip(0)


def _unit(images: Any) -> npt.NDArray[np.float32]:
    images = np.asarray(images)
    scaled: npt.NDArray[np.float32] = (images / 255 if images.dtype == np.uint8 else images).astype(np.float32)
    return scaled
