"""The models, an autoencoder, a variational one and a conditional one, and the objectives that they minimise."""

from vaekit.models.autoencoder import AE
from vaekit.models.conditional import CVAE
from vaekit.models.distortion import DistortedCopies
from vaekit.models.objectives import ELBO, IWAE, DReG, Objective, Reconstruction
from vaekit.models.prior import MixturePrior
from vaekit.models.variational import VAE

__all__ = [
    "AE",
    "CVAE",
    "ELBO",
    "IWAE",
    "VAE",
    "DReG",
    "DistortedCopies",
    "MixturePrior",
    "Objective",
    "Reconstruction",
]
