"""Configuration and counters of the pair synchronizer."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Literal, get_args

from mdacl_ros.sensing.pairing.frozen_camera import STILL_NS
from mdacl_ros.types import MODALITIES, Modality

_MS = 1_000_000

DropCause = Literal[
    "superseded",  # a newer frame of the same camera took its place before a partner came
    "unpaired_skew",  # every possible partner is farther away than max_skew
    "duplicate_stamp",  # the stamp did not advance
    "late",  # older than a frame of the same camera that is already here
    "clock_reset",  # held, or still in transport, when the stamps went backwards
    "frozen",  # same pixels as the frames before, while the other camera's change
]
CAUSES: tuple[DropCause, ...] = get_args(DropCause)
"""Every cause, in the order in which diagnostics list them."""


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """How frames become pairs. All times in nanoseconds.

    Attributes:
        max_skew_ns: Largest |thermal + offset - RGB| within a pair. A camera of period P that
            serves a faster one and whose frames arrive d after they were taken needs about P + d
            - ``max_wait_ns``, or some frames have no partner: 0.12 s suits 9 Hz with d = 40 ms.
        partner_timeout_ns: A camera without a new stamp for this long is dead; longer than its
            period plus one lost frame.
        thermal_clock_offset_ns: Added to thermal stamps before they are compared.
        reuse_partner: A thermal frame may serve several RGB frames. An RGB frame always goes out
            at most once, because its stamp names the answer.
        max_wait_ns: Longest time an RGB frame with a usable partner waits for a nearer one.
        clock_jump_ns: Stamps that go back further than this restart the synchronizer (bag loop,
            clock reset); smaller steps are late frames.
        frozen_after: Repetitions of the same pixels after which a camera is dead although its
            stamps advance, if they last for :meth:`frozen_ns` and the other camera's pictures
            change meanwhile; 0: off.
        thermal_shutter_ns: Longest time for which a thermal camera repeats a picture while its
            shutter is closed (non-uniformity correction): for less it is not frozen.

    Raises:
        ValueError: A time or count is negative; ``partner_timeout_ns`` or ``clock_jump_ns`` is 0.
    """

    max_skew_ns: int = 120 * _MS
    partner_timeout_ns: int = 500 * _MS
    thermal_clock_offset_ns: int = 0
    reuse_partner: bool = True
    max_wait_ns: int = 30 * _MS
    clock_jump_ns: int = 500 * _MS
    frozen_after: int = 5
    thermal_shutter_ns: int = 1500 * _MS

    def __post_init__(self) -> None:
        least = {
            "max_skew_ns": 0,
            "partner_timeout_ns": 1,
            "max_wait_ns": 0,
            "clock_jump_ns": 1,
            "frozen_after": 0,
            "thermal_shutter_ns": 0,
        }
        for name, minimum in least.items():
            if getattr(self, name) < minimum:
                raise ValueError(f"{name}: got {getattr(self, name)}, wanted >= {minimum}")

    def frozen_ns(self, camera: Modality) -> int:
        """Time from which a camera that repeats a picture may be frozen."""
        return max(STILL_NS, self.thermal_shutter_ns) if camera == "thermal" else STILL_NS


@dataclass(slots=True)
class SyncCounters:
    """Where every frame went; all counts since construction, resets included.

    For each camera ``received == paired + single + all dropped + pending``.

    Attributes:
        received: Frames pushed.
        pairs: Pairs that went out.
        paired: Distinct frames that first went out in a pair (RGB: equals ``pairs``).
        single: Frames that first went out alone.
        dropped: Frames that never went out, by camera and cause.
        freezes: How often a camera's picture came to stand still.
        clock_resets: Restarts because time went backwards.
    """

    received: dict[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))
    pairs: int = 0
    paired: dict[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))
    single: dict[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))
    dropped: dict[Modality, dict[DropCause, int]] = field(
        default_factory=lambda: {camera: dict.fromkeys(CAUSES, 0) for camera in MODALITIES}
    )
    freezes: dict[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))
    clock_resets: int = 0

    @property
    def single_rgb(self) -> int:
        """RGB frames that went out alone."""
        return self.single["rgb"]

    @property
    def single_thermal(self) -> int:
        """Thermal frames that went out alone."""
        return self.single["thermal"]

    def snapshot(self) -> SyncCounters:
        """Copy that later frames do not change."""
        return copy.deepcopy(self)
