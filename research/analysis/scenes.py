"""Pairs with a known condition (day, night, smoke), from data sets or from the simulation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mdacl_ros.errors import RecordingError
from mdacl_ros.types import Array, Frame, FramePair
from mdacl_tools.learning.samples import read_pairs
from mdacl_tools.recordings.datasets.images import read_rgb, read_thermal
from mdacl_tools.recordings.datasets.record import PairRecord
from mdacl_tools.recordings.recording import FIRST_STAMP_NS
from mdacl_tools.scenes import Scene, SceneConfig

CONDITIONS = ("day", "night", "smoke")
SIMULATED_SECONDS = 1.5
SIMULATED_SMOKE = 0.9


@dataclass(frozen=True, slots=True)
class ConditionedPair:
    """A pair that can be opened.

    Attributes:
        name: File name without its ending.
        source: Name of the data set.
        condition: ``day``, ``night`` or ``smoke``; empty where nothing is said.
        objects: Number of labelled objects.
        record: Where it lies; ``None`` for a simulated one.
        config: What is simulated; ``None`` for a recorded one.
    """

    name: str
    source: str
    condition: str
    objects: int
    record: PairRecord | None = None
    config: SceneConfig | None = None

    def open(self) -> FramePair:
        """Read or render the images.

        Raises:
            RecordingError: A file is missing or unreadable.
        """
        if self.config is not None:
            scene = Scene(self.config).render(SIMULATED_SECONDS)
            return _pair(Frame(scene.rgb, FIRST_STAMP_NS), scene.thermal, "16UC1")
        assert self.record is not None
        assert self.record.rgb is not None
        assert self.record.thermal is not None
        rgb = Frame(read_rgb(self.record.rgb), FIRST_STAMP_NS)
        return _pair(rgb, *read_thermal(self.record.thermal))


def recorded_pairs(path: Path, split: str) -> list[ConditionedPair]:
    """Pairs of one part of a data set.

    Raises:
        RecordingError: It cannot be read, or holds no pair of images.
    """
    whole = path.is_file()
    records = read_pairs(path, split=None if whole else split)
    pairs = [
        ConditionedPair(
            Path(record.name).stem,
            path.stem if whole else path.name,
            "smoke" if record.meta.get("smoke") else str(record.meta.get("time") or ""),
            int((~record.ignore).sum()),
            record,
        )
        for record in records
        if record.rgb is not None and record.thermal is not None
    ]
    if not pairs:
        raise RecordingError(f"data set {path}: has no RGB-thermal pairs, wanted one at least")
    return pairs


def simulated_pairs(count: int, seed: int = 0) -> Iterator[ConditionedPair]:
    """The same simulated places by day, at night and in smoke.

    Args:
        count: Places for each condition.
        seed: Seed of the first place.
    """
    for condition in CONDITIONS:
        for place in range(seed, seed + count):
            config = SceneConfig(
                seed=place,
                light="night" if condition == "night" else "day",
                smoke=SIMULATED_SMOKE if condition == "smoke" else 0.0,
                people=(4, 7),
                cars=(2, 3),
            )
            yield ConditionedPair(f"place_{place}", "simulated", condition, 0, config=config)


def choose_pairs(
    pairs: Sequence[ConditionedPair], names: Sequence[str] | None
) -> list[ConditionedPair]:
    """The pairs to draw: those named, else the one with most objects of each condition.

    Raises:
        RecordingError: A name is not there.
    """
    if names is None:
        known = dict.fromkeys(pair.condition for pair in pairs)
        order = [c for c in CONDITIONS if c in known] or list(known)
        return [max((p for p in pairs if p.condition == c), key=_objects) for c in order]
    by_name = {pair.name: pair for pair in pairs}
    if missing := [name for name in names if name not in by_name]:
        raise RecordingError(
            f"pair {missing[0]!r} is in none of the data sets, wanted a name like "
            f"{', '.join(list(by_name)[:3])}; give file names without their ending"
        )
    return [by_name[name] for name in names]


def _objects(pair: ConditionedPair) -> int:
    return pair.objects


def _pair(rgb: Frame, thermal: Array, encoding: str) -> FramePair:
    return FramePair(rgb, Frame(thermal, FIRST_STAMP_NS, encoding=encoding), FIRST_STAMP_NS)
