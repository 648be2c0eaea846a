from __future__ import annotations

from pathlib import Path

import pytest
from network.random_models import MICRO, save_random_model

from mdacl_ros.runtime.cache import EngineCache


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of random weights; read-only, tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("model")
    return save_random_model(folder, MICRO, dominance_estimate={"slope": 0.5, "offset": 0.25})


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> EngineCache:
    """One cache for the session: the engine is built once."""
    return EngineCache(tmp_path_factory.mktemp("cache"))
