from __future__ import annotations

from runtime.conftest import cache, model

__all__ = ["cache", "model"]
