"""The command ``vaekit``."""

from vaekit.cli.commands import main

__all__ = ["main"]
