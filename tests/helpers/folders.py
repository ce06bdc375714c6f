"""What there is in the folder of a bulk run."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in folder.glob("*.npy")}


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def chunks_done(out: Path, chunks: dict[str, int]) -> int:
    """Chunks that a bulk run has written, by its journals and its finished files; a category has so many chunks."""
    done = 0
    for category, of_all in chunks.items():
        if (out / f"{category}.npy").exists():
            done += of_all
        else:
            done += sum(map(_size, out.glob(f".{category}.*.journal"))) // 8
    return done


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
