from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.errors import ModelError
from mdacl_ros.types import MODALITIES
from mdacl_tools.learning.augmentation import AugmentationConfig, augment
from mdacl_tools.learning.misleading import MISLEADING, LabelledScene, mislead
from mdacl_tools.learning.paste_sources import find_donors
from mdacl_tools.learning.train_config import train_config_from

from .synthetic import rectangle_sample

QUIET = AugmentationConfig(
    size=(160, 128), scale=(0.6, 0.7), drop_modality=0.0, partial_coverage=0.0, corrupt=0.0
)


def images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    rgb = np.full((96, 128, 3), 60, np.uint8)
    rgb[30:60, 40:60] = (200, 120, 40)
    thermal = (0.3 + 0.02 * rng.standard_normal((96, 128))).clip(0, 1).astype(np.float32)
    thermal[30:60, 40:60] = 0.9
    return {"rgb": rgb, "thermal": thermal}


def scene() -> LabelledScene:
    other = {name: np.ascontiguousarray(image[::-1, ::-1]) for name, image in images().items()}
    return LabelledScene(other["rgb"], other["thermal"], np.array([[68, 36, 88, 66]], np.float32))


@pytest.mark.parametrize("kind", MISLEADING)
def test_each_kind_changes_its_camera_alone_and_repeats(kind: str) -> None:
    camera = MISLEADING[kind].camera
    image = images()[camera]
    kept = image.copy()
    changed = mislead(kind, image, scene(), np.random.default_rng(4))
    assert np.array_equal(image, kept)
    assert changed.shape == image.shape
    assert changed.dtype == image.dtype
    assert 0 <= changed.min() <= changed.max() <= (255 if camera == "rgb" else 1)
    assert np.abs(changed.astype(float) - image).max() > (8 if camera == "rgb" else 0.03)
    again = mislead(kind, image, scene(), np.random.default_rng(4))
    assert np.array_equal(changed, again)


def test_decoys_come_from_the_other_scene_and_leave_the_rest() -> None:
    image = np.full((96, 128), 0.3, np.float32)
    changed = mislead("thermal_decoys", image, scene(), np.random.default_rng(1))
    touched = np.abs(changed - image) > 0.2
    assert 0.02 < touched.mean() < 0.1  # one object of 20x30 pixels in 96x128


@pytest.mark.parametrize("camera", [0, 1])
def test_objects_that_neither_camera_shows_are_not_asked_for(camera: int) -> None:
    sample = rectangle_sample([(60, 40, 140, 160)], [0], (320, 256))
    only = sample.visible.copy()
    only[:, 1 - camera] = False  # seen by the misleading camera alone
    config = replace(QUIET, mislead=1.0, mislead_kinds=(f"{MODALITIES[camera]}_blank",))
    donors = find_donors([sample])
    for seen, ignored in ((sample.visible, False), (only, True)):
        item = augment(replace(sample, visible=seen), config, np.random.default_rng(2), donors)
        assert item.present.all()
        assert len(item.ignore) == 1
        assert bool(item.ignore[0]) is ignored


def test_a_pair_of_one_camera_is_left_alone() -> None:
    sample = rectangle_sample([(60, 40, 140, 160)], [0], (320, 256))
    alone = replace(sample, cameras=(True, False))
    config = replace(QUIET, mislead=1.0, mislead_kinds=("rgb_blank",))
    item = augment(alone, config, np.random.default_rng(2), find_donors([sample]))
    assert item.rgb.std() > 5


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ModelError, match=r"mislead_kinds has \['rgb_lies'\], wanted some of"):
        train_config_from({"augmentation": {"mislead_kinds": ["rgb_lies"]}}, "train.yaml")
