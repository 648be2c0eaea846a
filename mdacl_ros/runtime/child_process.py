"""What every child process of ours does before its program starts."""

from __future__ import annotations

import ctypes
import signal
import sys

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
