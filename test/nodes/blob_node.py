"""The detector node as a process, with the blob engine in place of the network."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from blob_engine import BlobEngine, BlobFactory

from mdacl_ros.nodes.detector_node import DetectorNode
from mdacl_ros.nodes.process import run_node


class EndlessBuild(BlobFactory):
    """Gives signs of life twice a second, as a build in a child process does, and never ends."""

    def __call__(self, model: Path, **options: Any) -> BlobEngine:
        while True:
            options["progress"](0.5, "compiling")
            time.sleep(0.5)


if __name__ == "__main__":
    factory = EndlessBuild() if "ENDLESS_BUILD" in os.environ else BlobFactory()
    sys.exit(run_node(lambda: DetectorNode(engine_factory=factory)))
