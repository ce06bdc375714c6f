"""The subcommands of ``fastdraw``: each parses its arguments, makes one call and prints the result."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from fastdraw.cli.console import LINE_WIDTH, QUIET, SIZE, STYLE, CommandGroup, compiles, complain, fail
from fastdraw.export.forms import FORMS as EXPORTS
from fastdraw.export.forms import form_of
from fastdraw.rasters.formats import DEFAULT_FORMAT, FORMATS, METADATA_FORMS, SHARDS, choose_format
from fastdraw.settings import SIZES, STYLES

# Commands import what they need themselves, so that --help does not wait for NumPy and numba.

# Strings, not paths: in an address such as s3://bucket, a path would drop a slash.
SOURCES = click.argument("sources", nargs=-1, required=True, metavar="SRC...")

ERRORS = click.option(
    "--errors",
    type=click.Choice(["raise", "salvage"]),
    default="raise",
    show_default=True,
    help="At damage, stop, or keep what is sound and say what is left out.",
)


def _report(problems: list[str]) -> None:
    for problem in problems:
        complain(problem)
    if problems:
        sys.exit(1)


@click.group("fastdraw", cls=CommandGroup)
@click.version_option(package_name="fastdraw-vaekit", message="fastdraw %(version)s")
def main() -> None:
    """Download, check, convert and rasterize Quick, Draw! drawings."""


@main.command()
@click.argument("names", nargs=-1, metavar="[CATEGORY]...")
@click.option("--all", "everything", is_flag=True, help="Download all 345 categories.")
@click.option(
    "--dest",
    "folder",
    type=click.Path(path_type=Path),
    default="quickdraw",
    show_default=True,
    help="Folder to write to.",
)
@click.option(
    "--format",
    type=click.Choice(["bin", "numpy_bitmap", "simplified"]),
    default="bin",
    show_default=True,
    help="Strokes in the binary format, bitmaps of 28x28 pixels, or strokes as ndjson.",
)
@click.option(
    "--parallel", type=click.IntRange(1), default=4, show_default=True, help="Files to download at the same time."
)
@click.option("--base-url", metavar="URL", help="Mirror to download from, instead of Google's storage.")
@QUIET
def download(names: tuple[str, ...], everything: bool, folder: Path, quiet: bool, **options: Any) -> None:
    """Download and verify published files.

    CATEGORY is a name such as cat or "the eiffel tower". If interrupted, run the same command again to resume.
    """
    from fastdraw.progress import show_progress
    from fastdraw.quickdraw.download import BASE_URL, download_files

    if everything == bool(names):
        raise click.UsageError("expected one or more categories, or --all")
    options["base_url"] = options["base_url"] or BASE_URL
    try:
        with show_progress("bytes", quiet=quiet) as progress:
            paths = download_files(None if everything else names, folder, progress=progress, **options)
    except KeyboardInterrupt:
        fail("interrupted; run the same command again to resume", status=130)
    if not quiet:
        click.echo(f"{folder}: {len(paths)} files, all verified")


@main.command()
@SOURCES
@click.option("--out", "folder", required=True, help="Folder to write to.")
@STYLE
@SIZE
@LINE_WIDTH
@click.option("--invert", is_flag=True, help="Black ink on white paper.")
@click.option("--packed", is_flag=True, help="Store one bit per pixel.")
@click.option(
    "--channels",
    type=int,
    metavar="1|3",
    help="3 also draws the order of the strokes, and the position along each; 1 by default.",
)
@click.option("--flat", is_flag=True, help="One row of pixels per image, as in Google's numpy_bitmap files.")
@click.option(
    "--format", type=click.Choice([*FORMATS, *SHARDS]), help=f"Format of the files; {DEFAULT_FORMAT} by default."
)
@click.option("--metadata", type=click.Choice(METADATA_FORMS), help="Write key_id, country and the like beside images.")
@click.option("--tfrecord", is_flag=True, help="The same as --format tfrecord.")
@click.option("--threads", type=click.IntRange(1), help="Threads to draw with; one per core by default.")
@click.option("--scheduler", metavar="tcp://HOST:PORT", help="Scheduler of a Dask cluster that does the work.")
@click.option("--overwrite", is_flag=True, help="Replace rasters made with other settings.")
@ERRORS
@click.option("--verify-official", is_flag=True, help="Compare --style google --flat with Google's checksums.")
@QUIET
def rasterize(
    sources: tuple[str, ...],
    folder: str,
    scheduler: str | None,
    verify_official: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Draw all drawings to one file of images per category.

    SRC is a file of drawings (.bin; ndjson, CSV, .npz and others, compressed or not), a folder of them, or - for
    standard input. SRC and the folder may be addresses such as gs://bucket/folder. If interrupted, run the same command
    again to resume.
    """
    from fastdraw.progress import show_progress
    from fastdraw.rasters import bulk, verify
    from fastdraw.rasters.executors import connect
    from fastdraw.settings import FileOptions, Settings

    image: Any = {name: options[name] for name in FileOptions.__annotations__}
    settings = Settings.of(**image)
    if scheduler and options["format"] in SHARDS:
        raise click.UsageError(f"expected no --scheduler with --format {options['format']}: threads write shards")
    if verify_official:
        verify.check_official_settings(settings, choose_format(options["format"], options["tfrecord"]))
    try:
        with (
            contextlib.nullcontext() if scheduler is None else connect(scheduler) as client,
            show_progress("drawings", math.prod(settings.shape), quiet) as progress,
        ):
            count = bulk.run(sources, folder, client=client, progress=progress, **options)
    except KeyboardInterrupt:
        fail("interrupted; run the same command again to go on", status=130)
    if not quiet:
        click.echo(f"{folder}: {count:,} rasters of {settings.dimensions} pixels")
    if verify_official:
        with show_progress("bytes", quiet=quiet) as progress:
            _report(verify.verify_official(folder, progress=progress))
        if not quiet:
            click.echo(f"{folder}: all files match Google's checksums")


@main.command()
@click.argument("folder", metavar="DIR")
@QUIET
def verify(folder: str, quiet: bool) -> None:
    """Compare a folder of rasters with its dataset.json.

    The exit status is 1 if a file, a count or a checksum differs.
    """
    from fastdraw.progress import show_progress
    from fastdraw.rasters.verify import verify_rasters

    with show_progress("bytes", quiet=quiet) as progress:
        problems = verify_rasters(folder, progress=progress)
    _report(problems)
    if not quiet:
        click.echo(f"{folder}: OK: matches dataset.json")


@main.command()
@SOURCES
@ERRORS
@compiles
def inspect(sources: tuple[str, ...], errors: str) -> None:
    """Check files of drawings and print statistics.

    SRC is a file of drawings (.bin; ndjson, CSV, .npz and others, compressed or not), a folder of them, or - for
    standard input. The exit status is 1 if a file is damaged; with --errors salvage, if files are damaged and none has
    drawings before its damage.
    """
    from fastdraw.quickdraw.inspection import inspect_file, table
    from fastdraw.quickdraw.opening import find_bin_files

    rows = [inspect_file(path) for path in find_bin_files(list(sources), errors)]
    click.echo(table(rows))
    damages = [row.damage.damage for row in rows if row.damage]
    for damage in damages:
        complain(damage)
    if damages and (errors == "raise" or not any(row.drawings for row in rows)):
        sys.exit(1)


@main.command()
@click.argument("source")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Picture to write, such as sheet.png."
)
@click.option("--category", "categories", multiple=True, help="Draw only this category; may be repeated.")
@click.option("--count", type=click.IntRange(1), default=10, show_default=True, help="Drawings of each category.")
@STYLE
@click.option("--size", type=click.IntRange(*SIZES), default=64, show_default=True, help="Side in pixels.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed for choosing the drawings.")
@ERRORS
@compiles
def show(source: str, out: Path, categories: tuple[str, ...], count: int, errors: Any, **settings: Any) -> None:
    """Draw a contact sheet of random drawings.

    SOURCE is a file of drawings (.bin; ndjson, CSV, .npz and others, compressed or not), a folder of them, or - for
    standard input.
    """
    from fastdraw.quickdraw.opening import open_drawings
    from fastdraw.sheet import contact_sheet, save_picture

    drawings = open_drawings(source, errors=errors)
    if categories:
        drawings = drawings.filter(categories=categories)
    save_picture(contact_sheet(drawings, count, **settings), out)
    click.echo(out)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--categories", type=click.IntRange(1), default=10, show_default=True, help="Number of files, up to 15.")
@click.option("--drawings", type=click.IntRange(0), default=1000, show_default=True, help="Drawings per file.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the doodles.")
def sample(folder: Path, categories: int, drawings: int, seed: int) -> None:
    """Write .bin files of generated doodles.

    They look hand-drawn and serve to try things without a download.
    """
    from fastdraw.quickdraw.doodles import write_sample

    for path in write_sample(folder, categories, drawings, seed):
        click.echo(path)


@main.command()
@click.argument("source", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE...")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--to", type=click.Choice(list(EXPORTS)), help="What to write; by default what TARGET ends in.")
@click.option("--style", type=click.Choice(list(STYLES)), help="How to draw png and gif, as in rasterize.")
@click.option("--size", type=click.IntRange(*SIZES), help="Side of png and gif in pixels.")
@ERRORS
@compiles
def convert(source: tuple[Path, ...], target: Path, to: Any, errors: Any, **options: Any) -> None:
    """Convert drawings between formats, and to pictures.

    Without --to, records become .ndjson, and everything else .bin. svg, png and gif are a file for each drawing,
    in a folder for each category; a TARGET such as sheet.svg is one sheet. npz is for sketch-rnn, parquet a table
    of strokes and metadata, webdataset a new folder of tar files.

    SOURCE is ndjson, a JSON array, CSV or Parquet with a column "drawing", .npz of sketch-rnn or .tar of WebDataset,
    compressed or not, or a folder of them; its content counts, not its name. - is standard input. Raw drawings are
    simplified as in the official dataset. TARGET is a file, or a folder for a file for each category.
    """
    from fastdraw.export.files import convert_files

    if target.is_file() and any(path.exists() and path.samefile(target) for path in source):
        raise click.UsageError(f"expected a TARGET that is no SOURCE, received {target} as both")
    many = len(source) > 1 or source[0].is_dir()
    by_content = form_of(target.suffix) not in EXPORTS or target.is_dir() or (target.suffix == ".ndjson" and not many)
    if to is None and by_content:
        if given := [name for name, value in options.items() if value is not None]:
            raise click.UsageError(f"expected --{given[0]} with --to png or gif alone")
        paths: Iterable[Path] = convert_files(list(source), target, errors)
    else:
        from fastdraw.export.export import export_drawings
        from fastdraw.quickdraw.opening import open_drawings

        paths = export_drawings(open_drawings(list(source), errors=errors), target, to, **options)
    for path in paths:
        click.echo(path)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="[DIR]", default="fastdraw-demo")
@compiles
def demo(folder: Path) -> None:
    """Run the whole workflow on generated doodles.

    Writes .bin files, inspects and rasterizes them, draws a contact sheet and trains a model. DIR is the folder to
    write to; the default is fastdraw-demo.
    """
    from fastdraw.cli.demo import run_demo

    run_demo(folder, click.echo)


@main.command()
@QUIET
@compiles
def warmup(quiet: bool) -> None:
    """Compile all kernels, so that later commands and programs need not.

    Run it once after an installation, for example when you build a container. Kernels are compiled for the processor
    of this machine, and kept in NUMBA_CACHE_DIR or, if that is not set, in the user's cache folder.
    """
    from fastdraw.cli.warmup import warm_up

    done = warm_up()
    if done.folder is None:
        fail("expected a folder that can be written to, to keep compiled kernels; name one in NUMBA_CACHE_DIR")
    if not quiet:
        click.echo(f"{done.folder}: {done.kernels} kernels compiled in {done.seconds:.0f} s")
