"""Every calibration says of a bag that its topics look exchanged; none calls it damaged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.registration.rig import save_rig
from mdacl_ros.types import other_camera
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import BagWriter
from mdacl_tools.recordings.bags import BagRecording
from mdacl_tools.recordings.losses import Losses

from .rig_scenes import Still, rig

HINT = "the RGB and the thermal topic look exchanged: swap --rgb-topic and --thermal-topic"


@pytest.fixture(scope="module", params=[False, True], ids=["mono8", "16UC1"])
def bag(request, tmp_path_factory):
    """Colour on the thermal topic, thermal on the RGB topic."""
    path = tmp_path_factory.mktemp("exchanged") / "bag"
    with BagWriter(path) as writer:
        for event in Still(3):
            frame = event.frame
            if request.param and event.camera == "thermal":
                frame = replace(frame, image=frame.image.astype(np.uint16), encoding="16UC1")
            other = other_camera(event.camera)
            writer.write(replace(event, camera=other, frame=frame))
    return path


@pytest.mark.parametrize("name", ["target", "scene", "clock", "check"])
def test_every_calibration_names_the_options_to_swap(name, bag, tmp_path, capsys):
    save_rig(rig(), tmp_path / "rig.yaml")
    out = tmp_path / "out"
    out.mkdir()
    arguments = {
        "target": [bag, "--size", "7x5", "--spacing", "0.06", "--out", out / "rig.yaml"],
        "scene": [bag, "--out", out / "rig.yaml"],
        "clock": [bag, "--out", out / "clock.png"],
        "check": [tmp_path / "rig.yaml", bag, "--out", out],
    }[name]
    arguments += ["--rgb-topic", "/rgb/image_raw", "--thermal-topic", "/thermal/image_raw"]
    assert main(["calibrate", name, *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if not line.startswith("looking for")]
    assert len(errors) == 1
    assert HINT in errors[0]
    assert "damaged" not in errors[0]
    assert not list(out.iterdir())


def test_the_options_swapped_read_the_same_bag(bag):
    recording = BagRecording(bag, rgb_topic="/thermal/image_raw", thermal_topic="/rgb/image_raw")
    assert [event.camera for event in recording][:2] == ["rgb", "thermal"]
    recording.close()


def test_only_what_is_damaged_is_called_so():
    losses = Losses()
    losses.add("rgb", "topic x", ImageError("rgb image: got step 1, wanted 3"))
    losses.add("rgb", "topic x", IndexError("7"))
    first, second = losses.sentences()
    assert first == "1 rgb images unreadable: topic x: rgb image: got step 1, wanted 3"
    assert "damaged message (IndexError: 7)" in second
