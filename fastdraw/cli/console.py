"""What the commands of fastdraw and vaekit share: how they report errors, and common options."""

from __future__ import annotations

import errno
import os
import signal
import sys
import warnings
from typing import Any, NoReturn

import click

from fastdraw.cli.faults import reporting_truncation
from fastdraw.errors import BinFormatError, FastdrawError
from fastdraw.settings import DEFAULT_STYLE, LINE_WIDTHS, SIZES, STYLES, Settings

STYLE = click.option(
    "--style",
    type=click.Choice(list(STYLES)),
    default=DEFAULT_STYLE,
    show_default=True,
    help="Draw lines as Pillow, as scikit-image (plain or anti-aliased), or as Google's bitmaps.",
)
SIZE = click.option(
    "--size",
    type=click.IntRange(*SIZES),
    help=f"Side in pixels; default: {', '.join(f'{style.default_size} for {name}' for name, style in STYLES.items())}.",
)
LINE_WIDTH = click.option(
    "--line-width",
    type=click.IntRange(*LINE_WIDTHS),
    help=f"In pixels; only for {', '.join(name for name, style in STYLES.items() if style.uses_line_width)}, "
    f"where the default is {Settings.line_width}.",
)
QUIET = click.option("--quiet", is_flag=True, help="Print only errors.")


class CommandGroup(click.Group):
    """A group of commands that report an error as one line on standard error and exit with a non-zero status."""

    def invoke(self, ctx: click.Context) -> Any:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with reporting_truncation(self.name or ""), warnings.catch_warnings():
                # Warnings may come from threads, where click has no context.
                warnings.showwarning = lambda message, *_, **__: click.echo(f"{self.name}: {message}", err=True)
                return super().invoke(ctx)
        except BinFormatError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            can_salvage = command is not None and any(option.name == "errors" for option in command.params)
            hint = ", or keep the records before the damage with --errors salvage" if can_salvage else ""
            fail(f"{error.damage}; get the file again{hint}")
        except FastdrawError as error:
            fail(str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                sys.exit(1)
            place = f"{error.filename}: " if error.filename else ""
            hint = "; free some disk space and run the same command again" if error.errno == errno.ENOSPC else ""
            fail(f"{place}{error.strerror or error}{hint}")
        except ValueError as error:
            fail(str(error))
        except MemoryError:
            fail("not enough memory; try fewer drawings or a smaller size")
        except KeyboardInterrupt:
            fail("interrupted", status=130)


def hush() -> None:
    """Silence TensorFlow's log messages below errors; call it before TensorFlow is imported."""
    import logging

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def complain(message: object) -> None:
    """Print a line to standard error, after the name of the command."""
    click.echo(f"{click.get_current_context().find_root().command.name}: {message}", err=True)


def fail(message: object, status: int = 1) -> NoReturn:
    """Print a line to standard error and exit."""
    complain(message)
    sys.exit(status)
