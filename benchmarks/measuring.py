"""Shared by all benchmarks: the source data, the machine's description, timing, and the ratios printed at the end."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np

from fastdraw.quickdraw.doodles import write_sample
from fastdraw.quickdraw.scan import scan_records
from fastdraw.threads import default_threads

REAL = os.environ.get("FASTDRAW_REAL_DATA")
DATA = "real drawings, repeated" if REAL else "doodles, repeated"
INSTRUCTION_SETS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sve": "SVE", "neon": "NEON"}  # the best first
PACKAGES = ["numpy", "numba", "pillow", "opencv-python-headless", "scikit-image", "pycairo"]
PACKAGES += ["aggdraw", "skia-python", "blend2d-python", "quickdraw", "keras", "tensorflow", "jax", "torch"]

# A process inherits the peak memory of its parent, so a small process starts each job.
LAUNCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""

ratios: list[str] = []  # lines of the summary


@dataclass
class Job:
    """Cost of one process."""

    seconds: float
    processor: float  # seconds, summed over cores
    peak: int  # bytes


def job(*command: object) -> Job:
    """Run a command as a process of its own."""
    began = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-c", LAUNCH, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True
    )
    seconds = time.perf_counter() - began
    processor, peak = process.stdout.split()
    return Job(seconds, float(processor), 1024 * int(peak))


def system() -> dict[str, Any]:
    """Processor, instruction set, cores, threads and versions, by name."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    model = re.search(r"model name\s*: (.+)", text)
    cores = len(set(re.findall(r"physical id\s*: (\d+)[\s\S]*?core id\s*: (\d+)", text))) or os.cpu_count()
    features = llvmlite.binding.get_host_cpu_features()  # empty on some ARM machines, which all have NEON
    baseline = "NEON" if platform.machine() in ("arm64", "aarch64") else "baseline instructions"
    installed = {distribution.name.lower(): distribution.version for distribution in importlib.metadata.distributions()}
    return {
        "processor": model[1] if model else platform.machine(),
        "kind": llvmlite.binding.get_host_cpu_name(),
        "instructions": next((name for feature, name in INSTRUCTION_SETS.items() if features.get(feature)), baseline),
        "limits": [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_CPU_")],
        "cores": cores,
        "threads": default_threads(),
        "versions": {"Python": platform.python_version()}
        | {name: installed[name] for name in PACKAGES if name in installed},
    }


def machine() -> str:
    """What `system` says, as a line. Print it with every figure."""
    it = system()
    parts = [
        f"{it['processor']} ({it['kind']}, {it['instructions']})",
        *it["limits"],
        f"{it['cores']} cores",
        f"{it['threads']} threads",
        *(f"{name} {version}" for name, version in it["versions"].items()),
    ]
    return ", ".join(map(str, parts))


def device() -> str:
    """The device on which Keras computes: the GPU's name, or that of the kind."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    if keras.backend.backend() == "jax":
        import jax

        return jax.devices()[0].device_kind
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "cpu"


def source_records(folder: Path) -> bytes:
    """Records of the real files under ``$FASTDRAW_REAL_DATA``; without it, of doodles written to `folder`."""
    files = sorted((Path(REAL) / "quickdraw/bin").glob("*.bin")) if REAL else write_sample(folder, 10, 500)
    records = b"".join(path.read_bytes() for path in files)
    if not records:
        raise FileNotFoundError(f"expected .bin files in $FASTDRAW_REAL_DATA/quickdraw/bin, received none: {REAL}")
    return records


def write_repeated(path: Path, drawings: int) -> None:
    """Write the source records to a ``.bin`` file, and again until it has at least as many drawings."""
    records = source_records(path.with_name("sample"))
    count = len(scan_records(np.frombuffer(records, np.uint8)).offsets) - 1
    with open(path, "wb") as file:
        for _ in range(-(-drawings // count)):
            file.write(records)


def rounds_in_turn(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each one's rounds. They take turns, so that a disturbance hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def in_turn(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each one's fastest round, in turn."""
    return {name: min(seconds) for name, seconds in rounds_in_turn(contestants, rounds).items()}


def two_threads_over_one() -> float:
    """Speed-up of two threads that only compute and share nothing: what the machine has to give at this moment."""
    data = bytes(20_000_000)
    began = time.perf_counter()
    hashlib.sha256(data)
    alone = time.perf_counter() - began
    with ThreadPoolExecutor(2) as pool:
        began = time.perf_counter()
        list(pool.map(hashlib.sha256, [data, data]))
        return 2 * alone / (time.perf_counter() - began)


def rate(benchmark: Any, count: int) -> float:
    """Drawings/s in the fastest round, which was disturbed least."""
    return float(count / benchmark.stats.stats.min)


def note(line: str) -> None:
    """Add a line to the summary."""
    ratios.append(line)


def report(operation: str, its_rate: float, baseline: str, baseline_rate: float, target: float) -> None:
    """Add a ratio to the summary."""
    ratio = its_rate / baseline_rate
    verdict = "met" if ratio >= target else "MISSED"
    note(
        f"{operation:<34} {its_rate:>13,.0f} /s   {baseline:<34} {baseline_rate:>13,.0f} /s   "
        f"ratio {ratio:>7.2f}   target {target:g}: {verdict}"
    )


def same(images: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two results are equal and hold ink."""
    return bool((images == expected).all() and expected.any())
