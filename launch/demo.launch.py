"""Play a recording (or simulated scenes) into the detector: a rehearsal without a robot."""

import os
from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit, OnProcessIO
from launch.events import Shutdown
from launch.events.process import ProcessExited, ProcessIO
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mdacl_ros.config.launch_arguments import boolean, number, whole_number
from mdacl_ros.errors import ParameterError
from mdacl_ros.local_ros import local_environment
from mdacl_ros.nodes.node_creation import NOT_STARTED
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.registry import device_names, engine_names, precision_names
from mdacl_tools.recordings.rehearsal import rehearse

PLAYER_ARGUMENTS = {
    "input": ("", "bag, folder of videos or data set; empty: simulated scenes"),
    "clip": ("", "which clip of a folder with several"),
    "rate": ("1.0", "playback speed, 1.0 is real time"),
    "loops": ("1", "number of passes; 0: for ever"),
}
DETECTOR_ARGUMENTS = {
    "engine": ("", " | ".join(engine_names()) + "; empty: default"),
    "precision": ("", " | ".join(precision_names()) + "; empty: default"),
    "device": ("", " | ".join(device_names()) + "; empty: default"),
    "model": ("", "shipped model name or model folder; empty: default"),
    "calibration": ("", "rig calibration (YAML); empty: as in the parameter file"),
    "namespace": ("", "namespace of both nodes"),
    "rviz": ("false", "open RViz with the package's layout"),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in (PLAYER_ARGUMENTS | DETECTOR_ARGUMENTS).items()
    ]
    return LaunchDescription([*declared, *_environment(), OpaqueFunction(function=_actions)])


def _environment() -> list[LaunchDescriptionEntity]:
    """Keep the rehearsal on this machine, unless the user has chosen otherwise."""
    return [SetEnvironmentVariable(*item) for item in local_environment(os.environ).items()]


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The detector, the player (it waits for the detector), and the end when all is played."""
    given = {
        name: str(LaunchConfiguration(name).perform(context))
        for name in PLAYER_ARGUMENTS | DETECTOR_ARGUMENTS
    }
    rate, loops = number("rate", given["rate"]), whole_number("loops", given["loops"])
    if rate <= 0:
        raise ParameterError(f"argument rate:={given['rate']}: wanted more than 0")
    rehearsal = rehearse(given["input"], given["clip"], rate)
    detector = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(__file__).with_name("perception.launch.py"))),
        launch_arguments=[
            *((name, given[name]) for name in DETECTOR_ARGUMENTS if name != "calibration"),
            ("calibration", given["calibration"] or _calibration(given["input"])),
            ("partner_timeout", str(rehearsal.partner_timeout)),
            ("respawn", "false"),
            ("rviz_frame", rehearsal.frames.get("rgb", "")),
        ],
    )
    player = Node(
        package="mdacl_ros",
        executable="player_node",
        name="player",
        namespace=given["namespace"],
        parameters=[
            {"input": given["input"], "clip": given["clip"], "rate": rate, "loops": loops},
        ],
        output="screen",
    )
    ends = [
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=_played)),
        RegisterEventHandler(OnProcessExit(on_exit=_detector_ended)),
        RegisterEventHandler(OnProcessIO(on_stdout=_detector_says, on_stderr=_detector_says)),
    ]
    transforms = []
    if boolean("rviz", given["rviz"]):
        transforms = [_transform(frame) for frame in sorted(set(rehearsal.frames.values()))]
    return [*ends, detector, player, *transforms]


def _calibration(recording: str) -> str:
    """The simulated cameras show the same view; of others nothing is known."""
    return "" if recording else str(find_resource("calibration/same_view.yaml"))


def _transform(frame: str) -> Node:
    """A static transform to a camera's optical frame (REP-103), so that RViz knows the frame."""
    return Node(
        package="tf2_ros",
        executable="static_transform_publisher",
        name=f"{frame.replace('/', '_')}_transform",
        arguments=[
            *("--roll", "-1.5707963", "--yaw", "-1.5707963"),
            *("--frame-id", "camera_link", "--child-frame-id", frame),
        ],
    )


def _played(event: ProcessExited, context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """End the launch with the player, and with its failure."""
    if event.returncode == 0 or context.is_shutdown:
        return [EmitEvent(event=Shutdown(reason="recording played"))]
    return _fail(f"demo: the player ended with status {event.returncode}, see its error above")


def _detector_ended(event: ProcessExited, context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Without a detector the player would wait for ever."""
    if "detector_node" not in event.process_name or context.is_shutdown:
        return []
    return _fail(f"demo: detector_node ended with status {event.returncode}, see its error above")


def _detector_says(event: ProcessIO) -> list[LaunchDescriptionEntity] | None:
    """A detector that could not start itself waits to be configured: nobody is there to do it."""
    if "detector_node" not in event.process_name or NOT_STARTED.encode() not in event.text:
        return None
    return _fail("demo: detector_node could not start, see its error above")


def _fail(why: str) -> list[LaunchDescriptionEntity]:
    """End the launch, its processes and its exit status with an error."""

    def fail(context: LaunchContext) -> None:
        raise RuntimeError(why)

    return [OpaqueFunction(function=fail)]
