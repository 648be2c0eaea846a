from __future__ import annotations

import numpy as np

from mdacl_tools.corruption import corrupt_rgb, corrupt_thermal


def ramp(*shape: int) -> np.ndarray:
    return np.broadcast_to(np.linspace(0.1, 0.9, shape[1])[None, :], shape[:2])


def test_every_corruption_keeps_range_and_type() -> None:
    thermal = ramp(60, 80).astype(np.float32)
    rgb = np.repeat((thermal * 255).astype(np.uint8)[..., None], 3, 2)
    changed = 0
    for seed in range(40):
        colour = corrupt_rgb(rgb, np.random.default_rng(seed))
        heat = corrupt_thermal(thermal, np.random.default_rng(seed))
        assert colour.shape == rgb.shape
        assert colour.dtype == np.uint8
        assert heat.shape == thermal.shape
        assert heat.dtype == np.float32
        assert heat.min() >= 0
        assert heat.max() <= 1
        changed += not np.array_equal(colour, rgb)
    assert changed > 30
