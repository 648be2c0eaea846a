"""Gathers what diagnostics tell from the parts of a running node."""

from __future__ import annotations

import datetime
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from mdacl_ros.health.status_part import RECENT, Part
from mdacl_ros.local_ros import middleware_settings
from mdacl_ros.nodes.diagnostics import Snapshot
from mdacl_ros.pipeline.reliance import hold_s
from mdacl_ros.types import MODALITIES

if TYPE_CHECKING:
    from mdacl_ros.nodes.detector_node import DetectorNode
    from mdacl_ros.nodes.session import DetectionSession


def take_snapshot(node: DetectorNode) -> Snapshot:
    """Describe the node at this moment; safe from any thread."""
    parameters = node.parameters
    perception = node.perception
    values: dict[str, Any] = {
        "state": node.state_label,
        "middleware": middleware_settings(os.environ),
        "engine": _engine(node),
        "progress": node.progress,
        "build_fraction": node.build_fraction,
        "configure_error": node.configure_error or node.start_errors,
        "calibration": _calibration(node) | _registration(node),
        "warnings": tuple(perception.warnings) if perception is not None else (),
        "min_rates": {"rgb": parameters.min_rate_rgb, "thermal": parameters.min_rate_thermal},
    }
    session = node.session
    if session is not None:
        values |= _session(session, active=node.state_label == "active")
    return Snapshot(**values)


def _engine(node: DetectorNode) -> dict[str, object]:
    """The loaded engine, or what will be loaded."""
    parameters, engine = node.parameters, node.engine
    values: dict[str, object] = {
        "engine": engine.name if engine else parameters.engine,
        "precision": engine.precision if engine else parameters.precision,
        "engine_reason": node.engine_reason,
        "model": parameters.model,
        "input_size": f"{parameters.input_width}x{parameters.input_height}",
    }
    if engine is not None:
        width, height = engine.input_size
        values |= {"device": engine.device, "input_size": f"{width}x{height}"}
        values["pending"] = node.engine_pending
    return values


def _calibration(node: DetectorNode) -> dict[str, object]:
    """The rig calibration in use, and its age."""
    rig, parameters = node.rig, node.parameters
    if rig is None:
        return {"file": "", "kind": "none"}
    values: dict[str, object] = {"file": parameters.calibration, "kind": rig.kind}
    distance = parameters.reference_distance or rig.reference_distance
    if distance:
        values["reference_distance"] = float(distance)
    if rig.date:
        values["date"] = rig.date
        values |= _age(rig.date)
    return values


def _age(date: str) -> dict[str, object]:
    """Days since an ISO date; nothing for a date that does not read as one."""
    try:
        made = datetime.date.fromisoformat(date[:10])
    except ValueError:
        return {}
    return {"calibration_age_days": (datetime.date.today() - made).days}


def _registration(node: DetectorNode) -> dict[str, object]:
    """The map in use: its distance, and how long it took to build."""
    source = node.perception.registration if node.perception is not None else None
    current = source.current if source is not None else None
    if source is None or current is None:
        return {}
    values: dict[str, object] = {"registration_pending": source.pending}
    if not current.assumed_identity:
        values["reference_distance"] = current.distance
    if source.build_ms is not None:
        values["registration_ms"] = source.build_ms
    return values


def _session(session: DetectionSession, *, active: bool) -> dict[str, Any]:
    """Counters and timings of the running, or the last, active phase."""
    statistics = session.statistics
    state = session.synchronizer_state()
    pairing = session.watch_pairing(state) if active else None
    if active:
        session.log_lives(state)
    names = [f"frames_{camera}" for camera in MODALITIES] + ["processed", "published"]
    rates = {name: statistics.rate(name) for name in names}
    residual, knocked = session.watch_residual()
    stages = statistics.sample_names("stage_")
    limits, now = session.parameters, time.monotonic()
    return {
        "counts": Counter({**statistics.counts(), **state.counts}),
        "rates": rates,
        "latency_ms": statistics.percentiles("latency_ms"),
        "timings_ms": {
            name.removeprefix("stage_"): statistics.mean(name, 100) or 0.0 for name in stages
        },
        "skew_ms": state.skew_ms,
        "residual": residual,
        "knocked": knocked,
        "implausible": session.watch_warp(),
        "pairing": pairing,
        "streams": session.watch_streams(state) if active else (),
        "alive": state.alive if active else {},
        "held_out": state.held_out if active else {},
        "topics": {name: camera.topic for name, camera in session.cameras.items()},
        "incompatible": {name: camera.incompatible for name, camera in session.cameras.items()},
        "has_camera_info": {
            name: camera.camera_info is not None for name, camera in session.cameras.items()
        },
        "unusable_info": {
            name: camera.unusable_info(session.health.sizes.get(name))
            for name, camera in session.cameras.items()
        },
        "silent_s": session.silent_s(state) if active else 0.0,
        "silence_limit_s": max(limits.inference_timeout, 2 * limits.partner_timeout),
        "deaf": session.deaf if active else "",
        "facts": statistics.facts(),
        "recent": statistics.facts(RECENT),
        "busy_s": session.busy_s if active else 0.0,
        "inference_timeout": limits.inference_timeout,
        "images": session.health.images.part(now, state, limits.thermal_shutter)
        if active
        else None,
        "gates": session.health.gates.part(now) if active else None,
        "dominance": _dominance(session, now) if active else None,
    }


def _dominance(session: DetectionSession, now: float) -> Part:
    """Reliance over the last second, with MDI averaged over about a second beside it."""
    limits, health, statistics = session.parameters, session.health, session.statistics
    level, message, values = health.reliance.part(
        now,
        limits.reliance_warn,
        limits.reliance_hysteresis,
        health.images.troubles(now),
        hold_s(limits.reliance_rate),
    )
    rate = statistics.rate("processed")
    mdi = statistics.mean("mdi", max(1, round(rate))) if rate > 0 else None
    return level, message, values if mdi is None else {**values, "mdi": mdi}
