"""What the project's commands have in common: how they fail, and options that several have."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import warnings
from typing import Any, NoReturn

import click

from fastdraw.errors import FastdrawError
from fastdraw.settings import DEFAULT_STYLE, STYLES

STYLE = click.option("--style", type=click.Choice(list(STYLES)), default=DEFAULT_STYLE, show_default=True)
QUIET = click.option("--quiet", is_flag=True, help="Print nothing but errors.")


class CommandGroup(click.Group):
    """A group whose commands fail with one clear line and a non-zero exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with warnings.catch_warnings():
                # Warnings may come from threads, which do not know click's context.
                warnings.showwarning = lambda message, *_, **__: click.echo(f"{self.name}: {message}", err=True)
                return super().invoke(ctx)
        except FastdrawError as error:
            fail(str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                sys.exit(1)
            place = f"{error.filename}: " if error.filename else ""
            hint = "; make room and run the same command again" if error.errno == errno.ENOSPC else ""
            fail(f"{place}{error.strerror or error}{hint}")
        except ValueError as error:
            fail(str(error))
        except MemoryError:
            fail("not enough memory; ask for fewer drawings or a smaller size")
        except KeyboardInterrupt:
            fail("interrupted", status=130)


def hush() -> None:
    """Keep TensorFlow, where it is not loaded yet, from most of its remarks about the machine and its own workings."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def complain(message: object) -> None:
    """Print a line to standard error, under the name of the command."""
    click.echo(f"{click.get_current_context().find_root().command.name}: {message}", err=True)


def fail(message: object, status: int = 1) -> NoReturn:
    """End the command with a line on standard error."""
    complain(message)
    sys.exit(status)
