"""The forms in which drawings are written for other programs. Needs no NumPy, so that ``--help`` does not wait."""

from __future__ import annotations

from typing import Literal, NamedTuple

FormName = Literal["ndjson", "npz", "parquet", "svg", "png", "gif", "webdataset"]


class Form(NamedTuple):
    """A form of output.

    Attributes
    ----------
    write : str
        ``module:function``. For a table: ``function(drawings, file)`` writes all drawings to a binary file. For
        pictures: ``function(drawings, settings)`` yields the content of the file of each drawing.
    is_table : bool
        Whether one file holds many drawings.
    is_sharded : bool
        Whether a folder of shards holds all drawings, or one file. ``function(drawings, file, first)`` writes a shard,
        whose first drawing has this number.
    is_drawn : bool
        Whether pictures are of pixels, for which there are options.
    """

    write: str
    is_table: bool = False
    is_drawn: bool = False
    is_sharded: bool = False


FORMS: dict[FormName, Form] = {
    "ndjson": Form("fastdraw.quickdraw.ndjson:write_ndjson", is_table=True),
    "npz": Form("fastdraw.export.npz:write", is_table=True),
    "parquet": Form("fastdraw.export.parquet:write", is_table=True),
    "svg": Form("fastdraw.export.svg:pictures"),
    "png": Form("fastdraw.quickdraw.png:pictures", is_drawn=True),
    "gif": Form("fastdraw.export.gif:pictures", is_drawn=True),
    "webdataset": Form("fastdraw.export.webdataset:write", is_sharded=True),
}


def form_of(suffix: str) -> str:
    """The name of the form of files with this suffix, such as ``.svg``; no name if there is none."""
    return "webdataset" if suffix == ".tar" else suffix[1:]
