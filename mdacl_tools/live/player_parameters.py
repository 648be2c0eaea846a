"""ROS parameters of the player node."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayerParameters:
    """What is played and how; field names are ROS parameter names.

    Attributes:
        input: Path of the recording; empty plays the simulated demo scenes.
        clip: Which clip of a folder with several.
        rate: Speed, 1 is real time.
        fps: Image pairs a second of a data set; 0 keeps the default.
        restamp: Stamp frames with the time at which they are due; otherwise they keep the recorded
            stamps.
        start_ns: Wall clock (ns since the epoch) of the first RGB frame; 0 starts when ready.
        loops: Number of passes; 0 plays for ever.
        wait_for_subscribers: Wait until every camera of the recording has a subscriber.
        rgb_topic: RGB image topic of a bag, where it cannot be told from the names.
        thermal_topic: Thermal image topic of a bag.
        split: Which split of a data set; empty: the one for testing.
        camera: Camera of a COCO json that names one image each, ``rgb`` or ``thermal``.
        assumed_fov: Horizontal field of view, degrees, that camera_info of the RGB camera is made
            from where the recording knows no intrinsics (videos, data sets); 0 assumes none, and
            camera_info then says "not calibrated".
        sent_log: File to write one json line a frame to: camera, stamp, recorded stamp, loop, late
            by how many ms; empty writes none.
    """

    input: str = ""
    clip: str = ""
    rate: float = 1.0
    fps: float = 0.0
    restamp: bool = True
    start_ns: int = 0
    loops: int = 1
    wait_for_subscribers: bool = True
    rgb_topic: str = ""
    thermal_topic: str = ""
    split: str = ""
    camera: str = ""
    assumed_fov: float = 60.0
    sent_log: str = ""
