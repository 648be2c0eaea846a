"""One camera as the synchronizer sees it: is it alive, does its clock run forward."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from mdacl_ros.sensing.pairing.frozen_camera import Repetition
from mdacl_ros.sensing.pairing.synchronizer_types import SyncConfig
from mdacl_ros.types import Frame, Modality

Verdict = Literal["accepted", "duplicate_stamp", "late", "clock_reset", "frozen", "backwards"]

_LATE_IS_RESET = 5  # this many late frames in rising order are a small clock step, not transport
_LEADS = 9  # frames whose median tells how far stamps are ahead of arrival: some arrive late
_LEAD_JUMP_NS = 100_000_000  # from here on it is another clock or transport
_PERIODS = 5  # stamp differences whose median is the period: one lost frame does not matter


@dataclass(slots=True)
class Stream:
    """Stamps and liveness of one camera. Stamps are on the RGB clock (offset added), ns.

    Attributes:
        camera: Whose.
        newest_ns: Newest stamp, ``None`` before the first frame.
        seen_ns: When the stamp last advanced, on the caller's clock.
        stale_until_ns: Until then frames of the clock before a reset may still arrive.
        before_ns: Newest stamp before that reset, where it was the other camera's stamps that
            went back.
        held_out_ns: When such a frame, or the last one before the reset, came, on the caller's
            clock.
        went_back: Whether its stamps went back at the newest reset.
        pictures: Whether its pictures repeat.
    """

    camera: Modality
    newest_ns: int | None = None
    seen_ns: int | None = None
    stale_until_ns: int | None = None
    before_ns: int | None = None
    held_out_ns: int | None = None
    went_back: bool = False
    pictures: Repetition = field(default_factory=Repetition)
    _late: int = 0
    _late_ns: int = 0
    _differences: deque[int] = field(default_factory=lambda: deque(maxlen=_PERIODS))
    _leads: deque[int] = field(default_factory=lambda: deque(maxlen=_LEADS))

    @property
    def period_ns(self) -> int | None:
        """Median of the last stamp differences, ``None`` before the second frame."""
        if not self._differences:
            return None
        return sorted(self._differences)[len(self._differences) // 2]

    @property
    def lead_ns(self) -> int | None:
        """How far stamps are ahead of the arrival on the caller's clock, ``None`` without any.

        By itself without a meaning, since the two clocks may have nothing to do with each other;
        the difference of two cameras' is how far their clocks, or transports, are apart.
        """
        return sorted(self._leads)[len(self._leads) // 2] if self._leads else None

    def alive(self, now_ns: int, timeout_ns: int) -> bool:
        """Whether a new stamp came less than ``timeout_ns`` ago and the picture is not frozen."""
        return self.comes(now_ns, timeout_ns) and not self.pictures.frozen

    def comes(self, now_ns: int, timeout_ns: int) -> bool:
        """Whether a new stamp came less than ``timeout_ns`` ago, whatever its picture."""
        return self.seen_ns is not None and now_ns - self.seen_ns < timeout_ns

    def held_out(self, now_ns: int, timeout_ns: int) -> bool:
        """Whether it delivers, but was not yet let in again after the other's stamps went back."""
        if self.seen_ns is not None or self.held_out_ns is None:
            return False
        return now_ns - self.held_out_ns < timeout_ns

    def shift(self, by_ns: int) -> None:
        """Move all that is known of stamps, as another clock offset does; the period stays."""
        if self.newest_ns is not None:
            self.newest_ns += by_ns
        if self.before_ns is not None:
            self.before_ns += by_ns
        self._late_ns += by_ns
        self._leads = deque((lead + by_ns for lead in self._leads), maxlen=_LEADS)

    def judge(
        self, frame: Frame, stamp_ns: int, now_ns: int, other: Stream, config: SyncConfig
    ) -> Verdict:
        """Decide on a frame and, if it is accepted, take it as the newest.

        Args:
            frame: The frame, for its pixels.
            stamp_ns: Its stamp on the RGB clock.
            now_ns: The caller's clock.
            other: The other camera.
            config: Limits.

        Returns:
            ``accepted``; a cause to drop it; or ``backwards``: time was reset, ask again after
            starting anew.
        """
        if self.stale_until_ns is not None:
            near = other.newest_ns is None or (
                abs(stamp_ns - other.newest_ns) <= config.clock_jump_ns
            )
            if now_ns < self.stale_until_ns and not near:
                self.held_out_ns = now_ns
                return "clock_reset"
            self.stale_until_ns = None
            self.went_back = self.before_ns is not None and stamp_ns < self.before_ns
        if self.newest_ns is not None and stamp_ns <= self.newest_ns:
            return self._judge_old(stamp_ns, self.newest_ns, config)
        if self.newest_ns is not None:
            self._differences.append(stamp_ns - self.newest_ns)
        self.newest_ns, self.seen_ns, self._late = stamp_ns, now_ns, 0
        lead_ns, before_ns = stamp_ns - now_ns, self.lead_ns
        if before_ns is not None and abs(lead_ns - before_ns) > _LEAD_JUMP_NS:
            self._leads.clear()
        self._leads.append(lead_ns)
        limits = config.frozen_after, config.frozen_ns(self.camera)
        if self.pictures.look(frame.image, stamp_ns, other.pictures, *limits):
            return "frozen"
        return "accepted"

    def _judge_old(self, stamp_ns: int, newest_ns: int, config: SyncConfig) -> Verdict:
        """A stamp that does not advance: repeated, late, or of a clock that was set back."""
        if stamp_ns == newest_ns:
            return "duplicate_stamp"
        if newest_ns - stamp_ns > config.clock_jump_ns:
            return "backwards"
        self._late = self._late + 1 if self._late and stamp_ns > self._late_ns else 1
        self._late_ns = stamp_ns
        return "backwards" if self._late >= _LATE_IS_RESET else "late"
