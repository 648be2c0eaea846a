"""The one way to open a recording, whatever it is kept in."""

from __future__ import annotations

from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_ros.small_file import user_path
from mdacl_ros.types import Modality
from mdacl_tools.recordings.recording import Recording
from mdacl_tools.recordings.storage.bag_path import bag_path, is_bag, unreadable_reason


def open_recording(
    path: Path | str | None,
    *,
    clip: str | None = None,
    split: str | None = None,
    fps: float | None = None,
    rgb_topic: str | None = None,
    thermal_topic: str | None = None,
    camera: Modality | None = None,
) -> Recording:
    """Open whatever ``path`` holds, told by its content.

    Of a damaged recording what is left is read, and images that cannot be read are left out: the
    recording says so afterwards, see :mod:`.losses`.

    Args:
        path: A bag (folder, or an .mcap, .db3, .bag file, also zstd-compressed), a folder with
            visible/ and infrared/ videos, a data-set folder or its COCO json, or ``None`` for the
            procedural demo scenes.
        clip: Which clip of a folder with several.
        split: Which part of a data set; the one for testing unless given.
        fps: Frame rate for data sets of single images.
        rgb_topic: RGB image topic of a bag, where it cannot be told from the names.
        thermal_topic: Thermal image topic of a bag.
        camera: Which camera a COCO json is of that names one image each.

    Raises:
        RecordingError: If there is no such path or nothing in it can be played.
    """
    # Imported here: each kind brings its own libraries, and only one kind is opened.
    if path is None:
        from mdacl_tools.recordings.simulated import SimulatedRecording

        return SimulatedRecording()
    path = user_path(path)
    if not path.exists():
        raise RecordingError(f"recording {path}: no such file or folder")
    from mdacl_tools.recordings import dataset_recording as datasets
    from mdacl_tools.recordings import videos

    folder = None if is_bag(path) else videos.find_clip_folder(path, clip)
    if folder is not None:
        return videos.open_clip(folder, clip)
    if (bag := bag_path(path)) is not None:
        from mdacl_tools.recordings.bags import BagRecording

        return BagRecording(bag, rgb_topic=rgb_topic, thermal_topic=thermal_topic)
    if datasets.is_dataset(path):
        return datasets.DatasetRecording(path, sequence=clip, fps=fps, split=split, camera=camera)
    if path.is_file() and (why := unreadable_reason(path)):
        raise RecordingError(f"recording {path}: {why}")
    raise RecordingError(
        f"recording {path}: found no bag (metadata.yaml, .mcap, .db3), no visible/ and infrared/ "
        "videos, and no data set (LLVIP, FLIR-aligned, M3FD, KAIST, MSRS, COCO pairs); give the "
        "path of one of these"
    )
