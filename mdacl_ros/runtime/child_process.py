"""What every child process of ours does before its program starts."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

import mdacl_ros

_PR_SET_PDEATHSIG = 1
# Looked up now: between fork and exec only the least may happen, other threads may hold locks.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def prepare_child() -> None:
    """Hear SIGINT even if the parent was started deaf to it (nohup, a CI job); end with it.

    To be given to ``subprocess.Popen`` as ``preexec_fn``. The parent is the thread that starts the
    child, which therefore has to outlive it. Ending with the parent is Linux only.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)


def child_environment(**more: str) -> dict[str, str]:
    """Our environment for a child started with ``python -m mdacl_ros...``.

    The package's own folder comes first: started beside a checkout, ``-m`` would take that folder,
    which has the package's name, for the package.
    """
    package = str(Path(mdacl_ros.__file__).resolve().parents[1])
    path = os.pathsep.join(p for p in (package, os.environ.get("PYTHONPATH")) if p)
    return os.environ | {"PYTHONPATH": path} | more
