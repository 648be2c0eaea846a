"""Where the data sets lie."""

from __future__ import annotations

import os
from pathlib import Path

from mdacl_ros.errors import RecordingError


def data_folder() -> Path:
    """Return ``$MDACL_DATA``, or ``../shared/data`` beside the checkout or the current folder.

    Raises:
        RecordingError: Neither exists.
    """
    checkout = Path(__file__).resolve().parents[3]
    named = os.environ.get("MDACL_DATA")
    candidates = [Path(named)] if named else [checkout / "../shared/data", Path("../shared/data")]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate.resolve()
    raise RecordingError(
        f"data folder: none of {[str(c) for c in candidates]} exists; set MDACL_DATA or pass --data"
    )
