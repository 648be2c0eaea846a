"""``mdacl calibrate target`` from files to files, and one clear line for every bad input."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.sensing.registration.rig import load_rig
from mdacl_ros.types import Frame
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import BagWriter
from mdacl_tools.recordings.recording import Event

from .conftest import VIEWS

ARGUMENTS = ["--size", "7x5", "--spacing", "0.06"]


def _run(source, out, *more):
    return main(["calibrate", "target", str(source), *ARGUMENTS, "--out", str(out), *more])


def _refused(capsys, tmp_path, source, *more):
    """The line of an error that left nothing behind; notes on the recording may precede it."""
    out = tmp_path / "out" / "rig.yaml"
    assert _run(source, out, *more) == 2
    *notes, line = capsys.readouterr().err.splitlines()
    assert all(x.startswith(("looking for", f"mdacl: {Path(source).name}: ")) for x in notes), notes
    assert not out.parent.exists() or not list(out.parent.iterdir())
    return line


def test_a_folder_becomes_a_rig_file_a_table_and_a_picture(scene, tmp_path, capsys):
    folder = scene.write(tmp_path / "pairs")
    out = tmp_path / "new" / "rig.yaml"
    assert _run(folder, out, "--reference-distance", "8") == 0
    text = capsys.readouterr().out
    assert "checkerboard 7x5, 60 mm" in text
    assert f"wrote {out}" in text
    rig = load_rig(out)
    assert rig.kind == "extrinsics"
    assert rig.reference_distance == 8
    assert rig.rgb.matrix[0, 0] == pytest.approx(scene.rig.truth.rgb.matrix[0, 0], rel=0.003)
    assert np.allclose(rig.translation, scene.rig.truth.translation, atol=0.002)
    assert len(rig.sha256) == 64
    assert 0 < rig.reprojection_error["thermal"] < 0.2
    assert rig.thermal_clock_offset is None
    assert sorted(p.name for p in out.parent.iterdir()) == ["rig.png", "rig.yaml"]
    assert cv2.imread(str(out.with_suffix(".png"))).shape[1] > 800


def test_a_bag_with_a_clock_offset(scene, tmp_path, capsys):
    bag = tmp_path / "bag"
    with BagWriter(bag) as writer:
        for i, images in enumerate(scene.images):
            stamp = 1_000_000_000 * (i + 1)
            writer.write(Event("rgb", stamp, Frame(images["rgb"], stamp, "rgb")))
            late = Frame(images["thermal"], stamp + 300_000_000, "thermal", "16UC1")
            writer.write(Event("thermal", stamp + 1, late))
    line = _refused(capsys, tmp_path, bag)
    assert "--thermal-clock-offset" in line
    out = tmp_path / "rig.yaml"
    assert _run(bag, out, "--thermal-clock-offset", "-0.3", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["rgb"]["views"]) + len(result["rejected"]) == VIEWS
    assert result["thermal"]["fx"] == pytest.approx(scene.rig.truth.thermal.matrix[0, 0], rel=0.006)
    assert load_rig(out).thermal_clock_offset == -0.3
    line = _refused(
        capsys,
        tmp_path,
        bag,
        "--rgb-topic",
        "/thermal/image_raw",
        "--thermal-topic",
        "/rgb/image_raw",
    )
    assert "topic look exchanged: swap --rgb-topic and --thermal-topic" in line


def test_unreadable_and_missing_sources(tmp_path, capsys):
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(b"not a bag at all")
    assert "broken.mcap" in _refused(capsys, tmp_path, broken)
    assert "no such file" in _refused(capsys, tmp_path, tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "found no bag" in _refused(capsys, tmp_path, empty)


def test_folders_that_do_not_fit(scene, tmp_path, capsys):
    lonely = scene.write(tmp_path / "lonely", 3)
    for file in sorted((lonely / "thermal").iterdir()):
        file.rename(file.with_name("other" + file.name))
    assert "no two images of one name" in _refused(capsys, tmp_path, lonely)

    mixed = scene.write(tmp_path / "mixed", 3)
    cv2.imwrite(str(mixed / "thermal" / "01.png"), np.zeros((60, 80), np.uint16))
    line = _refused(capsys, tmp_path, mixed)
    assert "thermal at 01: got 80x60 after 160x120, wanted one resolution" in line

    swapped = scene.write(tmp_path / "swapped", 3)
    colour = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    cv2.imwrite(str(swapped / "thermal" / "00.png"), colour)
    assert "rgb/ and thermal/ look exchanged" in _refused(capsys, tmp_path, swapped)

    exchanged = scene.write(tmp_path / "exchanged", 3)
    (exchanged / "rgb").rename(exchanged / "was_rgb")
    (exchanged / "thermal").rename(exchanged / "rgb")
    (exchanged / "was_rgb").rename(exchanged / "thermal")
    line = _refused(capsys, tmp_path, exchanged)
    assert "rgb/00.png: got 1 channel of uint16, wanted a colour image of 8 bits" in line
    assert "rgb/ and thermal/ look exchanged: rename them" in line
    cv2.imwrite(str(exchanged / "rgb" / "00.png"), np.zeros((120, 160), np.uint8))
    assert "got 1 channel of uint8" in _refused(capsys, tmp_path, exchanged)

    damaged = scene.write(tmp_path / "damaged", 3)
    (damaged / "rgb" / "01.png").write_bytes(b"no picture")
    assert "not a readable image" in _refused(capsys, tmp_path, damaged)


def test_the_wrong_board_and_too_few_views(scene, tmp_path, capsys):
    few = scene.write(tmp_path / "few", 2)
    line = _refused(capsys, tmp_path, few)
    assert "2 in both, wanted 8 at least" in line
    line = _refused(capsys, tmp_path, few, "--size", "8x6")
    assert "0 rgb and 0 thermal" in line
    assert "check --board and --size" in line


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--size", "seven"], "--size seven: wanted COLUMNSxROWS"),
        (["--spacing", "0"], "--spacing 0.0: wanted metres"),
        (["--views", "3"], "--views 3: wanted 8 or more"),
        (["--max-skew", "-1"], "--max-skew -1.0: wanted seconds"),
        (["--reference-distance", "0"], "--reference-distance 0.0: wanted metres > 0"),
        (["--thermal-clock-offset", "nan"], "--thermal-clock-offset nan: wanted seconds"),
    ],
)
def test_impossible_options(more, message, tmp_path, capsys):
    assert message in _refused(capsys, tmp_path, tmp_path, *more)


def test_a_result_that_cannot_be_written(scene, tmp_path, capsys):
    folder = scene.write(tmp_path / "pairs", 1)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert _run(folder, blocked / "rig.yaml") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert _run(folder, tmp_path / "rig.json") == 2
    assert "ends in .yaml" in capsys.readouterr().err


@pytest.mark.parametrize("blocked", ["rig.png", "rig.yaml"])
def test_calibration_and_picture_are_both_written_or_neither(blocked, scene, tmp_path, capsys):
    folder, out = scene.write(tmp_path / "pairs"), tmp_path / "out"
    (out / blocked).mkdir(parents=True)
    assert _run(folder, out / "rig.yaml") == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert f"{blocked}: cannot be written" in error
    assert [path.name for path in out.iterdir()] == [blocked]
    assert (out / blocked).is_dir()
