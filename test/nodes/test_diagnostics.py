from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.nodes import diagnostics
from mdacl_ros.nodes.diagnostics import COUNTERS, Snapshot
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.warp_plausibility import Plausibility

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
CALIBRATED = {"has_camera_info": {"rgb": True}}
TOPICS = {"rgb": "/rgb/image_raw", "thermal": "/thermal/image_raw"}


def test_every_counter_is_there_from_the_start() -> None:
    _, _, values = diagnostics.cameras(Snapshot(state="unconfigured"))
    assert {name: values[name] for name in COUNTERS} == dict.fromkeys(COUNTERS, 0)


def test_counters_of_other_causes_are_shown_too() -> None:
    counts = Counter(dropped_unpaired_skew=3)
    _, _, values = diagnostics.cameras(Snapshot(state="active", counts=counts))
    assert values["dropped_unpaired_skew"] == 3


@pytest.mark.parametrize(
    ("alive", "level", "said"),
    [
        ({"rgb": True, "thermal": True}, OK, "both"),
        ({"rgb": True, "thermal": False}, WARN, "/thermal/image_raw"),
        ({"rgb": False, "thermal": True}, WARN, "/rgb/image_raw"),
        ({"rgb": False, "thermal": False}, ERROR, "/rgb/image_raw"),
    ],
)
def test_a_dead_camera_is_named(alive: dict[str, bool], level: bytes, said: str) -> None:
    got, message, _ = diagnostics.cameras(Snapshot(state="active", alive=alive, topics=TOPICS))
    assert got == level
    assert said in message


def test_a_camera_that_cannot_be_heard_is_told_why_for_as_long_as_it_lasts() -> None:
    lines = {"rgb": "topic /rgb/image_raw: incompatible QoS", "thermal": ""}
    alive = {"rgb": False, "thermal": True}
    deaf = Snapshot(state="active", alive=alive, topics=TOPICS, incompatible=lines)
    level, message, _ = diagnostics.cameras(deaf)
    assert level == WARN
    assert message == f"no usable frames from rgb (/rgb/image_raw); {lines['rgb']}"
    both = replace(deaf, recent={"incompatible_publisher": lines["rgb"]})
    assert diagnostics.cameras(both)[1] == message


def test_recent_bad_images_warn_and_old_ones_do_not() -> None:
    alive = {"rgb": True, "thermal": True}
    facts = {"bad_image_rgb": "topic /rgb: broken"}
    recent = Snapshot(state="active", alive=alive, facts=facts, recent=facts)
    assert diagnostics.cameras(recent)[:2] == (WARN, "topic /rgb: broken")
    level, _, values = diagnostics.cameras(Snapshot(state="active", alive=alive, facts=facts))
    assert level == OK
    assert values["bad_image_rgb"] == "topic /rgb: broken"


def test_inference_tells_the_reason_it_does_not_run() -> None:
    failed = Snapshot(state="unconfigured", configure_error="no weights")
    assert diagnostics.inference(failed)[:2] == (ERROR, "no weights")
    building = Snapshot(state="unconfigured", progress="building engine: 40%")
    assert diagnostics.inference(building)[:2] == (OK, "building engine: 40%")
    lost = Snapshot(state="active", recent={"failed": "pair lost"})
    assert diagnostics.inference(lost)[:2] == (ERROR, "pair lost")
    running = Snapshot(state="active", rates={"processed": 12.34}, latency_ms={"p50": 40.0})
    level, message, values = diagnostics.inference(running)
    assert (level, message, values["latency_p50_ms"]) == (OK, "12.3 Hz", 40.0)


def test_assumed_registration_warns() -> None:
    assumed = Snapshot(state="active", warnings=("identity",), **CALIBRATED)
    assert diagnostics.calibration(assumed)[:2] == (WARN, "identity")


def test_a_calibration_of_the_wrong_size_warns() -> None:
    found = Plausibility(0.1, 0.25, 0.1, (0.91, 1.28))
    rig = {"file": "rig.yaml", "kind": "identity"}
    snapshot = Snapshot(state="active", implausible=found, calibration=rig, **CALIBRATED)
    level, message, _ = diagnostics.calibration(snapshot)
    assert level == WARN
    assert message.startswith("calibration does not fit these images: edges agree 2.5 times")


def test_a_residual_is_shown_and_a_knock_warns() -> None:
    regions = np.zeros((3, 3, 2), np.float32)
    unsure = Residual((9.0, 0.0), 0.4, 2, regions, (640, 480))
    level, _, values = diagnostics.calibration(Snapshot(state="active", residual=unsure))
    assert level == OK
    assert values == {"residual_confidence": 0.4, "residual_pairs": 2}
    sure = Residual((9.0, -1.0), 0.9, 12, regions, (640, 480))
    rig = {"file": "rig.yaml", "kind": "extrinsics"}
    knocked = Snapshot(state="active", residual=unsure, knocked=sure, calibration=rig, **CALIBRATED)
    level, message, values = diagnostics.calibration(knocked)
    assert level == WARN
    assert message == "rig seems misaligned: thermal off by about 9 px (+9, -1); calibrate again"
    assert "residual_px" not in values  # the newest one is not sure
    without = Snapshot(state="active", residual=sure, knocked=sure, **CALIBRATED)
    _, message, values = diagnostics.calibration(without)
    assert "there is no calibration" in message
    assert values["residual_shift"] == "+9.0 -1.0"


def test_uncalibrated_camera_info_is_said() -> None:
    zeros = Snapshot(
        state="active",
        has_camera_info={"rgb": True},
        unusable_info={"rgb": "is uncalibrated (K is 0)"},
    )
    level, message, _ = diagnostics.calibration(zeros)
    assert level == OK
    assert "camera_info is uncalibrated" in message
    assert "no markers" in message


def test_missing_camera_info_is_said_and_no_warning() -> None:
    level, message, _ = diagnostics.calibration(Snapshot(state="active"))
    assert level == OK
    assert "camera_info" in message


def test_statuses_carry_the_node_name() -> None:
    names = [s.name for s in diagnostics.statuses("/robot/detector_node", Snapshot(state="active"))]
    assert names == [
        f"/robot/detector_node: {part}"
        for part in (
            "cameras",
            "images",
            "inference",
            "engine",
            "calibration",
            "dominance",
            "gates",
        )
    ]


def test_the_engine_tells_where_it_is() -> None:
    building = Snapshot(state="unconfigured", progress="building engine: 40%", build_fraction=0.4)
    level, message, values = diagnostics.engine(building)
    assert (level, values) == (WARN, {"engine_state": "building", "build_percent": 40})
    assert "40%" in message
    failed = diagnostics.engine(Snapshot(state="unconfigured", configure_error="no weights"))
    assert failed == (ERROR, "no weights", {"engine_state": "failed"})
    absent = diagnostics.engine(Snapshot(state="unconfigured", engine={"engine": "openvino"}))
    assert absent[2] == {"engine_state": "absent"}
    loaded = {"engine": "openvino", "precision": "float32", "device": "a CPU"}
    ready = diagnostics.engine(Snapshot(state="inactive", engine=loaded))
    assert ready == (OK, "openvino float32 on a CPU", {"engine_state": "ready"})


@pytest.mark.parametrize(("least", "level"), [(0.0, OK), (8.0, OK), (10.0, WARN)])
def test_a_slow_camera_warns_where_a_rate_is_wanted(least: float, level: bytes) -> None:
    snapshot = Snapshot(
        state="active",
        alive={"rgb": True, "thermal": True},
        rates={"frames_thermal": 9.0},
        min_rates={"rgb": 0.0, "thermal": least},
    )
    got, message, _ = diagnostics.cameras(snapshot)
    assert got == level
    assert ("min_rate_thermal" in message) is (level == WARN)
