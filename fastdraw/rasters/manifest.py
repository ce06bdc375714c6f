"""``dataset.json``: what a folder of rasters holds, and what the run that writes it has still to do.

Nothing else knows how it is written.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fastdraw.errors import FastdrawError
from fastdraw.rasters.formats import FORMATS, SHARDS
from fastdraw.settings import Settings
from fastdraw.storage import Store, parse_json

MANIFEST = "dataset.json"
VERSION = 1


@dataclass(frozen=True)
class Source:
    """A ``.bin`` file as it was when it was checked.

    Attributes
    ----------
    path : str
    size : int
        In bytes.
    mtime_ns : int
        Time of its last change.
    count : int
        Drawings in it.
    sha256 : str
    """

    path: str
    size: int
    mtime_ns: int
    count: int
    sha256: str


@dataclass(frozen=True)
class Sidecar:
    """A file that a folder lists: one of metadata beside the images of a category, or a shard.

    Attributes
    ----------
    file : str
        Its name in the folder.
    size : int
        In bytes.
    sha256 : str
    """

    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """A finished category.

    Attributes
    ----------
    count : int
        Images.
    file : str
        Its name in the folder.
    size : int
        In bytes.
    sha256 : str
    source : Source
    metadata : Sidecar or None
    """

    count: int
    file: str
    size: int
    sha256: str
    source: Source
    metadata: Sidecar | None = None


@dataclass
class Manifest:
    """The content of a ``dataset.json``.

    Attributes
    ----------
    format : str
        Name of the format of all files.
    settings : Settings
        What the images are drawn with.
    categories : dict of str to Entry
        Finished categories; their labels are their positions in alphabetical order.
    pending : dict of str to Source
        Categories that are still to be written.
    metadata : str or None
        Form of the metadata beside the images, if there is any.
    """

    format: str
    settings: Settings
    categories: dict[str, Entry] = field(default_factory=dict)
    pending: dict[str, Source] = field(default_factory=dict)
    metadata: str | None = None

    @property
    def count(self) -> int:
        """Images in all finished files."""
        return sum(entry.count for entry in self.categories.values())

    def shape(self, category: str) -> tuple[int, ...]:
        """Shape of the images of a finished category, (N, ...)."""
        return (self.categories[category].count, *self.settings.shape)

    def source(self, category: str) -> Source | None:
        """The source of a category, finished or pending; None for an unknown one."""
        entry = self.categories.get(category)
        return entry.source if entry else self.pending.get(category)

    def begin(self, category: str, source: Source) -> None:
        """List a category as pending."""
        self.categories.pop(category, None)
        self.pending[category] = source

    def refresh(self, category: str, source: Source) -> None:
        """Note where the source of a finished category is now, and its time."""
        self.categories[category] = replace(self.categories[category], source=source)

    def finish(self, category: str, entry: Entry) -> None:
        """List a category as finished."""
        self.pending.pop(category, None)
        self.categories[category] = entry

    def changes(self, format: str, settings: Settings) -> dict[str, tuple[Any, Any]]:
        """What differs from a format and settings: by name, the value here and the one there."""
        before, now = asdict(self.settings) | {"format": self.format}, asdict(settings) | {"format": format}
        return {name: (before[name], now[name]) for name in now if before[name] != now[name]}

    def save(self, store: Store) -> None:
        """Write it to a folder."""
        finished = sorted(self.categories.items())
        content = {
            "version": VERSION,
            "form": self.format,
            "settings": self.settings.content,
            "categories": {name: _content(entry) | {"label": label} for label, (name, entry) in enumerate(finished)},
            "pending": {name: {"source": asdict(source)} for name, source in self.pending.items()},
        }
        if self.metadata:
            content["metadata"] = self.metadata
        text = json.dumps(content, indent=1, ensure_ascii=False)
        store.write(MANIFEST, text.encode(errors="backslashreplace") + b"\n")  # names may be no UTF-8


def names_shards(content: Any) -> bool:
    """Whether the content of a ``dataset.json`` is that of a folder of shards."""
    return isinstance(content, dict) and content.get("form") in list(SHARDS)  # it may be anything, even without a hash


def read_manifest(store: Store) -> Manifest:
    """Read and check the ``dataset.json`` of a folder.

    Raises
    ------
    FastdrawError
        If it is missing, or this version cannot read it.
    """
    path = store / MANIFEST
    try:
        content = parse_json(store.read(MANIFEST))
    except FileNotFoundError:
        raise FastdrawError(f"{store}: expected a folder of rasters, found no {MANIFEST} in it") from None
    except NotADirectoryError:
        raise FastdrawError(f"{store}: expected a folder of rasters, received a file") from None
    except ValueError as error:
        raise FastdrawError(f"{path}: expected JSON: {error}; make the rasters again") from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise FastdrawError(f"{path}: expected version {VERSION} of the format; make the rasters again")
    if names_shards(content):
        raise FastdrawError(
            f"{store}: expected files of one category each, found shards in the format {content['form']!r}, for other "
            "programs; rasterize to another folder with the format 'npy'"
        )
    try:
        return Manifest(
            FORMATS[content["form"]].name,
            Settings(**content["settings"]),
            {name: _entry(entry) for name, entry in content["categories"].items()},
            {name: _source(pending["source"]) for name, pending in content["pending"].items()},
            content.get("metadata"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FastdrawError(f"{path}: expected a description of rasters: {error!r}; make them again") from None


def read_finished(store: Store) -> Manifest:
    """The ``dataset.json`` of a folder whose run is finished.

    Raises
    ------
    FastdrawError
        As `read_manifest`; or if categories are pending.
    """
    manifest = read_manifest(store)
    if pending := sorted(manifest.pending):
        raise FastdrawError(
            f"{store}: the run that writes it is not finished, {len(pending)} categories are missing "
            f"({', '.join(pending[:3])}, ...); run the same command again"
        )
    return manifest


def _content(entry: Entry) -> dict[str, Any]:
    content = asdict(entry)
    if entry.metadata is None:
        del content["metadata"]  # as version 0.1 wrote it
    return content


def _entry(content: dict[str, Any]) -> Entry:
    metadata = content.get("metadata")
    return Entry(
        **_checked(content, count=int, file=str, size=int, sha256=str),
        source=_source(content["source"]),
        metadata=None if metadata is None else Sidecar(**_checked(metadata, file=str, size=int, sha256=str)),
    )


def _source(content: dict[str, Any]) -> Source:
    return Source(**_checked(content, path=str, size=int, mtime_ns=int, count=int, sha256=str))


def _checked(content: dict[str, Any], **types: type) -> dict[str, Any]:
    """The named values, which must have these types; other keys are ignored."""
    for name, kind in types.items():
        if type(content[name]) is not kind:
            raise TypeError(f"expected {name} to be {kind.__name__}, received {content[name]!r}")
    return {name: content[name] for name in types}
