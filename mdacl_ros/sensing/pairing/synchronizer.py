"""Two camera streams -> pairs; one stream alone while the other camera is dead.

When a frame goes out:

- Both cameras alive: every RGB frame goes out with its nearest thermal frame within ``max_skew``.
  With a thermal frame at or after its stamp the nearest is known, and it goes out at once. With
  only earlier ones it waits if the next thermal frame will be nearer and is due within
  ``max_wait`` (both predicted from the thermal period), else it goes out at once. So two cameras of
  one rate pair frames of the same instant whichever message arrives first, and a 30 Hz camera is
  never held back for a 9 Hz one by more than ``max_wait``.
- An RGB frame without any partner in ``max_skew`` is kept until one comes, a newer RGB frame takes
  its place (depth one, newest wins), or thermal has passed it.
- Where no RGB frame has found a partner for ``partner_timeout`` although both cameras are alive
  (clocks apart, a late camera), those that would be given up go out alone instead: a wrong clock
  must not silence the detector. The first pair ends that. Where RGB dies then, its last frame does
  not hold thermal up, however far ahead it is.
- A camera is dead when its stamp has not advanced for ``partner_timeout``, or while it is frozen
  (repeats one picture, see :mod:`.frozen_camera`): the other's frames then go out alone at once. A
  camera never seen gets the same time to appear. The first frame of a returned camera is a partner
  again.
- Stamps, or ``now_ns``, that go backwards restart everything but the counters, so that every loop
  of a bag gives the same pairs.

Stamps of what goes out rise strictly, except that the first pair after thermal alone may carry an
RGB stamp up to ``max_skew`` older than the last thermal stamp, that a smaller clock offset sets
those of thermal alone back, and that thermal alone, after RGB alone under a clock that is ahead,
goes on with its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from mdacl_ros.sensing.pairing.camera_stream import Stream, Verdict
from mdacl_ros.sensing.pairing.synchronizer_types import CAUSES, DropCause, SyncConfig, SyncCounters
from mdacl_ros.sensing.pairing.unpaired_time import Starvation
from mdacl_ros.types import MODALITIES, Frame, FramePair, Modality, other_camera

__all__ = ["CAUSES", "DropCause", "PairSynchronizer", "SyncConfig", "SyncCounters"]

_THERMAL_KEPT = 2  # the nearest of an RGB frame may be the one before the newest


@dataclass(slots=True, eq=False)
class _Held:
    """A frame that waits, its stamp on the RGB clock, and whether it has gone out already."""

    frame: Frame
    stamp_ns: int
    arrived_ns: int
    out: bool = False


class PairSynchronizer:
    """Pairs the frames of an RGB and a thermal camera.

    ``now_ns`` is any clock that rises with arrival (monotonic clock on the robot, bag time in
    replay); there is no other clock inside, so equal calls give equal pairs. Not thread-safe: the
    caller holds one lock around every call. After each ``push`` call ``poll`` until it returns
    ``None``, and again at :attr:`deadline_ns` or every few milliseconds.

    Args:
        config: Limits.

    Attributes:
        config: Limits in force; see :meth:`configure`.
        counters: Where every frame went.
        last_skew_ns: Skew of the last pair, ``None`` before it.
        last_unpaired_skew_ns: How far thermal stamps were from RGB's when the last RGB frame was
            given up without a partner: what to look at (and set as clock offset) when drops of RGB
            grow. Of frames that arrive together, where those are out of reach of each other; else
            of the nearest thermal frame.
        starvation: Since when frames of both cameras come and do not meet.
    """

    def __init__(self, config: SyncConfig | None = None) -> None:
        self.config = config or SyncConfig()
        self.counters = SyncCounters()
        self.last_skew_ns: int | None = None
        self.last_unpaired_skew_ns: int | None = None
        self.starvation = Starvation()
        self._streams: dict[Modality, Stream] = {}
        self._rgb: _Held | None = None
        self._thermal: list[_Held] = []  # oldest first
        self._started_ns: int | None = None
        self._now_ns: int | None = None
        self._forget()

    def configure(self, config: SyncConfig) -> None:
        """Replace the limits between two calls.

        What is known of thermal moves along with ``thermal_clock_offset_ns``: a smaller offset is
        no clock that went back, and what waits is compared as the next frames will be.

        Args:
            config: The new limits.
        """
        shift_ns = config.thermal_clock_offset_ns - self.config.thermal_clock_offset_ns
        self.config = config
        if shift_ns == 0:
            return
        self._streams["thermal"].shift(shift_ns)
        for held in self._thermal:
            held.stamp_ns += shift_ns
        if self.last_unpaired_skew_ns is not None:
            self.last_unpaired_skew_ns += shift_ns

    def push(self, camera: Modality, frame: Frame, now_ns: int) -> FramePair | None:
        """Take a frame.

        Args:
            camera: Which camera it is from.
            frame: The frame, its stamp as received.
            now_ns: The caller's clock.

        Returns:
            What goes out now, or ``None``.
        """
        self._advance(now_ns)
        self.counters.received[camera] += 1
        offset_ns = self.config.thermal_clock_offset_ns if camera == "thermal" else 0
        held = _Held(frame, frame.stamp_ns + offset_ns, now_ns)
        verdict = self._judge(camera, held)
        if verdict == "backwards":
            self._restart(camera, now_ns)
            verdict = self._judge(camera, held)
        if verdict == "accepted":
            return self._take_rgb(held) if camera == "rgb" else self._take_thermal(held)
        if verdict == "frozen":
            self._drop_held(camera, "frozen")
        assert verdict != "backwards"  # a stream without a past has nothing to go back to
        self._drop(camera, verdict)
        return self._next()

    def poll(self, now_ns: int) -> FramePair | None:
        """Let out what waited for a partner that is dead, or for a nearer one that is overdue.

        Args:
            now_ns: The caller's clock.

        Returns:
            What goes out now, or ``None``.
        """
        self._advance(now_ns)
        return self._next()

    def alive(self, camera: Modality, now_ns: int) -> bool:
        """Whether a camera delivers new frames.

        Args:
            camera: The camera.
            now_ns: The caller's clock.

        Returns:
            ``True`` while its stamp has advanced within ``partner_timeout``.
        """
        return self._streams[camera].alive(now_ns, self.config.partner_timeout_ns)

    def starved_ns(self, now_ns: int) -> int:
        """For how long no pair has gone out although both cameras deliver; 0 while they meet.

        Args:
            now_ns: The caller's clock.
        """
        since_ns, seen_ns = self.starvation.unmet_since_ns, self._streams["thermal"].seen_ns
        if since_ns is None or seen_ns is None or seen_ns <= since_ns:
            return 0  # thermal has sent nothing since: it may be dead, which time will tell
        both = all(self.alive(camera, now_ns) for camera in MODALITIES)
        return self.starvation.told_ns(now_ns) if both else 0

    def held_out(self, camera: Modality, now_ns: int) -> bool:
        """Whether a camera delivers, but waits until the other one's jump back is over."""
        return self._streams[camera].held_out(now_ns, self.config.partner_timeout_ns)

    @property
    def went_back(self) -> tuple[Modality, ...]:
        """Cameras whose stamps went back at the newest restart; none if ``now_ns`` did."""
        return tuple(camera for camera in MODALITIES if self._streams[camera].went_back)

    def frozen(self, camera: Modality, now_ns: int) -> bool:
        """Whether a camera repeats one picture while the other camera's change.

        Args:
            camera: The camera.
            now_ns: The caller's clock; no frame for ``partner_timeout`` is silence, no freeze.
        """
        stream = self._streams[camera]
        return stream.pictures.frozen and stream.comes(now_ns, self.config.partner_timeout_ns)

    def still_ns(self, camera: Modality, now_ns: int) -> int:
        """How long a camera's picture has stood still, whatever the other camera's do.

        Args:
            camera: The camera.
            now_ns: The caller's clock.

        Returns:
            Time by the picture's stamps; 0 while it moves, or no frame came for
            ``partner_timeout``.
        """
        stream = self._streams[camera]
        comes = stream.comes(now_ns, self.config.partner_timeout_ns)
        return stream.pictures.still_ns if comes else 0

    def pending(self, camera: Modality) -> int:
        """Number of frames held that have not gone out."""
        if camera == "rgb":
            return int(self._rgb is not None)
        return sum(not held.out for held in self._thermal)

    @property
    def deadline_ns(self) -> int | None:
        """When to poll next, on the caller's clock; ``None`` while nothing waits."""
        timeout = self.config.partner_timeout_ns
        if self._rgb is not None:
            dead = self._last_sign("thermal") + timeout
            if self._partner(self._rgb) is not None:
                return min(dead, self._rgb.arrived_ns + self.config.max_wait_ns)
            alone = self._last_sign("rgb") + timeout
            return min(dead, alone if self.pending("thermal") else self._given_up_ns(self._rgb))
        if self.pending("thermal"):
            return self._last_sign("rgb") + timeout
        return None

    def _advance(self, now_ns: int) -> None:
        """Follow the caller's clock; one that goes backwards restarts both cameras."""
        if self._now_ns is not None and now_ns < self._now_ns:
            self._restart(None, now_ns)
        self._now_ns = now_ns
        if self._started_ns is None:
            self._started_ns = now_ns

    def _judge(self, camera: Modality, held: _Held) -> Verdict:
        stream, other = self._streams[camera], self._streams[other_camera(camera)]
        moved = stream.pictures.still_ns == 0
        verdict = stream.judge(held.frame, held.stamp_ns, held.arrived_ns, other, self.config)
        self.counters.freezes[camera] += moved and stream.pictures.still_ns > 0
        return verdict

    def _take_rgb(self, held: _Held) -> FramePair | None:
        """Put a frame into the RGB place; a frame there that has a partner goes out first."""
        old, self._rgb = self._rgb, held
        if old is None:
            return self._next()
        partner = self._partner(old)
        if partner is not None and (
            self.config.reuse_partner or _skew(old, partner) <= _skew(held, partner)
        ):
            return self._emit_pair(old, partner)
        if partner is None:
            self._note_unpaired(old)
            if self._is_starved():
                return self._emit_rgb(old)
        self._drop("rgb", "superseded")
        return self._next()

    def _take_thermal(self, held: _Held) -> FramePair | None:
        """Keep the newest thermal frames and see whom they serve."""
        self._thermal.append(held)
        self._discard_thermal(self._thermal[:-_THERMAL_KEPT])
        return self._next()

    def _next(self) -> FramePair | None:
        """Decide what can go out at the current time."""
        rgb = self._rgb
        if rgb is not None:
            partner = self._partner(rgb)
            if partner is not None:
                return None if self._waits(rgb, partner) else self._emit_pair(rgb, partner)
            if not self._expected("thermal"):
                return self._emit_rgb(rgb)
            assert self._now_ns is not None
            overtaken = self._is_passed(rgb)
            if not overtaken and self._expected("rgb"):
                return None
            if overtaken or self._now_ns >= self._given_up_ns(rgb):
                self._note_unpaired(rgb)
                if overtaken and self._is_starved():
                    return self._emit_rgb(rgb)
                self._rgb = None
                self._drop("rgb", "unpaired_skew")
            # Else RGB has died ahead of thermal: it may yet be paired, but thermal does not wait.
        if self._thermal and not self._thermal[-1].out and not self._expected("rgb"):
            return self._emit_thermal(self._thermal[-1])
        return None

    def _given_up_ns(self, rgb: _Held) -> int:
        """Until when a frame of a dead camera waits for a partner that arrives late."""
        return rgb.arrived_ns + 2 * self.config.partner_timeout_ns

    def _nearest(self, rgb: _Held) -> _Held | None:
        """Nearest held thermal frame, however far."""
        return min(self._thermal, key=lambda held: _skew(rgb, held), default=None)

    def _note_unpaired(self, rgb: _Held) -> None:
        """Remember how far the nearest thermal frame is from one that is given up."""
        skew_ns, nearest = self._arrival_skew_ns(), self._nearest(rgb)
        if skew_ns is not None and abs(skew_ns) > self.config.max_skew_ns:
            self.last_unpaired_skew_ns = skew_ns
        elif nearest is not None:
            self.last_unpaired_skew_ns = nearest.stamp_ns - rgb.stamp_ns
        assert self._now_ns is not None
        self.starvation.given_up(self._now_ns)

    def _arrival_skew_ns(self) -> int | None:
        """Thermal minus RGB stamp of frames that arrive together.

        The nearest stamps would tell too little of a clock that is ahead: the frames that could be
        nearer have not been taken yet.
        """
        rgb, thermal = (self._streams[camera].lead_ns for camera in MODALITIES)
        return None if rgb is None or thermal is None else thermal - rgb

    def _partner(self, rgb: _Held) -> _Held | None:
        """Nearest held thermal frame within ``max_skew``."""
        nearest = self._nearest(rgb)
        if nearest is None or _skew(rgb, nearest) > self.config.max_skew_ns:
            return None
        return nearest

    def _waits(self, rgb: _Held, partner: _Held) -> bool:
        """Whether a pair nearer in time than this one is due soon enough to wait for it."""
        assert self._now_ns is not None
        limit = self.config.max_wait_ns
        if self._now_ns - rgb.arrived_ns >= limit:
            return False
        if self._thermal[-1].stamp_ns >= rgb.stamp_ns:
            if self.config.reuse_partner:
                return False
            # This thermal frame can serve once: would the next RGB frame be nearer to it?
            due, gap = self._streams["rgb"].period_ns, partner.stamp_ns - rgb.stamp_ns
            return due is not None and gap > due / 2 and due <= limit
        if not self._expected("thermal"):
            return False
        period = self._streams["thermal"].period_ns
        lead = rgb.stamp_ns - self._thermal[-1].stamp_ns
        return period is None or (lead > period / 2 and period - lead <= limit)

    def _is_passed(self, rgb: _Held) -> bool:
        """Whether thermal is already beyond this frame's reach."""
        newest = self._thermal[-1].stamp_ns if self._thermal else None
        return newest is not None and newest > rgb.stamp_ns + self.config.max_skew_ns

    def _is_starved(self) -> bool:
        """Whether no RGB frame has found a partner for so long that they go out alone."""
        assert self._now_ns is not None
        return self.starvation.lasts(self._now_ns, self.config.partner_timeout_ns)

    def _expected(self, camera: Modality) -> bool:
        """Whether frames of a camera are worth waiting for: alive, or not yet given up."""
        assert self._now_ns is not None
        age_ns = self._now_ns - self._last_sign(camera)
        frozen = self._streams[camera].pictures.frozen
        return not frozen and age_ns < self.config.partner_timeout_ns

    def _last_sign(self, camera: Modality) -> int:
        """When a camera last sent a new frame, or could first have sent one."""
        seen_ns = self._streams[camera].seen_ns
        return seen_ns if seen_ns is not None else self._started_ns or 0

    def _emit_pair(self, rgb: _Held, thermal: _Held) -> FramePair:
        self.starvation.met()
        self.counters.pairs += 1
        self.counters.paired["rgb"] += 1
        if not thermal.out:
            self.counters.paired["thermal"] += 1
            thermal.out = True
        if self._rgb is rgb:
            self._rgb = None
        # Later RGB frames are nearer to this thermal frame or a later one than to earlier ones.
        keep = thermal.stamp_ns if self.config.reuse_partner else thermal.stamp_ns + 1
        self._discard_thermal([held for held in self._thermal if held.stamp_ns < keep])
        self.last_skew_ns = thermal.stamp_ns - rgb.stamp_ns
        return FramePair(rgb.frame, thermal.frame, rgb.stamp_ns, self.last_skew_ns)

    def _emit_rgb(self, held: _Held) -> FramePair:
        if self._rgb is held:
            self._rgb = None
        assert self._now_ns is not None
        self.starvation.went_alone(self._now_ns, thermal_expected=self._expected("thermal"))
        self.counters.single["rgb"] += 1
        return FramePair(held.frame, None, held.stamp_ns)

    def _emit_thermal(self, held: _Held) -> FramePair:
        held.out = True
        self.starvation.met()
        self.counters.single["thermal"] += 1
        self._discard_thermal(self._thermal[: -1 if self.config.reuse_partner else None])
        return FramePair(None, held.frame, held.stamp_ns)

    def _discard_thermal(self, frames: list[_Held]) -> None:
        """Let go of thermal frames; those that never went out were superseded."""
        for held in frames:
            self._thermal.remove(held)
            if not held.out:
                self._drop("thermal", "superseded")

    def _drop_held(self, camera: Modality, cause: DropCause) -> None:
        """Let go of everything held of one camera."""
        for _ in range(self.pending(camera)):
            self._drop(camera, cause)
        if camera == "rgb":
            self._rgb = None
        else:
            self._thermal.clear()

    def _drop(self, camera: Modality, cause: DropCause) -> None:
        self.counters.dropped[camera][cause] += 1

    def _restart(self, camera: Modality | None, now_ns: int) -> None:
        """Start anew after time went back: on one camera's stamps, or (``None``) altogether."""
        self.counters.clock_resets += 1
        for held_camera in MODALITIES:
            self._drop_held(held_camera, "clock_reset")
        before = self._streams
        self._forget()
        self._started_ns = now_ns
        if camera is None:
            return
        self._streams[camera].went_back = True
        other = other_camera(camera)
        if before[other].newest_ns is not None:
            self._streams[other] = Stream(
                other,
                stale_until_ns=now_ns + self.config.partner_timeout_ns,
                before_ns=before[other].newest_ns,
                held_out_ns=before[other].seen_ns,
            )

    def _forget(self) -> None:
        self._streams = {camera: Stream(camera) for camera in MODALITIES}
        self._started_ns = None
        self.starvation.met()


def _skew(one: _Held, other: _Held) -> int:
    """Distance in time."""
    return abs(one.stamp_ns - other.stamp_ns)
