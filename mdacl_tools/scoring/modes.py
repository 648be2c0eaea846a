"""The modes in which every labelled pair is judged: as it is, one camera removed, one corrupted."""

from __future__ import annotations

import contextlib
from array import array
from collections import defaultdict

from mdacl_ros.errors import MdaclError
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.sensing.registration.aligned_pair import AlignedPair
from mdacl_ros.sensing.registration.rig_types import CameraModel
from mdacl_ros.types import FramePair, GroundTruth, PerceptionResult
from mdacl_tools.scoring.corruption_retention import corrupted
from mdacl_tools.scoring.pair_scoring import SCORE_FLOOR, Change, without
from mdacl_tools.scoring.report import ModeScores
from mdacl_tools.scoring.scores import ScoreBook
from mdacl_tools.scoring.settings import (
    ABSENT,
    CORRUPTED,
    FUSED,
    EvaluationSettings,
    scoring_config,
)

ASSUMPTIONS = 8
"""So many are noted: some name numbers that differ from frame to frame."""


class Modes:
    """One perception a mode, all on one engine, each with its own past.

    Modes other than ``fused`` see labelled pairs only, and are scored on what they can answer.

    Args:
        settings: Which modes.
        perception: Whose engine and calibration are used.
        has_truth: Without ground truth there is only ``fused``, and only what is shown is kept.
        stills: Judge each pair without a past.

    Attributes:
        names: The modes.
        floor: Least score of a detection.
        timings: Milliseconds of every fused answer by stage.
        assumptions: What the fused perception assumed or did without, each once.
    """

    def __init__(
        self, settings: EvaluationSettings, perception: Perception, has_truth: bool, stills: bool
    ) -> None:
        self.names = settings.modes if has_truth else (FUSED,)
        self.floor = SCORE_FLOOR if has_truth else settings.pipeline.score_threshold
        self.timings: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self.assumptions: list[str] = []
        self._stills = stills
        rate = settings.pipeline.reliance_rate
        self._probe_ns = round(1e9 / rate) if rate > 0 else None
        self._probed_ns: int | None = None
        config = scoring_config(perception.config, self.floor)
        self._perceptions = {
            name: Perception(perception.engine, perception.rig, config) for name in self.names
        }
        self._books = {name: ScoreBook(perception.engine.labels) for name in self.names}
        self._changes = {name: _change(name) for name in self.names if name != FUSED}
        self._judged = 0

    def expect_size(self, model: CameraModel | None) -> None:
        """Tell how large RGB images are, before one was seen."""
        if model is not None and min(model.size) > 0:
            for perception in self._perceptions.values():
                perception.expect_rgb_size(model.size)

    def judge(
        self, pair: FramePair, truth: GroundTruth | None, part: str | None
    ) -> PerceptionResult:
        """Detect in a pair and score it in every mode where there is ground truth.

        Returns:
            The fused answer.

        Raises:
            MdaclError: Nothing in the pair can be used.
        """
        result = self._process(FUSED, pair, pair, self._is_probed(pair.stamp_ns))
        for stage, ms in result.timings_ms.items():
            self.timings[stage].append(ms)
        for text in self._perceptions[FUSED].warnings:
            if text not in self.assumptions and len(self.assumptions) < ASSUMPTIONS:
                self.assumptions.append(text)
        if truth is None:
            return result
        self._books[FUSED].add(result.detections, truth, result.dominance.mdi, part)
        for name, change in self._changes.items():
            changed = change(self._judged, pair)
            if changed.rgb is None and changed.thermal is None:
                continue
            with contextlib.suppress(MdaclError):  # thermal alone has no place without calibration
                other = self._process(name, pair, changed, False)
                self._books[name].add(other.detections, truth, other.dominance.mdi, part)
        self._judged += 1
        return result

    def aligned_pair(self) -> AlignedPair | None:
        """Both images of the pair judged last, as the calibration has them."""
        return self._perceptions[FUSED].aligned_pair()

    def summarize(self) -> dict[str, ModeScores]:
        """Scores of every mode that has any."""
        return {name: book.summarize() for name, book in self._books.items() if book.images}

    def _process(
        self, name: str, pair: FramePair, changed: FramePair, probe: bool
    ) -> PerceptionResult:
        """Boxes lie in the unchanged RGB image, also where it was taken away."""
        perception = self._perceptions[name]
        if self._stills:
            perception.reset()
        if pair.rgb is not None:
            height, width = pair.rgb.image.shape[:2]
            perception.expect_rgb_size((width, height))
        return perception.process(changed, probe=probe)

    def _is_probed(self, stamp_ns: int) -> bool:
        """Whether the exact index is due on the recording's clock."""
        if self._probe_ns is None:
            return False
        last = self._probed_ns
        if last is not None and 0 <= stamp_ns - last < self._probe_ns:
            return False
        self._probed_ns = stamp_ns
        return True


def _change(name: str) -> Change:
    """What a mode does to every pair."""
    if name.startswith(CORRUPTED):
        return corrupted(name.removeprefix(CORRUPTED), None)
    return without("rgb" if name == ABSENT[0] else "thermal")
