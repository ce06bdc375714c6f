"""Autoencoders as plain Keras 3 models, for every Keras backend."""

from vaekit import callbacks, cookbook, evaluate, latent, layers, losses, networks, pictures, report
from vaekit.models import AE, CVAE, VAE
from vaekit.pictures import plots
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
