"""The ``dataset.json`` of a folder of shards, in which the images of all categories are mixed. Needs no numba."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from fastdraw.errors import FastdrawError
from fastdraw.rasters.manifest import MANIFEST, VERSION, Sidecar, Source, names_shards
from fastdraw.settings import Settings
from fastdraw.storage import Store, parse_json


@dataclass
class ShardList:
    """What a folder of shards holds.

    Attributes
    ----------
    format : str
    settings : Settings
    sources : dict of str to Source
        By category, in the order of the labels.
    shards : dict of str to Sidecar or None
        The files in their order; None for those that are still to be written.
    """

    format: str
    settings: Settings
    sources: dict[str, Source]
    shards: dict[str, Sidecar | None] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Images in all shards."""
        return sum(source.count for source in self.sources.values())

    @property
    def pending(self) -> list[str]:
        """Shards that are still to be written."""
        return [name for name, shard in self.shards.items() if shard is None]

    @property
    def identity(self) -> list[Any]:
        """What decides the content of the shards."""
        sources = [(name, source.sha256, source.count) for name, source in self.sources.items()]
        return [self.format, self.settings, sources, list(self.shards)]

    def save(self, store: Store) -> None:
        """Write it to a folder."""
        content = {
            "version": VERSION,
            "form": self.format,
            "settings": self.settings.content,
            "sources": {
                name: {"label": label, **asdict(source)} for label, (name, source) in enumerate(self.sources.items())
            },
            "shards": {
                name: shard and {"size": shard.size, "sha256": shard.sha256} for name, shard in self.shards.items()
            },
        }
        text = json.dumps(content, indent=1, ensure_ascii=False)
        store.write(MANIFEST, text.encode(errors="backslashreplace") + b"\n")  # names may be no UTF-8


def holds_shards(store: Store) -> bool | None:
    """Whether a folder holds shards; None if it holds no rasters at all."""
    try:
        return names_shards(parse_json(store.read(MANIFEST)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        return False


def read_shards(store: Store) -> ShardList:
    """Read the ``dataset.json`` of a folder of shards.

    Raises
    ------
    FastdrawError
        If this version cannot read it.
    """
    try:
        content = parse_json(store.read(MANIFEST))
        sources = {
            name: Source(*(source[key] for key in ("path", "size", "mtime_ns", "count", "sha256")))
            for name, source in content["sources"].items()
        }
        shards = {
            name: None if shard is None else Sidecar(name, int(shard["size"]), str(shard["sha256"]))
            for name, shard in content["shards"].items()
        }
        return ShardList(content["form"], Settings(**content["settings"]), sources, shards)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FastdrawError(
            f"{store / MANIFEST}: expected a description of shards: {error!r}; make them again"
        ) from None
