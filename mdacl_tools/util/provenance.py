"""What measured numbers were measured with, so that a page can be held against the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mdacl_ros.network.model_yaml import WEIGHTS
from mdacl_ros.runtime.cache import file_digest
from mdacl_ros.runtime.engine import Engine


def provenance(model: Path, engine: Engine) -> dict[str, Any]:
    """Which weights, run how; plain values.

    Args:
        model: Model folder.
        engine: Made of it.
    """
    return {
        "model": model.name,
        "weights_sha256": file_digest(model / WEIGHTS),
        "engine": engine.name,
        "precision": engine.precision,
        "input_size": list(engine.input_size),
    }
