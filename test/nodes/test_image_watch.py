from __future__ import annotations

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.nodes.image_watch import LONG_FREEZE_S, ImageWatch, exposure, subsample
from mdacl_ros.types import Frame, Modality

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
MS = 1_000_000
RNG = np.random.default_rng(0)


def rgb(low: int = 0, high: int = 255) -> np.ndarray:
    return RNG.integers(low, high, (480, 640, 3), np.uint8)


def thermal(dtype: type = np.uint16) -> np.ndarray:
    return RNG.integers(7000, 9000, (512, 640)).astype(dtype)


def seen(camera: Modality, *images: np.ndarray, period_ms: int = 100) -> ImageWatch:
    watch = ImageWatch()
    for index, image in enumerate(images):
        watch.look(camera, Frame(image, index * period_ms * MS), index * period_ms / 1e3)
    return watch


@pytest.mark.parametrize(
    ("camera", "image", "said"),
    [
        ("rgb", rgb(), ""),
        ("rgb", rgb(0, 12), "dark"),
        ("rgb", rgb(251, 255), "blown out"),
        ("thermal", thermal(), ""),
        ("thermal", np.minimum(thermal(), 8000), "saturated"),
        ("thermal", np.minimum(thermal(np.float32), 8000), "saturated"),
        ("thermal", np.full((512, 640), np.nan, np.float32), "saturated"),
    ],
)
def test_exposure(camera: Modality, image: np.ndarray, said: str) -> None:
    level, message, _ = seen(camera, image).part(0.0)
    assert level == (WARN if said else OK)
    assert said in message


def test_shares_are_those_of_the_whole_picture() -> None:
    image = rgb(20, 240)
    image[:240] = 0
    assert exposure("rgb", subsample(image)) == pytest.approx({"dark": 0.5, "white": 0}, abs=0.02)


@pytest.mark.parametrize(
    ("repeats", "level", "said"),
    [(2, OK, ""), (8, WARN, "shutter (NUC)"), (40, ERROR, "frozen, restart its driver")],
)
def test_a_repeated_thermal_image_is_a_shutter_and_then_a_freeze(
    repeats: int, level: bytes, said: str
) -> None:
    image = thermal()
    watch = seen("thermal", thermal(), *[image] * (repeats + 1))
    got, message, values = watch.part((repeats + 1) * 0.1)
    assert (got, said in message) == (level, True)
    assert values["frozen_thermal_s"] == pytest.approx(repeats * 0.1)
    assert values["freezes_thermal"] == (repeats * 0.1 >= 0.3)


def test_a_freeze_ends_with_the_next_image_and_is_remembered() -> None:
    image = rgb()
    watch = seen("rgb", *[image] * 10, rgb())
    level, _, values = watch.part(1.0)
    assert (level, values["frozen_rgb_s"], values["freezes_rgb"]) == (OK, 0, 1)


def test_a_frozen_rgb_camera_has_no_shutter() -> None:
    image = rgb()
    _, message, _ = seen("rgb", *[image] * 10).part(0.9)
    assert "rgb repeats one image for 0.9 s: frozen" in message


def test_one_frame_that_serves_many_pairs_is_no_freeze() -> None:
    watch, frame = ImageWatch(), Frame(thermal(), 5)
    for now in range(5):
        watch.look("thermal", frame, float(now))
    assert watch.part(1.0)[2]["frozen_thermal_s"] == 0


def test_a_picture_without_any_detail_is_no_freeze() -> None:
    black = np.zeros((480, 640, 3), np.uint8)
    level, message, values = seen("rgb", *[black] * 60).part(5.9)
    assert (level, values["freezes_rgb"]) == (WARN, 0)
    assert "dark" in message
    assert "repeats" not in message


def test_stamps_that_jump_back_do_not_count_as_a_freeze() -> None:
    watch, image = ImageWatch(), thermal()
    for stamp_ms in (10_000, 10_100, 0, 100):
        watch.look("thermal", Frame(image, stamp_ms * MS), 0.0)
    assert watch.part(0.0)[2]["frozen_thermal_s"] == pytest.approx(0.1)


def test_nothing_is_said_of_a_camera_that_stopped() -> None:
    image = rgb(0, 12)
    watch = seen("rgb", *[image] * 50)
    assert watch.part(4.9)[0] == ERROR
    assert watch.part(4.9 + LONG_FREEZE_S)[:2] == (OK, "pictures are well exposed")


def test_a_look_is_cheap() -> None:
    """No limit on seconds here; the number is printed by ``pytest -s`` and kept in the docs."""
    watch, frames = ImageWatch(), [Frame(rgb(), i * MS) for i in range(30)]
    times = []
    for index, frame in enumerate(frames):
        started = time.perf_counter()
        watch.look("rgb", frame, float(2 * index))  # each one measures the exposure as well
        times.append(time.perf_counter() - started)
    print(f"look with exposure, 640x480: median {1e3 * np.median(times):.3f} ms")
    assert len(watch.part(58.0)[2]) == 4
