from __future__ import annotations

import pytest

from mdacl_ros.network.detector import Detector

from .random_models import random_detector


@pytest.fixture(scope="session")
def detector() -> Detector:
    """A nano detector of random weights; shared, so tests copy it before they change it."""
    return random_detector()
