"""Imports in fresh processes: what stays unloaded, and that Keras finds vaekit's classes whatever comes first."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden/0.1"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=GOLDEN,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "code",
    [
        "import vaekit",
        "import vaekit; dir(vaekit)",
        "from vaekit.cli import run; sys.argv = ['vaekit', '--help']; run()",
        "from vaekit.cli import run; sys.argv = ['vaekit', 'train', '--help']; run()",
        "sys.argv = ['vaekit', '--help']; runpy.run_module('vaekit', run_name='__main__')",
    ],
)
def test_no_keras_before_it_is_used(code: str) -> None:
    heavy = "{'keras', 'tensorflow', 'jax', 'torch', 'numba'}"
    done = run(f"import atexit, runpy, sys\natexit.register(lambda: print({heavy} & set(sys.modules)))\n{code}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"


# Each loads Keras at another point of the import of vaekit. No attribute of the package is touched before the models of
# version 0.1 are loaded; their files name modules that are gone.
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
LOAD = """
import numpy as np
cvae, vae = (keras.models.load_model(name, compile=False) for name in ("cvae.keras", "vae.keras"))
images = np.random.default_rng(0).random((32, 8, 8, 1))
np.testing.assert_allclose(cvae.encode(images, np.arange(32) % 3), np.load("cvae-codes.npy"), atol=1e-6)
import vaekit
assert vaekit.plots.scatter and vaekit.pictures.save and vaekit.report.write_report
print(type(cvae).__name__, type(vae).__name__, type(keras.models.load_model("vae.keras").loss).__name__)
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[str, subprocess.CompletedProcess[str]]:
    """What the processes print, which spend most of their time importing TensorFlow and therefore run side by side."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(ORDERS, pool.map(lambda order: run(order + LOAD), ORDERS), strict=True))


@pytest.mark.parametrize("order", ORDERS)
def test_models_load_after_imports_in_any_order(
    order: str, outcomes: dict[str, subprocess.CompletedProcess[str]]
) -> None:
    if "tensorflow" in order:
        pytest.importorskip("tensorflow")
    done = outcomes[order]
    assert done.stdout == "CVAE VAE Ink\n", done.stderr[-2000:]
