"""Render the two pairs on which an INT8 build is compared with float32: models/check_images.

    .venv/bin/python tools/render_check_images.py

They ship beside the models, since a robot that builds its engine has no renderer.
"""

from __future__ import annotations

from pathlib import Path

import cv2

from mdacl_ros.sensing.thermal.normalizer import normalize_once
from mdacl_tools.scenes import Scene, SceneConfig

FOLDER = Path(__file__).resolve().parent.parent / "models" / "check_images"
SEED, SECOND = 7, 1.0


def main() -> None:
    """Write RGB and normalised thermal of a scene by day and by night, 640x480."""
    FOLDER.mkdir(exist_ok=True)
    for light in ("day", "night"):
        pair = Scene(SceneConfig(SEED, light=light)).render(SECOND)
        thermal = cv2.resize(normalize_once(pair.thermal, "16UC1") * 255, (640, 480))
        rgb = cv2.cvtColor(pair.rgb, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(FOLDER / f"{light}_rgb.jpg"), rgb, [cv2.IMWRITE_JPEG_QUALITY, 92])
        cv2.imwrite(str(FOLDER / f"{light}_thermal.jpg"), thermal, [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
