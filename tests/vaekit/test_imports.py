"""Imports in fresh processes: what stays unloaded, and that Keras finds vaekit's classes whatever comes first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from fresh import fresh_process, loaded_modules

GOLDEN = Path(__file__).parents[1] / "golden/0.1"
HEAVY = {"keras", "tensorflow", "jax", "torch", "numba"}
COMMAND = """
import runpy, sys
sys.argv = ["vaekit", {arguments}]
try:
    runpy.run_module("vaekit", run_name="__main__")
except SystemExit as end:
    assert not end.code
"""


@pytest.mark.parametrize(
    "program",
    [
        "import vaekit",
        "import vaekit; dir(vaekit)",
        COMMAND.format(arguments="'--help'"),
        COMMAND.format(arguments="'train', '--help'"),
        COMMAND.format(arguments="'report', '--help'"),
    ],
)
def test_keras_is_not_loaded_before_it_is_used(program: str) -> None:
    loaded = loaded_modules(program)
    assert "vaekit" in loaded
    assert not loaded & HEAVY


# Each loads Keras at another point of the import of vaekit. No attribute of the package is used before the models of
# version 0.1 are loaded, whose files name modules that no longer exist.
ORDERS = [
    "import vaekit, keras",
    "import keras, vaekit",
    "import vaekit, tensorflow, keras",
    "from vaekit import layers; import keras",
    "import vaekit.layers, keras",
    "from vaekit.losses import Ink; import keras",
    "import vaekit.batched, keras",
    "from vaekit.models.objectives import ELBO; import keras",
    "import vaekit.pictures, keras",
]
LOAD = f"""
import os
import numpy as np
os.chdir({str(GOLDEN)!r})
cvae, vae = (keras.models.load_model(name, compile=False) for name in ("cvae.keras", "vae.keras"))
images = np.random.default_rng(0).random((32, 8, 8, 1))
np.testing.assert_allclose(cvae.encode(images, np.arange(32) % 3), np.load("cvae-codes.npy"), atol=1e-6)
import vaekit
assert vaekit.plots.scatter and vaekit.pictures.save and vaekit.report.write_report
print(type(cvae).__name__, type(vae).__name__, type(keras.models.load_model("vae.keras").loss).__name__)
"""


@pytest.fixture(scope="module")
def printed() -> Iterator[dict[str, Future[str]]]:
    """What the processes print. They run in parallel, because each takes seconds to import TensorFlow."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {order: pool.submit(fresh_process, f"{order}\n{LOAD}") for order in ORDERS}


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_models_load_after_imports_in_any_order(order: str, printed: dict[str, Future[str]]) -> None:
    if "tensorflow" in order:
        pytest.importorskip("tensorflow")
    assert printed[order].result() == "CVAE VAE Ink\n"
