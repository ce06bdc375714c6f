"""Presets: the model that comes with the package, folders, files and addresses, with their checksums."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit
from vaekit.models.presets import SHIPPED, find_preset


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a folder."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_shipped_model_draws_its_classes() -> None:
    model = vaekit.CVAE.from_preset("real7")
    assert model.num_classes == len(SHIPPED["real7"]) == 7
    assert model.prior is not None
    images = model.sample(14, seed=0)
    assert images.shape == (14, 32, 32, 1)
    assert 0.05 < images.mean() < 0.5
    assert find_preset("real7").stat().st_size < 3_000_000


def test_files_and_folders_with_their_checksum(tmp_path: Path) -> None:
    model = tiny_model(vaekit.VAE)
    model.save(tmp_path / "best.keras")
    digest = hashlib.sha256((tmp_path / "best.keras").read_bytes()).hexdigest()
    for preset in (tmp_path, str(tmp_path / "best.keras")):
        loaded = vaekit.VAE.from_preset(preset, sha256=digest.upper())
        assert np.array_equal(loaded.sample(3, seed=0), model.sample(3, seed=0))
    with pytest.raises(ValueError, match=f"best.keras: expected a file with SHA-256 {'0' * 64}, received {digest}"):
        vaekit.VAE.from_preset(tmp_path, sha256="0" * 64)
    with pytest.raises(ValueError, match=r"best\.keras: expected a CVAE, received a model of VAE"):
        vaekit.CVAE.from_preset(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nothing: expected a \.keras file, the folder of a run"):
        vaekit.VAE.from_preset(tmp_path / "nothing")
    (tmp_path / "best.keras").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"best\.keras: expected a \.keras file, received something else or a damaged"):
        vaekit.VAE.from_preset(tmp_path)


def test_an_address_is_fetched_once_and_checked(tmp_path: Path, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    get_file = functools.partial(keras.utils.get_file, cache_dir=str(tmp_path / "keras"))
    monkeypatch.setattr(keras.utils, "get_file", get_file)
    model = tiny_model(vaekit.VAE)
    model.save(tmp_path / "small.keras")
    digest = hashlib.sha256((tmp_path / "small.keras").read_bytes()).hexdigest()
    address = f"{served}/small.keras"
    with pytest.raises(ValueError, match="corrupted"):
        vaekit.VAE.from_preset(address, sha256="0" * 64)
    loaded = vaekit.VAE.from_preset(address, sha256=digest)
    assert np.array_equal(loaded.sample(3, seed=0), model.sample(3, seed=0))
    (tmp_path / "small.keras").unlink()
    assert vaekit.VAE.from_preset(address, sha256=digest).latent_dim == 2
