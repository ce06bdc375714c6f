"""Files of trained models: those that come with the package, in folders, or at addresses."""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path

import keras

# The models in this package, and the names of their classes.
SHIPPED = {"real7": ("backpack", "car", "eye", "mouth", "power outlet", "shoe", "sun")}
_IN_FOLDERS = ("best.keras", "model.keras")


def find_preset(preset: str | os.PathLike[str], sha256: str | None = None) -> Path:
    """The file of a preset, see `AE.from_preset`; that of an address is fetched."""
    if str(preset) in SHIPPED:
        return Path(str(files("vaekit.models") / f"{preset}.keras"))
    if "://" in str(preset):
        name = str(preset).rsplit("/", 1)[-1]
        of_address = hashlib.sha256(str(preset).encode()).hexdigest()[:16]  # files of one name, from two addresses
        cached = keras.utils.get_file(name, str(preset), file_hash=sha256, cache_subdir=f"models/vaekit/{of_address}")
        return Path(cached)
    path = Path(preset)
    if path.is_dir():
        found = next((path / name for name in _IN_FOLDERS if (path / name).exists()), None)
        if found is None:
            raise FileNotFoundError(f"{path}: expected the folder of a run, received one without {_IN_FOLDERS[0]}")
        path = found
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: expected a .keras file, the folder of a run, an address or {' or '.join(SHIPPED)}"
        )
    if sha256 is not None:
        with open(path, "rb") as file:
            received = hashlib.file_digest(file, "sha256").hexdigest()
        if received != sha256.lower():
            raise ValueError(f"{path}: expected a file with SHA-256 {sha256.lower()}, received {received}")
    return path
