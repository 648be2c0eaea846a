"""The nodes of test/nodes, for players, monitors and fault injectors."""

from __future__ import annotations

from nodes.conftest import MISSING, bench, idle_bench, model_folder, processes

__all__ = ["bench", "idle_bench", "model_folder", "processes"]

collect_ignore = ["test_player.py", "test_fault_injector.py"] if MISSING else []
