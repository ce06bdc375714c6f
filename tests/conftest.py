"""Data that tests share."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from fastdraw.errors import MissingPackageError
from fastdraw.quickdraw.doodles import write_sample

# On a GPU, XLA would choose other algorithms from run to run, and round the factors of products to ten bits. Most of
# what tests do on JAX is to compile tiny models; without optimization that takes less than half the time.
flags = "--xla_gpu_deterministic_ops=true --xla_backend_optimization_level=0"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}"
os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "highest")

# A job in the background of a shell ignores interrupts, and so would all processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Times on a shared machine say nothing, and the first example of a test may compile a kernel.
hypothesis.settings.register_profile("fastdraw", deadline=None, print_blob=True)
hypothesis.settings.load_profile("fastdraw")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the whole suite in two processes, as the smallest machines have two cores; what is named, in this one."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    worker = "PYTEST_XDIST_WORKER" in os.environ  # of those two, which get the same arguments
    if whole and not worker and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses, config.option.dist = 2, "worksteal"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Skip tests of what needs TensorFlow or torch where they are not installed."""
    try:
        return (yield)
    except MissingPackageError as error:
        if error.name not in ("tensorflow", "torch"):
            raise
        pytest.skip(str(error))


pytest_runtest_setup = pytest_runtest_call  # fixtures too


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three ``.bin`` files of 200 doodles each."""
    folder = tmp_path_factory.mktemp("sample")
    list(write_sample(folder, 3, 200))
    return folder


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real data that FASTDRAW_REAL_DATA names."""
    if "FASTDRAW_REAL_DATA" not in os.environ:
        pytest.skip("FASTDRAW_REAL_DATA does not name a folder of real data")
    return Path(os.environ["FASTDRAW_REAL_DATA"])


@pytest.fixture
def sources(sample: Path, tmp_path: Path) -> Path:
    """A folder of three files that a test may change."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for path in sample.glob("*.bin"):
        shutil.copy(path, folder)
    return folder
