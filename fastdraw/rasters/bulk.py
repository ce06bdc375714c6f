"""From ``.bin`` files to a folder of rasters, in one run or in as many as it takes.

The folder holds a file for each finished category and ``dataset.json``, which lists the finished and the pending ones.
The state of a run is in the folder only: a stopped run, however it was stopped and wherever its tasks ran, goes on from
the last finished chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack, get_args

from fastdraw.checks import boolean, known_options, one_of
from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.conversion import is_converted, joined
from fastdraw.quickdraw.opening import find_bin_files
from fastdraw.quickdraw.pipes import is_pipe
from fastdraw.rasters.executors import Threads, cluster
from fastdraw.rasters.formats import SHARDS, MetadataForm, choose_format
from fastdraw.rasters.metadata import choose_metadata
from fastdraw.rasters.plan import Job
from fastdraw.rasters.reader import Rasters, open_rasters
from fastdraw.rasters.shardlist import holds_shards
from fastdraw.rasters.shards import write_shards
from fastdraw.rasters.tasks import Errors
from fastdraw.rasters.write import write_rasters
from fastdraw.settings import FileOptions, Settings
from fastdraw.storage import Address, Progress, as_path, as_paths, creating_store, is_local
from fastdraw.threads import choose_threads

_TASKS = 1000  # tasks that a cluster is given at a time: enough for one of any size


class Options(FileOptions, total=False):
    """Options of `run` and `rasterize_files`; what is not given, or None, gets its default."""

    format: str | None
    tfrecord: bool | None
    threads: int | None
    overwrite: bool | None
    errors: Errors | None
    metadata: MetadataForm | None
    client: Any
    progress: Progress | None


def rasterize_files(sources: Address | Sequence[Address], folder: Address, **options: Unpack[Options]) -> Rasters:
    """Draw all drawings of files, write a file of images for each category, and open them.

    Parameters
    ----------
    sources, folder, **options
        As for `fastdraw.bulk.run`; the folder is on this machine.

    Returns
    -------
    Rasters
        All images of the folder.

    Raises
    ------
    FastdrawError, OSError, ValueError, TypeError
        As for `fastdraw.bulk.run`.

    Examples
    --------
    >>> rasters = fastdraw.rasterize_files("quickdraw", "rasters", size=28)
    >>> rasters.shape
    (600, 28, 28)
    >>> np.load("rasters/star.npy", mmap_mode="r").shape
    (200, 28, 28)
    """
    if options.get("format") in SHARDS:
        raise ValueError(
            f"expected a format that open_rasters reads, received {options['format']!r}: use bulk.run for it"
        )
    if not is_local(as_path(folder)):
        raise ValueError(f"expected a folder on this machine, to open it; fastdraw.bulk.run writes to {folder}")
    run(sources, folder, **options)
    return open_rasters(folder)


def run(sources: Address | Sequence[Address], folder: Address, **options: Unpack[Options]) -> int:
    """Draw all drawings of files, and write a file of images for each category.

    The same call again goes on where a stopped one was, and skips finished categories; other sources are added to the
    folder. The labels in ``dataset.json`` are the positions of its categories in alphabetical order.

    Parameters
    ----------
    sources : path or sequence of paths
        Files in any form that `open_drawings` takes, or folders of them; on this machine, or at addresses such as
        ``gs://bucket/folder``. Without a ``client`` also pipes, and ``-`` for standard input.
    folder : path
        Created where it does not exist. At a remote address, each category is uploaded when it is finished; one that
        was not finished starts again in the next run.
    style, size, line_width, invert, packed, channels
        As for `Drawings.rasterize`.
    flat : bool
        Write (N, size * size) instead of (N, size, size), as Google's ``numpy_bitmap`` files have it.
    format : str
        A name in the registry of `fastdraw.rasters.formats`: ``"npy"``, the default, or ``"tfrecord"``, for
        `fastdraw.read_tfrecords`. Or shards for other programs, of PNG files with labels and metadata:
        ``"webdataset"``, ``00000.tar`` and so on, or ``"parquet"``, ``00000.parquet`` and so on (extra ``parquet``).
        A shard has up to 65,536 images of all categories, shuffled.
    tfrecord : bool
        Another way to say ``format="tfrecord"``.
    threads : int, optional
        As for `Drawings.rasterize`; not with a ``client``.
    overwrite : bool
        Replace rasters that were made with other settings, and files in the way that no run has written.
    errors : {"raise", "salvage"}
        As for `open_drawings`.
    metadata : {"csv", "parquet"}, optional
        Write ``<category>.metadata.csv`` or ``.parquet`` beside each file (the latter needs the extra ``parquet``): row
        i has ``key_id``, ``country``, ``timestamp``, ``recognized`` and ``category`` of image i. `open_rasters` reads
        it. A folder that has metadata gets it for further categories too.
    client : distributed.Client, optional
        Client of a Dask cluster that does the work. Its workers have fastdraw installed, and see sources and folder
        under the same paths as this process. The files do not depend on it.
    progress : callable, optional
        Called with a category, its finished drawings and all its drawings: for every category before the first is
        begun, then after each chunk.

    Returns
    -------
    int
        Number of images in the folder.

    Raises
    ------
    FastdrawError
        If two sources have the same category; the folder has a file in the way, was made with other settings, or is
        being written by another run; a source is damaged or missing; or the cluster is lost.
    ValueError, TypeError
        If an option is not valid.
    OSError
        If the folder cannot be written, or the disk is full. The same call goes on later.

    Examples
    --------
    >>> fastdraw.bulk.run("quickdraw/face.bin", "rasters", packed=True)
    200
    >>> fastdraw.bulk.run("quickdraw", "rasters", packed=True)  # adds the other two
    600
    >>> fastdraw.open_rasters("rasters").categories
    ('face', 'house', 'star')
    """
    known_options(options, Options.__annotations__)
    threads, client = options.get("threads"), options.get("client")
    if threads is not None and client is not None:
        raise ValueError("expected threads or a cluster, whose workers have threads of their own, received both")
    image: Any = {name: value for name, value in options.items() if name in FileOptions.__annotations__}
    errors = one_of("errors", options.get("errors") or "raise", get_args(Errors))
    paths = as_paths(sources)
    if client is not None and (pipes := [path for path in paths if is_local(path) and is_pipe(path)]):
        raise FastdrawError(f"{pipes[0]}: expected files that the workers of the cluster see, received a pipe")
    job = Job(
        _files_by_category(find_bin_files(paths, errors)),
        Settings.of(**image),
        choose_format(options.get("format"), options.get("tfrecord")),
        boolean("overwrite", options.get("overwrite") or False),
        errors,
        choose_metadata(options.get("metadata")),
    )
    threads, sharded = choose_threads(threads), job.format in SHARDS
    if sharded and (given := [name for name in ("packed", "flat", "metadata", "client") if options.get(name)]):
        reason = (
            "threads of this process write shards" if given[0] == "client" else "shards are of PNG files with metadata"
        )
        raise ValueError(f"expected no {given[0]} with format={job.format!r}: {reason}")
    with creating_store(folder) as store:
        if holds_shards(store) not in (None, sharded):
            raise FastdrawError(f"{store}: holds rasters in a format of another kind; choose another folder")
        if sharded:
            return write_shards(job, store, threads, options.get("progress")).count
        executor, at_a_time = (Threads(threads), 2 * threads) if client is None else (cluster(client), _TASKS)
        return write_rasters(job, store, executor, at_a_time, options.get("progress")).count


def _files_by_category(files: list[Path]) -> dict[str, Path]:
    """The file of each category; several are joined if they were converted, as those of shards are."""
    categories: dict[str, list[Path]] = {}
    for path in files:
        categories.setdefault(path.stem, []).append(path)
    found = {}
    for category, paths in sorted(categories.items()):
        if len(paths) > 1 and not all(is_local(path) and is_converted(path) for path in paths):
            raise FastdrawError(
                f"expected one file per category, received two of {category!r}: {paths[0]} and {paths[1]}"
            )
        found[category] = paths[0] if len(paths) == 1 else joined(paths)
    return found
