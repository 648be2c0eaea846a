"""Which requirement files belong to a ROS distribution and to the running Python."""

from __future__ import annotations

import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
DISTRIBUTIONS = ("kilted", "jazzy")
"""ROS 2 distributions whose wheels are used; the first is the default."""

PYTHONS = {"kilted": ((3, 11), (3, 13)), "jazzy": ((3, 12), (3, 12))}
"""Oldest and newest Python for which the distribution's wheels exist."""


def direct_files(distribution: str) -> list[Path]:
    """Return the files that name what this project itself asks for."""
    return [REQUIREMENTS / "direct.txt", REQUIREMENTS / f"{distribution}.txt"]


def lock_file(distribution: str) -> Path:
    """Return the lock file of ``distribution`` and this Python, whether it exists or not."""
    version = "{}.{}".format(*sys.version_info[:2])
    return REQUIREMENTS / f"lock-{distribution}-py{version}.txt"


def requirement_files(distribution: str) -> list[Path]:
    """Return the lock file of this Python, or the direct requirements where there is none."""
    lock = lock_file(distribution)
    return [lock] if lock.is_file() else direct_files(distribution)
