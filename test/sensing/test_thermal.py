"""Thermal normalisation: every encoding, monotone, free of flicker, nothing blacked out."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdacl_ros.errors import ImageError
from mdacl_ros.sensing.thermal.normalizer import ThermalNormalizer, normalize_once

FRAME_NS = 33_333_333
DATA = Path(
    os.environ.get("MDACL_DATA", Path(__file__).resolve().parents[2] / ".." / "shared" / "data")
)


def scene(seed: int = 0) -> np.ndarray:
    """Street at night in kelvin, ``(240, 320)``: textured background, one person, sensor noise."""
    y, x = np.mgrid[:240, :320]
    kelvin = 288 + 4 * np.sin(x / 20) * np.cos(y / 30)
    kelvin[100:160, 50:70] = 304
    return kelvin + np.random.default_rng(seed).normal(0, 0.05, kelvin.shape)


def centikelvin(kelvin: np.ndarray) -> np.ndarray:
    return np.round(kelvin * 100).astype(np.uint16)


ENCODED = {
    "mono8": lambda k: np.clip((k - 270) * 5, 0, 255).astype(np.uint8),
    "8UC1": lambda k: np.clip((k - 270) * 5, 0, 255).astype(np.uint8),
    "rgb8": lambda k: np.repeat(np.clip((k - 270) * 5, 0, 255).astype(np.uint8)[..., None], 3, 2),
    "mono16": lambda k: ((k - 200) * 25).astype(np.uint16),
    "16UC1": centikelvin,
    "32FC1": lambda k: k.astype(np.float32),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_encoding_shows_the_same_scene(encoding):
    kelvin = scene()
    result = ThermalNormalizer()(ENCODED[encoding](kelvin), encoding, 0)
    picture = result.normalized
    assert picture.shape == kelvin.shape
    assert picture.dtype == np.float32
    assert 0 <= picture.min() <= picture.max() <= 1
    assert picture[110:150, 52:68].mean() > 0.7  # the person is the hottest
    assert np.corrcoef(picture.ravel(), kelvin.ravel())[0, 1] > 0.95
    assert result.preview.dtype == np.uint8
    assert np.abs(result.preview / 255.0 - picture).max() <= 0.5 / 255 + 1e-6


def test_celsius_and_kelvin_give_the_same_picture():
    kelvin = scene().astype(np.float32)
    celsius = kelvin - np.float32(273.15)
    difference = normalize_once(kelvin, "32FC1") - normalize_once(celsius, "32FC1")
    assert np.abs(difference).max() < 0.005
    assert (
        np.abs(normalize_once(centikelvin(kelvin), "16UC1") - normalize_once(kelvin, "32FC1")).max()
        < 0.005
    )


def test_the_kelvin_scale_is_honoured():
    coarse = np.round(scene() / 0.04).astype(np.uint16)
    fine = normalize_once(centikelvin(scene()), "16UC1")
    picture = ThermalNormalizer(kelvin_scale=0.04)(coarse, "16UC1", None).normalized
    assert np.abs(picture - fine).mean() < 0.02


def test_dead_pixels_are_cold_and_infinite_ones_hot():
    image = scene().astype(np.float32)
    clean = normalize_once(image, "32FC1")
    image[10, 10], image[20, 20], image[30, 30], image[40, 40] = np.nan, np.inf, -np.inf, 1e9
    picture = normalize_once(image, "32FC1")
    assert np.isfinite(picture).all()
    assert picture[10, 10] == picture[30, 30] == 0
    assert picture[20, 20] == picture[40, 40] == 1
    assert (
        np.abs(
            np.delete(picture, [10, 20, 30, 40], 0) - np.delete(clean, [10, 20, 30, 40], 0)
        ).max()
        < 0.02
    )


def test_a_fire_over_a_fifth_of_the_image_does_not_black_out_the_rest():
    kelvin = scene()
    fire = kelvin.copy()
    fire[:, 256:] = np.random.default_rng(1).uniform(500, 640, (240, 64))
    spans = []
    for image in (kelvin, fire):
        rest = normalize_once(centikelvin(image), "16UC1")[:, :250]
        low, high = np.percentile(rest, (5, 95))
        spans.append(high - low)
        person = rest[110:150, 52:68].mean()
        assert person - np.percentile(rest, 95) > 0.08  # and the person still stands out
    assert spans[1] >= 0.4 * spans[0]
    # A linear stretch over the same image would leave it a thirtieth.
    assert spans[1] > 5 * (8 / (640 - 284))


def test_a_flat_background_does_not_take_the_range():
    kelvin = np.random.default_rng(0).normal(285, 0.1, (240, 320))
    kelvin[100:160, 50:70] = np.linspace(300, 308, 20)
    picture = normalize_once(centikelvin(kelvin), "16UC1")
    assert np.percentile(picture[:, 100:], 99) - np.percentile(picture[:, 100:], 1) < 0.15
    assert np.ptp(picture[130, 50:70]) > 0.2  # the texture of the small hot object is kept


@pytest.mark.parametrize(
    ("encoding", "image"),
    [
        ("16UC1", centikelvin(np.random.default_rng(0).normal(288, 0.05, (240, 320)))),
        ("mono16", np.random.default_rng(0).normal(7000, 2, (240, 320)).astype(np.uint16)),
        ("mono8", np.random.default_rng(0).normal(120, 1, (240, 320)).astype(np.uint8)),
    ],
)
def test_a_uniform_scene_is_not_amplified_noise(encoding, image):
    assert normalize_once(image, encoding).std() < 0.01


def test_noise_and_a_moving_hot_object_do_not_make_the_background_flicker():
    normalizer = ThermalNormalizer()
    values = []
    for step in range(60):
        kelvin = scene(seed=step)
        kelvin[60:120, 80 + 3 * step : 120 + 3 * step] = 320
        picture = normalizer(centikelvin(kelvin), "16UC1", step * FRAME_NS).normalized
        values.append(picture[200:, :40].mean())
    assert np.abs(np.diff(values[5:])).max() < 0.002  # half a grey level from frame to frame


def test_a_blinking_hot_object_does_not_make_the_rest_blink():
    kelvin = scene()
    blinking = kelvin.copy()
    blinking[180:, :60] = 450
    images = [centikelvin(kelvin), centikelvin(blinking)]
    rest = (slice(0, 170), slice(0, 320))
    unsmoothed = np.abs(normalize_once(images[0], "16UC1") - normalize_once(images[1], "16UC1"))
    normalizer = ThermalNormalizer()
    pictures = [
        normalizer(images[step % 2], "16UC1", step * FRAME_NS).normalized[rest]
        for step in range(40)
    ]
    flicker = np.mean([np.abs(b - a).mean() for a, b in pairwise(pictures[20:])])
    assert unsmoothed[rest].mean() > 0.015
    assert flicker < 0.1 * unsmoothed[rest].mean()


def test_a_hot_object_that_stays_is_followed_gradually_and_completely():
    normalizer = ThermalNormalizer(time_constant=0.5)
    kelvin = scene()
    with_fire = kelvin.copy()
    with_fire[180:, :60] = 450
    wanted = normalize_once(centikelvin(with_fire), "16UC1")[:170]
    error = []
    for step in range(-20, 76):
        image = centikelvin(kelvin if step < 0 else with_fire)
        picture = normalizer(image, "16UC1", (step + 20) * FRAME_NS).normalized[:170]
        error.append(np.abs(picture - wanted).mean())
    start, after_half_a_second, end = error[19], error[20 + 14], error[-1]
    assert after_half_a_second == pytest.approx(start / np.e, rel=0.05)
    assert end < 0.01 * start


def test_a_shutter_event_is_followed_at_once():
    normalizer = ThermalNormalizer()
    image = ENCODED["mono16"](scene())
    for step in range(10):
        normalizer(image, "mono16", step * FRAME_NS)
    shifted = image + np.uint16(900)
    after = normalizer(shifted, "mono16", 10 * FRAME_NS).normalized
    assert np.abs(after - normalize_once(shifted, "mono16")).max() == 0


@pytest.mark.parametrize("change", ["backwards", "size", "encoding", "reset"])
def test_the_past_is_forgotten_when_it_no_longer_applies(change):
    normalizer = ThermalNormalizer()
    warm = centikelvin(scene() + 1)
    normalizer(warm, "16UC1", 10 * FRAME_NS)
    image, encoding, stamp = centikelvin(scene()), "16UC1", 11 * FRAME_NS
    if change == "backwards":
        stamp = 0
    elif change == "size":
        image = image[:200]
    elif change == "encoding":
        encoding = "mono16"
    else:
        normalizer.reset()
    result = normalizer(image, encoding, stamp).normalized
    assert (result == normalize_once(image, encoding)).all()


def test_a_frame_without_a_stamp_leaves_no_trace():
    one, other = ThermalNormalizer(), ThermalNormalizer()
    for step in range(3):
        image = centikelvin(scene(step))
        first = one(image, "16UC1", step * FRAME_NS).normalized
        other(centikelvin(scene() + 3), "16UC1", None)
        assert (other(image, "16UC1", step * FRAME_NS).normalized == first).all()


@given(st.sampled_from(("mono8", "mono16", "16UC1", "32FC1")), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_hotter_never_maps_darker(encoding, seed):
    rng = np.random.default_rng(seed)
    normalizer = ThermalNormalizer()
    for step in range(3):
        shape = rng.integers(1, 60, 2)
        centre, spread = rng.uniform(250, 330), 10 ** rng.uniform(-1, 2)
        kelvin = np.clip(rng.normal(centre, spread, shape), 201, 600)
        image = ENCODED[encoding](kelvin)
        picture = normalizer(image, encoding, step * FRAME_NS).normalized.ravel()
        order = np.argsort(image.ravel(), kind="stable")
        assert (np.diff(picture[order]) >= 0).all()


@pytest.mark.parametrize(
    ("image", "encoding", "message"),
    [
        (np.zeros((0, 640), np.uint16), "16UC1", "encoding 16UC1: got size 640x0"),
        (np.zeros((4, 4), np.uint8), "16UC1", "encoding 16UC1: got uint8.*wanted uint16"),
        (np.zeros((4, 4, 3), np.uint8), "mono8", r"got uint8 of shape \(4, 4, 3\).*\(H, W\)"),
        (np.zeros((4, 4), np.float64), "32FC1", "got float64.*wanted float32"),
        (np.zeros((4, 4), np.uint8), "yuv422", "'yuv422', wanted one of .*mono8"),
        (np.full((4, 4), np.nan, np.float32), "32FC1", "no finite pixel"),
        (np.tile(np.uint8([0, 90, 200]), (8, 8, 1)), "rgb8", "palette colours.*white-hot"),
    ],
)
def test_bad_input_is_named(image, encoding, message):
    with pytest.raises(ImageError, match=message):
        normalize_once(image, encoding)


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="kelvin_scale: got 0"):
        ThermalNormalizer(kelvin_scale=0)
    with pytest.raises(ValueError, match="time_constant: got nan"):
        ThermalNormalizer(time_constant=float("nan"))


def test_a_view_with_padded_rows_gives_the_same_picture():
    padded = np.zeros((240, 352), np.uint16)
    padded[:, :320] = centikelvin(scene())
    view = padded[:, :320]
    assert (normalize_once(view, "16UC1") == normalize_once(view.copy(), "16UC1")).all()


@pytest.mark.skipif(not (DATA / "msrs").is_dir(), reason=f"no data set at {DATA}")
def test_real_8_bit_images_change_little():
    files = (
        sorted((DATA / "msrs/thermal").iterdir())[::40]
        + sorted((DATA / "m3svd/thermal").iterdir())[::8]
    )
    changes = []
    for file in files:
        image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        picture = normalize_once(image, "mono8")
        changes.append(np.abs(picture - image / 255).mean())
        assert np.corrcoef(picture.ravel(), image.ravel())[0, 1] > 0.97
    assert np.median(changes) < 0.05
    assert max(changes) < 0.1
