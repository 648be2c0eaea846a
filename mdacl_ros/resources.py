"""Find what ships beside the code: models, launch files, parameters, layouts, calibrations.

The same call works in a checkout, after ``pip install`` and after ``colcon build``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mdacl_ros.errors import MdaclError

PACKAGE = "mdacl_ros"


class ResourceError(MdaclError):
    """A shipped file or folder that is not where any installation puts it."""


def _checkout() -> Path | None:
    """Return the source tree this module is imported from, if it is one."""
    root = Path(__file__).resolve().parent.parent
    return root if (root / "package.xml").is_file() and (root / "setup.py").is_file() else None


def _ament_share() -> Path | None:
    """Return the package's share folder in the ament index, if ROS knows the package."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        marker = Path(prefix, "share", "ament_index", "resource_index", "packages", PACKAGE)
        if prefix and marker.is_file():
            return Path(prefix, "share", PACKAGE)
    return None


def resource_roots() -> list[Path]:
    """List the folders that may hold resources, the first that has a resource wins.

    A checkout comes first: where the code runs from the source tree, an older installed copy of a
    model must not be taken in its place. The ament index (colcon) and ``sys.prefix`` (pip) follow.

    Returns:
        Existing or not yet existing folders, best first.
    """
    candidates = (_checkout(), _ament_share(), Path(sys.prefix, "share", PACKAGE))
    return [root for root in candidates if root is not None]


def find_resource(name: str | os.PathLike[str]) -> Path:
    """Return the path of a shipped file or folder.

    Args:
        name: Path relative to the package's share folder, for example ``models/small`` or
            ``config/detector.yaml``.

    Returns:
        The absolute path of the existing file or folder.

    Raises:
        ResourceError: No installation of this package has it; the text lists where it was sought.
    """
    roots = resource_roots()
    for root in roots:
        if (root / name).exists():
            return root / name
    sought = ", ".join(str(root) for root in roots)
    raise ResourceError(
        f"resource '{os.fspath(name)}' of {PACKAGE} not found under {sought}; "
        "give its full path, or install the package again (colcon build, or make)"
    )
