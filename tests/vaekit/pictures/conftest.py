"""Models that know nothing, but whose images all differ from each other."""

from __future__ import annotations

import pytest
from models import tiny_model

import vaekit


@pytest.fixture(scope="session")
def vae() -> vaekit.VAE:
    return tiny_model(vaekit.VAE, 3, contrast=3)


@pytest.fixture(scope="session")
def cvae() -> vaekit.CVAE:
    return tiny_model(vaekit.CVAE, 3, contrast=3, num_classes=4)
