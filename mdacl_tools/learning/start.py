"""Begin a training with the weights of another one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from mdacl_ros.errors import ModelError
from mdacl_ros.network.config import MODALITIES
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.model_yaml import WEIGHTS, read_model_yaml
from mdacl_ros.runtime.cache import file_digest

_PER_CAMERA = re.compile(r"^(streams\.|fusions\.\d+\.project\.)(\d+)(\..*)$")


def origin(folder: Path) -> dict[str, Any]:
    """What a training that begins with a model folder records of it.

    Returns:
        ``training``, its own record, empty where it has none, and ``weights_sha256``.
    """
    made = read_model_yaml(folder).get("training", {})
    return {"training": made, "weights_sha256": file_digest(folder / WEIGHTS)}


def read_start(folder: Path) -> dict[str, Any]:
    """What the architecture of a run's ``start`` is.

    Raises:
        ModelError: There is no model folder.
    """
    try:
        return dict(read_model_yaml(folder)["detector"])
    except ModelError as error:
        raise ModelError(
            f"training config: start is {folder}, which is no model folder ({error}); a training "
            "writes one at its end, e.g. mdacl train config/train_small.yaml runs/train_small/model"
        ) from error


def load_start(detector: Detector, folder: Path) -> list[str]:
    """Take over every weight of a model folder that fits by name and shape.

    Streams and their projections are matched by camera, so that a detector of one camera starts
    with that camera's part of a fused one, and the other way round. A shared projection (fusion
    ``sum``) starts with the mean of the cameras' own.

    Args:
        detector: Changed in place.
        folder: Model folder.

    Returns:
        Names of the detector's weights that found no partner (new layers).

    Raises:
        ModelError: The folder is unreadable or has no stream for any of the detector's cameras.
    """
    values = read_start(folder)
    path = folder / WEIGHTS
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file ({error})") from error
    names = tuple(values.get("modalities", MODALITIES))
    own = detector.state_dict()
    found = _renumbered(state, names, detector.config.modalities)
    if detector.config.fusion == "sum":
        found |= _shared(found, own)
    fits = {k: v.float() if v.is_floating_point() else v for k, v in found.items() if k in own}
    fits = {k: v for k, v in fits.items() if v.shape == own[k].shape}
    if not any(k.startswith("streams.") for k in fits):
        raise ModelError(
            f"training config: start is {folder}, whose streams {list(names)} fit none of the "
            f"detector's {list(detector.config.modalities)} of size {detector.config.name}"
        )
    for name, value in found.items():  # an auxiliary head is not shipped: begin with its twin
        twin = f"auxiliary_{name}"
        fitting = twin in own and own[twin].shape == value.shape
        if name.startswith("head.") and fitting and twin not in fits:
            fits[twin] = value.float() if value.is_floating_point() else value
    detector.load_state_dict(fits, strict=False)
    return sorted(set(own) - set(fits))


def _shared(found: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Means of the cameras' projections, for where we have one for both."""
    pairs = {
        name: name.replace(".project.0.", ".project.1.") for name in own if ".project.0." in name
    }
    return {
        first: (found[first].float() + found[second].float()) / 2
        for first, second in pairs.items()
        if second not in own and first in found and second in found
    }


def _renumbered(
    state: dict[str, Tensor], theirs: tuple[str, ...], ours: tuple[str, ...]
) -> dict[str, Tensor]:
    """Rename per-camera weights from their order of cameras to ours; drop cameras we lack."""
    renamed = {}
    for name, value in state.items():
        match = _PER_CAMERA.match(name)
        if match is None:
            renamed[name] = value
        elif int(match[2]) < len(theirs) and theirs[int(match[2])] in ours:
            renamed[f"{match[1]}{ours.index(theirs[int(match[2])])}{match[3]}"] = value
    return renamed
