"""Put faults between the cameras and the detector, by a scenario: docs/faults.md.

ros2 launch mdacl_ros faults.launch.py scenario:=<file> rgb_image:=/cam/image_raw ...
"""

from collections.abc import Callable
from pathlib import Path

from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.registry import engine_names

CAMERAS = ("rgb", "thermal")
TOPICS = {
    f"{camera}_{part}": (f"{camera}/{name}", f"{camera} {name} topic of the camera")
    for camera in CAMERAS
    for part, name in (("image", "image_raw"), ("info", "camera_info"))
}
ARGUMENTS = TOPICS | {
    "scenario": (str(find_resource("config/faults_example.yaml")), "what happens when (YAML)"),
    "rgb_transport": ("raw", "raw | compressed; as in the detector's parameter file"),
    "thermal_transport": ("raw", "raw | compressed; as in the detector's parameter file"),
}
DETECTOR_ARGUMENTS = {
    "params_file": (str(find_resource("config/detector.yaml")), "parameter file of the detector"),
    "engine": ("", " | ".join(engine_names()) + "; empty: as in params_file"),
    "model": ("", "shipped model name or model folder; empty: as in params_file"),
    "calibration": ("", "rig calibration (YAML); empty: as in params_file"),
    "namespace": ("", "namespace of both nodes and of relative topics"),
    "rviz": ("false", "open RViz with the package's layout"),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in (ARGUMENTS | DETECTOR_ARGUMENTS).items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_actions)])


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The injector on the cameras' topics, the detector on what it lets through."""

    def given(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    names = ("scenario", "rgb_transport", "thermal_transport")
    injector = Node(
        package="mdacl_ros",
        executable="fault_injector_node",
        name="fault_injector",
        namespace=given("namespace"),
        parameters=[{name: given(name) for name in names}],
        remappings=_remappings(given),
        output="screen",
    )
    faulty = [(name, f"faulty/{default}") for name, (default, _) in TOPICS.items()]
    detector = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(Path(__file__).with_name("perception.launch.py"))),
        launch_arguments=[*((name, given(name)) for name in DETECTOR_ARGUMENTS), *faulty],
    )
    return [injector, detector]


def _remappings(given: Callable[[str], str]) -> list[tuple[str, str]]:
    """What the injector hears; what it publishes keeps its name."""
    pairs = [(default, given(name)) for name, (default, _) in TOPICS.items()]
    compressed = [(f"{a}/compressed", f"{b}/compressed") for a, b in pairs if a.endswith("_raw")]
    return pairs + compressed
