"""The models: an autoencoder, a variational one and a conditional one."""

from vaekit.models.autoencoder import AE
from vaekit.models.conditional import CVAE
from vaekit.models.variational import VAE

__all__ = ["AE", "CVAE", "VAE"]
