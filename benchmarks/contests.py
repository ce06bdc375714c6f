"""What `bench_all` times: jobs that take turns, and which of them are compared.

Every result is compared with that of the reference, or of fastdraw, before a contest is handed out. That also compiles
the kernels.
"""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cairo_loop
import loops
import numpy as np
from loops import SIZE, WIDTH, Images
from measuring import same, write_repeated

import fastdraw
from fastdraw.quickdraw.index import SUFFIX
from fastdraw.quickdraw.scan import scan_records

SEED = 1
NAME = "cat"  # of the file; the package `quickdraw` opens files of categories only
DRAWING_LOOPS = {  # those with other lines than Pillow's: module, package, loop
    "OpenCV": ("cv2", "opencv-python-headless", loops.opencv_loop),
    "aggdraw": ("aggdraw", "aggdraw", loops.aggdraw_loop),
    "Skia": ("skia", "skia-python", loops.skia_loop),
    "Blend2D": ("blend2d", "blend2d-python", loops.blend2d_loop),
}


class WrongResultError(Exception):
    """A contestant's result is not what it should be, so it is not timed."""


class Job(NamedTuple):
    """What is timed."""

    run: Callable[[], object]
    drawings: int  # in a run


@dataclass
class Contest:
    """Jobs that take turns, by name, and pairs of names: ours and the baseline."""

    jobs: dict[str, Job] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, run: Callable[[], object], drawings: int, *, against: Iterable[str] = ()) -> None:
        """Add a job of ours, and compare it with others."""
        self.jobs[name] = Job(run, drawings)
        self.pairs += [(name, baseline) for baseline in against]


class Scale(NamedTuple):
    """How much to measure."""

    drawings: int = 250_000
    google: int = 25_000  # drawings of the style `google`
    loop: int = 3_000  # drawings of loops
    rounds: int = 7


class Source:
    """The drawings, and which packages were looked for in vain."""

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.path, self.scale = folder / f"{NAME}.bin", scale
        write_repeated(self.path, scale.drawings)
        self.drawings = fastdraw.open_drawings(self.path)
        self.some = self.drawings[: scale.loop]
        self.records = self.some.records()[0]
        self.missing: list[str] = []
        self.versions: dict[str, str] = {}

    def has(self, module: str, package: str) -> bool:
        """Whether a module can be imported; notes the package if not."""
        try:
            importlib.import_module(module)
        except ImportError:
            self.missing.append(package)
            return False
        return True


def pillow(source: Source) -> Contest:
    """The style ``pillow`` as bytes and bits, on one thread and two."""
    drawings, some, records = source.drawings, source.some, source.records.tobytes()
    settings: dict[str, Any] = {"size": SIZE, "line_width": WIDTH}
    out, copy = np.empty((2, len(drawings), SIZE, SIZE), np.uint8)
    bits = np.empty((len(drawings), SIZE * SIZE // 8), np.uint8)
    expected = loops.pillow_loop(records, len(some))
    for threads in (1, 2):
        check("pillow", drawings.rasterize(**settings, threads=threads, out=out)[: len(some)], expected)
        packed = drawings.rasterize(**settings, threads=threads, packed=True, out=bits)[: len(some)]
        check("packed", np.unpackbits(packed, axis=1).reshape(expected.shape) * 255, expected)
    np.copyto(copy, out)
    check("np.copyto", copy, out)

    contest = Contest()
    baselines = ["loop over Pillow"]
    contest.add(baselines[0], partial(loops.pillow_loop, records, len(some)), len(some))
    for name, (module, package, loop) in DRAWING_LOOPS.items():
        if source.has(module, package):
            check_alike(name, loop(some), expected)
            baselines.append(f"loop over {name}")
            contest.add(baselines[-1], partial(loop, some), len(some))
    contest.add("`np.copyto` of the images", lambda: np.copyto(copy, out), len(drawings))
    task, packed_task = f"draw {SIZE}x{SIZE}, style `pillow`", f"draw {SIZE}x{SIZE} to packed bits"
    for name, options, against in (
        (task, {"out": out}, baselines),
        (packed_task, {"out": bits, "packed": True}, baselines[:1]),
    ):
        contest.add(name, partial(drawings.rasterize, **settings, **options, threads=1), len(drawings), against=against)
        beside = [name, "`np.copyto` of the images"] if name == task else [name]
        two = partial(drawings.rasterize, **settings, **options, threads=2)
        contest.add(f"{name}, two threads", two, len(drawings), against=beside)
    return contest


def line(source: Source) -> Contest:
    """The styles ``line`` and ``line-aa``, on one thread."""
    contest = Contest()
    if not source.has("skimage", "scikit-image"):
        return contest
    drawings = source.drawings
    some = list(source.some[: source.scale.loop // 3])
    out = np.empty((len(drawings), SIZE, SIZE), np.uint8)
    for style in ("line", "line-aa"):
        loop = partial(loops.skimage_loop, some, style == "line-aa")
        ours = partial(drawings.rasterize, style=style, size=SIZE, threads=1, out=out)
        check(style, ours()[: len(some)], loop())
        baseline = f"loop over scikit-image, `{style}`"
        contest.add(baseline, loop, len(some))
        contest.add(f"draw {SIZE}x{SIZE}, style `{style}`", ours, len(drawings), against=[baseline])
    return contest


def google(source: Source) -> Contest:
    """The style ``google``, on one thread and two, against Cairo from Python and from C."""
    contest = Contest()
    drawings, some = source.drawings[: source.scale.google], list(source.some)
    task = "draw 28x28, style `google`"
    ours = {threads: partial(drawings.rasterize, style="google", threads=threads) for threads in (1, 2)}
    images = ours[1]()
    check("google, two threads", ours[2](), images)
    rivals: dict[str, Callable[[], Images]] = {}
    if source.has("cairo", "pycairo"):
        rivals["loop over pycairo, one surface"] = partial(loops.pycairo_list_loop, some)
    with tempfile.TemporaryDirectory() as folder:
        try:
            in_c, source.versions["libcairo"] = cairo_loop.compiled(Path(folder))
        except ImportError:
            source.missing.append("cc, pkg-config and libcairo's headers")
        else:
            rivals["loop in C over libcairo"] = partial(in_c, source.records, len(some))
    for name, rival in rivals.items():
        check(name, images[: len(some)], rival())
        contest.add(name, rival, len(some))
    contest.add(task, ours[1], len(drawings), against=rivals)
    contest.add(f"{task}, two threads", ours[2], len(drawings), against=[task])
    return contest


def reading(source: Source) -> Contest:
    """Finding records, opening a file and reading strokes, on one thread."""
    contest = Contest()
    count, some = len(source.drawings), source.some
    data = np.memmap(source.path, np.uint8, "r")
    copy, walked = np.empty_like(data), source.records.tobytes()
    memory, walk = "copy of the mapped file in memory", "loop over `struct`"
    offsets = scan_records(data).offsets
    check("scan", offsets[: len(some)], np.array(loops.struct_walk(walked, len(some))))
    np.copyto(copy, data)
    check(memory, copy, data)
    contest.add(walk, partial(loops.struct_walk, walked, len(some)), len(some))
    contest.add(memory, lambda: np.copyto(copy, data), count)
    contest.add("find the records of a `.bin` file", partial(scan_records, data), count, against=[walk, memory])

    closed = source.path.with_name("closed.bin")  # a file that is open is not opened again
    shutil.copy(source.path, closed)
    sidecar = closed.with_name(closed.name + SUFFIX)

    def open_first() -> int:
        sidecar.unlink(missing_ok=True)
        return len(fastdraw.open_drawings(closed))

    if open_first() != count:
        raise WrongResultError(f"expected {count} drawings in a file that is opened without its index")
    opened = "open a file for the first time"
    contest.add(opened, open_first, count, against=[memory])
    if source.has("quickdraw", "quickdraw"):
        package = "the package `quickdraw`, all strokes"
        read = partial(loops.quickdraw_drawings, source.path.parent, NAME, len(some))
        for ours, theirs in zip(some, read(), strict=True):
            check(package, np.hstack(ours), np.hstack([np.array(stroke) for stroke in theirs]))
        contest.add(package, read, len(some))
        contest.add("read all strokes as arrays", lambda: list(some), len(some), against=[package])
        contest.pairs.append((opened, package))
    return contest


def batches(source: Source) -> Contest:
    """Batches of 128 against one call that draws all images, in the same kind of order, on all threads."""
    contest = Contest()
    drawings = source.drawings
    order = np.random.default_rng(0).permutation(len(drawings))
    out = np.empty((len(drawings), SIZE, SIZE), np.uint8)
    for name, view in (("in order", drawings), ("shuffled", drawings[order])):
        images = view.rasterize(out=out)
        made: Iterable[Any] = fastdraw.batches(drawings, 128, shuffle=name == "shuffled", seed=SEED, dtype="uint8")
        if name == "in order":
            first = next(iter(made))
            check("batches", first, images[: len(first), ..., None])
        check(f"batches, {name}", np.concatenate([ink(batch) for batch in made]), ink(images), sort=True)
        contest.add(f"`rasterize`, {name}", partial(view.rasterize, out=out), len(drawings))
        run = partial(count_images, made)
        contest.add(f"`batches` of 128, {name}", run, len(drawings), against=[f"`rasterize`, {name}"])
    return contest


def tensors(source: Source) -> Contest:
    """Shuffled batches for TensorFlow against ``tf.data`` over images in memory, float32."""
    contest = Contest()
    if not source.has("tensorflow", "tensorflow"):
        return contest
    import tensorflow as tf

    drawings = source.drawings
    images = np.divide(drawings.rasterize()[..., None], 255, dtype=np.float32)
    in_memory = tf.data.Dataset.from_tensor_slices(images)
    for size in (128, 512):
        first = next(iter(fastdraw.to_tf_dataset(drawings, size)))
        check("to_tf_dataset", first.numpy(), images[: len(first)])
        ours = fastdraw.to_tf_dataset(drawings, size, shuffle=True, seed=SEED)
        theirs = in_memory.shuffle(len(images)).batch(size)
        shuffled = np.concatenate([ink(batch.numpy()) for batch in ours])
        check("to_tf_dataset, shuffled", shuffled, ink(images), sort=True)
        baseline = f"images in memory, `shuffle(len).batch({size})`"
        contest.add(baseline, partial(count_images, theirs), len(images))
        task = f"shuffled `tf.data` batches of {size}"
        contest.add(task, partial(count_images, ours), len(images), against=[baseline])
    return contest


CONTESTS = (pillow, line, google, reading, batches, tensors)


def check(name: str, images: np.ndarray, expected: np.ndarray, sort: bool = False) -> None:
    """Raise an error unless two results are equal and hold something."""
    if sort:
        images, expected = np.sort(images), np.sort(expected)
    if images.shape != expected.shape or not same(images, expected):
        raise WrongResultError(f"{name}: expected the same results as the reference, received others; nothing is timed")


def check_alike(name: str, images: Images, expected: Images) -> None:
    """Raise an error unless images have about as much ink at about the same places, as lines of two packages do."""
    alike = np.corrcoef(images.ravel(), expected.ravel())[0, 1] if images.any() else 0
    if not (alike > 0.5 and 0.5 < images.mean() / expected.mean() < 2):
        raise WrongResultError(f"{name}: expected about the lines of Pillow, received others (correlation {alike:.2f})")


def ink(images: np.ndarray) -> np.ndarray:
    """Sum of the pixels of each image."""
    return np.asarray(images.reshape(len(images), -1).sum(axis=1, dtype=np.float64))


def count_images(batches: Iterable[Any]) -> int:
    """Read batches to their end."""
    return sum(batch.shape[0] for batch in batches)
