"""Autoencoders as plain Keras 3 models, for every Keras backend."""

from vaekit import cookbook, evaluate, layers, losses, networks
from vaekit.conditional import CVAE
from vaekit.models import AE, VAE
from vaekit.training import TrainingError, read_history, train

__all__ = [
    "AE",
    "CVAE",
    "VAE",
    "TrainingError",
    "cookbook",
    "evaluate",
    "layers",
    "losses",
    "networks",
    "read_history",
    "train",
]
