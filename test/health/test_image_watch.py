from __future__ import annotations

import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.health.image_watch import STALE, ImageWatch, exposure, subsample
from mdacl_ros.health.synchronizer_state import SynchronizerState
from mdacl_ros.types import MODALITIES, Frame, Modality

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
MS = 1_000_000
SHUTTER_S = 1.5
RNG = np.random.default_rng(0)


def rgb(low: int = 0, high: int = 255) -> np.ndarray:
    return RNG.integers(low, high, (480, 640, 3), np.uint8)


def thermal(dtype: type = np.uint16) -> np.ndarray:
    return RNG.integers(7000, 9000, (512, 640)).astype(dtype)


def seen(camera: Modality, image: np.ndarray) -> ImageWatch:
    watch = ImageWatch()
    watch.look(camera, Frame(image, 0), 0.0)
    return watch


def state(freezes: int = 0, **still_s: float) -> SynchronizerState:
    """Of cameras that both deliver."""
    return SynchronizerState(
        alive={"rgb": True, "thermal": True},
        counts={},
        skew_ms=None,
        still_s={camera: still_s.get(camera, 0.0) for camera in MODALITIES},
        freezes=dict.fromkeys(MODALITIES, freezes),
        received={"rgb": 1, "thermal": 1},
    )


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
    level, message, _ = seen(camera, image).part(0.0, state(), SHUTTER_S)
    assert level == (WARN if said else OK)
    assert said in message


def test_shares_are_those_of_the_whole_picture() -> None:
    image = rgb(20, 240)
    image[:240] = 0
    assert exposure("rgb", subsample(image)) == pytest.approx({"dark": 0.5, "white": 0}, abs=0.02)


@pytest.mark.parametrize(
    ("camera", "seconds", "shutter_s", "level", "said"),
    [
        ("thermal", 0.0, 1.5, OK, "no recent images"),
        (
            "thermal",
            0.9,
            1.5,
            WARN,
            "thermal repeats one image for 0.9 s: probably its shutter (NUC)",
        ),
        ("thermal", 0.9, 0.0, WARN, "thermal repeats one image for 0.9 s: frozen, restart"),
        ("thermal", 2.0, 1.5, WARN, "frozen, restart its driver; a slower shutter"),
        ("thermal", 4.0, 1.5, ERROR, "thermal repeats one image for 4.0 s: frozen, restart"),
        (
            "thermal",
            4.0,
            5.0,
            WARN,
            "thermal repeats one image for 4.0 s: probably its shutter (NUC)",
        ),
        ("rgb", 0.9, 1.5, WARN, "rgb repeats one image for 0.9 s: frozen, restart its driver"),
        ("rgb", 4.0, 1.5, ERROR, "rgb repeats one image for 4.0 s: frozen, restart its driver"),
    ],
)
def test_a_picture_that_stands_still_is_a_shutter_or_a_freeze(
    camera: Modality, seconds: float, shutter_s: float, level: bytes, said: str
) -> None:
    got, message, values = ImageWatch().part(0.0, state(2, **{camera: seconds}), shutter_s)
    assert (got, said in message) == (level, True)
    assert (values[f"frozen_{camera}_s"], values[f"freezes_{camera}"]) == (seconds, 2)


def test_nothing_is_said_of_a_camera_that_was_never_heard() -> None:
    nobody = SynchronizerState(alive={"rgb": False, "thermal": False}, counts={}, skew_ms=None)
    assert ImageWatch().part(0.0, nobody, SHUTTER_S) == (OK, "no recent images", {})


def test_nothing_is_said_of_the_exposure_of_a_camera_that_stopped() -> None:
    watch = seen("rgb", rgb(0, 12))
    assert watch.part(STALE, state(), SHUTTER_S)[0] == WARN
    assert watch.part(STALE + 0.1, state(), SHUTTER_S)[:2] == (OK, "no recent images")


def test_the_exposure_is_looked_at_once_per_second() -> None:
    watch = seen("rgb", rgb(0, 12))
    watch.look("rgb", Frame(rgb(), 1), 0.9)
    assert watch.part(0.9, state(), SHUTTER_S)[0] == WARN
    watch.look("rgb", Frame(rgb(), 2), 1.0)
    assert watch.part(1.0, state(), SHUTTER_S)[0] == OK


def test_a_look_is_cheap() -> None:
    """No limit on seconds here; the number is printed by ``pytest -s`` and kept in the docs."""
    watch, frames = ImageWatch(), [Frame(rgb(), i * MS) for i in range(30)]
    times = []
    for index, frame in enumerate(frames):
        started = time.perf_counter()
        watch.look("rgb", frame, float(2 * index))  # each one measures the exposure as well
        times.append(time.perf_counter() - started)
    print(f"look with exposure, 640x480: median {1e3 * np.median(times):.3f} ms")
    assert len(watch.part(58.0, state(), SHUTTER_S)[2]) == 6


@pytest.mark.parametrize(
    ("blank", "level", "said"),
    [
        ((0.0, 0.0), OK, "no recent images"),
        ((0.0, 0.5), WARN, "thermal shows nothing in 50% of the image"),
        ((1.0, 0.0), WARN, "rgb shows nothing in the image"),
        ((1.0, 1.0), ERROR, "rgb shows nothing"),
    ],
)
def test_images_that_show_nothing_are_reported_while_recent(
    blank: tuple[float, float], level: bytes, said: str
) -> None:
    watch = ImageWatch()
    watch.processed(blank, 10.0)
    got, message, values = watch.part(11.0, state(), SHUTTER_S)
    assert (got, values["blank_share_rgb"]) == (level, blank[0])
    assert said in message
    assert watch.part(10.1 + STALE, state(), SHUTTER_S)[0] == OK
