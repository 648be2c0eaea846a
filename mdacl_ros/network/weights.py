"""Model folders: ``weights.safetensors`` + ``model.yaml``; nothing is ever unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mdacl_ros.errors import ModelError
from mdacl_ros.network.config import DetectorConfig
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.model_yaml import MODEL_YAML, WEIGHTS, read_model_yaml


def load_detector(folder: Path) -> Detector:
    """Build the detector of a model folder and load its weights, in float32 and eval mode.

    Raises:
        ModelError: Missing, truncated, foreign or not finite weights, or shapes that do not fit.
    """
    config = DetectorConfig.from_dict(read_model_yaml(folder)["detector"])
    path = folder / WEIGHTS
    state = read_weights(path)  # before the network is built: a damaged file is told at once
    detector = Detector(config)
    detector.auxiliary_head = None  # training only
    try:
        detector.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"{path}: weights do not fit {MODEL_YAML} beside them: {reason}"
        ) from error
    detector.eval().measure_floor()
    return detector


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file, floating-point weights in float32.

    Raises:
        ModelError: The file is missing, truncated or damaged, or holds NaN or inf.
    """
    if not path.is_file():
        raise ModelError(f"model: {path} does not exist; copy the weights beside {MODEL_YAML}")
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"{path}: not a readable safetensors file ({error}); fetch it anew"
        ) from error
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise ModelError(f"{path}: {name} holds NaN or inf; fetch it anew, or train again")
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def save_detector(detector: Detector, folder: Path, extra: dict[str, Any]) -> None:
    """Write a model folder; weights are stored in half precision, norm statistics in single.

    Args:
        detector: Trained detector; its auxiliary head is left out.
        folder: Created when missing.
        extra: Further entries of ``model.yaml`` (training record, estimate calibration).
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        k: (v.half() if v.is_floating_point() and "running_" not in k else v).contiguous()
        for k, v in detector.state_dict().items()
        if not k.startswith("auxiliary_head.")
    }
    save_file(state, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # safetensors leaves it readable by its owner alone
    values = {"detector": detector.config.to_dict(), **extra}
    (folder / MODEL_YAML).write_text(yaml.safe_dump(values, sort_keys=False))


def count_parameters(module: torch.nn.Module) -> int:
    """Number of weights."""
    return sum(p.numel() for p in module.parameters())
