"""``python -m vaekit``."""

from vaekit.cli import run

run()
