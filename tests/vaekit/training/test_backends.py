"""The same training on TensorFlow, JAX and torch."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest
from fresh import fresh_process

import fastdraw
import vaekit

DOCS = Path(__file__).parents[3] / "docs"

# Mean losses of steps 1 to 40, 41 to 80 and so on, as this test computes them with Keras 3.15 on TensorFlow 2.21.
CURVE = [582.7, 518.2, 489.4, 465.3, 445.3]


@pytest.mark.slow
def test_the_loss_is_the_same_within_a_hundredth(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    keras.utils.set_random_seed(0)
    model = vaekit.CVAE.for_images((32, 32, 1), latent_dim=16, num_classes=3, units=128, blocks=2)
    rng = np.random.default_rng(0)  # backends draw other weights from one seed
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            variable.assign(rng.standard_normal(variable.shape) * np.sqrt(2 / sum(variable.shape[-2:])))
    model.compile("adam")
    batches = fastdraw.batches(drawings, 128, shuffle=True, seed=0, labels="int", drop_remainder=True, epochs=50)
    losses = model.fit(batches, steps_per_epoch=40, epochs=5, verbose=0).history["loss"]
    assert losses == pytest.approx(CURVE, rel=0.01)


@pytest.mark.slow
def test_the_script_of_the_documentation(sample: Path, tmp_path: Path) -> None:
    text = (DOCS / "training.md").read_text()
    script = re.search(r"```python\n(import os\n.*?)```", text, re.DOTALL)[1]
    assert 'os.environ["KERAS_BACKEND"] = "jax"' in script
    script = script.replace('"jax"', repr(keras.backend.backend())).replace("quickdraw", str(sample))
    fresh_process(f"import os; os.chdir({str(tmp_path)!r})\n{script}")
    assert (tmp_path / "samples.png").stat().st_size > 1000
