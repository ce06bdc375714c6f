"""The command ``fastdraw``, in this process or as it is installed."""

from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path

from click.testing import CliRunner, Result

from fastdraw.cli import main

FASTDRAW = str(Path(sys.executable).with_name("fastdraw"))  # the console command


def run(*arguments: object, cwd: Path | None = None, stdin: bytes | None = None) -> Result:
    """Run the command in this process, as fast as a function call."""
    with contextlib.chdir(cwd or "."), warnings.catch_warnings():
        warnings.simplefilter("default")  # in tests warnings of damage are errors
        result = CliRunner().invoke(main, list(map(str, arguments)), input=stdin, prog_name="fastdraw")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception  # a user would see a traceback
    return result
