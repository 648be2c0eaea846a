"""The synchronizer as diagnostics see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer
from mdacl_ros.types import MODALITIES, Modality


@dataclass(frozen=True)
class SynchronizerState:
    """The synchronizer at one moment.

    Attributes:
        alive: Camera name to whether it counts as alive.
        counts: Counters: ``pairs``, ``single_rgb``, ``single_thermal``, ``clock_resets``,
            ``dropped_<cause>_<camera>``.
        skew_ms: Newest pair's thermal minus RGB stamp in ms, ``None`` before the first pair.
        unpaired_skew_ms: The same where the last RGB frame found no partner, ``None`` before.
        starved_s: Seconds since pairs stopped going out although both cameras are alive, else 0.
        frozen: Camera name to whether it repeats one picture, instead of being silent.
        still_s: Camera name to seconds, by stamps, for which its picture has stood still, else 0.
        freezes: Camera name to how often that happened.
        held_out: Camera name to whether it delivers, but waits until the other's jump back is over.
        went_back: Cameras whose stamps went back the last time; none if the node's clock did.
        received: Camera name to frames taken in.
        unpaired_rgb: RGB frames that found no partner while thermal was alive.
        disordered: Camera name to frames that came late, or with a stamp already seen.
    """

    alive: dict[str, bool]
    counts: dict[str, int]
    skew_ms: float | None
    unpaired_skew_ms: float | None = None
    starved_s: float = 0.0
    frozen: Mapping[str, bool] = field(default_factory=dict)
    still_s: Mapping[Modality, float] = field(
        default_factory=lambda: dict.fromkeys(MODALITIES, 0.0)
    )
    freezes: Mapping[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))
    held_out: Mapping[str, bool] = field(default_factory=dict)
    went_back: tuple[Modality, ...] = ()
    received: Mapping[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))
    unpaired_rgb: int = 0
    disordered: Mapping[Modality, int] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0))


def read_synchronizer(synchronizer: PairSynchronizer, now_ns: int) -> SynchronizerState:
    """Read the synchronizer at the time of its clock; the caller holds its lock."""
    counters, skew_ns = synchronizer.counters, synchronizer.last_skew_ns
    counts = {name: getattr(counters, name) for name in ("pairs", "single_rgb", "single_thermal")}
    counts["clock_resets"] = counters.clock_resets
    for camera, causes in counters.dropped.items():
        counts |= {f"dropped_{cause}_{camera}": count for cause, count in causes.items()}
    alive: dict[str, bool] = {camera: synchronizer.alive(camera, now_ns) for camera in MODALITIES}
    unpaired_ns = synchronizer.last_unpaired_skew_ns
    lost = counters.dropped["rgb"]
    return SynchronizerState(
        alive=alive,
        counts=counts,
        skew_ms=None if skew_ns is None else skew_ns / 1e6,
        unpaired_skew_ms=None if unpaired_ns is None else unpaired_ns / 1e6,
        starved_s=synchronizer.starved_ns(now_ns) / 1e9,
        frozen={camera: synchronizer.frozen(camera, now_ns) for camera in MODALITIES},
        still_s={camera: synchronizer.still_ns(camera, now_ns) / 1e9 for camera in MODALITIES},
        freezes=dict(counters.freezes),
        held_out={camera: synchronizer.held_out(camera, now_ns) for camera in MODALITIES},
        went_back=synchronizer.went_back,
        received=dict(counters.received),
        unpaired_rgb=lost["superseded"] + lost["unpaired_skew"],
        disordered={
            camera: causes["late"] + causes["duplicate_stamp"]
            for camera, causes in counters.dropped.items()
        },
    )
