"""Calibration, engine and parameters change while pairs are answered: all of it or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from mdacl_ros.errors import EngineError

from .bench import Bench, wait_until

T0 = 1_700_000_000_000_000_000
MS = 1_000_000


def calibration(path: Path, shift: float, thermal: tuple[int, int] = (160, 120)) -> str:
    """A rig calibration that shows the thermal image ``shift`` RGB pixels to the right."""
    content = {
        "version": 1,
        "kind": "homography",
        "rgb": {"image_width": 320, "image_height": 240},
        "thermal": {"image_width": thermal[0], "image_height": thermal[1]},
        "homography": [[2.0, 0.0, shift], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]],
    }
    path.write_text(yaml.safe_dump(content))
    return str(path)


def left_edge_of_the_person(bench: Bench, stamp: int) -> float:
    """Left edge in RGB pixels of what the thermal camera sees."""
    bench.publish_pair(stamp)
    found = bench.wait_for_stamp(stamp).detections
    box = next(d.bbox for d in found if d.results[0].hypothesis.class_id == "person")
    return float(box.center.position.x - box.size_x / 2)


def reload_engine(bench: Bench) -> tuple[bool, str]:
    answer = bench.call(Trigger, "reload_engine", Trigger.Request())
    return answer.success, answer.message


def set_together(bench: Bench, **values: object) -> tuple[bool, str]:
    request = SetParametersAtomically.Request(
        parameters=[Parameter(name, value=v).to_parameter_msg() for name, v in values.items()]
    )
    result = bench.call(SetParametersAtomically, "set_parameters_atomically", request).result
    return result.successful, result.reason


def test_another_calibration_is_used_from_the_next_pair_on(bench: Bench, tmp_path: Path) -> None:
    before = left_edge_of_the_person(bench, T0)
    assert bench.set_parameter("calibration", calibration(tmp_path / "rig.yaml", 40.0))[0]
    assert left_edge_of_the_person(bench, T0 + 200 * MS) == pytest.approx(before + 40, abs=4)
    bench.wait_for_health("calibration", lambda _l, _m, v: v["kind"] == "homography", "it is shown")
    assert bench.set_parameter("calibration", "")[0]
    assert left_edge_of_the_person(bench, T0 + 400 * MS) == pytest.approx(before, abs=4)
    assert len(bench.factory.engines) == 1


def test_a_calibration_of_other_images_than_arrive_is_refused(bench: Bench, tmp_path: Path) -> None:
    before = left_edge_of_the_person(bench, T0)
    large = calibration(tmp_path / "large.yaml", 40.0, thermal=(640, 512))
    accepted, reason = bench.set_parameter("calibration", large)
    assert not accepted
    assert "is for thermal images of 640x512, 160x120 arrive" in reason
    assert left_edge_of_the_person(bench, T0 + 200 * MS) == pytest.approx(before, abs=1)


def test_a_broken_calibration_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    before = left_edge_of_the_person(bench, T0)
    broken = tmp_path / "rig.yaml"
    broken.write_text("version: 1\nkind: homography\n")
    accepted, reason = set_together(bench, calibration=str(broken), score_threshold=0.9)
    assert not accepted
    assert "rig.yaml" in reason
    assert bench.node.parameters.score_threshold == 0.3
    assert left_edge_of_the_person(bench, T0 + 200 * MS) == pytest.approx(before, abs=1)


def test_what_another_party_refuses_is_not_taken_over_either(bench: Bench) -> None:
    before = bench.node.parameters
    accepted, _ = set_together(bench, score_threshold=0.9, use_sim_time="perhaps")
    assert not accepted
    assert bench.node.parameters == before
    assert bench.node.get_parameter("score_threshold").value == 0.3


def test_the_engine_is_exchanged_while_the_node_answers(bench: Bench) -> None:
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    old = bench.factory.engine
    assert bench.set_parameter("input_width", 192)[0]
    bench.wait_for_health("inference", lambda _l, _m, v: v["pending"] == "True", "it is pending")
    assert reload_engine(bench) == (True, "blob float32 on test, input 192x128")
    bench.publish_pair(T0 + 100 * MS)
    bench.wait_for_stamp(T0 + 100 * MS)
    assert (old.calls, old.closed) == (1, True)
    assert (bench.factory.engine.calls, bench.factory.engine.closed) == (1, False)
    _, _, values = bench.wait_for_health(
        "inference", lambda _l, _m, v: v["pending"] == "False", "nothing is pending"
    )
    assert values["input_size"] == "192x128"
    assert bench.counts()["processed"] == 2  # the same active phase


def test_the_old_engine_goes_on_while_another_is_loaded(bench: Bench) -> None:
    bench.factory.hold.clear()
    client = bench.tester.create_client(Trigger, "/detector_node/reload_engine")
    wait_until(client.service_is_ready, "the service")
    answer = client.call_async(Trigger.Request())
    wait_until(bench.factory.loading.is_set, "it is being loaded")
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    assert not answer.done()
    bench.factory.hold.set()
    wait_until(answer.done, "the answer")
    assert answer.result().success


def test_exchanges_that_overtake_each_other_close_each_engine_once(
    bench: Bench, tmp_path: Path
) -> None:
    # No pair comes in between: calibration, engine and engine again wait for the next one.
    assert bench.set_parameter("calibration", calibration(tmp_path / "rig.yaml", 40.0))[0]
    assert reload_engine(bench)[0]
    assert [engine.closed for engine in bench.factory.engines] == [False, False]
    assert reload_engine(bench)[0]
    assert [engine.closed for engine in bench.factory.engines] == [False, True, False]
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    assert [engine.closed for engine in bench.factory.engines] == [True, True, False]


def test_an_engine_that_does_not_load_leaves_the_old_one(bench: Bench) -> None:
    for error in (EngineError("no such device"), RuntimeError("bad alloc")):
        bench.factory.fail = error
        success, message = reload_engine(bench)
        assert not success
        assert str(error) in message
    bench.publish_pair(T0)
    bench.wait_for_stamp(T0)
    bench.factory.fail = None
    assert reload_engine(bench)[0]


def test_reloading_needs_a_configured_node(idle_bench: Bench) -> None:
    success, message = reload_engine(idle_bench)
    assert not success
    assert "not configured" in message
    assert idle_bench.change_state(Transition.TRANSITION_CONFIGURE)
    assert reload_engine(idle_bench)[0]  # inactive: exchanged at once
    assert [engine.closed for engine in idle_bench.factory.engines] == [True, False]
