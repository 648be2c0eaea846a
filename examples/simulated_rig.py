"""A bag of a simulated rig, to try the calibration tools without a robot.

python examples/simulated_rig.py rig_bag                  # as calibration/example_rig.yaml says
python examples/simulated_rig.py knocked_bag --knock 0.8  # thermal turned by 0.8 degrees since
mdacl calibrate check calibration/example_rig.yaml knocked_bag

The scene stands on one plane, at the reference distance unless --distance says another: there is no
parallax between near and far, as there is on a robot.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mdacl_ros.resources import find_resource
from mdacl_ros.sensing.registration.rig import RigCalibration, load_rig
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.rig_recording import RigRecording
from mdacl_tools.recordings.simulated import SimulatedRecording
from mdacl_tools.scenes import Phase, Scenario, SceneConfig


def knocked(rig: RigCalibration, degrees: float) -> RigCalibration:
    """The rig after a blow: thermal looks a little to the side, and down by half of that."""
    turn, _ = cv2.Rodrigues(np.radians((degrees / 2, degrees, 0.0)))
    return replace(rig, rotation=np.asarray(turn) @ np.asarray(rig.rotation, np.float64))


def main() -> None:
    """Write the bag."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="bag folder to create")
    parser.add_argument("--rig", type=Path, default=find_resource("calibration/example_rig.yaml"))
    parser.add_argument("--knock", type=float, default=0.0, help="degrees")
    parser.add_argument("--distance", type=float, default=None, help="metres to the scene")
    parser.add_argument("--pairs", type=int, default=12, help="one a second")
    args = parser.parse_args()
    rig = load_rig(args.rig)
    size = rig.rgb.size
    place = SceneConfig(
        seed=11, size=size, thermal_size=size, people=(7, 7), cars=(3, 3), layout="street"
    )
    scenario = Scenario(
        place, (Phase("day", 0.0, args.pairs),), args.pairs, rgb_hz=1.0, thermal_hz=1.0
    )
    seen = RigRecording(
        SimulatedRecording(scenario),
        knocked(rig, args.knock),
        args.distance or rig.reference_distance,
    )
    counts = write_bag(seen, args.out).frames
    print(f"{args.out}: {counts['rgb']} rgb, {counts['thermal']} thermal frames")


if __name__ == "__main__":
    main()
