"""Start the detector on a robot: topics, parameters, lifecycle, and RViz if wanted.

The robot's network is left as it is: no ROS_AUTOMATIC_DISCOVERY_RANGE is set here, since a node
that silently hears this machine only would miss cameras and listeners elsewhere. demo.launch.py and
`make` do keep to this machine.
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mdacl_ros.nodes import topics
from mdacl_ros.resources import find_resource

ARGUMENTS = {
    "rgb_image": ("rgb/image_raw", "RGB image topic"),
    "rgb_info": ("rgb/camera_info", "RGB camera_info topic"),
    "thermal_image": ("thermal/image_raw", "thermal image topic"),
    "thermal_info": ("thermal/camera_info", "thermal camera_info topic"),
    "params_file": (str(find_resource("config/detector.yaml")), "parameter file"),
    "engine": ("", "torch | openvino | tensorrt; empty: as in params_file"),
    "precision": ("", "float32 | bf16 | fp16 | int8; empty: as in params_file"),
    "model": ("", "shipped model name or model folder; empty: as in params_file"),
    "calibration": ("", "rig calibration (YAML); empty: as in params_file"),
    "use_sim_time": ("false", "follow /clock, e.g. of `ros2 bag play --clock`"),
    "autostart": ("true", "configure and activate through lifecycle events"),
    "namespace": ("", "namespace of the node and of relative topics"),
    "rviz": ("false", "open RViz with the package's layout"),
}
OVERRIDES = ("engine", "precision", "model", "calibration")
"""Arguments that, when given, win over the parameter file."""


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the actions depend on their values."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_actions)])


def _actions(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The detector, its lifecycle events, and RViz."""
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    detector = LifecycleNode(
        package="mdacl_ros",
        executable="detector_node",
        name="detector_node",
        namespace=given["namespace"],
        parameters=[given["params_file"], _overrides(given)],
        remappings=_remappings(given),
        output="screen",
    )
    actions: list[LaunchDescriptionEntity] = [detector]
    if given["rviz"].lower() in ("true", "1"):
        actions.append(_rviz(given["namespace"]))
    if given["autostart"].lower() in ("true", "1"):
        actions += _lifecycle_events(detector)
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


def _lifecycle_events(detector: LifecycleNode) -> list[LaunchDescriptionEntity]:
    """Configure at start, activate once that succeeded, say so when it did not."""

    def change(transition: int) -> EmitEvent:
        return EmitEvent(
            event=ChangeState(
                lifecycle_node_matcher=matches_action(detector), transition_id=transition
            )
        )

    activate = OnStateTransition(
        target_lifecycle_node=detector,
        start_state="configuring",
        goal_state="inactive",
        entities=[change(Transition.TRANSITION_ACTIVATE)],
    )
    failed = OnStateTransition(
        target_lifecycle_node=detector,
        start_state="configuring",
        goal_state="unconfigured",
        entities=[
            LogInfo(
                msg="detector_node could not be configured (see its error above); mend it, then: "
                "ros2 lifecycle set <node> configure, activate"
            )
        ],
    )
    return [
        RegisterEventHandler(activate),
        RegisterEventHandler(failed),
        change(Transition.TRANSITION_CONFIGURE),
    ]
