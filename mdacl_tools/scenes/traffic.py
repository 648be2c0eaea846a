"""Who moves through a scene, and where everyone is at a given time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mdacl_tools.scenes.bicycles import BicycleLook, random_bicycle
from mdacl_tools.scenes.config import SceneConfig
from mdacl_tools.scenes.people import PersonLook, random_person
from mdacl_tools.scenes.place import Place
from mdacl_tools.scenes.vehicles import CarLook, random_car

TURN_SECONDS = 0.9


@dataclass(frozen=True, slots=True)
class Track:
    """A straight way, walked to and fro, or driven through and begun again.

    Attributes:
        start: World x, z of one end in metres.
        end: World x, z of the other end.
        speed: Metres a second; 0 stands at ``start``, facing ``end``.
        offset: Metres already covered at time 0.
        returns: Turn round at the ends (else reappear at the start).
    """

    start: tuple[float, float]
    end: tuple[float, float]
    speed: float
    offset: float
    returns: bool

    def at(self, time_s: float) -> tuple[float, float, float, float, float]:
        """World x, z, heading (radians), metres covered, and effort (0 stands, 1 moves)."""
        ahead = np.subtract(self.end, self.start)
        length = float(np.hypot(*ahead))
        heading = float(np.arctan2(ahead[0], ahead[1]))
        if self.speed == 0:
            return *self.start, heading, self.offset, 0.0
        if not self.returns:
            done = (self.offset + self.speed * time_s) % length
            x, z = np.add(self.start, ahead * (done / length))
            return float(x), float(z), heading, self.offset + self.speed * time_s, 1.0
        leg = length / self.speed + TURN_SECONDS
        clock = (self.offset / self.speed + time_s) % (2 * leg)
        back, clock = clock >= leg, clock % leg
        walked = min(clock * self.speed, length)
        turning = max(0.0, clock - length / self.speed) / TURN_SECONDS
        share = walked / length
        x, z = np.add(self.start, ahead * (1 - share if back else share))
        turn = (1.0 if back else 0.0) + (1 - np.cos(np.pi * turning)) / 2
        return (
            float(x),
            float(z),
            heading + np.pi * float(turn),
            walked,
            1.0 - float(turning > 0) * 0.8,
        )


@dataclass(frozen=True, slots=True)
class Mover:
    """One labelled object: what it looks like and where it goes.

    Attributes:
        look: Person, car or bicycle (the rider of a bicycle is a person of his own).
        track: Its way.
        rides: For a person on a bicycle, ``True``.
        seed: For its own texture.
    """

    look: PersonLook | CarLook | BicycleLook
    track: Track
    rides: bool
    seed: int


def make_traffic(config: SceneConfig, place: Place, rng: np.random.Generator) -> tuple[Mover, ...]:
    """Draw people, cars and bicycles within the config's ranges."""
    air = place.climate.air[0]
    movers: list[Mover] = []

    def count(pair: tuple[int, int]) -> int:
        return int(rng.integers(pair[0], pair[1] + 1))

    for _ in range(count(config.cars)):
        movers.append(_car(place, movers, rng))
    for _ in range(count(config.bicycles)):
        ridden = bool(rng.random() < 0.6)
        speed = float(rng.uniform(2.5, 5.0)) if ridden else 0.0
        track = _walk(place, rng, speed)
        movers.append(Mover(random_bicycle(rng, ridden=ridden), track, False, _seed(rng)))
        if ridden:
            movers.append(Mover(random_person(rng, air), track, True, _seed(rng)))
    companion: Track | None = None
    for _ in range(count(config.people)):
        look = random_person(rng, air)
        speed = float(rng.uniform(0.8, 1.7)) if rng.random() < 0.85 else 0.0
        if companion is not None and rng.random() < 0.3:
            track = _beside(companion, rng)
        else:
            track = companion = _walk(place, rng, speed)
        movers.append(Mover(look, track, False, _seed(rng)))
    return tuple(movers)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 31))


def _beside(track: Track, rng: np.random.Generator) -> Track:
    """The same way, half a metre to the side: two people walk together."""
    ahead = np.subtract(track.end, track.start)
    side = np.array([ahead[1], -ahead[0]]) / (np.hypot(*ahead) + 1e-6) * rng.uniform(0.55, 0.8)
    a, b = np.add(track.start, side), np.add(track.end, side)
    return Track((a[0], a[1]), (b[0], b[1]), track.speed, track.offset, track.returns)


def _walk(place: Place, rng: np.random.Generator, speed: float) -> Track:
    """A way that leads through a spot the camera sees at time 0."""
    far = min(place.end - 1.5, 42.0)
    z = float(np.exp(rng.uniform(np.log(3.4), np.log(far))))
    half = 0.5 * place.camera.width / place.camera.focal
    x = z * np.tan(place.camera.yaw) + z * half * rng.uniform(-0.92, 0.92)
    low, high = place.walls[0] + 0.6, place.walls[1] - 0.6
    along = place.layout == "street" and rng.random() < 0.65
    if along and rng.random() < 0.75:
        side = int(rng.integers(2))
        gap = rng.uniform(0.3, max(0.6, abs(place.walls[side] - place.road[side]) - 0.6))
        x = place.road[side] + (-gap if side == 0 else gap)
        # Far enough ahead for the pavement to be inside the picture.
        z = max(z, abs(x - z * np.tan(place.camera.yaw)) / half * 1.1)
        z = min(z, far)
    x = float(np.clip(x, low, high))
    drift = rng.normal(0, 0.12)
    angle = drift + (np.pi / 2 if not along else 0.0)
    if place.layout == "yard":
        angle = rng.uniform(0, 2 * np.pi)
    step = np.array([np.sin(angle), np.cos(angle)]) * (1 if rng.random() < 0.5 else -1)
    before, after = rng.uniform(3, 22), rng.uniform(4, 22)
    spot, box_low, box_high = (
        np.array([x, z]),
        np.array([low, 3.2]),
        np.array([high, max(far, 6.0)]),
    )
    before = min(before, _reach(spot, -step, box_low, box_high))
    after = min(after, _reach(spot, step, box_low, box_high))
    if before + after < 1.5 or speed == 0:
        aim = spot + step
        return Track((x, z), (float(aim[0]), float(aim[1])), 0.0, 0.0, False)
    a, b = spot - step * before, spot + step * after
    return Track((float(a[0]), float(a[1])), (float(b[0]), float(b[1])), speed, before, True)


def _reach(spot: np.ndarray, step: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """How far one can go from ``spot`` along ``step`` inside a rectangle."""
    limits = np.where(step > 0, high - spot, low - spot)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(np.abs(step) < 1e-6, np.inf, limits / step)
    return float(max(0.0, reach.min()))


def _car(place: Place, others: list[Mover], rng: np.random.Generator) -> Mover:
    """A car on its lane, parked at the kerb, or standing in the yard."""
    left, right = place.road
    parked = rng.random() < (0.4 if place.layout == "street" else 0.7)
    running = bool(not parked or rng.random() < 0.3)
    look = random_car(rng, running=running)
    half = 0.5 * place.camera.width / place.camera.focal
    if place.layout == "yard":
        z = float(rng.uniform(8, max(9.5, place.end - 3)))
        x = float(z * np.tan(place.camera.yaw) + z * half * rng.uniform(-0.9, 0.9))
        x = float(np.clip(x, place.walls[0] + 2.5, place.walls[1] - 2.5))
        angle = rng.uniform(0, 2 * np.pi)
        if not parked:
            ends = (place.walls[0] - 12, place.walls[1] + 12)
            start, stop = ends if rng.random() < 0.5 else ends[::-1]
            offset = abs(x - start)
            return Mover(
                look,
                Track((start, z), (stop, z), float(rng.uniform(2, 6)), offset, False),
                False,
                _seed(rng),
            )
        return Mover(look, _standing(x, z, angle, others, rng), False, _seed(rng))
    middle = (left + right) / 2
    towards = bool(rng.random() < 0.5)
    lane = (left + middle) / 2 if towards else (middle + right) / 2
    if parked:
        x = left + 1.05 if towards else right - 1.05
        z = float(np.exp(rng.uniform(np.log(7.5), np.log(45))))
        return Mover(
            look, _standing(x, z, np.pi if towards else 0.0, others, rng), False, _seed(rng)
        )
    ends = (-9.0, min(place.end - 4, 105.0))
    start, stop = ends[::-1] if towards else ends
    offset = float(rng.uniform(0.15, 0.85) * abs(stop - start))
    speed = float(rng.uniform(3.5, 11))
    return Mover(look, Track((lane, start), (lane, stop), speed, offset, False), False, _seed(rng))


def _standing(
    x: float, z: float, angle: float, others: list[Mover], rng: np.random.Generator
) -> Track:
    """A parking spot, moved back until no parked car is in the way."""
    for _ in range(12):
        clear = all(
            np.hypot(x - m.track.start[0], z - m.track.start[1]) > 5.2
            for m in others
            if isinstance(m.look, CarLook) and m.track.speed == 0
        )
        if clear:
            break
        z += 2.7
    angle += rng.normal(0, 0.04)
    return Track((x, z), (float(x + np.sin(angle)), float(z + np.cos(angle))), 0.0, 0.0, False)
