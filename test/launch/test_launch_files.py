"""The launch files start real nodes; skipped where ROS's launch is not installed (pip has none)."""

from __future__ import annotations

import os
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import psutil
import pytest

pytest.importorskip("launch.actions", reason="ROS 2 launch is not on PyPI: not installed here")
pytest.importorskip("launch_ros.actions", reason="ROS 2 launch_ros is not installed here")
pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed here")

ROOT = Path(__file__).resolve().parent.parent.parent
BLOB_NODE = ROOT / "test" / "nodes" / "blob_node.py"
START = f"{sys.executable} -m mdacl_ros.nodes.start"
RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

arguments = [tuple(a.split(":=", 1)) for a in sys.argv[2:]]
service = LaunchService(noninteractive=True)
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    PythonLaunchDescriptionSource(sys.argv[1]), launch_arguments=arguments)]))
sys.exit(service.run())
"""


def has_rviz() -> bool:
    folders = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return any(Path(folder, "share", "rviz2").is_dir() for folder in folders if folder)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """An installation as colcon makes it, whose detector_node runs the blob engine."""
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages" / "mdacl_ros"
    marker.parent.mkdir(parents=True)
    marker.touch()
    (tmp_path / "share" / "mdacl_ros").mkdir()
    folder = tmp_path / "lib" / "mdacl_ros"
    folder.mkdir(parents=True)
    for name, command in {
        "detector_node": f'{sys.executable} {BLOB_NODE} "$@"',
        "player_node": f'{START} player_node "$@"',
        "fault_injector_node": f'{START} fault_injector_node "$@"',
    }.items():
        script = folder / name
        script.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
        script.chmod(0o755)
    return tmp_path


class Launched:
    """``ros2 launch FILE name:=value ...`` and its output."""

    def __init__(self, file: str, prefix: Path, **arguments: str) -> None:
        paths = [str(prefix), *filter(None, [os.environ.get("AMENT_PREFIX_PATH")])]
        python = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = os.environ | {
            "AMENT_PREFIX_PATH": os.pathsep.join(paths),
            "PYTHONPATH": os.pathsep.join(python),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "ROS_LOG_DIR": str(prefix / "log"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(ROOT / "launch" / file)]
            + [f"{name}:={value}" for name, value in arguments.items()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=self.environment,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def wait_for(self, text: str) -> str:
        deadline = time.monotonic() + 60
        while not (found := [line for line in self.lines if text in line]):
            if self.process.poll() is not None and not self._reader.is_alive():
                pytest.fail(f"ended without {text!r}:\n" + "".join(self.lines))
            if time.monotonic() > deadline:
                self.give_up(f"no {text!r}")
            time.sleep(0.01)
        return found[0]

    def give_up(self, why: str) -> NoReturn:
        """Fail with the output, and with what every thread was doing (PYTHONFAULTHANDLER)."""
        os.killpg(self.process.pid, signal.SIGABRT)
        self._reader.join(timeout=10)
        pytest.fail(why + ":\n" + "".join(self.lines))

    def interrupt(self) -> None:
        """Press ctrl-c: the node ends cleanly, and launch with it."""
        self.process.send_signal(signal.SIGINT)
        self.wait_for("process has finished cleanly")
        self.process.wait(timeout=20)
        self._reader.join()


@pytest.fixture
def launched() -> Iterator[list[Launched]]:
    started: list[Launched] = []
    yield started
    for launch in started:
        if launch.process.poll() is None:
            os.killpg(launch.process.pid, signal.SIGKILL)
            launch.process.wait()


def test_perception_starts_by_itself(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    launch = Launched(
        "perception.launch.py",
        prefix,
        model=str(model),
        rgb_image="/front/rgb",
        thermal_image="/front/lwir",
        namespace="robot",
        precision="float32",
        device="cpu",
    )
    launched.append(launch)
    line = launch.wait_for("active: waiting for")
    assert "/front/rgb, /front/lwir" in line
    assert "robot.detector_node" in line
    launch.interrupt()
    assert not [x for x in launch.lines if "Traceback" in x or "exit code" in x]


def test_perception_says_so_when_configuring_fails(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    launch = Launched("perception.launch.py", prefix, model=str(tmp_path / "absent"))
    launched.append(launch)
    launch.wait_for("configure failed: parameter model")
    remedy = launch.wait_for("not started: fix the error above, then: ros2 lifecycle set")
    change = "ros2 lifecycle set /detector_node"
    assert remedy.rstrip().endswith(f"then: {change} configure && {change} activate")
    assert launch.process.poll() is None  # the node stays up and can be configured again
    launch.interrupt()


def test_a_node_that_died_is_started_and_configured_again(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    launch = Launched("perception.launch.py", prefix, model=str(model))
    launched.append(launch)
    launch.wait_for("active: waiting for")
    (node,) = (
        c for c in psutil.Process(launch.process.pid).children() if "blob_node" in str(c.cmdline())
    )
    node.kill()
    launch.wait_for("process has died")
    deadline = time.monotonic() + 60
    while sum("active: waiting for" in line for line in launch.lines) < 2:
        if time.monotonic() > deadline:
            launch.give_up("not active again")
        time.sleep(0.05)
    launch.interrupt()


def test_faults_are_put_between_the_cameras_and_the_detector(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    launch = Launched("faults.launch.py", prefix, model=str(model), namespace="robot")
    launched.append(launch)
    launch.wait_for("8 faults in")
    line = launch.wait_for("active: waiting for")
    assert "/robot/faulty/rgb/image_raw, /robot/faulty/thermal/image_raw" in line
    launch.interrupt()


def test_perception_without_autostart_waits(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    launch = Launched("perception.launch.py", prefix, autostart="false")
    launched.append(launch)
    launch.wait_for("waiting to be configured")
    launch.interrupt()
    assert "active: waiting" not in "".join(launch.lines)


def test_the_demo_keeps_to_this_machine_and_the_robot_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from launch.actions import SetEnvironmentVariable

    def set_by(name: str) -> dict[str, str]:
        make = runpy.run_path(str(ROOT / "launch" / name))["generate_launch_description"]
        actions = [a for a in make().entities if isinstance(a, SetEnvironmentVariable)]
        return {text(a.name): text(a.value) for a in actions}

    def text(substitutions: Any) -> str:
        return "".join(s.text for s in substitutions)

    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    assert set_by("demo.launch.py")["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert set_by("perception.launch.py") == {}
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in set_by("demo.launch.py")


def test_rviz_shows_the_topics_of_a_namespace() -> None:
    remappings = runpy.run_path(str(ROOT / "launch" / "perception.launch.py"))["_rviz_remappings"]
    layout = (ROOT / "rviz" / "perception.rviz").read_text(encoding="utf-8")
    shown = {*re.findall(r"Value: (/detector_node/\S+)", layout), "/detector_node/detections"}
    for namespace in ("robot", "/robot"):
        mapped = dict(remappings(namespace))
        assert mapped == {name: f"/robot{name}" for name in shown}
    assert remappings("") == []


@pytest.mark.skipif(has_rviz(), reason="rviz2 is installed here")
def test_rviz_that_is_not_installed_is_said_in_one_line(
    prefix: Path, launched: list[Launched]
) -> None:
    launch = Launched("perception.launch.py", prefix, rviz="true")
    launched.append(launch)
    assert "wanted ros-$ROS_DISTRO-rviz2; install it" in launch.wait_for("rviz2 is not installed")
    assert not [x for x in launch.lines if "Traceback" in x]


def install_stand_in(prefix: Path, package: str, program: str) -> Path:
    """A program that writes its arguments into the file that is returned, and ends."""
    (prefix / "share" / "ament_index" / "resource_index" / "packages" / package).touch()
    script = prefix / "lib" / package / program
    script.parent.mkdir()
    written = prefix / f"{program}.arguments"
    script.write_text(f'#!/bin/sh\necho "$@" >> {written}\n', encoding="utf-8")
    script.chmod(0o755)
    return written


def wait_for_file(path: Path, launch: Launched) -> str:
    deadline = time.monotonic() + 60
    while not (path.is_file() and path.read_text(encoding="utf-8").endswith("\n")):
        if time.monotonic() > deadline:
            launch.give_up(f"no {path.name}")
        time.sleep(0.05)
    return path.read_text(encoding="utf-8")


def ended(launch: Launched) -> int:
    """The launch's exit status once it ends by itself."""
    try:
        status = launch.process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        launch.give_up("did not end")
    launch._reader.join()
    return status


def test_rviz_opens_the_layout_in_the_namespace(prefix: Path, launched: list[Launched]) -> None:
    written = install_stand_in(prefix, "rviz2", "rviz2")
    launch = Launched(
        "perception.launch.py",
        prefix,
        rviz="on",
        rviz_frame="front_optical",
        namespace="robot",
        autostart="no",
        use_sim_time="True",
    )
    launched.append(launch)
    launch.wait_for("waiting to be configured")
    given = wait_for_file(written, launch)
    assert re.search(r"-d \S+/rviz/perception\.rviz -f front_optical ", given)
    assert "__ns:=/robot" in given
    assert "/detector_node/markers:=/robot/detector_node/markers" in given
    (file,) = re.findall(r"--params-file (\S+)", given)
    assert "use_sim_time: true" in Path(file).read_text(encoding="utf-8")
    launch.process.send_signal(signal.SIGINT)
    launch.process.wait(timeout=20)


def test_rviz_takes_the_frame_of_the_first_camera_info(
    prefix: Path, launched: list[Launched]
) -> None:
    written = install_stand_in(prefix, "rviz2", "rviz2")
    script = prefix / "lib" / "mdacl_ros" / "rviz_in_camera_frame"
    script.write_text(f'#!/bin/sh\nexec {START} rviz_in_camera_frame "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    launch = Launched(
        "perception.launch.py", prefix, rviz="true", rgb_info="/front/info", autostart="false"
    )
    launched.append(launch)
    launch.wait_for("waiting to be configured")
    assert not written.exists()
    publish = """
import rclpy, time
from sensor_msgs.msg import CameraInfo
rclpy.init()
node = rclpy.create_node("camera")
publisher = node.create_publisher(CameraInfo, "/front/info", 1)
message = CameraInfo()
message.header.frame_id = "front_rgb_optical"
while True:
    publisher.publish(message)
    time.sleep(0.1)
"""
    camera = subprocess.Popen([sys.executable, "-c", publish], env=launch.environment)
    try:
        given = wait_for_file(written, launch)
    finally:
        camera.kill()
        camera.wait()
    assert given.startswith("-f front_rgb_optical -d ")
    launch.process.send_signal(signal.SIGINT)
    launch.process.wait(timeout=20)


@pytest.mark.parametrize(
    ("file", "arguments", "said"),
    [
        ("perception.launch.py", {"autostart": "maybe"}, "argument autostart:=maybe: wanted true"),
        ("perception.launch.py", {"respawn": "never"}, "argument respawn:=never: wanted true"),
        ("perception.launch.py", {"rviz": "2"}, "argument rviz:=2: wanted true or false"),
        ("perception.launch.py", {"params_file": "/no/file"}, "params_file:=/no/file: no such"),
        ("faults.launch.py", {"params_file": "/no/file"}, "params_file:=/no/file: no such file"),
        ("demo.launch.py", {"rate": "abc"}, "argument rate:=abc: wanted a number"),
        ("demo.launch.py", {"rate": "0"}, "argument rate:=0: wanted more than 0"),
        ("demo.launch.py", {"loops": "1.5"}, "argument loops:=1.5: wanted a whole number"),
        ("demo.launch.py", {"input": "/no/bag"}, "recording /no/bag: no such file or folder"),
    ],
)
def test_arguments_that_cannot_be_meant_end_the_launch(
    prefix: Path, launched: list[Launched], file: str, arguments: dict[str, str], said: str
) -> None:
    launch = Launched(file, prefix, **arguments)
    launched.append(launch)
    assert ended(launch) != 0
    assert [line for line in launch.lines if said in line], launch.lines
    assert not [line for line in launch.lines if "Traceback" in line]


def test_a_node_that_was_given_nonsense_is_not_started_for_ever(
    prefix: Path, launched: list[Launched]
) -> None:
    bad = prefix / "bad.yaml"
    bad.write_text("/**: {ros__parameters: {use_sim_time: 5}}\n", encoding="utf-8")
    node = prefix / "lib" / "mdacl_ros" / "detector_node"
    node.write_text("#!/bin/sh\necho cannot >&2\nexit 2\n", encoding="utf-8")
    launch = Launched("perception.launch.py", prefix, params_file=str(bad))
    launched.append(launch)
    launch.wait_for("detector_node is not started again: its parameters or arguments")
    time.sleep(4)  # twice the respawn delay
    assert sum("cannot\n" in line for line in launch.lines) == 1
    launch.process.send_signal(signal.SIGINT)
    launch.process.wait(timeout=20)


def test_the_demo_s_failure_is_the_launch_s(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    launch = Launched("demo.launch.py", prefix, model=str(tmp_path / "absent"))
    launched.append(launch)
    assert ended(launch) != 0
    launch.wait_for("demo: detector_node could not start")


def test_a_player_that_fails_ends_the_demo_with_an_error(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    player = prefix / "lib" / "mdacl_ros" / "player_node"
    player.write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    launch = Launched("demo.launch.py", prefix, model=str(model))
    launched.append(launch)
    assert ended(launch) != 0
    launch.wait_for("demo: the player ended with status 2")


def test_the_demo_gives_rviz_a_frame_that_a_transform_knows(
    prefix: Path, tmp_path: Path, launched: list[Launched]
) -> None:
    rviz = install_stand_in(prefix, "rviz2", "rviz2")
    transforms = install_stand_in(prefix, "tf2_ros", "static_transform_publisher")
    model = tmp_path / "model"
    model.mkdir()
    launch = Launched("demo.launch.py", prefix, model=str(model), rviz="true")
    launched.append(launch)
    launch.wait_for("active: waiting for")
    assert "-f rgb_optical_frame" in wait_for_file(rviz, launch)
    children = re.findall(r"--child-frame-id (\S+)", wait_for_file(transforms, launch))
    assert "rgb_optical_frame" in children
    launch.process.send_signal(signal.SIGINT)
    launch.process.wait(timeout=30)


@pytest.mark.parametrize("name", ["perception.launch.py", "demo.launch.py", "faults.launch.py"])
def test_every_argument_is_described(name: str) -> None:
    make = runpy.run_path(str(ROOT / "launch" / name))["generate_launch_description"]
    arguments = make().get_launch_arguments()
    assert {"engine", "namespace", "rviz"} <= {a.name for a in arguments}
    assert all(a.description for a in arguments)
