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
from mdacl_ros.runtime.child_build import build_in_child


class EndlessBuild(BlobFactory):
    """Builds in a child process that is never done."""

    def __call__(self, model: Path, **options: Any) -> BlobEngine:
        build_in_child(
            "timeit", ["-n1", "-r1", "import time; time.sleep(1e6)"], options["progress"]
        )
        raise AssertionError("the build ended")


class SilentLoad(BlobFactory):
    """Loads for ever without a word, as a library does that was called and does not return."""

    def __call__(self, model: Path, **options: Any) -> BlobEngine:
        print("loading without a word")
        time.sleep(1e6)
        raise AssertionError("the night is over")


class ThenAnother(BlobFactory):
    """Loads the first engine at once, and every other one like another factory.

    Args:
        other: The other factory.
    """

    def __init__(self, other: BlobFactory) -> None:
        super().__init__()
        self._other = other

    def __call__(self, model: Path, **options: Any) -> BlobEngine:
        return (self._other if self.engines else super().__call__)(model, **options)


class HangingInference(BlobFactory):
    """Makes engines whose every answer takes for ever."""

    def __call__(self, model: Path, **options: Any) -> BlobEngine:
        engine = super().__call__(model, **options)
        engine.infer = lambda *_, **__: time.sleep(1e6)  # type: ignore[method-assign]
        return engine


if __name__ == "__main__":
    kinds = {
        "ENDLESS_BUILD": EndlessBuild,
        "SILENT_LOAD": SilentLoad,
        "HANGING_INFERENCE": HangingInference,
        "RELOAD_ENDLESS_BUILD": lambda: ThenAnother(EndlessBuild()),
        "RELOAD_SILENT_LOAD": lambda: ThenAnother(SilentLoad()),
    }
    factory = next((kind() for name, kind in kinds.items() if name in os.environ), BlobFactory())
    sys.exit(run_node(lambda: DetectorNode(engine_factory=factory)))
