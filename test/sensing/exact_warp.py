"""The slow warp that the fixed-point remap is held against."""

from __future__ import annotations

import numpy as np


def exact_warp(image: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Bilinear in float64 at exact coordinates; NaN outside the thermal image."""
    height, width = image.shape
    with np.errstate(invalid="ignore"):
        seen = ((source >= -0.5) & (source <= (width - 0.5, height - 0.5))).all(axis=2)
    at = np.clip(np.nan_to_num(source), 0, (width - 1, height - 1))
    x0, y0 = (
        np.minimum(np.floor(at[..., i]).astype(int), n - 2) for i, n in ((0, width), (1, height))
    )
    x, y = at[..., 0] - x0, at[..., 1] - y0
    values = image.astype(np.float64)
    upper = values[y0, x0] * (1 - x) + values[y0, x0 + 1] * x
    lower = values[y0 + 1, x0] * (1 - x) + values[y0 + 1, x0 + 1] * x
    return np.where(seen, upper * (1 - y) + lower * y, np.nan)
