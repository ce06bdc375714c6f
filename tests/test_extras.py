"""What a base install does, and what it says where an extra is missing: Keras and its backends are hidden."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresh import fresh_process

HIDE = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))
"""
EVERYTHING = ["tensorflow", "jax", "torch", "keras", "skimage", "tensorboard"]
NO_KERAS = (
    'expected Keras and a backend for it, which are not installed: pip install "fastdraw-vaekit[tensorflow]", '
    "or [jax], or [torch]"
)


def without(hidden: list[str], program: str) -> str:
    return fresh_process(HIDE.format(hidden=hidden) + program)


@pytest.mark.parametrize(
    ("hidden", "name", "message"),
    [
        (EVERYTHING, "vaekit.VAE", NO_KERAS),
        (EVERYTHING, "vaekit.plots", NO_KERAS),
        (EVERYTHING, "fastdraw.to_keras_dataset", NO_KERAS),
        (
            ["torch"],
            "fastdraw.to_torch_dataset",
            'expected torch, which is not installed: pip install "fastdraw-vaekit[torch]"',
        ),
        (
            ["tensorflow"],
            "fastdraw.to_tf_dataset",
            'expected tensorflow, which is not installed: pip install "fastdraw-vaekit[tensorflow]"',
        ),
    ],
)
def test_a_missing_package_is_one_line_that_names_the_extra(hidden: list[str], name: str, message: str) -> None:
    program = f"import fastdraw, vaekit\ntry:\n    {name}\nexcept ImportError as error:\n    print(error)"
    assert without(hidden, program) == message + "\n"


def test_the_base_install_reads_draws_and_writes(sample: Path, tmp_path: Path) -> None:
    program = f"""
import fastdraw, vaekit
drawings = fastdraw.open_drawings({str(sample)!r})
assert next(iter(fastdraw.batches(drawings, 8))).shape == (8, 32, 32, 1)
from fastdraw.cli import main
for arguments in (["--help"], ["rasterize", {str(sample)!r}, "--out", {str(tmp_path / "out")!r}, "--quiet"]):
    main(arguments, standalone_mode=False) if arguments != ["--help"] else None
from vaekit.cli import main
try:
    main(["--help"])
except SystemExit as end:
    assert not end.code
try:
    main(["train", "vae", "--data", {str(sample)!r}, "--out", {str(tmp_path / "run")!r}])
except SystemExit as end:
    assert end.code == 1
"""
    assert "Autoencoders of drawings" in without(EVERYTHING, program)
    assert not (tmp_path / "run").exists()
