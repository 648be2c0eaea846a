"""The detector node as a process, with the blob engine in place of the network."""

from __future__ import annotations

import sys

from blob_engine import BlobFactory

from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.nodes.process import run_node

if __name__ == "__main__":
    sys.exit(run_node(lambda: DetectorNode(engine_factory=BlobFactory())))
