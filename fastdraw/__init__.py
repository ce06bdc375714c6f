"""Quick, Draw! drawings as arrays, at memory speed.

The public names are listed in ``__init__.pyi`` and imported at their first use, so ``import fastdraw`` takes
milliseconds and loads neither NumPy, numba nor TensorFlow.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
