"""Folders of images: writing, checking and reading them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["bulk"])
