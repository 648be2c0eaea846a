"""The registration in use: built anew when a size or the distance changes, in the background."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from mdacl_ros.errors import CalibrationError
from mdacl_ros.sensing.registration.rig_types import RigCalibration
from mdacl_ros.sensing.registration.thermal_registration import Registration

Size = tuple[int, int]

_SAME_VIEW = "no rig calibration: thermal is taken to show the same view as RGB"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a registration is made for."""

    rgb_size: Size
    thermal_size: Size
    distance: float | None

    def sizes_of(self, other: _Wanted | None) -> bool:
        """Whether another one has the same sizes."""
        return other is not None and (other.rgb_size, other.thermal_size) == (
            self.rgb_size,
            self.thermal_size,
        )


@dataclass(frozen=True, slots=True)
class _Built:
    """A finished build: one of the first two is ``None``."""

    wanted: _Wanted
    registration: Registration | None
    error: CalibrationError | None
    milliseconds: float


class RegistrationSource:
    """Keeps one registration up to date; one thread asks.

    Images of a new size have to wait for their map. A new distance has not: the map in use serves
    on until the new one is there, and for good where the rig cannot serve that distance.

    Args:
        rig: The calibration; ``None``: the same view is assumed if both aspect ratios agree.
        output_size: ``(width, height)`` of the network input.
        background: Build for a new distance in another thread. Without it :meth:`update` waits,
            so that a replay gives the same answers every time.

    Attributes:
        current: The registration to use, ``None`` before the first and after a failure.
        error: Why there is none.
        warnings: What is assumed or done without.
        build_ms: How long the newest map took, in milliseconds; ``None`` before it.
    """

    def __init__(
        self, rig: RigCalibration | None, output_size: Size, *, background: bool = False
    ) -> None:
        self.current: Registration | None = None
        self.error: CalibrationError | None = None
        self.warnings: tuple[str, ...] = ()
        self.build_ms: float | None = None
        self._rig, self._output_size = rig, output_size
        self._asked: _Wanted | None = None  # what the newest finished build was for
        self._pool = ThreadPoolExecutor(1, "registration") if background else None
        self._building: Future[_Built] | None = None

    @property
    def pending(self) -> bool:
        """Whether a map is being built in the background."""
        return self._building is not None

    def update(self, rgb_size: Size, thermal_size: Size, distance: float | None) -> None:
        """Make :attr:`current` fit, now or soon.

        Args:
            rgb_size: ``(width, height)`` of the RGB images.
            thermal_size: ``(width, height)`` of the thermal images.
            distance: Metres; ``None``: the rig's own.
        """
        wanted = _Wanted(rgb_size, thermal_size, distance)
        if self._building is not None and self._building.done():
            built, self._building = self._building.result(), None
            if wanted.sizes_of(built.wanted):
                self._take(built)
        if wanted == self._asked:
            return
        if self._pool is None or self.current is None or not wanted.sizes_of(self._asked):
            self._take(self._build(wanted))
        elif self._building is None:  # one at a time; what is asked for then comes next
            self._building = self._pool.submit(self._build, wanted, self.current.display_ready)

    def _build(self, wanted: _Wanted, display: bool = False) -> _Built:
        """Build one registration, its map for display too where that is in use."""
        started = time.perf_counter()
        registration, error = None, None
        try:
            registration = Registration(
                self._rig, wanted.rgb_size, wanted.thermal_size, self._output_size, wanted.distance
            )
            if display:
                registration.prepare_display()
        except CalibrationError as failure:
            error = failure
        return _Built(wanted, registration, error, (time.perf_counter() - started) * 1e3)

    def _take(self, built: _Built) -> None:
        """Use what was built; keep the map in use where only the distance was impossible."""
        kept = self.current is not None and built.wanted.sizes_of(self._asked)
        self._asked = built.wanted
        if built.registration is None and kept:
            self.warnings = (f"thermal stays at the distance it was: {built.error}",)
            return
        self.current, self.error = built.registration, built.error
        self.build_ms = built.milliseconds
        if built.registration is None:
            self.warnings = (f"thermal is not used: {built.error}",)
        else:
            self.warnings = (_SAME_VIEW,) if built.registration.assumed_identity else ()
