"""``model.yaml`` of a model folder; read without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mdacl_ros.errors import ModelError
from mdacl_ros.small_file import read_small_text

WEIGHTS = "weights.safetensors"
MODEL_YAML = "model.yaml"


def read_model_yaml(folder: Path) -> dict[str, Any]:
    """Read ``model.yaml``.

    Raises:
        ModelError: The folder or file is missing or not YAML with a ``detector`` mapping.
    """
    path = folder / MODEL_YAML
    if not path.is_file():
        raise ModelError(
            f"model: {path} does not exist; give a model folder with {MODEL_YAML} and {WEIGHTS}, "
            "e.g. the shipped models/small"
        )
    try:
        values = yaml.safe_load(read_small_text(path))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict) or not isinstance(values.get("detector"), dict):
        raise ModelError(f"{path}: wanted a mapping with the key `detector`")
    return values
