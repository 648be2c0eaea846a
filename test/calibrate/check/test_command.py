"""``mdacl calibrate check``: what it says of good, shifted and turned rigs, and of bad input."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mdacl_ros.config.pipeline_config import PipelineConfig
from mdacl_ros.errors import ModelError
from mdacl_ros.resources import find_resource
from mdacl_ros.sensing.registration.geometry import rgb_from_thermal
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.rig import save_rig
from mdacl_ros.sensing.registration.rig_types import CameraModel, RigCalibration
from mdacl_tools.calibrate.check.recording import check_rig
from mdacl_tools.calibrate.check.region_fit import fit_regions
from mdacl_tools.calibrate.check.shift_cost import load_shift_table
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.rig_recording import RigRecording

from ..rig_scenes import RGB, THERMAL, Still, rig, turned

TABLE = {
    "clean": {"map50": 0.6},
    "shift": [{"pixels": p, "map50": 0.6 - 0.01 * p} for p in (1, 2, 4, 8, 16)],
    "weights_sha256": "0" * 64,
    "images": 61,
    "data": "msrs",
    "input_size": [320, 256],
}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "robustness.json"
    path.write_text(json.dumps(TABLE))
    return path


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A bag of the true rig."""
    path = tmp_path_factory.mktemp("bags") / "rig_bag"
    write_bag(RigRecording(Still(), rig(), 12.0), path)
    return path


def seen_by(true_rig: RigCalibration, distance: float = 12.0) -> RigRecording:
    return RigRecording(Still(), true_rig, distance)


def test_the_true_rig_leaves_no_residual():
    result = check_rig(rig(), seen_by(rig()), 4, PipelineConfig())
    assert result.after.confident
    assert result.after.pixels < 0.5
    assert result.before.pixels > 3 or not result.before.confident
    assert result.rgb.shape == (RGB[1], RGB[0], 3)
    assert result.thermal_after.shape == result.covered.shape == RGB[::-1]
    assert not result.grey


def test_a_knock_is_measured_in_rgb_pixels_and_direction():
    knocked = rig(rotation=turned(pan=1.0))
    result = check_rig(rig(), seen_by(knocked), 4, PipelineConfig())
    assert result.after.confident
    y, x = np.mgrid[28:256:40, 20:320:40]
    points = np.column_stack((x.ravel(), y.ravel())).astype(float)
    laid, real = (rgb_from_thermal(r, points, 12.0) for r in (rig(), knocked))
    expected = np.nanmean(laid - real, axis=0)  # where it is laid, from where it belongs
    assert abs(expected[0]) > 7
    assert result.after.shift == pytest.approx(expected, abs=0.7)
    fit = fit_regions(result.after)
    assert not fit.turned_or_scaled


def test_a_turned_camera_is_told_from_a_shifted_one():
    result = check_rig(rig(), seen_by(rig(rotation=turned(roll=1.5))), 4, PipelineConfig())
    fit = fit_regions(result.after)
    assert abs(fit.rotation) == pytest.approx(1.5, abs=0.25)
    assert abs(fit.scale) < 0.005
    assert fit.turned_or_scaled


def test_another_distance_is_a_shift():
    result = check_rig(rig(), seen_by(rig(), distance=2.0), 4, PipelineConfig())
    expected = 0.06 * 455 * (1 / 2 - 1 / 12)
    assert result.after.pixels == pytest.approx(expected, abs=0.6)


def residual(field) -> Residual:
    row, column = np.mgrid[:3, :3]
    x, y = ((column + 0.5) / 3 - 0.5) * 640, ((row + 0.5) / 3 - 0.5) * 480
    return Residual((0.0, 0.0), 1.0, 9, np.stack(field(x, y), -1).astype(np.float32), (640, 480))


def test_the_fit_separates_shift_rotation_and_scale():
    fit = fit_regions(residual(lambda x, y: (3 + 0.02 * x - 0.01 * y, -1 + 0.02 * y + 0.01 * x)))
    assert fit.shift == pytest.approx((3, -1), abs=1e-3)
    assert fit.scale == pytest.approx(0.02, abs=1e-5)
    assert fit.rotation == pytest.approx(np.degrees(0.01), abs=1e-3)
    assert fit.corner == pytest.approx(np.hypot(0.02, 0.01) * 400, abs=0.01)
    assert fit.scatter == pytest.approx(0, abs=1e-4)
    turn = np.hypot(0.02, 0.01) * np.hypot(640, 480) / 3 * np.sqrt(2 / 3)  # of the regions' middles
    assert fit.rms == pytest.approx(np.hypot(turn, np.hypot(3, 1)), abs=0.01)
    few = residual(lambda x, y: (x, y))
    few.regions[:2] = np.nan
    assert fit_regions(few) is None


def test_the_cost_is_interpolated_at_a_width_of_640(table):
    costs = load_shift_table(table)
    assert costs.map50_at(0, 640) == pytest.approx(0.6)
    assert costs.map50_at(6, 640) == pytest.approx(0.54)
    assert costs.map50_at(6, 1280) == pytest.approx(0.57)
    assert costs.map50_at(99, 640) == pytest.approx(0.44)
    assert costs.covers(16, 640)
    assert not costs.covers(17, 640)


def test_the_shipped_model_has_a_table():
    costs = load_shift_table(find_resource("models/small/robustness.json"))
    assert costs.pixels == (0, 1, 2, 4, 8, 16)
    assert 0 < costs.map50_at(16, 640) < costs.map50_at(0, 640) < 1
    assert len(costs.weights_sha256) == 64


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"shift": [], "clean": {"map50": 1}}'])
def test_a_bad_table_says_how_to_make_one(content, tmp_path):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(ModelError, match=r"t\.json: cannot be read.*thermal_shift --json"):
        load_shift_table(tmp_path / "t.json")


def run(*arguments) -> int:
    return main(["calibrate", "check", *(str(argument) for argument in arguments)])


def test_the_command_writes_pictures_and_numbers(bag, table, tmp_path, capsys):
    save_rig(rig(), tmp_path / "rig.yaml")
    out = tmp_path / "out"
    assert run(tmp_path / "rig.yaml", bag, "--table", table, "--out", out) == 0
    text = capsys.readouterr().out
    assert "status       good" in text
    assert (
        "px over the regions (61 pairs of msrs at 320x256); the table was measured with other"
        in text
    )
    assert "costs        about 0." in text
    names = ["blink.gif", "blink_rgb.png", "blink_thermal.png", "check.json", "overlay.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    values = json.loads((out / "check.json").read_text())
    assert values["verdict"] == "good"
    assert values["residual"]["px"] < 0.5
    assert values["map50"]["at_residual"] == pytest.approx(0.6, abs=0.01)
    assert not values["map50"]["table_is_current"]
    with Image.open(out / "blink.gif") as animation:
        assert animation.n_frames == 2
        assert animation.size == RGB
    overlay = np.asarray(Image.open(out / "overlay.png"))
    assert overlay.shape == (RGB[1], 2 * RGB[0], 3)


def test_a_rig_that_is_off_is_told_by_the_exit_code(bag, table, tmp_path, capsys):
    save_rig(rig(rotation=turned(pan=1.5)), tmp_path / "rig.yaml")
    out = tmp_path / "out"
    assert run(tmp_path / "rig.yaml", bag, "--table", table, "--out", out) == 1
    assert "off by 6 px or more: calibrate again" in capsys.readouterr().out
    assert json.loads((out / "check.json").read_text())["verdict"] == "shifted"


def test_a_rolled_rig_is_off_although_its_middle_fits(bag, table, tmp_path, capsys):
    save_rig(rig(rotation=turned(roll=1.5)), tmp_path / "rig.yaml")
    out = tmp_path / "out"
    assert run(tmp_path / "rig.yaml", bag, "--table", table, "--out", out) == 1
    assert "turned or scaled, not only shifted: calibrate again" in capsys.readouterr().out
    values = json.loads((out / "check.json").read_text())
    assert values["verdict"] == "turned_or_scaled"
    assert values["residual"]["px"] < 3
    expected = np.radians(1.5) * np.hypot(640, 360) / 3 * np.sqrt(2 / 3)
    assert values["displacement_px"] == pytest.approx(expected, rel=0.25)
    lost = 0.6 - values["map50"]["at_residual"]  # 0.01 a pixel, by the table
    assert lost == pytest.approx(0.01 * values["displacement_px"], abs=1e-3)


def test_darkness_gives_no_number(table, tmp_path, capsys):
    write_bag(RigRecording(Still(dark=True), rig(), 12.0), tmp_path / "dark")
    save_rig(rig(), tmp_path / "rig.yaml")
    arguments = ["--table", table, "--out", tmp_path / "out"]
    assert run(tmp_path / "rig.yaml", tmp_path / "dark", *arguments) == 1
    text = capsys.readouterr().out
    assert "cannot be measured" in text
    assert "mAP50" not in text
    values = json.loads((tmp_path / "out" / "check.json").read_text())
    assert values["map50"]["at_residual"] is None
    assert values["displacement_px"] is None
    assert values["verdict"] == "cannot_be_told"


def test_an_identity_calibration_of_other_lenses_is_named(table, tmp_path, capsys):
    write_bag(RigRecording(Still(pairs=6), rig(), 12.0), tmp_path / "bag")
    identity = RigCalibration("identity", CameraModel(RGB), CameraModel(THERMAL))
    save_rig(identity, tmp_path / "rig.yaml")
    out = tmp_path / "out"
    assert run(tmp_path / "rig.yaml", tmp_path / "bag", "--table", table, "--out", out) == 1
    text = capsys.readouterr().out
    assert "calibration does not fit these images: edges agree" in text
    assert "thermal at 0.8" in text
    assert "status       the calibration does not fit these images: calibrate again" in text
    assert json.loads((out / "check.json").read_text())["verdict"] == "wrong_size"


def other_sizes() -> RigCalibration:
    return rig(rgb=replace(rig().rgb, size=(1280, 720)))


def swapped() -> RigCalibration:
    return rig(rgb=replace(rig().rgb, size=THERMAL), thermal=replace(rig().thermal, size=RGB))


def behind() -> RigCalibration:
    return rig(rotation=turned(pan=170.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (other_sizes, "rgb images are 640x360, but the rig calibration was made for 1280x720"),
        (swapped, "look exchanged: swap --rgb-topic and --thermal-topic"),
        (behind, "covers no pixel of the RGB image"),
    ],
)
def test_a_rig_that_cannot_fit_is_one_clear_line(make, message, bag, table, tmp_path, capsys):
    save_rig(make(), tmp_path / "rig.yaml")
    out = tmp_path / "out"
    assert run(tmp_path / "rig.yaml", bag, "--table", table, "--out", out) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_bad_files_and_options_are_one_clear_line(bag, table, tmp_path, capsys):
    good, broken = tmp_path / "rig.yaml", tmp_path / "broken.mcap"
    save_rig(rig(), good)
    broken.write_bytes(b"no bag")
    flat = tmp_path / "flat.yaml"
    save_rig(
        RigCalibration(
            "homography", CameraModel(RGB), CameraModel(THERMAL), 9.0, np.diag((2, 2, 1.0))
        ),
        flat,
    )
    flat.write_text(flat.read_text().replace("2.0", "0.0"))
    cases = [
        ((good, broken), "broken.mcap: not readable"),
        ((good, tmp_path / "absent"), "no such file"),
        ((tmp_path / "absent.yaml", bag), "absent.yaml: cannot be read"),
        ((flat, bag), "wanted an invertible 3x3 matrix"),
        ((good, bag, "--rgb-topic", "/nothing"), "wanted one of its image topics"),
        ((good, bag, "--pairs", "0"), "--pairs: got 0"),
        ((good, bag, "--max-skew", "-1"), "parameter max_skew: got -1.0"),
        ((good, bag, "--bound", "nan"), "--bound: got nan"),
        ((good, bag, "--clock-offset", "9"), "no pair of them near enough in time"),
        ((good, bag, "--out", "/dev/null/x"), "cannot be created"),
    ]
    for arguments, message in cases:
        assert run(*arguments, "--table", table) == 2, arguments
        error = capsys.readouterr().err
        assert message in error
        lines = [line for line in error.splitlines() if ": note: " not in line]
        assert len(lines) == 1


def test_an_unwritable_picture_leaves_nothing_half_written(bag, table, tmp_path, capsys):
    save_rig(rig(), tmp_path / "rig.yaml")
    out = tmp_path / "out"
    (out / "blink.gif").mkdir(parents=True)
    assert run(tmp_path / "rig.yaml", bag, "--table", table, "--out", out) == 2
    assert "blink.gif: cannot be written" in capsys.readouterr().err
    assert not list(out.glob("*.partial"))
