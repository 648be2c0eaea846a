from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdacl_ros.errors import ImageError, ParameterError
from mdacl_tools.corruption import CORRUPTIONS, STRENGTHS, corrupt

SHAPE = (96, 160)
RGB_KINDS = [n for n, c in CORRUPTIONS.items() if c.camera == "rgb"]
THERMAL_KINDS = [n for n, c in CORRUPTIONS.items() if c.camera == "thermal"]
KINDS_AND_TYPES = [(name, np.uint8) for name in CORRUPTIONS] + [
    (name, dtype) for name in THERMAL_KINDS for dtype in (np.uint16, np.float32)
]


def scene(camera: str, dtype: type = np.uint8) -> np.ndarray:
    """A textured ground with warm, bright objects on it."""
    rng = np.random.default_rng(0)
    image = 60 + 15 * rng.random(SHAPE)
    image[30:70, 20:40] = 180
    image[50:60, 90:130] = 140
    if camera == "rgb":
        return np.stack([image, image * 0.9, image * 0.8], 2).astype(np.uint8)
    counts = {np.uint8: image, np.uint16: 29_000 + 10 * image, np.float32: 280 + image / 10}
    return counts[dtype].astype(dtype)


def noise_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def change(name: str, strength: int, seeds: int = 6) -> float:
    image = scene(CORRUPTIONS[name].camera)
    total = 0.0
    for seed in range(seeds):
        changed = corrupt(name, image, strength, noise_of(seed))
        total += float(np.abs(changed.astype(float) - image).mean())
    return total / seeds


def test_the_table_lists_the_kinds_of_each_camera() -> None:
    assert RGB_KINDS == ["rgb_noise", "rgb_blur", "rgb_fog", "rgb_glare", "rgb_dark"]
    assert THERMAL_KINDS == [
        "thermal_noise",
        "thermal_blur",
        "thermal_drift",
        "thermal_nuc_ghost",
        "thermal_shift",
    ]
    assert all(name == c.name for name, c in CORRUPTIONS.items())


@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize(("name", "dtype"), KINDS_AND_TYPES)
def test_shape_and_type_stay_and_the_input_is_left_alone(
    name: str, dtype: type, strength: int
) -> None:
    image = scene(CORRUPTIONS[name].camera, dtype)
    before = image.copy()
    changed = corrupt(name, image, strength, noise_of(1))
    assert changed.shape == image.shape
    assert changed.dtype == image.dtype
    assert np.isfinite(changed).all()
    assert np.array_equal(image, before)
    if strength > 1:  # the weakest blur of so small an image is less than a count
        assert not np.array_equal(changed, image)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_strength_changes_more_than_the_one_before(name: str) -> None:
    changes = [change(name, strength) for strength in STRENGTHS]
    assert changes == sorted(changes)
    assert changes[4] > 2 * changes[0]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_strongest_leaves_something_to_see(name: str) -> None:
    """Averaged over draws (noise cancels, the source of glare moves) the scene is still there."""
    image = scene(CORRUPTIONS[name].camera)
    mean = np.mean([corrupt(name, image, 5, noise_of(s)).astype(float) for s in range(8)], 0)
    assert np.corrcoef(mean.ravel(), image.ravel().astype(float))[0, 1] > 0.3


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_equal_generators_give_equal_images(name: str) -> None:
    image = scene(CORRUPTIONS[name].camera)
    a, b = (corrupt(name, image, 3, noise_of(9)) for _ in range(2))
    assert np.array_equal(a, b)


@pytest.mark.parametrize("name", THERMAL_KINDS)
@pytest.mark.parametrize("strength", [1, 4])
def test_thermal_amplitudes_are_relative_to_the_image(name: str, strength: int) -> None:
    """The same scene in other units is changed in the same way."""
    image = scene("thermal", np.float32)
    plain = corrupt(name, image, strength, noise_of(2))
    scaled = corrupt(name, image * 40 + 1000, strength, noise_of(2))
    assert np.allclose((scaled - 1000) / 40, plain, atol=0.02)


@pytest.mark.parametrize(("strength", "pixels"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16)])
@pytest.mark.parametrize("width", [320, 640])
def test_shift_is_as_long_as_named(strength: int, pixels: int, width: int) -> None:
    image = np.zeros((120, width), np.uint8)
    image[40:80, width // 2 - 20 : width // 2 + 20] = 200
    for seed in range(4):
        moved = corrupt("thermal_shift", image, strength, noise_of(seed)).astype(float)
        y, x = np.indices(image.shape)
        centre = [np.average(v, weights=moved) - np.average(v, weights=image) for v in (x, y)]
        assert np.hypot(*centre) == pytest.approx(pixels * width / 640, abs=0.1)


def test_blur_is_as_wide_in_a_smaller_copy_of_the_image() -> None:
    def spread(width: int) -> float:
        image = np.zeros((width // 2, width, 3), np.uint8)
        image[:, width // 2 :] = 255
        profile = corrupt("rgb_blur", image, 4, noise_of(0))[0, :, 0].astype(float)
        return float(((profile > 25) & (profile < 230)).sum() / width)

    assert spread(640) == pytest.approx(spread(320), abs=0.008)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("level", [0, 255])
def test_a_uniform_image_is_no_error(name: str, level: int) -> None:
    shape = (*SHAPE, 3) if CORRUPTIONS[name].camera == "rgb" else SHAPE
    changed = corrupt(name, np.full(shape, level, np.uint8), 5, noise_of(0))
    assert changed.shape == shape


@given(st.sampled_from(THERMAL_KINDS), st.sampled_from(STRENGTHS), st.integers(0, 999))
def test_hot_things_are_not_clipped_away(name: str, strength: int, seed: int) -> None:
    """An 8-bit camera's gain control makes room for noise and offsets."""
    image = scene("thermal")
    changed = corrupt(name, image, strength, noise_of(seed))
    assert (changed == 255).mean() < 0.03
    assert (changed == 0).mean() < 0.03


@pytest.mark.parametrize("strength", [0, 6, 2.5, None])
def test_unknown_strength_is_refused(strength: object) -> None:
    with pytest.raises(ParameterError, match=r"rgb_fog: strength is .* wanted 1 to 5"):
        corrupt("rgb_fog", scene("rgb"), strength, noise_of(0))  # type: ignore[arg-type]


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'snow' is unknown, wanted one of .*rgb_noise"):
        corrupt("snow", scene("rgb"), 1, noise_of(0))


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("rgb_noise", scene("thermal")),
        ("rgb_noise", scene("rgb").astype(np.float32)),
        ("thermal_noise", scene("rgb")),
        ("thermal_noise", scene("thermal").astype(np.float64)),
    ],
)
def test_the_wrong_image_is_refused(name: str, image: np.ndarray) -> None:
    with pytest.raises(ImageError, match=rf"corruption {name}: image is .* wanted .* uint8"):
        corrupt(name, image, 1, noise_of(0))
