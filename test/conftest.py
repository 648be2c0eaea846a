"""What every test process has: a ROS domain, one PyTorch thread, a place beside the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
WITH_ROS = ("doctor", "launch", "live", "nodes", "fuzz/test_node.py")
"""Folders and files whose tests talk over DDS: mostly waiting, so one process has all of them."""

# Parallel test runs (and robots) must not hear each other.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
# Threads of several processes that spin while they wait take the cores from one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file to one process of ``pytest -n``, and all of ROS to a single one."""
    for item in items:
        path = item.path.relative_to(ROOT).as_posix()
        group = "ros" if path.startswith(WITH_ROS) else path
        item.add_marker(pytest.mark.xdist_group(group))
