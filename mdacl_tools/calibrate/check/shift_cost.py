"""What a residual costs in detection quality, from the measured shift robustness of the weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mdacl_ros.errors import ModelError
from mdacl_ros.runtime.cache import file_digest
from mdacl_tools.corruption.rgb import REFERENCE_WIDTH

TABLE = "robustness.json"
"""File in a model's folder, written by ``mdacl analyse corruption --json``."""


@dataclass(frozen=True, slots=True)
class ShiftTable:
    """mAP50 over misregistration, as ``mdacl analyse corruption`` measured it.

    Attributes:
        pixels: Shifts at an image width of 640, ascending from 0.
        map50: In [0, 1], as many.
        weights_sha256: Which weights it belongs to.
        images: How many pairs it was measured on.
        data: Their name.
        input_size: ``(width, height)`` of the network input it was measured at.
    """

    pixels: tuple[float, ...]
    map50: tuple[float, ...]
    weights_sha256: str
    images: int
    data: str
    input_size: tuple[int, int]

    def map50_at(self, pixels: float, width: int) -> float:
        """Interpolated mAP50 of a shift; that of the largest one measured beyond it.

        Args:
            pixels: Shift in pixels of the RGB image.
            width: Of the RGB image.
        """
        at = pixels * REFERENCE_WIDTH / width
        return float(np.interp(at, self.pixels, self.map50))

    def covers(self, pixels: float, width: int) -> bool:
        """Whether a shift is no larger than those measured."""
        return pixels * REFERENCE_WIDTH / width <= self.pixels[-1]

    def belongs_to(self, weights: Path) -> bool:
        """Whether it was measured with this weights file."""
        return weights.is_file() and file_digest(weights) == self.weights_sha256


def load_shift_table(path: Path) -> ShiftTable:
    """Read a table.

    Args:
        path: JSON of ``mdacl analyse corruption``.

    Raises:
        ModelError: It is missing, not such a table, or without the shift's rows.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows = sorted((float(row["pixels"]), float(row["map50"])) for row in content["shift"])
        clean = float(content["clean"]["map50"])
        width, height = (int(side) for side in content["input_size"])
        if not rows or not clean > 0:
            raise ValueError("no rows under 'shift', or nothing detected without one")
        return ShiftTable(
            pixels=(0.0, *(pixels for pixels, _ in rows)),
            map50=(clean, *(map50 for _, map50 in rows)),
            weights_sha256=str(content["weights_sha256"]),
            images=int(content["images"]),
            data=str(content["data"]),
            input_size=(width, height),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"has no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelError(
            f"shift table {path}: cannot be read ({' '.join(reason.split())}); make it with"
            f" mdacl analyse corruption --kinds thermal_shift --json {path}"
        ) from error
