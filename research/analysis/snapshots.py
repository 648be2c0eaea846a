"""The weights a training run kept on its way."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from mdacl_ros.errors import ModelError, RecordingError
from mdacl_ros.network.config import DetectorConfig
from mdacl_ros.network.detector import Detector
from mdacl_ros.network.model_yaml import read_model_yaml

FOLDER = "snapshots"
_NAME = re.compile(r"step_(\d+)\.safetensors")


def find_snapshots(run: Path) -> dict[int, Path]:
    """Snapshot files of a run by step, ascending; empty where it kept none.

    Raises:
        RecordingError: There is no such run folder.
    """
    if not run.is_dir():
        raise RecordingError(f"run {run}: no such folder; give the run folder of `mdacl train`")
    files = (run / FOLDER).glob("*.safetensors")
    found = {int(m.group(1)): p for p in files if (m := _NAME.fullmatch(p.name))}
    return dict(sorted(found.items()))


def run_detector_config(run: Path) -> DetectorConfig:
    """What a run trains: from its ``config.json``, else from the model it wrote.

    Raises:
        ModelError: Neither is there, or not readable.
    """
    path = run / "config.json"
    if not path.is_file():
        return DetectorConfig.from_dict(read_model_yaml(run / "model")["detector"])
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        return DetectorConfig.from_dict(values["detector"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path}: not readable ({type(error).__name__}: {error}), wanted JSON with the key "
            "`detector`; continue the run to have it written again"
        ) from error


def load_snapshot(config: DetectorConfig, path: Path) -> Detector:
    """Build the detector with a snapshot's weights, in eval mode.

    Raises:
        ModelError: The file is damaged or of another architecture.
    """
    detector = Detector(config)
    try:
        state = load_file(path)
        if not any(key.startswith("auxiliary_head.") for key in state):
            detector.auxiliary_head = None  # not kept in model folders
        detector.load_state_dict(state)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable snapshot ({error}); remove it") from error
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{path}: does not fit the run's detector ({reason}); remove snapshots of other runs"
        ) from error
    return detector.eval()
