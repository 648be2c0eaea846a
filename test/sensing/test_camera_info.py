"""CameraInfo: every field that qualifies the intrinsics is used or refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mdacl_ros.sensing.camera_info import camera_model, images_of, lens_model

K = [800.0, 0, 500, 0, 900.0, 300, 0, 0, 1]


def info(**fields: object) -> SimpleNamespace:
    roi = dict.fromkeys(("x_offset", "y_offset", "width", "height"), 0) | dict(
        fields.pop("roi", {})  # type: ignore[call-overload]
    )
    values = {
        "width": 1000, "height": 600, "k": K, "d": [], "p": [0.0] * 12, "distortion_model": "",
        "binning_x": 0, "binning_y": 0,
    }  # fmt: skip
    return SimpleNamespace(**(values | fields), roi=SimpleNamespace(**roi))


@pytest.mark.parametrize(
    ("fields", "size", "focal", "centre"),
    [
        ({}, (1000, 600), (800, 900), (500, 300)),
        ({"binning_x": 1, "binning_y": 1}, (1000, 600), (800, 900), (500, 300)),
        ({"binning_x": 4, "binning_y": 2}, (250, 300), (200, 450), (125, 150)),
        (
            {"roi": {"x_offset": 100, "y_offset": 50, "width": 400, "height": 200}},
            (400, 200), (800, 900), (400, 250),
        ),
        (
            {
                "roi": {"x_offset": 100, "y_offset": 50, "width": 400, "height": 200},
                "binning_x": 2, "binning_y": 2,
            },
            (200, 100), (400, 450), (200, 125),
        ),
    ],
)  # fmt: skip
def test_binning_and_region(fields, size, focal, centre) -> None:
    model, remarks = camera_model(info(**fields))
    assert remarks == ()
    assert model.size == size == images_of(info(**fields))
    assert (model.matrix[0, 0], model.matrix[1, 1]) == focal
    assert (model.matrix[0, 2], model.matrix[1, 2]) == centre
    assert camera_model(info(**fields), size)[0].matrix.tolist() == model.matrix.tolist()


def test_a_driver_whose_k_is_already_of_the_binned_images() -> None:
    model, remarks = camera_model(info(binning_x=2, binning_y=2), (1000, 600))
    assert model.size == (1000, 600)
    assert model.matrix[0, 0] == 800
    assert "binning and roi are not applied" in remarks[0]


@pytest.mark.parametrize(
    ("name", "count", "model"),
    [
        ("plumb_bob", 5, "plumb_bob"),
        ("plumb_bob", 8, "rational_polynomial"),
        ("", 4, "plumb_bob"),
        ("", 14, "rational_polynomial"),
        ("Brown-Conrady", 5, "plumb_bob"),
        ("radtan", 4, "plumb_bob"),
        ("FISHEYE", 4, "equidistant"),
        ("Kannala Brandt4", 4, "equidistant"),
        ("inverse_brown_conrady", 5, None),
        ("ftheta", 5, None),
    ],
)
def test_names_of_lens_models(name: str, count: int, model: str | None) -> None:
    assert lens_model(name, count) == model
    found, remarks = camera_model(info(distortion_model=name, d=[0.1] * count))
    assert found.model == (model or "plumb_bob")
    assert bool(remarks) == (model is None)
    if model is None:
        assert repr(name) in remarks[0]
        assert found.distortion == ()


def test_an_unknown_model_without_distortion_is_a_pinhole() -> None:
    found, remarks = camera_model(info(distortion_model="Inverse Brown Conrady", d=[0.0] * 5))
    assert (found.distortion, remarks) == ((), ())


def test_rectified_images_have_p_and_no_distortion() -> None:
    p = [700.0, 0, 490, 0, 0, 700.0, 310, 0, 0, 0, 1, 0]
    fields = {"p": p, "d": [-0.3, 0.1, 0, 0, 0], "distortion_model": "plumb_bob"}
    model, _ = camera_model(info(**fields), rectified=True)
    assert model.matrix.tolist() == [[700, 0, 490], [0, 700, 310], [0, 0, 1]]
    assert model.distortion == ()
    assert camera_model(info(**fields))[0].distortion == (-0.3, 0.1, 0, 0, 0)


def test_an_uncalibrated_camera_has_no_matrix_and_ros_1_is_read() -> None:
    assert camera_model(info(k=[0.0] * 9, binning_x=2, binning_y=2))[0].matrix is None
    old = info()
    old.K, old.D, old.P = np.array(K), np.zeros(5), np.zeros(12)
    del old.k, old.d, old.p
    assert camera_model(old)[0].matrix[0, 0] == 800
