"""Every topic, series and status that a shipped layout shows is really published, as it expects."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Float32
from vision_msgs.msg import Detection2DArray
from visualization_msgs.msg import MarkerArray

from mdacl_ros.resources import find_resource

from .bench import Bench, wait_until

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
TYPES = {
    "/detector_node/overlay": Image,
    "/detector_node/thermal_registered": Image,
    "/detector_node/markers": MarkerArray,
    "/detector_node/detections": Detection2DArray,
    "/detector_node/dominance": DiagnosticArray,
    "/detector_node/mdi": Float32,
    "/detector_node/reliance": Float32,
    "/diagnostics": DiagnosticArray,
}
RVIZ_TYPES = {"Image": Image, "MarkerArray": MarkerArray}
FOXGLOVE_PANELS = {"Image": Image, "3D": MarkerArray, "RawMessages": Detection2DArray}
FOXGLOVE_PATH = re.compile(
    r'(?P<topic>[/\w]+)(\.(?P<field>data)|\.status\[(?P<index>:|\d+)\](\{name=="(?P<name>[^"]+)"\})?'
    r'\.values\[:\]\{key=="(?P<key>\w+)"\}\.value)'
)


def rviz_displays() -> list[dict[str, Any]]:
    layout = yaml.safe_load(find_resource("rviz/perception.rviz").read_text(encoding="utf-8"))
    return [d for d in layout["Visualization Manager"]["Displays"] if "Topic" in d]


def rviz_qos(topic: dict[str, Any]) -> QoSProfile:
    """The subscription that RViz makes of a display's topic properties."""
    reliable = {
        "Reliable": ReliabilityPolicy.RELIABLE,
        "Best Effort": ReliabilityPolicy.BEST_EFFORT,
    }
    durable = {
        "Volatile": DurabilityPolicy.VOLATILE,
        "Transient Local": DurabilityPolicy.TRANSIENT_LOCAL,
    }
    assert topic["History Policy"] == "Keep Last"
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=topic["Depth"],
        reliability=reliable[topic["Reliability Policy"]],
        durability=durable[topic["Durability Policy"]],
    )


def foxglove() -> dict[str, dict[str, Any]]:
    text = find_resource("config/foxglove_layout.json").read_text(encoding="utf-8")
    return json.loads(text)["configById"]


def foxglove_paths() -> list[re.Match[str]]:
    found = []
    for name, panel in foxglove().items():
        for path in panel["paths"] if name.startswith("Plot!") else []:
            match = FOXGLOVE_PATH.fullmatch(path["value"])
            assert match, path["value"]
            found.append(match)
    return found


def foxglove_topics() -> dict[str, type]:
    """Topics of panels that are no plots, and the type their panel shows."""
    found: dict[str, type] = {}
    for name, panel in foxglove().items():
        kind = name.split("!")[0]
        if kind == "Image":
            found[panel["imageMode"]["imageTopic"]] = FOXGLOVE_PANELS[kind]
        elif kind == "3D":
            found |= dict.fromkeys(panel["topics"], FOXGLOVE_PANELS[kind])
        elif kind == "RawMessages":
            found[panel["topicPath"]] = FOXGLOVE_PANELS[kind]
        elif kind.startswith("Diagnostic"):
            found[panel["topicToRender"]] = DiagnosticArray
    return found


def plotjuggler() -> ElementTree.Element:
    return ElementTree.parse(find_resource("config/plotjuggler_layout.xml")).getroot()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, dict[str, Any]]]:
    """A node at work, and the newest message of each topic, heard as RViz would hear it."""
    model: Path = tmp_path_factory.mktemp("model")
    heard: dict[str, Any] = {}
    with Bench({"model": str(model), "reliance_rate": 1000.0}) as bench:
        bench.activate()
        info = bench.tester.create_publisher(CameraInfo, "rgb/camera_info", 5)
        wait_until(lambda: info.get_subscription_count() == 1, "camera_info connects")
        info.publish(CameraInfo(width=320, height=240, k=[300.0, 0, 160, 0, 300, 120, 0, 0, 1]))
        session = bench.node.session
        assert session is not None
        wait_until(lambda: session.cameras["rgb"].camera_info is not None, "camera_info")
        qos = {d["Topic"]["Value"]: rviz_qos(d["Topic"]) for d in rviz_displays()}
        for topic, kind in TYPES.items():
            bench.listen(
                kind, topic, lambda m, t=topic: heard.__setitem__(t, m), qos.get(topic, 10)
            )
        for topic in qos:
            publisher = bench.output(topic.rsplit("/", 1)[1])
            wait_until(lambda p=publisher: p.get_subscription_count() == 1, f"{topic} connects")
        for index in range(3):
            bench.publish_pair(T0 + index * 100 * MS)
            bench.wait_for_stamp(T0 + index * 100 * MS)
        beats = bench.health_beats
        wait_until(lambda: bench.health_beats > beats + 1, "diagnostics of these pairs")
        wait_until(lambda: set(heard) == set(TYPES), f"all topics; heard {sorted(heard)}")
        yield bench, dict(heard)


def series(heard: dict[str, Any]) -> set[str]:
    """Names of PlotJuggler's series: topic, hardware id unless empty, status name and key."""
    names = {"/detector_node/mdi/data", "/detector_node/reliance/data"}
    for topic in ("/detector_node/dominance", "/diagnostics"):
        for status in heard[topic].status:
            place = "/".join(filter(None, [topic, status.hardware_id, status.name]))
            names |= {f"{place}/{v.key}" for v in status.values if is_number(v.value)}
    return names


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("display", rviz_displays(), ids=lambda d: d["Name"])
def test_rviz_shows_what_is_published(watched: Any, display: dict[str, Any]) -> None:
    bench, heard = watched
    topic = display["Topic"]["Value"]
    kind = RVIZ_TYPES[display["Class"].rsplit("/", 1)[1]]
    assert isinstance(heard[topic], kind)
    (publisher,) = bench.tester.get_publishers_info_by_topic(topic)
    verdict, reason = qos_check_compatible(publisher.qos_profile, rviz_qos(display["Topic"]))
    assert verdict != QoSCompatibility.ERROR, reason
    if kind is MarkerArray:
        namespaces = {m.ns for m in heard[topic].markers} - {""}
        assert namespaces == set(display["Namespaces"])


def test_rviz_looks_along_the_camera() -> None:
    """RViz's orbit: the eye is at (cos yaw cos pitch, sin yaw cos pitch, sin pitch), z is up."""
    layout = yaml.safe_load(find_resource("rviz/perception.rviz").read_text(encoding="utf-8"))
    view = layout["Visualization Manager"]["Views"]["Current"]
    assert view["Class"] == "rviz_default_plugins/Orbit"
    yaw, pitch = view["Yaw"], view["Pitch"]
    eye = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    up = np.array([0, 0, 1.0]) - eye[2] * eye
    assert -eye @ [0, 0, 1] > 0.99  # forward, the optical axis
    assert (up / np.linalg.norm(up)) @ [0, -1, 0] > 0.99  # y of an optical frame points down
    assert view["Focal Point"]["Z"] - view["Distance"] < 0  # from behind the camera


@pytest.mark.parametrize(("topic", "kind"), foxglove_topics().items())
def test_foxglove_shows_what_is_published(watched: Any, topic: str, kind: type) -> None:
    bench, heard = watched
    assert isinstance(heard[topic], kind)
    # foxglove_bridge takes over the publishers' QoS, so that alone has to be consistent
    assert len(bench.tester.get_publishers_info_by_topic(topic)) == 1


@pytest.mark.parametrize("path", foxglove_paths(), ids=lambda m: m[0])
def test_foxglove_plots_numbers_that_are_there(watched: Any, path: re.Match[str]) -> None:
    _, heard = watched
    message = heard[path["topic"]]
    if path["field"]:
        assert isinstance(getattr(message, path["field"]), float)
        return
    statuses = list(message.status)
    if path["index"] != ":":
        statuses = [statuses[int(path["index"])]]
    if path["name"]:
        statuses = [s for s in statuses if s.name == path["name"]]
    values = [v.value for s in statuses for v in s.values if v.key == path["key"]]
    assert len(values) == 1
    assert is_number(values[0])


def test_foxglove_places_every_panel_once() -> None:
    panels = foxglove()
    placed = re.findall(r'"(\w+!\w+)"', json.dumps(panels["Tab!main"]))
    assert sorted([*placed, "Tab!main"]) == sorted(panels)


def test_foxglove_and_lichtblick_both_find_the_titles() -> None:
    """Foxglove and its open descendant name the key differently; a bare ``title`` neither reads."""
    for name, panel in foxglove().items():
        assert "title" not in panel, name
        assert panel.get("foxglovePanelTitle") == panel.get("lichtblickPanelTitle"), name


def test_plotjuggler_plots_series_that_are_there(watched: Any) -> None:
    _, heard = watched
    curves = [curve.get("name") for curve in plotjuggler().iter("curve")]
    assert len(curves) > 15
    assert set(curves) <= series(heard), sorted(set(curves) - series(heard))


def test_plotjuggler_subscribes_to_what_it_plots() -> None:
    (chosen,) = plotjuggler().iter("selected_topics")
    topics = str(chosen.get("value")).split(";")
    assert set(topics) <= set(TYPES)
    for curve in plotjuggler().iter("curve"):
        assert any(str(curve.get("name")).startswith(f"{topic}/") for topic in topics)


def test_the_aggregator_groups_every_status_once(watched: Any) -> None:
    _, heard = watched
    text = find_resource("config/diagnostics_aggregator.yaml").read_text(encoding="utf-8")
    groups = yaml.safe_load(text)["analyzers"]["ros__parameters"]
    patterns = [
        pattern
        for group in groups.values()
        if isinstance(group, dict)
        for analyzer in group["analyzers"].values()
        for pattern in analyzer["contains"]
    ]
    for status in heard["/diagnostics"].status:
        assert sum(pattern in status.name for pattern in patterns) == 1, status.name
    names = [status.name for status in heard["/diagnostics"].status]
    assert all(any(pattern in name for name in names) for pattern in patterns)


def test_rviz_opens_with_both_images_large_and_its_panels_as_tabs() -> None:
    layout = yaml.safe_load(find_resource("rviz/perception.rviz").read_text(encoding="utf-8"))
    window = layout["Window Geometry"]
    state = bytes.fromhex(window["QMainWindow State"])
    assert state[:4] == bytes.fromhex("000000ff")  # the marker that Qt's restoreState wants
    images = [
        d["Name"] for d in layout["Visualization Manager"]["Displays"] if "Image" in d["Class"]
    ]
    panels = [panel["Name"] for panel in layout["Panels"]]
    places = {name: state.find(name.encode("utf-16-be")) for name in [*images, *panels]}
    # Left dock area first (Qt writes its number, 0), then the right one (1), by object name.
    assert all(place > 0 for place in places.values()), places
    assert max(places[name] for name in panels) < min(places[name] for name in images)
    assert set(window) >= {*images, *panels, "Width", "Height"}


def test_rviz_sees_the_boxes_plane_straight_on() -> None:
    layout = yaml.safe_load(find_resource("rviz/perception.rviz").read_text(encoding="utf-8"))
    view = layout["Visualization Manager"]["Views"]["Current"]
    assert view["Pitch"] == pytest.approx(-np.pi / 2, abs=1e-3)
