"""``dataset.json``: what is in a folder of rasters, and what the run that writes it has still to do."""

from __future__ import annotations

import json
import operator
from pathlib import Path
from typing import Any

from fastdraw.errors import FastdrawError
from fastdraw.rasters.formats import FORMS
from fastdraw.settings import Settings
from fastdraw.storage import reaching, save_bytes

MANIFEST = "dataset.json"
VERSION = 1


def read_manifest(folder: Path) -> dict[str, Any]:
    """The content of a folder's ``dataset.json``.

    Raises
    ------
    FastdrawError
        If it is missing, or not one that this version can read.
    """
    path = folder / MANIFEST
    try:
        with reaching(path):
            content = path.read_bytes()
        manifest = json.loads(content)
    except FileNotFoundError:
        raise FastdrawError(f"{folder}: expected a folder of rasters, found no {MANIFEST} in it") from None
    except ValueError as error:
        raise FastdrawError(f"{path}: expected JSON: {error}; make the rasters again") from None
    if not isinstance(manifest, dict) or manifest.get("version") != VERSION:
        raise FastdrawError(f"{path}: expected version {VERSION} of the format; make the rasters again")
    try:
        Settings(**manifest["settings"])
        operator.getitem(FORMS, manifest["form"])
        for entry in manifest["categories"].values():
            operator.itemgetter("count", "file", "size", "sha256")(entry)
        for entry in [*manifest["categories"].values(), *manifest["pending"].values()]:
            operator.itemgetter("sha256", "size", "mtime_ns", "count")(entry["source"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FastdrawError(f"{path}: expected a description of rasters: {error!r}; make them again") from None
    return manifest


def save_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write a folder's ``dataset.json``, its finished categories numbered in alphabetical order."""
    finished = sorted(manifest["categories"].items())
    numbered = {category: entry | {"label": label} for label, (category, entry) in enumerate(finished)}
    text = json.dumps(manifest | {"categories": numbered}, indent=1, ensure_ascii=False)
    save_bytes(folder / MANIFEST, text.encode() + b"\n")
