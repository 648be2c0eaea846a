"""Several rigs in one process, with one blob engine in place of the network."""

from __future__ import annotations

import sys

from blob_engine import BlobFactory

from mdacl_ros.nodes.rigs_node import run_rigs

if __name__ == "__main__":
    factory = BlobFactory()
    status = run_rigs(factory=factory)
    print(f"engines loaded: {len(factory.engines)}")
    print(f"engines closed: {sum(engine.closed for engine in factory.engines)}")
    sys.exit(status)
