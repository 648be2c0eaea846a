"""Whatever happens inside the inference: it is told within a second, and the node goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition

from mdacl_ros.nodes.session import DetectionSession

from .bench import Bench, image_message, rgb_scene, wait_until
from .process import BLOB_NODE, SIGNALS, Process

T0 = 1_700_000_000_000_000_000
MS = 1_000_000


def session_of(bench: Bench) -> DetectionSession:
    assert bench.node.session is not None
    return bench.node.session


@pytest.mark.parametrize("error", [RuntimeError("device lost"), SystemExit(3), MemoryError()])
def test_an_unforeseen_error_restarts_the_inference_thread(
    bench: Bench, error: BaseException
) -> None:
    bench.factory.engine.fail = error  # type: ignore[assignment]
    bench.publish_pair(T0)
    wait_until(lambda: bench.counts()["inference_restarts"] == 1, "the restart")
    bench.factory.engine.fail = None
    bench.publish_pair(T0 + 100 * MS)
    bench.wait_for_stamp(T0 + 100 * MS)
    assert bench.counts()["dropped_failed"] == 1
    _, message, _ = bench.wait_for_health(
        "inference", lambda level, *_: level == 2, "the failure is shown"
    )
    assert type(error).__name__ in message
    bench.wait_for_health("cameras", lambda _l, _m, v: v["inference_restarts"] == "1", "counted")


def test_a_hanging_inference_is_reported_and_the_node_goes_on_when_it_returns(
    bench: Bench,
) -> None:
    assert bench.set_parameter("inference_timeout", 0.3)[0]
    engine = bench.factory.engine
    engine.gate.clear()
    bench.publish_pair(T0)
    _, message, _ = bench.wait_for_health(
        "inference", lambda level, text, _v: level == 2 and "hangs" in text, "the hang is shown"
    )
    assert "inference_timeout is 0.3 s" in message
    assert bench.counts()["inference_hangs"] == 1
    engine.gate.set()
    bench.wait_for_stamp(T0)
    bench.publish_pair(T0 + 100 * MS)
    bench.wait_for_stamp(T0 + 100 * MS)
    bench.wait_for_health("inference", lambda level, *_: level == 0, "all is well again")


def test_deactivating_while_the_inference_hangs_leaves_it_behind(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mdacl_ros.nodes.detector_node.STOP_WAIT", 0.1)
    engine = bench.factory.engine
    engine.gate.clear()
    bench.publish_pair(T0)
    assert engine.entered.wait(10)
    assert bench.change_state(Transition.TRANSITION_DEACTIVATE)
    assert bench.node.hangs
    assert not bench.change_state(Transition.TRANSITION_ACTIVATE)
    assert "still hangs" in bench.node.configure_error
    assert bench.change_state(Transition.TRANSITION_CLEANUP)
    assert not engine.closed  # a call is still inside it
    engine.gate.set()
    wait_until(lambda: session_of(bench).busy_s == 0, "the call returns")
    assert bench.stamps() == []  # nobody waits for that answer any more
    wait_until(lambda: not bench.node.hangs, "the thread ends")
    bench.activate()
    bench.publish_pair(T0 + 100 * MS)
    bench.wait_for_stamp(T0 + 100 * MS)


def test_a_status_that_changes_is_published_at_once(bench: Bench) -> None:
    assert bench.set_parameter("partner_timeout", 0.7)[0]
    bench.publish_pair(T0)
    bench.wait_for_health("cameras", lambda level, *_: level == 0, "both alive")
    beats = bench.health_beats
    bench.wait_for_health("cameras", lambda level, *_: level == 2, "both dead")
    assert bench.health_beats - beats <= 3  # with the change itself, not with the next full second


def test_the_largest_image_accepted_changes_live(bench: Bench) -> None:
    assert bench.set_parameter("max_image_pixels", 1000)[0]
    bench.cameras["rgb"].publish(image_message(rgb_scene(), "rgb8", T0, "rgb"))
    wait_until(lambda: bench.counts()["dropped_bad_image_rgb"] == 1, "refused")
    line = session_of(bench).statistics.facts()["bad_image_rgb"]
    assert "got size 320x240, wanted 1x1 up to 16384 a side and 1000 pixels" in line
    assert bench.set_parameter("max_image_pixels", 100_000)[0]
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)


@SIGNALS
def test_a_signal_ends_a_node_whose_inference_hangs(
    processes: list[Process],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    from .cameras import Cameras

    monkeypatch.setenv("HANGING_INFERENCE", "1")
    node = Process(BLOB_NODE, autostart="true", model=str(model_folder), inference_timeout="0.3")
    processes.append(node)
    with Cameras() as cameras:
        cameras.stream()
        node.wait_for("inference hangs")
        assert node.end(number) == 0
    assert "left behind" in node.log()
