"""What the commands of fastdraw and vaekit share: how they report errors, and common options."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import logging
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import click

from fastdraw.cli.backend import choose_backend
from fastdraw.cli.faults import reporting_truncation
from fastdraw.cli.hush import hush
from fastdraw.errors import BinFormatError, FastdrawError, FormatError, naming_the_extra
from fastdraw.notices import LOG
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


def _only_errors(context: click.Context, option: click.Parameter, quiet: bool) -> bool:
    if quiet:
        LOG.setLevel(logging.ERROR)
    return quiet


QUIET = click.option("--quiet", is_flag=True, callback=_only_errors, help="Print only errors.")


@contextlib.contextmanager
def _terminating_as_interrupting() -> Iterator[None]:
    """Let a request to terminate end a command as an interrupt does: with one line, and nothing left behind.

    Afterwards the signal does what it did before. A program that calls a command and then starts worker processes
    would have them inherit this handler, and a worker that waits for a lock can miss a handler that is Python's.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


class CommandGroup(click.Group):
    """A group of commands that report an error as one line on standard error and exit with a non-zero status."""

    def invoke(self, ctx: click.Context) -> Any:
        hush()
        choose_backend()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="surrogateescape")  # names of files are bytes, not always of UTF-8
        name = self.name or ""
        try:
            with (
                _terminating_as_interrupting(),
                reporting_truncation(name),
                _showing_notices(name),
                naming_the_extra(),
                warnings.catch_warnings(),
            ):
                # Warnings may come from threads, where click has no context.
                warnings.showwarning = lambda message, *_, **__: _print_line(name, message)
                return super().invoke(ctx)
        except FormatError as error:
            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            can_salvage = command is not None and any(option.name == "errors" for option in command.params)
            if not isinstance(error, BinFormatError):
                salvage = "; correct it, or keep the others with --errors salvage"
                fail(error.damage + salvage * (can_salvage and error.salvageable))
            if can_salvage and error.offset:
                hint = "keep the records before the damage with --errors salvage"
            else:
                hint = "leave it out"
            fail(f"{error.damage}; get the file again, or {hint}")
        except (FastdrawError, ValueError) as error:
            fail(_in_options(str(error), self.get_command(ctx, ctx.invoked_subcommand or "")))
        except OSError as error:
            if error.errno == errno.EPIPE:
                sys.exit(1)
            place = f"{error.filename}: " if error.filename else ""
            hint = "; free some disk space and run the same command again" if error.errno == errno.ENOSPC else ""
            fail(f"{place}{error.strerror or error}{hint}")
        except MemoryError:
            fail("not enough memory; try fewer drawings or a smaller size")
        except KeyboardInterrupt:
            fail("interrupted", status=130)


def compiles(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command that may compile kernels: on a terminal it says so."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        if options.get("quiet") or sys.stderr is None or not sys.stderr.isatty():  # None if it is closed
            return function(*arguments, **options)
        from fastdraw.progress import show_compilation

        with show_compilation():
            return function(*arguments, **options)

    return wrapped


def _in_options(message: str, command: click.Command | None) -> str:
    """Name options in a message that names arguments of Python, such as ``overwrite=True`` or ``line_width``."""
    for option in command.params if command else ():
        if isinstance(option, click.Option) and (name := option.name):
            flag = option.opts[-1]
            message = re.sub(rf"\b{name}=True\b", flag, message)
            message = re.sub(rf"\b{name}=(?:'([\w-]+)'|(\d+))", rf"{flag} \1\2", message)
            if "_" in name:
                message = re.sub(rf"(?<![\w/.'-]){name}(?![\w/.'-])", flag, message)  # not a part of a path
    return message


def _print_line(command: str, message: object) -> None:
    """Print a line above a bar: `click.echo` would write it into the bar."""
    if sys.stderr is not None:
        print(f"{command}: {message}", file=sys.stderr)


class _Lines(logging.Handler):
    """Prints messages to standard error, after the name of the command."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self._command = command

    def emit(self, record: logging.LogRecord) -> None:
        _print_line(self._command, record.getMessage())


@contextlib.contextmanager
def _showing_notices(command: str) -> Iterator[None]:
    handler = _Lines(command)
    LOG.addHandler(handler)
    LOG.propagate = False
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.propagate = True
        LOG.setLevel(logging.NOTSET)


def complain(message: object) -> None:
    """Print a line to standard error, after the name of the command."""
    click.echo(f"{click.get_current_context().find_root().command.name}: {message}", err=True)


def fail(message: object, status: int = 1) -> NoReturn:
    """Print a line to standard error and exit."""
    complain(message)
    sys.exit(status)
