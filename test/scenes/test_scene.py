"""Scenes: determinism, contract, geometry, thermal contrast, smoke."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from mdacl_ros.errors import ParameterError
from mdacl_ros.types import LABELS
from mdacl_tools.scenes import (
    Conditions,
    Scene,
    SceneConfig,
    SimulatedPair,
    preview,
    random_scene,
)
from mdacl_tools.scenes.people import PersonLook
from mdacl_tools.scenes.stage import Layers, actors_at
from mdacl_tools.scenes.traffic import Mover, Track

PERSON = LABELS.index("person")


@pytest.fixture(scope="module")
def street() -> Scene:
    return Scene(SceneConfig(seed=5, layout="street", people=(6, 6), cars=(2, 2), air_celsius=12.0))


@lru_cache(maxsize=2)
def sample(seed: int) -> SimulatedPair:
    return random_scene(seed)


def inside_and_around(values: np.ndarray, pair, row: int) -> tuple[np.ndarray, np.ndarray]:
    """Values on one object and on the bare scene within 12 pixels of its box."""
    x0, y0, x1, y1 = pair.boxes[row].astype(int)
    view = np.s_[max(y0 - 12, 0) : y1 + 12, max(x0 - 12, 0) : x1 + 12]
    ids = pair.object_ids[view]
    return values[view][ids == row], values[view][ids == -1]


def test_same_seed_and_time_give_the_same_bytes(street):
    config = replace(street.config, size=(320, 240), thermal_size=(160, 120))
    once, again = Scene(config), Scene(config)
    again.render(3.0)  # what was rendered before must not matter
    for now in (Conditions(), Conditions(0.7, 0.6, 0.4)):
        a, b = once.render(1.25, now), again.render(1.25, now)
        for name in ("rgb", "thermal", "boxes", "labels", "visibility", "object_ids"):
            assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name


def test_seeds_give_different_places():
    pictures = [sample(seed).rgb.mean(axis=2) for seed in (1, 2)]
    assert np.abs(pictures[0] - pictures[1]).mean() > 5


@pytest.mark.parametrize("seed", [1, 2])
def test_truth_keeps_its_contract(seed):
    pair = sample(seed)
    n = len(pair.boxes)
    assert pair.rgb.dtype == np.uint8
    assert pair.rgb.shape == (480, 640, 3)
    assert pair.thermal.dtype == np.uint16
    assert pair.boxes.shape == (n, 4)
    assert pair.boxes.dtype == np.float32
    assert pair.labels.dtype == np.int64
    assert pair.visibility.dtype == np.float32
    assert len(pair.labels) == len(pair.visibility) == n
    assert set(pair.labels) <= set(range(len(LABELS)))
    assert (pair.visibility >= 0.25).all()
    assert (pair.visibility <= 1).all()
    assert (pair.boxes[:, :2] >= 0).all()
    assert (pair.boxes[:, 2:] <= (640, 480)).all()
    assert (pair.boxes[:, 2:] - pair.boxes[:, :2] >= 3).all()


@pytest.mark.parametrize(
    ("size", "thermal"),
    [((720, 405), (320, 256)), ((321, 243), (161, 99)), ((120, 160), (80, 60))],
)
def test_sizes_are_as_asked(size, thermal):
    pair = Scene(SceneConfig(seed=2, size=size, thermal_size=thermal)).render(0.0)
    assert pair.rgb.shape == (size[1], size[0], 3)
    assert pair.thermal.shape == (thermal[1], thermal[0])
    assert (pair.boxes[:, 2:] <= size).all()


def test_boxes_enclose_exactly_what_is_drawn(street):
    """The thermal picture before and after an object is drawn differs only inside its box."""
    actors = [a for a in actors_at(0.5, street._traffic, street.place) if a.label == PERSON]
    assert actors
    for actor in actors:
        h, w = street.config.size[::-1]
        cold = np.full((h, w), -20.0, np.float32)
        layers = Layers(
            street._bare(0.0).rgb, cold.copy(), np.full((h, w), 1e4, np.float32),
            np.full((h, w), -1, np.int16),
        )  # fmt: skip
        whole = street._stage.draw(layers, actor, 0.0)
        boxes, *_ = street._truth([actor], {actor.index: whole}, layers)
        if not len(boxes):
            continue
        rows, columns = np.nonzero(layers.celsius - cold > 8)  # more than a trace of paint
        drawn = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(boxes[0] - drawn).max() <= 2


def test_people_have_the_height_the_pinhole_demands(street):
    checked = 0
    for time_s in (0.0, 1.0, 2.0):
        pair = street.render(time_s)
        for actor in actors_at(time_s, street._traffic, street.place):
            look = actor.mover.look
            if not isinstance(look, PersonLook) or actor.mover.rides:
                continue
            x, z, _ = actor.place
            ends, _ = street.place.camera.project([(x, 0, z), (x, look.height, z)])
            hit = np.abs(pair.boxes[:, 3] - ends[0, 1]) < 0.06 * (ends[0, 1] - ends[1, 1]) + 2
            for box in pair.boxes[hit & (pair.visibility > 0.97)]:
                if box[0] <= ends[0, 0] <= box[2] and box[1] > 0 and box[3] < 480:
                    assert box[3] - box[1] == pytest.approx(
                        ends[0, 1] - ends[1, 1], rel=0.08, abs=3
                    )
                    checked += 1
    assert checked >= 3


def test_nearer_objects_cover_farther_ones():
    scene = Scene(
        SceneConfig(
            seed=8, size=(320, 240), people=(1, 1), cars=(0, 0), bicycles=(0, 0), layout="yard"
        )
    )
    look = scene._traffic[0].look
    x = 6.0 * float(np.tan(scene.place.camera.yaw))

    def at(z: float) -> Mover:
        return Mover(look, Track((x, z), (x, z + 1), 0.0, 0.0, False), False, 1)

    scene._traffic = (at(6.0),)
    assert len(scene.render(0.0).boxes) == 1
    scene._traffic = (at(6.0), at(6.6))
    pair = scene.render(0.0)
    assert len(pair.boxes) == 1, "the one behind is less than a quarter visible"
    assert pair.visibility[0] > 0.9


def test_people_are_warmer_than_a_cool_street(street):
    pair = street.render(0.5, Conditions(darkness=1.0))
    people = np.flatnonzero((pair.labels == PERSON) & (pair.boxes[:, 3] - pair.boxes[:, 1] > 40))
    assert len(people)
    for row in people:
        person, around = inside_and_around(pair.thermal.astype(float), pair, row)
        assert np.median(person) - np.median(around) > 500  # centikelvin


def test_sunlit_ground_may_be_hotter_than_people():
    small = SceneConfig(size=(320, 240), thermal_size=(320, 240), air_celsius=35.0, people=(5, 5))
    scenes = (Scene(replace(small, seed=s)) for s in range(20))
    scene = next(s for s in scenes if s.place.climate.sunny and s.place.climate.road[0] > 44)
    pair = scene.render(0.0)
    road = pair.thermal[200:, :][pair.object_ids[200:, :] == -1]
    people = pair.thermal[np.isin(pair.object_ids, np.flatnonzero(pair.labels == PERSON))]
    assert np.median(people) < np.median(road)


def test_smoke_hides_people_in_rgb_but_not_in_thermal(street):
    clear, dense = street.render(0.5), street.render(0.5, Conditions(smoke=0.95))
    np.testing.assert_array_equal(clear.boxes, dense.boxes)
    ratios: dict[str, list[float]] = {"rgb": [], "thermal": []}
    for row in np.flatnonzero(clear.labels == PERSON):
        for name in ratios:
            contrast = []
            for pair in (clear, dense):
                image = getattr(pair, name).astype(float)
                image = image.mean(axis=2) if image.ndim == 3 else image
                person, around = inside_and_around(image, pair, row)
                contrast.append(abs(person.mean() - around.mean()))
            if contrast[0] > 10:
                ratios[name].append(contrast[1] / contrast[0])
    assert np.median(ratios["rgb"]) < 0.1
    assert np.median(ratios["thermal"]) > 0.7


def test_darkness_and_glare_change_rgb_only(street):
    day, glare = street.render(0.0), street.render(0.0, Conditions(glare=1.0))
    night = street.render(0.0, Conditions(darkness=1.0))
    assert night.rgb.mean() < 0.45 * day.rgb.mean()
    assert glare.rgb.mean() > day.rgb.mean() + 20
    assert (glare.rgb > 240).mean() > 0.01
    np.testing.assert_array_equal(day.thermal, glare.thermal)


def test_preview_is_8_bit_and_shows_people_bright(street):
    pair = street.render(0.5, Conditions(darkness=1.0))
    picture = preview(pair.thermal)
    assert picture.dtype == np.uint8
    assert np.median(picture[pair.object_ids == int(np.argmax(pair.labels == PERSON))]) > 150


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("light", "noon"),
        ("smoke", 1.5),
        ("glare", -0.1),
        ("people", (3, 1)),
        ("size", (0, 480)),
        ("layout", "moon"),
    ],
)
def test_bad_config_names_itself(name, value):
    with pytest.raises(ParameterError, match=name):
        replace(SceneConfig(), **{name: value})
