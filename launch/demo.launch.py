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
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mdacl_ros.local_ros import local_environment
from mdacl_ros.runtime.registry import device_names, engine_names, precision_names

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

    def given(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    detector = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(__file__).with_name("perception.launch.py"))),
        launch_arguments=[(name, given(name)) for name in DETECTOR_ARGUMENTS],
    )
    player = Node(
        package="mdacl_ros",
        executable="player_node",
        name="player",
        namespace=given("namespace"),
        parameters=[
            {
                "input": given("input"),
                "clip": given("clip"),
                "rate": float(given("rate")),
                "loops": int(given("loops")),
            }
        ],
        output="screen",
    )
    ended = OnProcessExit(
        target_action=player, on_exit=[EmitEvent(event=Shutdown(reason="recording played"))]
    )
    return [detector, player, RegisterEventHandler(ended)]
