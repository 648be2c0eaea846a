"""Several rigs in one process, with one blob engine in place of the network."""

from __future__ import annotations

import os
import sys
import time

from blob_engine import BlobFactory
from blob_node import HangingInference

from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.nodes.rigs_node import run_rigs


def hang() -> None:
    """A callback that does not return."""
    print("a callback hangs")
    time.sleep(1e6)


if __name__ == "__main__":
    if "HANGING_CALLBACK" in os.environ:
        DetectorNode.start = lambda node: node.create_timer(0.1, hang)  # type: ignore
    factory = HangingInference() if "HANGING_INFERENCE" in os.environ else BlobFactory()
    status = run_rigs(factory=factory)
    print(f"engines loaded: {len(factory.engines)}")
    print(f"engines closed: {sum(engine.closed for engine in factory.engines)}")
    sys.exit(status)
