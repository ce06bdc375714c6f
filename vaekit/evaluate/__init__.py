"""Measures of models: bounds on the log-likelihood, and what a judge says of samples."""

from vaekit.evaluate.bounds import active_units, elbo, nll
from vaekit.evaluate.judge import Judge
from vaekit.evaluate.samples import SampleScores, frechet_distance, precision_recall, score_samples

__all__ = [
    "Judge",
    "SampleScores",
    "active_units",
    "elbo",
    "frechet_distance",
    "nll",
    "precision_recall",
    "score_samples",
]
