"""Writing drawings in a form that other programs read."""

from __future__ import annotations

import contextlib
import os
import pkgutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Unpack

from fastdraw.checks import known_options, one_of
from fastdraw.errors import FastdrawError, naming_the_extra
from fastdraw.export.forms import FORMS, Form, FormName, form_of
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.selection import places_by_category
from fastdraw.quickdraw.tar import SHARD, shard_name
from fastdraw.settings import ImageOptions, Settings
from fastdraw.storage import filling, make_folder, replacing

_BLOCK = 1024  # pictures that are drawn at a time


def export_drawings(
    drawings: Drawings, target: str | os.PathLike[str], to: FormName | None = None, **options: Unpack[ImageOptions]
) -> list[Path]:
    """Write drawings in a form that other programs read.

    ========== ===========================================================================================
    ``to``     what is written
    ========== ===========================================================================================
    ndjson     a file: a JSON object on each line, as the simplified files of Quick, Draw! have
    npz        a file: what sketch-rnn reads, ``train``, ``valid`` and ``test`` by `Drawings.split`
    parquet    a file: strokes and metadata, for pandas, DuckDB and Hugging Face (extra ``parquet``)
    svg        ``<category>/<number>-<key_id>.svg`` in a folder; or one file, a sheet of all drawings
    png        ``<category>/<number>-<key_id>.png`` in a folder, as ``image_dataset_from_directory`` of
               Keras and ``ImageFolder`` of torchvision read it
    gif        ``<category>/<number>-<key_id>.gif`` in a folder: the strokes grow in their order
    webdataset ``00000.tar`` and so on in a new folder, of up to 65,536 drawings; or one file. A sample is
               ``<number>-<key_id>.json``, with the fields of ndjson
    ========== ===========================================================================================

    Parameters
    ----------
    drawings : Drawings
    target : path
        The file to write; or an existing folder, for a file for each category. For pictures, a folder, which may be
        new. For shards, a new folder.
    to : {"ndjson", "npz", "parquet", "svg", "png", "gif", "webdataset"}, optional
        By default what the suffix of ``target`` says.
    style, size, line_width, invert, channels
        Of ``png`` and ``gif``, see `Drawings.rasterize`; ``gif`` is black on white by default.

    Returns
    -------
    list of pathlib.Path
        The files or shards, or for pictures the folders of the categories.

    Raises
    ------
    FastdrawError
        If there are no drawings, the folder of a category exists already, or one file cannot hold what is to be
        written.
    ValueError, TypeError
        If an argument is not one of those above.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> [path.name for path in fastdraw.export_drawings(drawings, "pictures", "png", size=28)]
    ['face', 'house', 'star']
    >>> fastdraw.export_drawings(drawings[:20], "sheet.svg")
    [PosixPath('sheet.svg')]
    """
    known_options(options, ["to", *ImageOptions.__annotations__])
    if not isinstance(drawings, Drawings):
        raise TypeError(f"expected drawings, as from open_drawings; received {drawings!r}")
    target = Path(target)
    name: Any = one_of("to", form_of(target.suffix) if to is None else to, FORMS)
    form = FORMS[name]
    given = [option for option, value in options.items() if value is not None]
    if given and not form.is_drawn:
        raise ValueError(f"expected no {given[0]} with to={name!r}: it is for pictures of pixels")
    if options.get("packed"):
        raise ValueError("expected no packed pictures")
    if name == "gif" and options.get("channels") not in (None, 1):
        raise ValueError("expected channels=1 with to='gif': its strokes grow in their order")
    if not len(drawings):
        raise FastdrawError(f"{target}: expected drawings to write, received none")
    if form.is_table:
        return _write_tables(drawings, target, name, form)
    if form.is_sharded:
        return _write_shards(drawings, target, pkgutil.resolve_name(form.write))
    if target.suffix == ".svg" and not target.is_dir():
        from fastdraw.export.svg import sheet

        with replacing(target) as file:
            file.write(sheet(drawings))
        return [target]
    if form_of(target.suffix) in FORMS and not target.is_dir():
        raise FastdrawError(f"{target}: expected a folder, for a file for each drawing; fastdraw show draws a sheet")
    if name == "gif" and options.get("invert") is None:
        options["invert"] = True
    return _write_pictures(drawings, target, name, form, Settings.of(**options))


def _write_tables(drawings: Drawings, target: Path, name: str, form: Form) -> list[Path]:
    with naming_the_extra():
        write = pkgutil.resolve_name(form.write)
    parts = {target: drawings}
    if target.is_dir():
        parts = {target / f"{category}.{name}": some for category, some in _by_category(drawings).items()}
    for path, some in parts.items():
        try:
            with replacing(path) as file:
                write(some, file)
        except ValueError as error:  # the form cannot hold them
            raise FastdrawError(f"{path}: {error}") from None
    return list(parts)


def _write_shards(drawings: Drawings, target: Path, write: Callable[[Drawings, BinaryIO, int], None]) -> list[Path]:
    """A file, or a folder of shards, which appears once it is complete."""
    if target.suffix and not target.is_dir():
        with replacing(target) as file:
            write(drawings, file, 0)
        return [target]
    if target.exists():
        raise FastdrawError(f"{target}: exists already; name another folder, or delete it")
    starts = range(0, len(drawings), SHARD)
    make_folder(target.parent)
    with _appearing(target) as made:
        for number, start in enumerate(starts):
            with open(made / shard_name(number, ".tar"), "xb") as file:
                write(drawings[start : start + SHARD], file, start)
    return [target / shard_name(number, ".tar") for number in range(len(starts))]


def _write_pictures(drawings: Drawings, target: Path, name: str, form: Form, settings: Settings) -> list[Path]:
    """A folder for each category, which appears once it is complete."""
    pictures = pkgutil.resolve_name(form.write)
    parts = {target / category: some for category, some in _by_category(drawings).items()}
    for folder in parts:
        if folder.exists():
            raise FastdrawError(f"{folder}: exists already; name another folder, or delete it")
    with filling(target):
        for folder, some in parts.items():
            digits = len(str(max(0, len(some) - 1)))
            with _appearing(folder) as made:
                for start in range(0, len(some), _BLOCK):
                    block = some[start : start + _BLOCK]
                    keys, contents = block.metadata["key_id"], pictures(block, settings)
                    for number, (key_id, content) in enumerate(zip(keys, contents, strict=True), start):
                        (made / f"{number:0{digits}}-{key_id}.{name}").write_bytes(content)
    return list(parts)


@contextlib.contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name at the end of the block and is deleted after an error."""
    try:
        with tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder.parent) as place:
            made = Path(place) / folder.name
            made.mkdir()
            yield made
            made.rename(folder)
    except OSError as error:
        if not error.filename or any(part.endswith(".tmp") for part in Path(error.filename).parts):
            error.filename = str(folder)  # the name that the user knows
        raise


def _by_category(drawings: Drawings) -> dict[str, Drawings]:
    """The drawings of each category that has some."""
    places = places_by_category(drawings.labels, drawings.categories)
    return {category: drawings[at] for category, at in places.items()}
