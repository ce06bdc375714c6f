"""The command ``fastdraw``."""

from fastdraw.cli.commands import main

__all__ = ["main"]
