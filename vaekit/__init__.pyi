from . import callbacks as callbacks
from . import cookbook as cookbook
from . import evaluate as evaluate
from . import latent as latent
from . import layers as layers
from . import likelihoods as likelihoods
from . import losses as losses
from . import models as models
from . import networks as networks
from . import pictures as pictures
from . import recipes as recipes
from . import report as report
from . import training as training
from .models import AE as AE
from .models import CVAE as CVAE
from .models import VAE as VAE
from .pictures import plots as plots
from .training import TrainingError as TrainingError
from .training import read_history as read_history
from .training import train as train

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
    "likelihoods",
    "losses",
    "models",
    "networks",
    "pictures",
    "plots",
    "read_history",
    "recipes",
    "report",
    "train",
    "training",
]
