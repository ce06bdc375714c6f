"""What a bulk run has to write: the categories that its folder lacks, or has from another source."""

from __future__ import annotations

import warnings
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from fastdraw.errors import DamagedFileWarning, FastdrawError
from fastdraw.rasters.formats import FORMATS, METADATA_FORMS
from fastdraw.rasters.manifest import MANIFEST, Manifest, read_manifest
from fastdraw.rasters.metadata import file_name
from fastdraw.rasters.targets import Target
from fastdraw.rasters.tasks import Errors, Output, look
from fastdraw.settings import Settings


@dataclass(frozen=True)
class Job:
    """What the user asks of a bulk run.

    Attributes
    ----------
    files : dict of str to Path
        The source of each category.
    settings : Settings
    format : str
    overwrite : bool
    errors : {"raise", "salvage"}
    metadata : {"csv", "parquet"} or None
        The form of the metadata beside the images; None for the one of the folder.
    chunk_bytes : int
        Bytes of images that a task draws, which is what each thread keeps in memory.
    """

    files: dict[str, Path]
    settings: Settings
    format: str
    overwrite: bool = False
    errors: Errors = "raise"
    metadata: str | None = None
    chunk_bytes: int = 1 << 23


def make_plan(job: Job, target: Target, pool: Executor) -> tuple[Manifest, list[Output], list[Output]]:
    """Check all sources before anything is drawn, so that a damaged one stops the run at once and not after an hour.

    Returns
    -------
    manifest : Manifest
        Saved, with the outputs as pending.
    outputs : list of Output
        What is to be written.
    bare : list of Output
        What is written, but lacks metadata.

    Raises
    ------
    FastdrawError
        If a source is damaged, or the folder holds something that may not be replaced.
    """
    manifest = _begin(job, target)
    manifest.metadata = job.metadata or manifest.metadata
    for category in set(manifest.pending) - set(job.files):  # planned by an earlier run with more sources
        _remove(target, category, job.format)  # a finished file would be of its source before that changed
        del manifest.pending[category]
    known = {category: manifest.source(category) for category in job.files}
    looks = [
        pool.submit(look, str(path.absolute()), job.errors, known[category]) for category, path in job.files.items()
    ]
    outputs, bare = [], []
    for (category, before), looked in zip(known.items(), looks, strict=True):
        source, left_out = looked.result()
        if left_out:
            warnings.warn(left_out, DamagedFileWarning, stacklevel=5)
        if source is None:
            if manifest.pending.pop(category, None):
                _remove(target, category, job.format)
            continue
        output = Output.of(category, source, job.settings, job.format, job.chunk_bytes)
        same = before is not None and before.sha256 == source.sha256
        if category in manifest.categories and same and target.store.size(output.file) == output.size:
            manifest.refresh(category, source)
            if manifest.metadata and not _has_metadata(manifest, category, target):
                bare.append(output)
            continue
        if before is None and not job.overwrite and target.store.size(output.file) is not None:
            raise FastdrawError(
                f"{target.store / output.file}: is in the way and was not written by a run in this folder; "
                "move it, choose another folder, or pass overwrite=True"
            )
        manifest.begin(category, source)
        outputs.append(output)
    if not any(category in job.files for category in [*manifest.categories, *manifest.pending]):
        raise FastdrawError(f"expected a file with drawings, received none of {len(job.files)}")
    manifest.save(target.store)
    return manifest, outputs, bare


def _has_metadata(manifest: Manifest, category: str, target: Target) -> bool:
    """Whether the metadata of a category are there, in the form of the manifest."""
    sidecar = manifest.categories[category].metadata
    return (
        sidecar is not None
        and sidecar.file == file_name(category, manifest.metadata or "")
        and target.store.size(sidecar.file) == sidecar.size
    )


def _begin(job: Job, target: Target) -> Manifest:
    """The manifest to go on with, or a new one in place of one with other settings, if that may be overwritten."""
    fresh = Manifest(job.format, job.settings)
    if target.store.size(MANIFEST) is None:
        return fresh
    try:
        manifest = read_manifest(target.store)
    except FastdrawError:
        if not job.overwrite:
            raise
        return fresh
    changes = manifest.changes(job.format, job.settings)
    if not changes:
        return manifest
    if not job.overwrite:
        words = ", ".join(f"{name} {before!r}, now {now!r}" for name, (before, now) in changes.items())
        raise FastdrawError(
            f"{target.store}: holds rasters made with other settings ({words}); choose another folder, "
            "or pass overwrite=True"
        )
    for category in [*manifest.categories, *manifest.pending]:
        _remove(target, category, manifest.format)
    return fresh


def _remove(target: Target, category: str, format: str) -> None:
    """Delete all files of a category."""
    for name in (f"{category}{FORMATS[format].suffix}", *(file_name(category, form) for form in METADATA_FORMS)):
        target.store.remove(name)
    target.clean(category)
