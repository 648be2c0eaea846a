"""A camera's death and return are in the log, once, and without a flood."""

from __future__ import annotations

from mdacl_ros.health.life_log import FIRST_S, PAUSE_S, SURE_S, LifeLog

TOPICS = {"rgb": "/rgb/image_raw", "thermal": "/ir/image"}


def lines(log: LifeLog, now: float, rgb: bool, thermal: bool, frozen: str = "") -> list[str]:
    """Looks at a state that began at ``now``; once it is sure."""
    alive = {"rgb": rgb, "thermal": thermal}
    assert list(log.lines(alive, {frozen: True}, TOPICS, now - SURE_S - 1e-6)) == []
    found = log.lines(alive, {frozen: True}, TOPICS, now)
    return [("warn " if line.warns else "") + line.text for line in found]


def test_what_happens_is_told_once() -> None:
    log = LifeLog(0.0)
    assert lines(log, 0.1, rgb=False, thermal=False) == []  # they have time to appear
    assert lines(log, 0.5, rgb=True, thermal=True) == []
    died = ["warn thermal (/ir/image) has no usable frames: only rgb is left"]
    assert lines(log, 1.0, rgb=True, thermal=False) == died
    assert lines(log, 1.2, rgb=True, thermal=False) == []
    assert lines(log, 2.0, rgb=True, thermal=True) == ["thermal recovered"]
    froze = ["warn thermal (/ir/image) repeats one image: only rgb is left"]
    assert lines(log, 3.0, rgb=True, thermal=False, frozen="thermal") == froze
    assert lines(log, 4.0, rgb=False, thermal=False) == [
        "warn rgb (/rgb/image_raw) has no usable frames: no camera is left"
    ]


def test_a_camera_that_never_comes_is_told_after_a_while() -> None:
    log = LifeLog(0.0)
    assert lines(log, FIRST_S - 0.1, rgb=True, thermal=False) == []
    told = ["warn no usable image has arrived on /ir/image yet"]
    assert lines(log, FIRST_S, rgb=True, thermal=False) == told
    assert lines(log, FIRST_S + 60, rgb=True, thermal=False) == []
    assert lines(log, FIRST_S + 61, rgb=True, thermal=True) == ["thermal recovered"]


def test_what_is_still_so_behind_the_pause_is_told_then() -> None:
    log = LifeLog(0.0)
    assert lines(log, 0.5, rgb=True, thermal=True) == []
    assert len(lines(log, 1.0, rgb=True, thermal=False)) == 1
    assert len(lines(log, 3.0, rgb=True, thermal=True)) == 1
    assert lines(log, 6.0, rgb=True, thermal=False) == []  # told 5 s ago
    assert len(lines(log, 1.0 + PAUSE_S, rgb=True, thermal=False)) == 1
    assert lines(log, 99.0, rgb=True, thermal=False) == []


def test_a_camera_that_comes_and_goes_does_not_flood_the_log() -> None:
    log = LifeLog(0.0)
    told = [line for s in range(100) for line in lines(log, 0.5 * s, True, s % 2 == 0)]
    assert len(told) <= 2 * (50 / PAUSE_S + 1)
