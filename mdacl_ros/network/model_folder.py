"""Where a model lies: a shipped name or a folder, the same for the node and every command."""

from __future__ import annotations

import os
from pathlib import Path

from mdacl_ros.errors import ModelError
from mdacl_ros.resources import find_resource, resource_roots
from mdacl_ros.small_file import user_path


def find_model(name: str | os.PathLike[str], where: str = "argument --model") -> Path:
    """Find a model: a folder of that path, or one shipped under that name.

    Args:
        name: What was given.
        where: Start of an error's line.

    Raises:
        ModelError: Neither exists.
    """
    given = user_path(Path(name))
    if given.is_dir():
        return given
    shipped = shipped_models()
    if os.fspath(name) in shipped:
        return find_resource(f"models/{os.fspath(name)}")
    raise ModelError(
        f"{where}: no folder {os.fspath(name)!r}; give a shipped name ({', '.join(shipped)}) or "
        "the path of a folder with model.yaml and weights"
    )


def shipped_models() -> tuple[str, ...]:
    """Names of the models that ship."""
    folders = (folder for root in resource_roots() for folder in (root / "models").glob("*"))
    return tuple(sorted({folder.name for folder in folders if (folder / "model.yaml").is_file()}))
