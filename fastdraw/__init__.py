"""Quick, Draw! drawings as arrays, at memory speed.

The public names are listed in ``__init__.pyi`` and imported at their first use, so ``import fastdraw`` takes
milliseconds and loads neither NumPy, numba nor TensorFlow.
"""

from typing import Any

import lazy_loader

__version__ = "0.1.0"

_getattr, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    from fastdraw.errors import naming_the_extra

    with naming_the_extra():
        return _getattr(name)
