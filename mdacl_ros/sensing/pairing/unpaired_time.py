"""Since when RGB frames find no thermal partner although both cameras deliver."""

from __future__ import annotations

from dataclasses import dataclass

_SETTLE_NS = 150_000_000  # of starvation is no matter: a camera's first frames after a silence


@dataclass(slots=True)
class Starvation:
    """Times on the synchronizer's caller's clock, ns; ``None`` while frames meet.

    Attributes:
        since_ns: When the first RGB frame after the last answer was given up without a partner;
            also ``None`` while frames of one camera go out because the other is dead.
        unmet_since_ns: When RGB frames ceased to find a partner, thermal dead or not.
    """

    since_ns: int | None = None
    unmet_since_ns: int | None = None

    def met(self) -> None:
        """A pair, or a thermal frame alone, went out."""
        self.since_ns = self.unmet_since_ns = None

    def given_up(self, now_ns: int) -> None:
        """An RGB frame has no partner and none will come."""
        if self.since_ns is None:
            self.since_ns = now_ns
        self._unmet(now_ns)

    def went_alone(self, now_ns: int, *, thermal_expected: bool) -> None:
        """An RGB frame went out alone, thermal dead or (``thermal_expected``) out of reach."""
        self._unmet(now_ns)
        if not thermal_expected:
            self.since_ns = None

    def lasts(self, now_ns: int, at_least_ns: int) -> bool:
        """Whether frames have been given up for so long."""
        return self.since_ns is not None and now_ns - self.since_ns >= at_least_ns

    def told_ns(self, now_ns: int) -> int:
        """For how long RGB frames have found no partner; 0 while that is no matter.

        It counts from the first RGB frame without a partner, also where thermal counted as dead
        for a moment since: a delay of about ``partner_timeout`` starts with a silence that long.
        """
        if self.unmet_since_ns is None or not self.lasts(now_ns, _SETTLE_NS):
            return 0
        return now_ns - self.unmet_since_ns

    def _unmet(self, now_ns: int) -> None:
        if self.unmet_since_ns is None:
            self.unmet_since_ns = now_ns
