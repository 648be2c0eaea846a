"""Recordings written as rosbag2 bags (mcap or sqlite3), readable by ``ros2 bag`` from Humble on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from mdacl_ros.errors import RecordingError
from mdacl_ros.replay.recording import Event, Recording
from mdacl_ros.replay.truth import TRUTH_FILE, write_truth
from mdacl_ros.sensing.rig_types import CameraModel
from mdacl_ros.types import MODALITIES, Array, Frame, Modality

Compression = Literal["png", "jpeg"]
CompressionChoice = Compression | Mapping[Modality, Compression] | None

BAG_VERSION: Literal[8] = 8
"""Metadata version that Humble reads as well."""

IMAGE, COMPRESSED, INFO = (
    f"sensor_msgs/msg/{name}" for name in ("Image", "CompressedImage", "CameraInfo")
)


class BagWriter:
    """Writes camera events to a new bag; a context manager.

    Topics: ``/rgb/image_raw``, ``/rgb/camera_info``, ``/thermal/image_raw``,
    ``/thermal/camera_info``; with compression ``.../image_raw/compressed``.

    Args:
        path: Folder to create.
        compress: Store images as png or jpeg instead of raw; one for both cameras or by camera.
        storage: ``mcap`` or ``sqlite3``.

    Raises:
        RecordingError: If ``path`` exists.
    """

    def __init__(
        self, path: Path, *, compress: CompressionChoice = None, storage: str = "mcap"
    ) -> None:
        if path.exists():
            raise RecordingError(f"bag {path}: exists already; remove it or choose another name")
        plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
        self._writer = Writer(path, version=BAG_VERSION, storage_plugin=plugin)
        self._types = get_typestore(Stores.ROS2_HUMBLE)
        self._compress: Mapping[Modality, Compression] = (
            dict.fromkeys(MODALITIES, compress) if isinstance(compress, str) else compress or {}
        )
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def write(self, event: Event, model: CameraModel | None = None) -> None:
        """Write one frame and the camera_info that goes with it.

        Args:
            event: The frame; its arrival becomes the bag's log time.
            model: Intrinsics; ``None`` writes a camera_info that says "not calibrated" (K all 0).

        Raises:
            RecordingError: If the image cannot be compressed as asked.
        """
        frame, topic = event.frame, f"/{event.camera}/image_raw"
        if compress := self._compress.get(event.camera):
            message = self._compressed(frame, compress)
            self._put(f"{topic}/compressed", COMPRESSED, message, event.time_ns)
        else:
            self._put(topic, IMAGE, self._image(frame), event.time_ns)
        height, width = frame.image.shape[:2]
        info = self._info(frame, model or CameraModel((width, height)))
        self._put(f"/{event.camera}/camera_info", INFO, info, event.time_ns)

    def _put(self, topic: str, kind: str, message: Any, time_ns: int) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._types
            )
        data = self._types.serialize_cdr(message, kind)
        self._writer.write(self._connections[topic], time_ns, data)

    def _message(self, kind: str, **fields: Any) -> Any:
        return self._types.types[kind](**fields)

    def _header(self, frame: Frame) -> Any:
        seconds, nanoseconds = divmod(frame.stamp_ns, 1_000_000_000)
        stamp = self._message("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)
        return self._message("std_msgs/msg/Header", stamp=stamp, frame_id=frame.frame_id)

    def _image(self, frame: Frame) -> Any:
        image = np.ascontiguousarray(frame.image)
        return self._message(
            IMAGE,
            header=self._header(frame),
            height=image.shape[0],
            width=image.shape[1],
            encoding=frame.encoding,
            is_bigendian=0,
            step=image.strides[0],
            data=image.reshape(-1).view(np.uint8),
        )

    def _compressed(self, frame: Frame, compress: Compression) -> Any:
        colour = frame.encoding == "rgb8"
        wire = "bgr8" if colour else frame.encoding
        return self._message(
            COMPRESSED,
            header=self._header(frame),
            format=f"{frame.encoding}; {compress} compressed {wire}",
            data=_encode(frame.image, frame.encoding, compress),
        )

    def _info(self, frame: Frame, model: CameraModel) -> Any:
        k = np.zeros((3, 3)) if model.matrix is None else np.asarray(model.matrix, np.float64)
        p = np.zeros((3, 4))
        p[:, :3] = k
        region = self._message(
            "sensor_msgs/msg/RegionOfInterest",
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        )
        return self._message(
            INFO,
            header=self._header(frame),
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


def _encode(image: Array, encoding: str, compress: Compression) -> Array:
    fits = ("uint8",) if compress == "jpeg" else ("uint8", "uint16")
    if str(image.dtype) not in fits:
        raise RecordingError(
            f"compress {compress}: got {encoding} images ({image.dtype}), wanted "
            f"{' or '.join(fits)}; use {'png' if image.dtype == np.uint16 else 'no compression'}"
        )
    wire: Any = image
    if encoding == "rgb8":
        wire = cv2.cvtColor(wire, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(f".{compress}", wire)
    if not ok:
        raise RecordingError(f"compress {compress}: OpenCV cannot encode {encoding} images")
    return data.reshape(-1)


def write_bag(
    recording: Recording,
    path: Path,
    *,
    compress: CompressionChoice = None,
    storage: str = "mcap",
    on_frame: Callable[[Event], None] | None = None,
) -> dict[Modality, int]:
    """Write a whole recording as a bag, ground truth beside it as ``truth.json``.

    Args:
        recording: What to write.
        path: Folder to create.
        compress: Store images as png or jpeg instead of raw; one for both cameras or by camera.
        storage: ``mcap`` or ``sqlite3``.
        on_frame: Called after each frame, for a progress bar.

    Returns:
        Number of frames written by camera.

    Raises:
        RecordingError: If ``path`` exists or an image cannot be compressed as asked.
    """
    counts: dict[Modality, int] = {"rgb": 0, "thermal": 0}
    images = []
    with BagWriter(path, compress=compress, storage=storage) as writer:
        for event in recording:
            writer.write(event, recording.camera_model(event.camera))
            counts[event.camera] += 1
            if event.camera == "rgb" and (truth := recording.truth(event.frame.stamp_ns)):
                height, width = event.frame.image.shape[:2]
                images.append((event.frame.stamp_ns, (width, height), truth))
            if on_frame is not None:
                on_frame(event)
    if images:
        write_truth(path / TRUTH_FILE, images)
    return counts
