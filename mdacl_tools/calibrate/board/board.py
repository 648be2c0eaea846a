"""The targets that can be looked for: what is printed, cut or drilled, in metres.

The board's frame: x along a row of features, y down the columns, z away from who looks at its
front; the first feature is the origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from mdacl_ros.errors import ParameterError

BoardKind = Literal["checkerboard", "circles", "asymmetric_circles", "charuco"]
Points = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

MARKER_SHARE = 0.75
"""Side of a ChArUco marker over side of its square, unless given."""

CIRCLE_SHARE = 0.5
"""Diameter of a circle over the distance to its nearest neighbour, unless given."""


@dataclass(frozen=True, slots=True)
class Board:
    """A flat calibration target.

    Attributes:
        kind: What is on it.
        columns: Inner corners (checkerboard), circles (in one row), or squares (ChArUco) across.
        rows: The same down; an asymmetric grid counts every row of circles.
        spacing: Metres: side of a square, or between circle centres; for asymmetric circles half
            the distance between neighbours of one row, as OpenCV counts.
        feature: Metres: diameter of a circle or side of a ChArUco marker; 0: the usual share.
        dictionary: Name of the ChArUco markers' dictionary in ``cv2.aruco``.

    Raises:
        ParameterError: Too few features, or a length that cannot be.
    """

    kind: BoardKind
    columns: int
    rows: int
    spacing: float
    feature: float = 0.0
    dictionary: str = "DICT_4X4_50"

    def __post_init__(self) -> None:
        if min(self.columns, self.rows) < 3:
            raise ParameterError(
                f"--size {self.columns}x{self.rows}: wanted at least 3x3 features; count the inner"
                " corners of a checkerboard, the circles of a grid, the squares of a ChArUco board"
            )
        if not 1e-4 < self.spacing < 10:
            raise ParameterError(
                f"--spacing {self.spacing}: wanted metres between 0.0001 and 10; measure the board"
            )
        if not 0 <= self.feature < self.neighbour_distance:
            name = "--marker" if self.kind == "charuco" else "--diameter"
            raise ParameterError(
                f"{name} {self.feature}: wanted metres, less than {self.neighbour_distance:.4g}"
                " (the distance between neighbours); measure the board"
            )

    @property
    def neighbour_distance(self) -> float:
        """Metres from a feature to its nearest neighbour."""
        return self.spacing * (2**0.5 if self.kind == "asymmetric_circles" else 1.0)

    @property
    def feature_size(self) -> float:
        """Metres: diameter of a circle or side of a marker; 0 for a checkerboard."""
        share = {"checkerboard": 0.0, "charuco": MARKER_SHARE}.get(self.kind, CIRCLE_SHARE)
        return self.feature or share * self.neighbour_distance

    @property
    def grid(self) -> tuple[int, int]:
        """Features across and down; the inner corners of a ChArUco board."""
        less = 1 if self.kind == "charuco" else 0
        return self.columns - less, self.rows - less

    @property
    def points(self) -> Points:
        """Features in the board's frame, ``(N, 3)`` metres, row by row as OpenCV orders them."""
        across, down = self.grid
        row, column = np.divmod(np.arange(across * down), across)
        x = 2 * column + row % 2 if self.kind == "asymmetric_circles" else column
        return np.column_stack((x, row, np.zeros(len(row)))) * self.spacing

    @property
    def symmetries(self) -> list[Indices]:
        """Orders in which a detector may number the features, the printed one first.

        Rotations of the board that look the same to a camera that cannot tell black from white:
        index ``i`` of a permutation is the feature that was numbered ``i``.
        """
        across, down = self.grid
        numbers = np.arange(across * down).reshape(down, across)
        if self.kind == "charuco" or (self.kind == "asymmetric_circles" and down % 2):
            return [numbers.ravel()]
        turns = (0, 2) if across != down or self.kind == "asymmetric_circles" else (0, 1, 2, 3)
        return [np.rot90(numbers, turn).ravel() for turn in turns]

    def __str__(self) -> str:
        name = self.kind.replace("_", " ")
        return f"{name} {self.columns}x{self.rows}, {1e3 * self.spacing:g} mm"
