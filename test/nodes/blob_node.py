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


class HangingInference(BlobFactory):
    """Makes engines whose every answer takes for ever."""

    def __call__(self, model: Path, **options: Any) -> BlobEngine:
        engine = super().__call__(model, **options)
        engine.infer = lambda *_, **__: time.sleep(1e6)  # type: ignore[method-assign]
        return engine


if __name__ == "__main__":
    kinds = {"ENDLESS_BUILD": EndlessBuild, "HANGING_INFERENCE": HangingInference}
    factory = next((kind() for name, kind in kinds.items() if name in os.environ), BlobFactory())
    sys.exit(run_node(lambda: DetectorNode(engine_factory=factory)))
