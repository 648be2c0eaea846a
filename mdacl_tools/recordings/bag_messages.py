"""ROS messages made without ROS: what bags are written with and read by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from mdacl_ros.resources import find_resource
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import Array, Frame

NANOSECONDS = 1_000_000_000

IMAGE, COMPRESSED, INFO = (
    f"sensor_msgs/msg/{name}" for name in ("Image", "CompressedImage", "CameraInfo")
)
DETECTIONS, CLASSIFICATION = (
    f"vision_msgs/msg/{name}" for name in ("Detection2DArray", "Classification")
)
DIAGNOSTICS, FLOAT = "diagnostic_msgs/msg/DiagnosticArray", "std_msgs/msg/Float32"

VISION_MSGS = "tools/vision_msgs/msg"
"""Where the definitions of vision_msgs ship; rosbags knows the common interfaces only."""

HYPOTHESIS = "vision_msgs/msg/ObjectHypothesis"


def bag_types() -> Typestore:
    """Humble's message types and vision_msgs: also for bags that carry no definitions."""
    types = get_typestore(Stores.ROS2_HUMBLE)
    for path in sorted(find_resource(VISION_MSGS).glob("*.msg")):
        name = f"vision_msgs/msg/{path.stem}"
        types.register(get_types_from_msg(path.read_text(encoding="utf-8"), name))
    return types


class MessageMaker:
    """Makes messages of one type store.

    Args:
        types: Where the message classes come from.
    """

    def __init__(self, types: Typestore) -> None:
        self._types = types

    def __call__(self, kind: str, **fields: Any) -> Any:
        """A message of this type, for instance ``std_msgs/msg/Float32``."""
        return self._types.types[kind](**fields)

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """A header with exactly this stamp."""
        seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
        stamp = self("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)
        return self("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)

    def image(self, frame: Frame) -> Any:
        """A raw image, pixels as they are."""
        image = np.ascontiguousarray(frame.image)
        return self(
            IMAGE,
            header=self.header(frame.stamp_ns, frame.frame_id),
            height=image.shape[0],
            width=image.shape[1],
            encoding=frame.encoding,
            is_bigendian=0,
            step=image.strides[0],
            data=image.reshape(-1).view(np.uint8),
        )

    def compressed(self, header: Any, format_: str, data: Array) -> Any:
        """A compressed image; ``format_`` is, for instance, ``jpeg``."""
        return self(COMPRESSED, header=header, format=format_, data=data)

    def camera_info(self, header: Any, model: CameraModel) -> Any:
        """Intrinsics; without a matrix K is all 0, which says "not calibrated"."""
        k = np.zeros((3, 3)) if model.matrix is None else np.asarray(model.matrix, np.float64)
        p = np.zeros((3, 4))
        p[:, :3] = k
        region = self(
            "sensor_msgs/msg/RegionOfInterest",
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        )
        return self(
            INFO,
            header=header,
            height=model.size[1],
            width=model.size[0],
            distortion_model=model.model,
            d=np.asarray(model.distortion, np.float64),
            k=k.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=p.reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=region,
        )

    def detection(
        self, header: Any, box: Iterable[float], name: str, score: float, id_: str = ""
    ) -> Any:
        """One object; ``box`` is x_min, y_min, x_max, y_max in pixels."""
        x_min, y_min, x_max, y_max = box
        middle = self("vision_msgs/msg/Point2D", x=(x_min + x_max) / 2, y=(y_min + y_max) / 2)
        centre = self("vision_msgs/msg/Pose2D", position=middle, theta=0.0)
        outline = self(
            "vision_msgs/msg/BoundingBox2D",
            center=centre,
            size_x=x_max - x_min,
            size_y=y_max - y_min,
        )
        result = self(
            "vision_msgs/msg/ObjectHypothesisWithPose",
            hypothesis=self.hypothesis(name, score),
            pose=self._no_pose(),
        )
        return self(
            "vision_msgs/msg/Detection2D", header=header, results=[result], bbox=outline, id=id_
        )

    def detections(self, header: Any, found: list[Any]) -> Any:
        """All objects of one image."""
        return self(DETECTIONS, header=header, detections=found)

    def hypothesis(self, name: str, score: float) -> Any:
        """What something may be, and how sure that is."""
        return self(HYPOTHESIS, class_id=name, score=score)

    def diagnostics(self, header: Any, name: str, text: str, values: Mapping[str, str]) -> Any:
        """A diagnostic array of one status, level OK."""
        pairs = [self("diagnostic_msgs/msg/KeyValue", key=k, value=v) for k, v in values.items()]
        status = self(
            "diagnostic_msgs/msg/DiagnosticStatus",
            level=0,
            name=name,
            message=text,
            hardware_id="",
            values=pairs,
        )
        return self(DIAGNOSTICS, header=header, status=[status])

    def _no_pose(self) -> Any:
        pose = self(
            "geometry_msgs/msg/Pose",
            position=self("geometry_msgs/msg/Point", x=0.0, y=0.0, z=0.0),
            orientation=self("geometry_msgs/msg/Quaternion", x=0.0, y=0.0, z=0.0, w=1.0),
        )
        return self("geometry_msgs/msg/PoseWithCovariance", pose=pose, covariance=np.zeros(36))
