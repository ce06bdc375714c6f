"""Autoencoders as plain Keras 3 models, for every Keras backend.

The public names are listed in ``__init__.pyi`` and imported when they are first used, so that ``import vaekit`` loads
neither Keras nor a backend.
"""

from typing import Any

import lazy_loader
import wrapt

from fastdraw.errors import naming_the_extra

_getattr, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    with naming_the_extra():
        return _getattr(name)


@wrapt.when_imported("keras")
def _register_classes(_: Any) -> None:
    """Register vaekit's classes right after the import of Keras, so that ``keras.models.load_model`` finds them.

    `vaekit.models` imports all of them. If the import of Keras comes from a module of vaekit, such as `vaekit.layers`,
    that module is still empty now. Therefore `vaekit.models` imports such modules as a whole, not names from them.
    """
    import vaekit.models  # noqa: F401
