"""The real detector node with a blob finder in place of the network; run as a process."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "nodes"))

from blob_engine import BlobFactory

from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.nodes.process import run_node

if __name__ == "__main__":
    sys.exit(run_node(lambda: DetectorNode(engine_factory=BlobFactory())))
