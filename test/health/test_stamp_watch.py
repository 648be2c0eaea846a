from __future__ import annotations

import pytest

from mdacl_ros.health.stamp_watch import StampWatch
from mdacl_ros.health.status_part import RECENT
from mdacl_ros.health.synchronizer_state import SynchronizerState
from mdacl_ros.types import Modality


def state(
    received: int = 0,
    disordered: int = 0,
    resets: int = 0,
    frozen: bool = False,
    went_back: tuple[Modality, ...] = (),
) -> SynchronizerState:
    """Of a node whose thermal camera is in order."""
    return SynchronizerState(
        alive={"rgb": True, "thermal": True},
        counts={"clock_resets": resets},
        skew_ms=None,
        frozen={"rgb": False, "thermal": frozen},
        went_back=went_back,
        received={"rgb": received, "thermal": received},
        disordered={"rgb": disordered, "thermal": 0},
    )


def test_cameras_in_order_are_no_remark() -> None:
    watch = StampWatch()
    assert [watch.remarks(state(20 * t), float(t)) for t in range(5)] == [()] * 5


def test_frames_out_of_order_are_told_within_a_second_and_forgotten() -> None:
    watch = StampWatch()
    watch.remarks(state(20, 0), 1.0)
    (remark,) = watch.remarks(state(36, 4), 1.8)
    assert remark.startswith("25% of the rgb frames come late or with a stamp already seen")
    assert watch.remarks(state(50, 4), 2.5)
    assert watch.remarks(state(100, 4), 5.0) == ()


def test_a_single_late_frame_is_no_remark() -> None:
    watch = StampWatch()
    watch.remarks(state(0, 0), 0.0)
    assert watch.remarks(state(9, 1), 0.5) == ()


def test_a_jump_back_is_told_for_a_while() -> None:
    watch = StampWatch()
    assert watch.remarks(state(resets=0), 0.0) == ()
    assert "clock jumped back" in watch.remarks(state(resets=1), 1.0)[0]
    assert watch.remarks(state(resets=1), 0.9 + RECENT)
    assert watch.remarks(state(resets=1), 1.1 + RECENT) == ()


@pytest.mark.parametrize(
    ("went_back", "said"),
    [
        (("rgb",), "rgb stamps jumped back, pairing started again"),
        (("rgb", "thermal"), "rgb and thermal stamps jumped back"),
        ((), "the node's clock jumped back"),
    ],
)
def test_what_jumped_back_is_named(went_back: tuple[Modality, ...], said: str) -> None:
    watch = StampWatch()
    watch.remarks(state(), 0.0)
    assert watch.remarks(state(resets=1, went_back=went_back), 1.0)[0].startswith(said)


def test_a_frozen_camera_is_named() -> None:
    (remark,) = StampWatch().remarks(state(frozen=True), 0.0)
    assert remark.startswith("thermal repeats one image while the other camera's images change")
    assert "frozen, restart its driver" in remark
    assert "thermal_shutter" in remark
