"""Quick, Draw! drawings to arrays at memory speed.

The public names are listed in ``__init__.pyi`` and imported when they are first used, so that ``import fastdraw`` takes
milliseconds and loads neither numba nor TensorFlow.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
