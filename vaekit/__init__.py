"""Autoencoders as plain Keras 3 models, for every Keras backend."""

from vaekit import cookbook, layers, losses, networks
from vaekit.models import AE, CVAE, VAE

__all__ = ["AE", "CVAE", "VAE", "cookbook", "layers", "losses", "networks"]
