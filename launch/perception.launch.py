"""Start the detector on a robot: topics, parameters, start and respawn, and RViz if wanted.

The robot's network is left as it is: no ROS_AUTOMATIC_DISCOVERY_RANGE is set here, since a node
that silently hears this machine only would miss cameras and listeners elsewhere. demo.launch.py and
`make` do keep to this machine.
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mdacl_ros.config.launch_arguments import boolean, existing_file, number
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
    "partner_timeout": (
        "",
        "seconds after which a silent camera is dead; empty: as in params_file",
    ),
    "use_sim_time": ("false", "follow /clock, e.g. of `ros2 bag play --clock`"),
    "autostart": ("true", "configure and activate at every start of the process"),
    "respawn": ("true", "start the node again when its process ends on its own"),
    "namespace": ("", "namespace of the node and of relative topics"),
    "rviz": ("false", "open RViz with the package's layout"),
    "rviz_frame": (
        "",
        "RViz's Fixed Frame; empty: the frame_id of the RGB camera, once it arrives",
    ),
}
OVERRIDES = ("engine", "precision", "device", "model", "calibration")
"""Arguments that, when given, win over the parameter file."""

RESPAWN_DELAY = 2.0
"""Seconds before a process that died is started again."""

WRONG_USE = 2
"""Exit status of a node that was given what it cannot use: another start would end alike."""


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
    given["params_file"] = existing_file("params_file", given["params_file"])
    respawn = boolean("respawn", given["respawn"])
    actions = _detector(given, respawn=respawn)
    if boolean("rviz", given["rviz"]):
        actions.append(_rviz(given))
    return actions


def _detector(given: dict[str, str], *, respawn: bool) -> list[LaunchDescriptionEntity]:
    """The node, started again when its process ends; launch's own ``respawn`` knows no limit."""
    node = Node(
        package="mdacl_ros",
        executable="detector_node",
        name="detector_node",
        namespace=given["namespace"],
        parameters=[given["params_file"], _overrides(given)],
        remappings=_remappings(given),
        output="screen",
    )

    def on_exit(event: ProcessExited, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        if context.is_shutdown:
            return []
        if event.returncode == WRONG_USE:
            why = "its parameters or arguments cannot be used; fix the error above"
            return [LogInfo(msg=f"detector_node is not started again: {why}")]
        again = _detector(given, respawn=respawn)
        return [TimerAction(period=RESPAWN_DELAY, actions=again)]

    if not respawn:
        return [node]
    return [RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit)), node]


def _rviz(given: dict[str, str]) -> Node:
    """RViz with our layout, in the camera's frame, its absolute topics mapped into the namespace.

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
    frame, namespace = given["rviz_frame"], given["namespace"]
    program = ("rviz2", "rviz2") if frame else ("mdacl_ros", "rviz_in_camera_frame")
    return Node(
        package=program[0],
        executable=program[1],
        name="rviz2",
        arguments=[
            *("-d", str(find_resource("rviz/perception.rviz"))),
            *(("-f", frame) if frame else ()),
        ],
        namespace=namespace,
        parameters=[{"use_sim_time": boolean("use_sim_time", given["use_sim_time"])}],
        remappings=[*_rviz_remappings(namespace), *_remappings(given)],
        output="screen",
    )


def _rviz_remappings(namespace: str) -> list[tuple[str, str]]:
    """The layout's topics, which are those of a node without a namespace, to the real ones."""
    prefix = namespace.strip("/")
    shown = (topics.OVERLAY, topics.THERMAL_REGISTERED, topics.MARKERS, topics.DETECTIONS)
    names = [name.replace("~", f"/{topics.NODE_NAME}") for name in shown]
    return [(name, f"/{prefix}{name}") for name in names] if prefix else []


def _overrides(given: dict[str, str]) -> dict[str, object]:
    """Parameters given as launch arguments."""
    values: dict[str, object] = {name: given[name] for name in OVERRIDES if given[name]}
    values["use_sim_time"] = boolean("use_sim_time", given["use_sim_time"])
    if given["partner_timeout"]:
        values["partner_timeout"] = number("partner_timeout", given["partner_timeout"])
    if boolean("autostart", given["autostart"]):
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
