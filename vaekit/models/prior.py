"""A prior that is fitted to the codes of a trained model: for each class, a mixture of normal distributions.

The codes of a VAE rarely fill the standard normal distribution that the loss pulls them to: samples of it fall between
the codes of drawings, and are smears (Dai and Wipf, 2019; Ghosh et al., 2020).
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import numpy.typing as npt

from fastdraw.errors import naming_the_extra

Floats = npt.NDArray[np.float32]

_ITERATIONS = 30  # more make no visible difference
_LEAST_VARIANCE = 1e-4  # is added to variances, as a latent that is not in use has none


@dataclasses.dataclass(frozen=True, eq=False)
class MixturePrior:
    """Mixtures of normal distributions with full covariance, one for each class; `VAE.fit_prior` makes one.

    Attributes
    ----------
    shares : (classes, components) float32
        The probability of each component.
    means : (classes, components, latent_dim) float32
    factors : (classes, components, latent_dim, latent_dim) float32
        Lower triangles L of the covariances L L^T.

    Examples
    --------
    >>> codes = np.random.default_rng(0).normal(5, 1, (100, 2))
    >>> prior = vaekit.models.MixturePrior.fit(codes, np.zeros(100, int), 1, components=3)
    >>> prior.means.shape
    (1, 3, 2)
    """

    shares: Floats
    means: Floats
    factors: Floats

    @classmethod
    def fit(
        cls,
        codes: npt.NDArray[np.floating],
        labels: npt.NDArray[np.integer],
        classes: int,
        components: int,
        seed: int = 0,
    ) -> MixturePrior:
        """Fit by expectation maximisation.

        Parameters
        ----------
        codes : (N, latent_dim)
        labels : (N,)
            Class of each code.
        classes, components, seed : int

        Raises
        ------
        ValueError
            If a class has fewer codes than there are components, or than two.
        """
        with naming_the_extra():
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.mixture import GaussianMixture

        fitted = []
        for label in range(classes):
            own = codes[labels == label].astype(np.float64)
            if len(own) < max(2, components):
                of_class = f" of class {label}" if classes > 1 else ""
                raise ValueError(
                    f"expected at least {max(2, components)} images{of_class}, for a mixture of {components}; "
                    f"received {len(own)}"
                )
            mixture = GaussianMixture(components, reg_covar=_LEAST_VARIANCE, random_state=seed, max_iter=_ITERATIONS)
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                fitted.append(mixture.fit(own))
        return cls(
            np.array([mixture.weights_ for mixture in fitted], np.float32),
            np.array([mixture.means_ for mixture in fitted], np.float32),
            np.array([np.linalg.cholesky(mixture.covariances_) for mixture in fitted], np.float32),
        )

    def draw(self, noise: Floats, rows: Floats, of_class: Floats, of_component: Floats) -> Floats:
        """Codes: (N, latent_dim) float32.

        Parameters
        ----------
        noise : (N, latent_dim)
            Standard normal numbers.
        rows : (N, classes)
            The probability of each class.
        of_class, of_component : (N,)
            Numbers in [0, 1), which choose a class and a component.
        """
        label = _choose(rows, of_class)
        component = _choose(self.shares[label], of_component)
        spread = np.einsum("nij,nj->ni", self.factors[label, component], noise)
        return (self.means[label, component] + spread).astype(np.float32)


def _choose(probabilities: Floats, uniform: Floats) -> npt.NDArray[np.int64]:
    """A column of each row, chosen by a number in [0, 1)."""
    sums = np.cumsum(probabilities, axis=1)
    chosen: npt.NDArray[np.int64] = (uniform[:, None] * sums[:, -1:] >= sums).sum(axis=1)
    return np.minimum(chosen, probabilities.shape[1] - 1)
