"""The doctor counts nodes: none of an earlier test may be heard."""

from __future__ import annotations

import gc

import pytest
from nodes.conftest import bench, collect_ignore_glob, idle_bench, model_folder, processes

__all__ = ["bench", "collect_ignore_glob", "idle_bench", "model_folder", "processes"]


@pytest.fixture(autouse=True)
def no_ghosts() -> None:
    """Lifecycle nodes, once destroyed, are on the graph until their cycles are collected."""
    gc.collect()
