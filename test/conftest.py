"""What every test process has: a ROS domain, one PyTorch thread, a place beside the others."""

from __future__ import annotations

import os
from typing import Any

import pytest

WITH_ROS = ("doctor", "launch", "live", "nodes", "fuzz/test_node.py")
"""Folders and files whose tests talk over DDS: mostly waiting, so one process has all of them."""

# Parallel test runs (and robots) must not hear each other.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
# Threads of several processes that spin while they wait take the cores from one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.hookimpl(optionalhook=True)  # on a robot pytest may have no xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file's tests to one process of ``pytest -n``, and all of ROS to a single one."""
    from xdist.scheduler import LoadScopeScheduling

    class FilesAndRos(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::")[0].removeprefix("test/")
            return "ros" if path.startswith(WITH_ROS) else path

    return FilesAndRos(config, log)
