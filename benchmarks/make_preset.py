"""Make a small file of a trained model: without its optimizer, weights as float16.

    python benchmarks/make_preset.py runs/samples/ladder-0/best.keras vaekit/models/real7.keras

Prints the size, and how far the two files are apart in nats/image if drawings are given with ``--data``.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

import fastdraw
import vaekit
from fastdraw.storage import replacing

WEIGHTS = "model.weights.h5"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a .keras file")
    parser.add_argument("out", type=Path, help="the file to write")
    parser.add_argument("--data", type=Path, help="folder of .bin files, in the order of the model's classes")
    arguments = parser.parse_args()
    shrink(arguments.model, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes")
    if arguments.data:
        _, _, test = fastdraw.open_drawings(arguments.data).split(validation=0.1, test=0.1)
        for path in (arguments.model, arguments.out):
            model = vaekit.CVAE.from_preset(path)
            print(f"{path}: {-vaekit.evaluate.elbo(model, test.rasterize(), test.labels):.2f} nats/image")


def shrink(source: Path, out: Path) -> None:
    """Write a model again, smaller."""
    trained = keras.models.load_model(source, compile=False)
    model = type(trained).from_config(trained.get_config())  # without the state of an optimizer
    model.set_weights(trained.get_weights())
    model.prior = getattr(trained, "prior", None)
    temporary = out.with_suffix(".tmp.keras")
    model.save(temporary)
    with (
        zipfile.ZipFile(temporary) as old,
        replacing(out) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            new.writestr(zipfile.ZipInfo(name), _halved(content) if name == WEIGHTS else content, zipfile.ZIP_DEFLATED)
    temporary.unlink()


def _halved(content: bytes) -> bytes:
    """A file of HDF5 with its float32 arrays as float16."""
    buffer = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as old, h5py.File(buffer, "w", libver="latest") as new:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                made = new.require_group(name)
            else:
                values = item[()]
                half = isinstance(values, np.ndarray) and values.dtype == np.float32
                made = new.create_dataset(name, data=values.astype(np.float16) if half else values)
            made.attrs.update(item.attrs)

        old.visititems(copy)
        new.attrs.update(old.attrs)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
