"""Transitions over the lifecycle services: they succeed, or fail cleanly with one line."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition

from mdacl_ros.errors import EngineError

from .bench import Bench, wait_until

CONFIGURE, CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
ACTIVATE, DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
T0 = 1_700_000_000_000_000_000


def test_the_whole_cycle_works_again_and_again(idle_bench: Bench) -> None:
    for cycle in range(3):
        idle_bench.activate()
        assert idle_bench.state() == "active"
        stamp = T0 + cycle * 10**9
        idle_bench.publish_pair(stamp)
        idle_bench.wait_for_stamp(stamp)
        assert idle_bench.counts()["processed"] == 1  # counters start anew at each activation
        assert idle_bench.change_state(DEACTIVATE)
        assert idle_bench.change_state(CLEANUP)
        assert idle_bench.state() == "unconfigured"
        assert idle_bench.factory.engine.closed
    assert len(idle_bench.factory.engines) == 3


def test_cycles_leave_nothing_behind(idle_bench: Bench) -> None:
    def held() -> tuple[int, int]:
        """What the node's callback group refers to, and the threads there are."""
        group = idle_bench.node.default_callback_group
        return len(group.entities), threading.active_count()

    before = held()
    for cycle in range(4):
        idle_bench.activate()
        idle_bench.publish_pair(T0 + cycle)
        idle_bench.wait_for_stamp(T0 + cycle)
        assert idle_bench.change_state(DEACTIVATE)
        assert idle_bench.change_state(CLEANUP)
    assert held() == before


def test_deactivate_and_activate_keep_the_engine(bench: Bench) -> None:
    for cycle in range(3):
        assert bench.change_state(DEACTIVATE)
        assert bench.state() == "inactive"
        wait_until(lambda: bench.cameras["rgb"].get_subscription_count() == 0, "unsubscribed")
        assert bench.change_state(ACTIVATE)
        bench.connect_cameras()
        bench.publish_pair(T0 + cycle)
        bench.wait_for_stamp(T0 + cycle)
    assert len(bench.factory.engines) == 1


def test_an_inactive_node_neither_listens_nor_answers(idle_bench: Bench) -> None:
    assert idle_bench.change_state(CONFIGURE)
    assert idle_bench.node.session is None
    subscriptions = {s.topic_name for s in idle_bench.node.subscriptions}
    assert not {name for name in subscriptions if "image" in name}


def test_deactivate_waits_for_the_pair_in_work(bench: Bench) -> None:
    engine = bench.factory.engine
    engine.gate.clear()
    bench.publish_pair(T0)
    assert engine.entered.wait(10)
    engine.gate.set()
    assert bench.change_state(DEACTIVATE)
    bench.wait_for_stamp(T0)


def test_missing_weights_fail_configure_and_can_be_mended(
    idle_bench: Bench, model_folder: Path
) -> None:
    shutil.rmtree(model_folder)
    assert not idle_bench.change_state(CONFIGURE)
    assert idle_bench.state() == "unconfigured"
    line = idle_bench.node.configure_error
    assert str(model_folder) in line
    assert "\n" not in line
    idle_bench.wait_for_health("inference", lambda level, *_: level == 2, "the error is shown")
    model_folder.mkdir()
    idle_bench.activate()
    assert idle_bench.node.configure_error == ""


def test_a_missing_calibration_file_fails_configure_and_can_be_mended(
    idle_bench: Bench, tmp_path: Path
) -> None:
    absent = str(tmp_path / "absent.yaml")
    assert idle_bench.set_parameter("calibration", absent)[0]
    assert not idle_bench.change_state(CONFIGURE)
    assert absent in idle_bench.node.configure_error
    assert idle_bench.set_parameter("calibration", "")[0]
    idle_bench.activate()


@pytest.mark.parametrize("error", [EngineError("no such device"), RuntimeError("bad alloc")])
def test_an_engine_that_does_not_build_fails_configure(idle_bench: Bench, error: Exception) -> None:
    idle_bench.factory.fail = error
    assert not idle_bench.change_state(CONFIGURE)
    assert idle_bench.state() == "unconfigured"
    assert str(error) in idle_bench.node.configure_error
    idle_bench.factory.fail = None
    idle_bench.activate()


def test_a_wrong_parameter_at_start_fails_configure_until_mended(model_folder: Path) -> None:
    wrong = {"model": str(model_folder), "score_threshold": 7.0, "engine": "onnx", "max_skew": 1}
    with Bench(wrong) as bench:
        assert not bench.change_state(CONFIGURE)
        line = bench.node.configure_error
        assert "parameter score_threshold: got 7.0, wanted 0.0 to 1.0" in line
        assert "parameter engine: got 'onnx', wanted one of auto, " in line
        assert "max_skew" not in line  # an integer serves where a float is wanted
        assert bench.node.parameters.max_skew == 1.0
        assert bench.set_parameter("score_threshold", 0.5)[0]
        assert not bench.change_state(CONFIGURE)
        assert bench.set_parameter("engine", "torch")[0]
        bench.activate()


def test_a_wrong_qos_override_fails_activate_and_the_node_stays_up(model_folder: Path) -> None:
    name = "qos_overrides./rgb/image_raw.subscription.reliability"
    with Bench({"model": str(model_folder), name: "perfect"}) as bench:
        assert bench.change_state(CONFIGURE)
        assert not bench.change_state(ACTIVATE)
        assert bench.state() == "inactive"
        error = bench.node.configure_error
        assert error.startswith("activate failed: parameter qos_overrides./rgb/image_raw: ")
        assert "`perfect`; reliability takes reliable or best_effort" in error
        assert bench.change_state(CLEANUP)


@pytest.mark.parametrize(
    ("topic", "transition"),
    [
        ("/rgb/camera_info.subscription", ACTIVATE),
        ("/detector_node/label_info.publisher", CONFIGURE),
    ],
)
def test_a_wrong_override_of_a_later_topic_leaves_none_of_the_earlier(
    model_folder: Path, topic: str, transition: int
) -> None:
    values = {"model": str(model_folder), f"qos_overrides.{topic}.reliability": "perfect"}
    with Bench(values) as bench:
        if transition == ACTIVATE:
            assert bench.change_state(CONFIGURE)
        before = len([*bench.node.publishers]), len([*bench.node.subscriptions])
        assert not bench.change_state(transition)
        assert (len([*bench.node.publishers]), len([*bench.node.subscriptions])) == before
        if transition == ACTIVATE:
            assert bench.change_state(CLEANUP)
        assert (bench.node.configure_error == "") == (transition == ACTIVATE)


def test_shutdown_from_active(bench: Bench) -> None:
    assert bench.change_state(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert bench.state() == "finalized"
    assert bench.factory.engine.closed
