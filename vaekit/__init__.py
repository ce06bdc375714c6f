"""Autoencoders as plain Keras 3 models, for every Keras backend."""

from vaekit import callbacks, cookbook, evaluate, latent, layers, losses, networks, pictures, plots, report
from vaekit.conditional import CVAE
from vaekit.models import AE, VAE
from vaekit.training import TrainingError, read_history, train

__all__ = [
    "AE",
    "CVAE",
    "VAE",
    "TrainingError",
    "callbacks",
    "cookbook",
    "evaluate",
    "latent",
    "layers",
    "losses",
    "networks",
    "pictures",
    "plots",
    "read_history",
    "report",
    "train",
]
