"""Training that can be killed at any moment and resumed exactly.

The folder of a run holds ``last.keras`` and ``best.keras``, which are plain Keras models, ``history.csv`` with a row
per epoch, and ``logs/`` for TensorBoard if that is installed.
"""

from vaekit.training.loop import train
from vaekit.training.precision import choose_precision, set_precision
from vaekit.training.run import History, TrainingError, read_history

__all__ = ["History", "TrainingError", "choose_precision", "read_history", "set_precision", "train"]
