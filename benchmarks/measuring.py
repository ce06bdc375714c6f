"""Shared by all benchmarks: the source data, the machine's description, timing, and the ratios printed at the end."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path

import llvmlite.binding
import numpy as np

from fastdraw.quickdraw.doodles import write_sample
from fastdraw.threads import default_threads

REAL = os.environ.get("FASTDRAW_REAL_DATA")
DATA = "real drawings, repeated" if REAL else "doodles, repeated"
INSTRUCTION_SETS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sve": "SVE", "neon": "NEON"}  # the best first
PACKAGES = ["numpy", "numba", "pillow", "opencv-python-headless", "scikit-image", "pycairo"]
PACKAGES += ["keras", "tensorflow", "jax", "torch"]

ratios: list[str] = []  # lines of the summary


def machine() -> str:
    """Processor, instruction set, cores, threads and versions. Print it with every figure."""
    cpuinfo = Path("/proc/cpuinfo")
    text = cpuinfo.read_text() if cpuinfo.exists() else ""
    model = re.search(r"model name\s*: (.+)", text)
    cores = len(set(re.findall(r"physical id\s*: (\d+)[\s\S]*?core id\s*: (\d+)", text))) or os.cpu_count()
    features = llvmlite.binding.get_host_cpu_features()  # empty on some ARM machines, which all have NEON
    baseline = "NEON" if platform.machine() in ("arm64", "aarch64") else "baseline instructions"
    instructions = next((name for feature, name in INSTRUCTION_SETS.items() if features.get(feature)), baseline)
    limits = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_CPU_")]
    installed = {distribution.name.lower(): distribution.version for distribution in importlib.metadata.distributions()}
    parts = [
        f"{model[1] if model else platform.machine()} ({llvmlite.binding.get_host_cpu_name()}, {instructions})",
        *limits,
        f"{cores} cores",
        f"{default_threads()} threads",
        f"Python {platform.python_version()}",
        *(f"{name} {installed[name]}" for name in PACKAGES if name in installed),
    ]
    return ", ".join(parts)


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
    return b"".join(path.read_bytes() for path in files)


def in_turn(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each one's fastest round. They take turns, so that a disturbance hits all of them."""
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def rate(benchmark: object, count: int) -> float:
    """Drawings/s in the fastest round, which was disturbed least."""
    return count / benchmark.stats.stats.min


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
