"""The node's health as diagnostic statuses (REP-107): pure functions of one snapshot.

Key/values are named stably: the demo, the tests and people's dashboards read them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.health.pairing_watch import Pairing
from mdacl_ros.health.status_part import ERROR, OK, WARN, Part
from mdacl_ros.nodes.messages import to_key_values
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.residual_alarm import knocked_text
from mdacl_ros.sensing.registration.warp_plausibility import Plausibility, implausible_text
from mdacl_ros.types import MODALITIES

COUNTERS = (
    "frames_rgb",
    "frames_thermal",
    "pairs",
    "single_rgb",
    "single_thermal",
    "processed",
    "published",
    "dropped_busy",
    "dropped_failed",
    "dropped_bad_image_rgb",
    "dropped_bad_image_thermal",
    "blank_rgb",
    "blank_thermal",
    "size_changes_rgb",
    "size_changes_thermal",
    "incompatible_qos",
    "partner_timeouts_rgb",
    "partner_timeouts_thermal",
    "inference_restarts",
    "inference_hangs",
)
"""Counters that are always there, even while 0."""

TROUBLES = (
    "incompatible_publisher",
    "bad_image_rgb",
    "bad_image_thermal",
    "size_change_rgb",
    "size_change_thermal",
)
"""Facts about the cameras that make the status a warning while they are recent."""


@dataclass(frozen=True)
class Snapshot:
    """What the node knows about itself at one moment.

    Attributes:
        state: Lifecycle state label.
        middleware: What the process's environment says of DDS, see
            :func:`mdacl_ros.local_ros.middleware_settings`.
        counts: Counters since activation.
        rates: Hz by counter name.
        latency_ms: ``p50``, ``p95``, ``p99`` from stamp to publish; empty before the first answer.
        timings_ms: Mean milliseconds by stage.
        skew_ms: Newest thermal minus RGB stamp, offset added; ``None`` before the first pair.
        pairing: How well the cameras' frames meet; ``None`` while not active.
        streams: What is wrong with the cameras' stamps and rates, one line each.
        alive: Camera name to whether it counts as alive; empty while not active.
        held_out: Camera name to whether it delivers but is not used yet, because the other camera's
            stamps have just jumped back.
        topics: Camera name to its image topic.
        incompatible: Camera name to what keeps a publisher's images from us, empty for nothing.
        has_camera_info: Camera name to whether intrinsics arrived.
        unusable_info: Camera name to what is wrong with those, empty for nothing.
        facts: Newest texts by name (``bad_image_rgb``, ``incompatible_publisher``, ``failed``).
        recent: Those facts that are only seconds old: they decide the level.
        engine: Engine name, precision, device, model, input size; empty while unconfigured.
        progress: What configuring is doing, with percent, or empty.
        build_fraction: Share of an engine build that is done, ``None`` while none runs.
        configure_error: Why configuring failed the last time, or empty.
        calibration: File, kind, age; empty while unconfigured.
        warnings: What perception assumed for want of better, e.g. identity registration.
        residual: How far thermal lies beside RGB; ``None`` while not measured.
        knocked: The newest residual that was sure, while it is more than the bound.
        implausible: Evidence that the calibration has the wrong size.
        busy_s: Seconds the pair in work has taken so far, 0 while none is.
        silent_s: Seconds since the last answer, or since a camera came to life.
        silence_limit_s: Seconds from which that is an error.
        deaf: A listener that cannot hear our answers, or empty.
        inference_timeout: Seconds from which that is a hanging inference.
        min_rates: Hz by camera below which the status warns; 0: never.
        images: Status of the pictures; ``None`` while not active.
        gates: Status of the calibration gates; ``None`` while not active.
        dominance: Which camera detections rest on; ``None`` while not active.
    """

    state: str
    middleware: Mapping[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    rates: Mapping[str, float] = field(default_factory=dict)
    latency_ms: Mapping[str, float] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    skew_ms: float | None = None
    pairing: Pairing | None = None
    streams: tuple[str, ...] = ()
    alive: Mapping[str, bool] = field(default_factory=dict)
    held_out: Mapping[str, bool] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    incompatible: Mapping[str, str] = field(default_factory=dict)
    has_camera_info: Mapping[str, bool] = field(default_factory=dict)
    unusable_info: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    recent: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, object] = field(default_factory=dict)
    progress: str = ""
    build_fraction: float | None = None
    configure_error: str = ""
    calibration: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    residual: Residual | None = None
    knocked: Residual | None = None
    implausible: Plausibility | None = None
    busy_s: float = 0.0
    silent_s: float = 0.0
    silence_limit_s: float = float("inf")
    deaf: str = ""
    inference_timeout: float = float("inf")
    min_rates: Mapping[str, float] = field(default_factory=dict)
    images: Part | None = None
    gates: Part | None = None
    dominance: Part | None = None


def statuses(name: str, snapshot: Snapshot, hardware_id: str = "") -> list[DiagnosticStatus]:
    """All statuses of the node called ``name``."""
    return [
        _status(f"{name}: {part}", hardware_id, *judged) for part, judged in parts(snapshot).items()
    ]


def parts(snapshot: Snapshot) -> dict[str, Part]:
    """All statuses by their name, before they become messages: most of the work is those."""
    return {
        make.__name__: make(snapshot)
        for make in (cameras, images, inference, engine, calibration, dominance, gates)
    }


def cameras(snapshot: Snapshot) -> Part:
    """Both cameras: rates, life, pairing, bad images, counters."""
    values: dict[str, object] = {name: snapshot.counts[name] for name in COUNTERS}
    values |= {name: n for name, n in sorted(snapshot.counts.items()) if name not in values}
    values |= {f"topic_{camera}": topic for camera, topic in snapshot.topics.items()}
    for camera in MODALITIES:
        values[f"rate_{camera}"] = snapshot.rates.get(f"frames_{camera}", 0.0)
        values[f"topic_{camera}"] = snapshot.topics.get(camera, "")
        values[f"camera_info_{camera}"] = snapshot.has_camera_info.get(camera, False)
        if camera in snapshot.alive:
            values[f"alive_{camera}"] = snapshot.alive[camera]
    if snapshot.skew_ms is not None:
        values["skew_ms"] = snapshot.skew_ms
    if snapshot.pairing is not None:
        values["unpaired_rgb_share"] = snapshot.pairing.lost_share
        if snapshot.pairing.unpaired_skew_ms is not None:
            values["unpaired_skew_ms"] = snapshot.pairing.unpaired_skew_ms
    values |= snapshot.facts
    return *_camera_health(snapshot), values


def _camera_health(snapshot: Snapshot) -> tuple[bytes, str]:
    """Level and message of the cameras."""
    if snapshot.state != "active":
        return OK, f"not subscribed while {snapshot.state}"
    reasons = [snapshot.recent[fact] for fact in TROUBLES if fact in snapshot.recent]
    reasons += [line for line in snapshot.incompatible.values() if line and line not in reasons]
    reasons += snapshot.streams
    for camera, least in snapshot.min_rates.items():
        rate = snapshot.rates.get(f"frames_{camera}", 0.0)
        if rate < least and snapshot.alive.get(camera, False):
            reasons.append(f"{camera} sends at {rate:.1f} Hz, wanted min_rate_{camera} {least:g}")
    used = [c for c in MODALITIES if snapshot.alive.get(c, False)]
    dead = [c for c in MODALITIES if c not in used and not snapshot.held_out.get(c, False)]
    if dead:
        text = ", ".join(f"{c} ({snapshot.topics.get(c, '')})" for c in dead)
        message = "; ".join([f"no usable frames from {text}", *reasons])
        return (ERROR if len(dead) == 2 else WARN), message
    return (WARN, "; ".join(reasons)) if reasons else (OK, "both cameras alive")


def inference(snapshot: Snapshot) -> Part:
    """The engine: what runs, how fast, how late."""
    values: dict[str, object] = {"state": snapshot.state, **snapshot.engine, **snapshot.middleware}
    values["rate_processed"] = snapshot.rates.get("processed", 0.0)
    values["rate_published"] = snapshot.rates.get("published", 0.0)
    values |= {f"latency_{name}_ms": ms for name, ms in snapshot.latency_ms.items()}
    values |= {f"{stage}_ms": ms for stage, ms in snapshot.timings_ms.items()}
    if snapshot.progress:
        values["progress"] = snapshot.progress
        if snapshot.state != "active":  # a reload: the old engine goes on, and may be in trouble
            return OK, snapshot.progress, values
    if snapshot.configure_error:
        return ERROR, snapshot.configure_error, values
    if snapshot.busy_s > snapshot.inference_timeout:
        return ERROR, _hang(snapshot), values
    if "failed" in snapshot.recent:
        return ERROR, snapshot.recent["failed"], values
    if snapshot.state != "active":
        return OK, snapshot.state, values
    complaint = snapshot.pairing.complaint() if snapshot.pairing is not None else None
    if complaint is not None:
        return *complaint, values
    if snapshot.silent_s > snapshot.silence_limit_s:
        return ERROR, _silent(snapshot), values
    if remarks := [*filter(None, (snapshot.deaf, snapshot.recent.get("pictures_failed")))]:
        return WARN, "; ".join(remarks), values
    rate = snapshot.rates.get("processed", 0.0)
    return OK, f"{rate:.1f} Hz" if rate else "no recent results", values


def _silent(snapshot: Snapshot) -> str:
    """One line about a silence that nothing else explains."""
    alive = [c for c in MODALITIES if snapshot.alive.get(c, False)]
    cameras = "both cameras deliver" if len(alive) == 2 else f"{''.join(alive)} delivers"
    return (
        f"no results for {snapshot.silent_s:.1f} s although {cameras}: look at the other statuses "
        "and the log, and restart the node if they say nothing"
    )


def _hang(snapshot: Snapshot) -> str:
    """One line about an inference that does not return."""
    return (
        f"inference hangs: {snapshot.busy_s:.0f} s in one pair (inference_timeout is "
        f"{snapshot.inference_timeout:.1f} s), no results until it returns; check the machine's "
        "load and the device, or restart the node"
    )


def engine(snapshot: Snapshot) -> Part:
    """The engine's life: absent, building (with percent), ready, failed."""
    if snapshot.progress:
        values: dict[str, object] = {"engine_state": "building"}
        if snapshot.build_fraction is not None:
            values["build_percent"] = round(100 * snapshot.build_fraction)
        meanwhile = "the old one runs" if snapshot.state == "active" else "no detections"
        return WARN, f"{snapshot.progress} ({meanwhile} until it is done)", values
    if snapshot.configure_error:
        return ERROR, snapshot.configure_error, {"engine_state": "failed"}
    if "device" not in snapshot.engine:
        return OK, f"not loaded while {snapshot.state}", {"engine_state": "absent"}
    names = (snapshot.engine.get(key, "") for key in ("engine", "precision", "device"))
    name, precision, device = names
    values = {"engine_state": "ready"}
    if reason := snapshot.engine.get("engine_reason"):
        values["engine_reason"] = reason
    return OK, f"{name} {precision} on {device}", values


def images(snapshot: Snapshot) -> Part:
    """The pictures: dark, blown out, saturated, frozen."""
    return snapshot.images or _while_idle(snapshot)


def gates(snapshot: Snapshot) -> Part:
    """The calibration gates: whether one is stuck at an end of its range."""
    return snapshot.gates or _while_idle(snapshot)


def _while_idle(snapshot: Snapshot) -> Part:
    """What a status says that needs running cameras."""
    return OK, f"not looked at while {snapshot.state}", {}


def calibration(snapshot: Snapshot) -> Part:
    """The RGB-thermal registration in use."""
    values = dict(snapshot.calibration) | _residual(snapshot.residual)
    remarks, calibrated = list(snapshot.warnings), bool(values.get("file"))
    if snapshot.implausible is not None:
        remarks.insert(0, implausible_text(snapshot.implausible, calibrated))
    if snapshot.knocked is not None:
        remarks.insert(0, knocked_text(snapshot.knocked, calibrated))
    level = WARN if remarks else OK
    if snapshot.state == "active" and not snapshot.has_camera_info.get("rgb", False):
        remarks.append("no RGB camera_info yet: detections work, markers need it")
    elif snapshot.state == "active" and (fault := snapshot.unusable_info.get("rgb", "")):
        remarks.append(f"no markers: RGB camera_info {fault}")
    message = "; ".join(remarks) or str(values.get("file") or "not loaded")
    return level, message, values


def _residual(residual: Residual | None) -> dict[str, object]:
    """How far thermal lies beside RGB, in RGB pixels; the shift only where it says something."""
    if residual is None:
        return {}
    values: dict[str, object] = {
        "residual_confidence": residual.confidence,
        "residual_pairs": residual.pairs,
    }
    if residual.confident:
        dx, dy = residual.shift
        values |= {"residual_px": residual.pixels, "residual_shift": f"{dx:+.1f} {dy:+.1f}"}
    return values


def dominance(snapshot: Snapshot) -> Part:
    """Which camera the detections rest on, against the bound."""
    return snapshot.dominance or _while_idle(snapshot)


def _status(
    name: str, hardware_id: str, level: bytes, message: str, values: Mapping[str, object]
) -> DiagnosticStatus:
    """Assemble one status message."""
    return DiagnosticStatus(
        name=name,
        hardware_id=hardware_id,
        level=level,
        message=message,
        values=to_key_values(values),
    )
