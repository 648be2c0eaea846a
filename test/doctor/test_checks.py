"""Every trouble is named with a remedy, and a healthy system has none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mdacl_ros.config.parameters import NodeParameters
from mdacl_ros.doctor import surroundings
from mdacl_ros.doctor.checks import (
    check_camera,
    check_health,
    check_listeners,
    check_node,
    check_pairing,
)
from mdacl_ros.doctor.finding import Finding, as_json, as_text, ok, warn
from mdacl_ros.doctor.view import CameraView, SystemView
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.cache import EngineCache

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
LIMITS = NodeParameters()
COMPRESSED = "sensor_msgs/msg/CompressedImage"


def camera(period_ms: int = 100, late_ms: int = 5, count: int = 20, **changes: Any) -> CameraView:
    stamps = tuple(T0 + i * period_ms * MS for i in range(count))
    view = CameraView(
        topic="/rgb/image_raw",
        publishers=("/driver",),
        stamps_ns=stamps,
        arrivals_ns=tuple(s + late_ms * MS for s in stamps),
        encodings=frozenset(["rgb8"]),
        size=(640, 480),
        image_bytes=640 * 480 * 3,
        info_size=(640, 480),
        types=frozenset(["sensor_msgs/msg/Image"]),
        frame_id="camera_optical_frame",
    )
    return replace(view, **changes)


def system(**changes: Any) -> SystemView:
    view = SystemView(
        node="/detector_node",
        nodes=1,
        seconds=2.0,
        cameras={"rgb": camera(), "thermal": camera(encodings=frozenset(["mono16"]))},
        answers=20,
        health={"inference": (0, "10 Hz", {"state": "active"})},
    )
    return replace(view, **changes)


def worst(findings: list[Finding]) -> Finding:
    return max(findings, key=lambda f: ("ok", "warn", "bad").index(f.level))


def test_a_healthy_system_has_no_trouble() -> None:
    view = system()
    findings = check_node(view) + check_pairing(view, LIMITS) + check_health(view)
    for name, seen in view.cameras.items():
        findings += check_camera(name, seen, LIMITS)
    assert {f.level for f in findings} == {"ok"}
    assert not any(f.todo for f in findings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nodes": 0}, "no node /detector_node"),
        ({"nodes": 0, "others": ("/front/detector_node",)}, "found, but /front/detector_node"),
        ({"nodes": 2}, "2 nodes are called"),
        ({"health": {}}, "sends no diagnostics"),
        ({"health": {"inference": (0, "", {"state": "inactive"})}}, "is inactive"),
        ({"answers": 0}, "although images arrive"),
        ({"answers": 0, "cameras": {}}, "no images arrive"),
    ],
)
def test_a_node_in_trouble(changes: dict[str, Any], said: str) -> None:
    finding = worst(check_node(system(**changes)))
    assert finding.level == "bad"
    assert said in finding.what
    assert finding.todo


@pytest.mark.parametrize(
    ("seen", "level", "check", "said"),
    [
        (camera(publishers=()), "bad", "rgb topic", "nobody publishes /rgb/image_raw"),
        (camera(publishers=("/a", "/b")), "warn", "rgb topic", "2 publishers: /a, /b"),
        (camera(mismatched=("/a: best effort",)), "bad", "rgb qos", "best effort"),
        (camera(count=0), "bad", "rgb rate", "no image arrives"),
        (camera(period_ms=800), "bad", "rgb rate", "counts as dead"),
        (camera(count=1), "warn", "rgb rate", "0.0 Hz"),
        (camera(encodings=frozenset(["rgb7"])), "bad", "rgb encoding", "'rgb7' cannot be read"),
        (camera(late_ms=-90_000), "bad", "rgb stamps", "90.00 s ahead of"),
        (camera(stamps_ns=(0,) * 20), "bad", "rgb stamps", "all stamps are 0"),
        (camera(stamps_ns=(T0, T0, T0 + MS)), "bad", "rgb stamps", "1 of 3 stamps do not rise"),
        (camera(info_size=None), "warn", "rgb camera_info", "no markers"),
        (camera(info_size=(320, 240)), "bad", "rgb camera_info", "tells 320x240"),
        (camera(info_fault="is uncalibrated"), "warn", "rgb camera_info", "is uncalibrated"),
        (camera(publishers=(), told=False), "warn", "rgb topic", "does not say what it listens to"),
        (camera(heard=False), "warn", "rgb qos", "has no subscription to /rgb/image_raw"),
        (camera(heard=False, told=False), "warn", "rgb qos", "did not say which topic"),
        (camera(types=frozenset([COMPRESSED])), "bad", "rgb type", "no image is received"),
        (camera(types=frozenset(["std_msgs/msg/String"])), "bad", "rgb type", "std_msgs"),
        (camera(late_ms=-300), "warn", "rgb stamps", "300 ms ahead of this machine's clock"),
    ],
)
def test_a_camera_in_trouble(seen: CameraView, level: str, check: str, said: str) -> None:
    finding = worst(check_camera("rgb", seen, LIMITS))
    assert (finding.level, finding.check) == (level, check)
    assert said in finding.what
    assert finding.todo


def test_simulated_time_is_not_compared_with_the_clock() -> None:
    findings = check_camera("rgb", camera(late_ms=90_000), LIMITS, sim_time=True)
    assert {f.level for f in findings} == {"ok"}


@pytest.mark.parametrize(("offset_ms", "level"), [(40, "ok"), (-300, "bad")])
def test_clocks_of_the_cameras(offset_ms: int, level: str) -> None:
    thermal = camera(period_ms=1000, count=4)
    thermal = replace(thermal, stamps_ns=tuple(s + offset_ms * MS for s in thermal.stamps_ns))
    rgb = camera(period_ms=1000, count=4)
    (finding,) = check_pairing(system(cameras={"rgb": rgb, "thermal": thermal}), LIMITS)
    assert finding.level == level
    assert level == "ok" or "thermal_clock_offset to about 0.300" in finding.todo


@pytest.mark.parametrize("clock_ms", [700, -2000, 60_000])
def test_clocks_further_apart_than_a_period_are_told_as_they_are(clock_ms: int) -> None:
    thermal = camera(late_ms=12)
    thermal = replace(thermal, stamps_ns=tuple(s + clock_ms * MS for s in thermal.stamps_ns))
    (finding,) = check_pairing(system(cameras={"rgb": camera(), "thermal": thermal}), LIMITS)
    assert finding.level == "bad"
    assert f"thermal_clock_offset to about {-clock_ms / 1e3 + 0.007:.3f}" in finding.todo


def test_images_that_only_arrive_late_are_no_clock_apart() -> None:
    thermal = camera(late_ms=205)
    (finding,) = check_pairing(system(cameras={"rgb": camera(), "thermal": thermal}), LIMITS)
    assert finding.level == "ok"


def test_a_listener_that_hears_nothing_is_named() -> None:
    (finding,) = check_listeners(system(deaf=("/logger on /detector_node/detections: durability",)))
    assert (finding.level, "/logger on" in finding.what) == ("bad", True)
    assert check_listeners(system()) == []


def test_what_the_node_complains_of_is_passed_on() -> None:
    health = {
        "cameras": (1, "no usable frames from thermal", {}),
        "dominance": (2, "answers rest on RGB alone", {}),
        "inference": (0, "fine", {}),
    }
    findings = check_health(system(health=health))
    assert [(f.level, f.check) for f in findings] == [
        ("warn", "says: cameras"),
        ("bad", "says: dominance"),
    ]


@pytest.mark.parametrize(
    ("variables", "image_bytes", "level", "said"),
    [
        ({}, 900_000, "warn", "many will be lost"),
        ({}, 100_000, "ok", "images fit"),
        ({}, 0, "warn", "no image seen"),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "/nowhere.xml"}, 0, "bad", "no file /nowhere.xml"),
        ({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}, 900_000, "ok", "cyclonedds"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "off"}, 0, "bad", "range OFF"),
        ({"ROS_LOCALHOST_ONLY": "1"}, 9, "ok", "LOCALHOST"),
    ],
)
def test_dds_settings(variables: dict[str, str], image_bytes: int, level: str, said: str) -> None:
    findings = surroundings.check_dds(variables, image_bytes)
    assert any(f.level == level and said in f.what for f in findings)
    assert worst(findings).level == level


def test_the_shipped_profile_is_fine() -> None:
    variables = {"FASTDDS_DEFAULT_PROFILES_FILE": str(find_resource("config/fastdds.xml"))}
    assert worst(surroundings.check_dds(variables, 900_000)).level == "ok"


def test_an_engine_that_is_not_built_says_how_to(tmp_path: Path) -> None:
    findings = surroundings.check_engine(LIMITS, EngineCache(tmp_path))
    assert findings[0].level == "warn"
    assert "mdacl build --engine openvino --precision float32 --size 640x480" in findings[0].todo
    assert findings[1].level == "ok"
    ready = surroundings.check_engine(replace(LIMITS, engine="torch"), EngineCache(tmp_path))
    assert ready[0].level == "ok"
    nowhere = surroundings.check_engine(replace(LIMITS, model="/no/model"), EngineCache(tmp_path))
    assert nowhere[0].level == "bad"


def test_an_engine_that_cannot_run_here_says_why(tmp_path: Path) -> None:
    impossible = replace(LIMITS, engine="openvino", device="cuda")
    [finding] = surroundings.check_engine(impossible, EngineCache(tmp_path))
    assert finding.level == "bad"
    assert "it does not run on cuda; set device to auto or cpu" in finding.what


def test_calibration_against_the_images() -> None:
    rig = str(find_resource("calibration/example_rig.yaml"))
    check = surroundings.check_calibration
    assert check(rig, {"rgb": None, "thermal": None}).level == "ok"
    wrong = check(rig, {"rgb": (33, 21)})
    assert wrong.level == "bad"
    assert "33x21" in wrong.what
    assert check("/nowhere.yaml", {}).level == "bad"
    assert check("", {"rgb": (640, 480), "thermal": (320, 240)}).level == "warn"
    assert check("", {"rgb": (640, 480), "thermal": (640, 512)}).level == "bad"
    assert check("", {"rgb": (0, 0), "thermal": (640, 512)}).level == "bad"


def test_shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "LEAST_SHARED_MEMORY", 0)
    assert surroundings.check_shared_memory(tmp_path).level == "ok"
    monkeypatch.setattr(surroundings, "LEAST_SHARED_MEMORY", 1 << 62)
    assert "--shm-size" in surroundings.check_shared_memory(tmp_path).todo
    assert surroundings.check_shared_memory(tmp_path / "none").level == "ok"


def test_the_report_shows_the_remedy_below_the_trouble() -> None:
    findings = [ok("node", "active"), warn("dds", "small", "export it")]
    assert as_text(findings).splitlines() == [
        "ok    node                active",
        "warn  dds                 small",
        "                          -> export it",
    ]
    assert as_json(findings)[1] == {
        "level": "warn",
        "check": "dds",
        "what": "small",
        "todo": "export it",
    }
