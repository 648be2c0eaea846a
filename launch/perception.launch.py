"""Start the detector on a robot: topics, parameters, start and respawn, and RViz if wanted.

The robot's network is left as it is: no ROS_AUTOMATIC_DISCOVERY_RANGE is set here, since a node
that silently hears this machine only would miss cameras and listeners elsewhere. demo.launch.py and
`make` do keep to this machine.
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mdacl_ros.nodes import topics
from mdacl_ros.resources import find_resource
from mdacl_ros.runtime.registry import device_names, engine_names, precision_names

ARGUMENTS = {
    "rgb_image": ("rgb/image_raw", "RGB image topic"),
    "rgb_info": ("rgb/camera_info", "RGB camera_info topic"),
    "thermal_image": ("thermal/image_raw", "thermal image topic"),
    "thermal_info": ("thermal/camera_info", "thermal camera_info topic"),
    "params_file": (str(find_resource("config/detector.yaml")), "parameter file"),
    "engine": ("", " | ".join(engine_names()) + "; empty: as in params_file"),
    "precision": ("", " | ".join(precision_names()) + "; empty: as in params_file"),
    "device": ("", " | ".join(device_names()) + "; empty: as in params_file"),
    "model": ("", "shipped model name or model folder; empty: as in params_file"),
    "calibration": ("", "rig calibration (YAML); empty: as in params_file"),
    "use_sim_time": ("false", "follow /clock, e.g. of `ros2 bag play --clock`"),
    "autostart": ("true", "configure and activate at every start of the process"),
    "respawn": ("true", "start the node again when its process ends without being told to"),
    "namespace": ("", "namespace of the node and of relative topics"),
    "rviz": ("false", "open RViz with the package's layout"),
}
OVERRIDES = ("engine", "precision", "device", "model", "calibration")
"""Arguments that, when given, win over the parameter file."""

RESPAWN_DELAY = 2.0
"""Seconds before a process that died is started again."""


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_actions)])


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The detector, and RViz if wanted."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    detector = Node(
        package="mdacl_ros",
        executable="detector_node",
        name="detector_node",
        namespace=given["namespace"],
        parameters=[given["params_file"], _overrides(given)],
        remappings=_remappings(given),
        respawn=given["respawn"].lower() in ("true", "1"),
        respawn_delay=RESPAWN_DELAY,
        output="screen",
    )
    actions: list[LaunchDescriptionEntity] = [detector]
    if given["rviz"].lower() in ("true", "1"):
        actions.append(_rviz(given["namespace"]))
    return actions


def _rviz(namespace: str) -> Node:
    """RViz with our layout, whose absolute topics are mapped into the namespace.

    Raises:
        RuntimeError: rviz2 is not installed; a robot without a screen does not need it.
    """
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError:
        raise RuntimeError(
            "rviz:=true: package rviz2 is not installed here, wanted ros-$ROS_DISTRO-rviz2; "
            "install it, or leave rviz out and open RViz on another machine"
        ) from None
    return Node(
        package="rviz2",
        executable="rviz2",
        name="rviz2",
        arguments=["-d", str(find_resource("rviz/perception.rviz"))],
        namespace=namespace,
        remappings=_rviz_remappings(namespace),
    )


def _rviz_remappings(namespace: str) -> list[tuple[str, str]]:
    """The layout's topics, which are those of a node without a namespace, to the real ones."""
    prefix = namespace.strip("/")
    shown = (topics.OVERLAY, topics.THERMAL_REGISTERED, topics.MARKERS)
    names = [name.replace("~", f"/{topics.NODE_NAME}") for name in shown]
    return [(name, f"/{prefix}{name}") for name in names] if prefix else []


def _overrides(given: dict[str, str]) -> dict[str, object]:
    """Parameters given as launch arguments."""
    values: dict[str, object] = {name: given[name] for name in OVERRIDES if given[name]}
    values["use_sim_time"] = given["use_sim_time"].lower() in ("true", "1")
    if given["autostart"].lower() in ("true", "1"):
        # The node starts itself rather than by lifecycle events: after a crash DDS believes for
        # twenty seconds that the old process lives, and launch would wait for its answer for ever.
        values["autostart"] = True
    return values


def _remappings(given: dict[str, str]) -> list[tuple[str, str]]:
    """Camera topics; a compressed topic lies below its image topic, as in image_transport."""
    remappings = []
    for camera in ("rgb", "thermal"):
        image = given[f"{camera}_image"]
        remappings += [
            (f"{camera}/image_raw", image),
            (f"{camera}/image_raw/compressed", f"{image}/compressed"),
            (f"{camera}/camera_info", given[f"{camera}_info"]),
        ]
    return remappings
