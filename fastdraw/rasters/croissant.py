"""``croissant.json``: what a folder of images holds, in the vocabulary of Croissant 1.0, for catalogues of datasets.

References
----------
https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html
"""

from __future__ import annotations

import json
from typing import Any

from fastdraw.quickdraw.catalog import categories
from fastdraw.rasters.manifest import Manifest, Sidecar
from fastdraw.rasters.shardlist import ShardList
from fastdraw.settings import Settings
from fastdraw.storage import Store

CROISSANT = "croissant.json"

_TYPES = {
    ".npy": "application/x-npy",
    ".tfrecord": "application/x-tfrecord",
    ".tar": "application/x-tar",
    ".csv": "text/csv",
    ".parquet": "application/x-parquet",
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "equivalentProperty": "cr:equivalentProperty",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
# What Croissant 1.0 requires of a dataset, for images of the drawings that Google publishes.
_URL = "https://github.com/googlecreativelab/quickdraw-dataset"
_QUICK_DRAW = {
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "creator": {"@type": "sc:Organization", "name": "Google LLC", "url": "https://quickdraw.withgoogle.com/"},
    "url": _URL,
    "datePublished": "2017-05",
    "citeAs": (
        f"@misc{{quickdraw, title={{The Quick, Draw! Dataset}}, author={{Google LLC}}, year={{2017}}, url={{{_URL}}}}}"
    ),
}
_METADATA = {
    "key_id": ("sc:Integer", "The number of the drawing in Quick, Draw!"),
    "country": ("sc:Text", "Two letters"),
    "timestamp": ("sc:Integer", "Seconds since 1970 in UTC"),
    "recognized": ("sc:Boolean", "Whether the game recognized the drawing"),
    "category": ("sc:Text", "What was to be drawn"),
}


def describe_rasters(manifest: Manifest, store: Store) -> None:
    """Write the description of a folder with files of one category each."""
    entries = sorted(manifest.categories.items())
    described = [entry.metadata for _, entry in entries if entry.metadata]
    files = [Sidecar(entry.file, entry.size, entry.sha256) for _, entry in entries] + described
    rows = []
    if described and len({file.file.rpartition(".")[2] for file in described}) == 1:
        suffix = "." + described[0].file.rpartition(".")[2]
        rows = [_rows("metadata", f"*.metadata{suffix}", suffix, _fields_of(suffix))]
    counts = {name: entry.count for name, entry in entries}
    _write(store, manifest.format, manifest.settings, files, counts, rows)


def describe_shards(shards: ShardList, store: Store) -> None:
    """Write the description of a folder of shards."""
    files = [shard for shard in shards.shards.values() if shard]
    rows = []
    if shards.format == "parquet":
        fields = {"label": ("sc:Integer", "Position of the category"), **_fields_of(".parquet")}
        rows = [_rows("images", "*.parquet", ".parquet", fields)]
    counts = {name: source.count for name, source in shards.sources.items()}
    _write(store, shards.format, shards.settings, files, counts, rows)


def _fields_of(suffix: str) -> dict[str, tuple[str, str]]:
    times = ("sc:DateTime", "UTC") if suffix == ".parquet" else _METADATA["timestamp"]
    return _METADATA | {"timestamp": times}


def _write(
    store: Store,
    format: str,
    settings: Settings,
    files: list[Sidecar],
    counts: dict[str, int],
    rows: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    drawn = f"{sum(counts.values()):,} drawings of {len(counts)} categories"
    origin = {}
    if counts.keys() <= categories().keys():
        drawn, origin = f"{drawn} of Quick, Draw! by Google", _QUICK_DRAW
    content = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "rasters",
        "description": (
            f"{drawn} as images of {settings.dimensions} pixels, in the format {format} and the style {settings.style}."
        ),
        "version": "1.0.0",
        **origin,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "distribution": [*map(_file, range(len(files)), files), *(file_set for file_set, _ in rows)],
        "recordSet": [_categories(counts), *(record_set for _, record_set in rows)],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    store.write(CROISSANT, text.encode(errors="backslashreplace") + b"\n")  # names may be no UTF-8


def _file(number: int, file: Sidecar) -> dict[str, Any]:
    suffix = "." + file.file.rpartition(".")[2]
    return {
        "@type": "cr:FileObject",
        "@id": f"file-{number}",  # without the spaces of names
        "name": file.file,
        "contentUrl": file.file,
        "contentSize": f"{file.size} B",
        "encodingFormat": _TYPES.get(suffix, "application/octet-stream"),
        "sha256": file.sha256,
    }


def _categories(counts: dict[str, int]) -> dict[str, Any]:
    """The names of the labels, and how many images each has."""
    types = {"name": "sc:Text", "label": "sc:Integer", "count": "sc:Integer"}
    return {
        "@type": "cr:RecordSet",
        "@id": "categories",
        "name": "categories",
        "dataType": "sc:Enumeration",
        "key": {"@id": "categories/name"},
        "field": [
            {"@type": "cr:Field", "@id": f"categories/{name}", "name": name, "dataType": kind}
            for name, kind in types.items()
        ],
        "data": [
            {"categories/name": name, "categories/label": label, "categories/count": count}
            for label, (name, count) in enumerate(counts.items())
        ],
    }


def _rows(
    name: str, pattern: str, suffix: str, fields: dict[str, tuple[str, str]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A set of files that are tables with the same columns, and the records in it."""
    file_set = {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "encodingFormat": _TYPES[suffix],
        "includes": pattern,
    }
    record_set = {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column}",
                "name": column,
                "description": description,
                "dataType": kind,
                "source": {"fileSet": {"@id": f"{name}-files"}, "extract": {"column": column}},
            }
            for column, (kind, description) in fields.items()
        ],
    }
    return file_set, record_set
