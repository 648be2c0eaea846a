"""What counts are: presets by camera family, and what the counts themselves prove."""

from __future__ import annotations

import numpy as np
import pytest

from mdacl_ros.sensing.thermal.normalizer import ThermalNormalizer, normalize_once
from mdacl_ros.sensing.thermal.telemetry import NATIVE, without_telemetry
from mdacl_ros.sensing.thermal.thermal_format import (
    AUTO,
    FORMATS,
    kelvin_per_count,
    told_format,
    unit_remark,
)

CELSIUS = np.linspace(15.0, 35.0, 64 * 48, dtype=np.float64).reshape(48, 64)
SENT = {
    "centikelvin": (CELSIUS + 273.15) * 100,
    "lepton_low_gain": (CELSIUS + 273.15) * 10,
    "optris": 1000 + 10 * CELSIUS,
    "infiray": (CELSIUS + 273.15) * 64,
    "seek": (CELSIUS + 40) * 64,
    "counts": 7000 + 25 * CELSIUS,
}


def span(image: np.ndarray) -> float:
    return float(np.ptp(np.quantile(image, (0.05, 0.95))))


@pytest.mark.parametrize("name", FORMATS)
def test_a_scene_has_the_same_contrast_in_every_named_format(name: str) -> None:
    scale = kelvin_per_count(name, 0.01)
    image = ThermalNormalizer(scale)(SENT[name].astype(np.uint16), "16UC1", None).normalized
    wanted = normalize_once(SENT["centikelvin"].astype(np.uint16), "16UC1")
    assert span(image) == pytest.approx(span(wanted), abs=0.08)


@pytest.mark.parametrize("name", ["centikelvin", "lepton_low_gain", "optris", "infiray", "counts"])
def test_contrast_is_kept_and_the_unit_questioned_where_none_was_named(name: str) -> None:
    normalizer = ThermalNormalizer()
    image = normalizer(SENT[name].astype(np.uint16), "16UC1", None).normalized
    wanted = normalize_once(SENT["centikelvin"].astype(np.uint16), "16UC1")
    assert span(image) > 0.8 * span(wanted)
    assert bool(normalizer.remark) == (name != "centikelvin")
    assert "thermal_format" in (normalizer.remark or "thermal_format")
    normalizer.reset()
    assert normalizer.remark == ""


@pytest.mark.parametrize(
    ("median", "name"),
    [(29315, "centikelvin"), (22300, "centikelvin"), (1200, "optris"), (2950, "optris"),
     (18800, "infiray"), (7300, "counts"), (12000, "counts"), (100, "counts")],
)  # fmt: skip
def test_what_counts_prove(median: float, name: str) -> None:
    assert told_format(median).name == name
    assert (unit_remark(told_format(median)) == "") == (name == "centikelvin")


def test_a_scale_that_was_given_is_obeyed() -> None:
    normalizer = ThermalNormalizer(0.04)
    normalizer(SENT["optris"].astype(np.uint16), "16UC1", None)
    assert normalizer.remark == ""
    assert kelvin_per_count(AUTO, 0.04) == 0.04


@pytest.mark.parametrize(("size", "rows"), NATIVE.items())
@pytest.mark.parametrize("above", [True, False])
def test_rows_of_telemetry_are_cut_off(size, rows, above) -> None:
    width, height = size
    scene = np.linspace(29000, 30000, (height - rows) * width).reshape(-1, width).astype(np.uint16)
    words = np.random.default_rng(1).integers(0, 65535, (rows, width), np.uint16)
    image = np.vstack((words, scene) if above else (scene, words))
    np.testing.assert_array_equal(without_telemetry(image), scene)
    byte = image.astype(np.uint8)
    assert without_telemetry(byte) is byte
    assert without_telemetry(scene) is scene
