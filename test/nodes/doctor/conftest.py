"""The doctor counts nodes: none of an earlier test may be heard."""

from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True)
def no_ghosts() -> None:
    """Lifecycle nodes, once destroyed, are on the graph until their cycles are collected."""
    gc.collect()
