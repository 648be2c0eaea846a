"""Judges what the doctor saw: pure functions of a :class:`SystemView`."""

from __future__ import annotations

import numpy as np

from mdacl_ros.config.parameters import NodeParameters
from mdacl_ros.doctor.finding import Finding, bad, ok, warn
from mdacl_ros.doctor.view import CameraView, SystemView
from mdacl_ros.health.pairing_watch import clock_remedy
from mdacl_ros.nodes.topics import IMAGE_TYPES, MOST_TOLERANT
from mdacl_ros.sensing.encodings import find_encoding, known_encodings
from mdacl_ros.sensing.pairing.clock_skew import StampSeries, clock_skew
from mdacl_ros.types import MODALITIES, Modality

CLOCK_LIMIT_S = 1.0
"""Largest difference of an image's stamp and the clock that is taken for transport."""

FUTURE_S = 0.1
"""Seconds that stamps may be ahead of the clock: no picture is taken before it arrives."""

SLOW_HZ = 2.0
"""Rate below which a camera is of little use."""


def check_node(view: SystemView) -> list[Finding]:
    """The node is there, alone, and active."""
    if view.nodes == 0 and view.others:
        what = f"no node {view.node} is found, but {', '.join(view.others)}"
        return [bad("node", what, f"mdacl doctor --node {view.others[0]}")]
    if view.nodes == 0:
        return [
            bad(
                "node",
                f"no node {view.node} is found",
                "start it (ros2 launch mdacl_ros perception.launch.py), name it with --node, or "
                "compare ROS_DOMAIN_ID and discovery range with its own",
            )
        ]
    if view.nodes > 1:
        todo = "give each its own namespace (namespace:=...), or stop one"
        return [bad("node", f"{view.nodes} nodes are called {view.node}", todo)]
    if not view.state:
        todo = "is /diagnostics remapped, or does the node hang? look at its log"
        return [bad("node", f"{view.node} sends no diagnostics", todo)]
    if view.state != "active":
        change = f"ros2 lifecycle set {view.node}"
        steps = [f"{change} activate"]
        if view.state == "unconfigured":
            steps.insert(0, f"{change} configure")
        todo = f"{' && '.join(steps)} (its log says why it is not)"
        return [bad("node", f"{view.node} is {view.state}", todo)]
    return [ok("node", f"{view.node} is active"), _answers(view)]


def _answers(view: SystemView) -> Finding:
    """Detections arrive while images do."""
    if view.answers:
        return ok("answers", f"{view.answers / view.seconds:.1f} a second")
    if any(camera.stamps_ns for camera in view.cameras.values()):
        return bad("answers", f"none in {view.seconds:.0f} s although images arrive", "see below")
    return bad("answers", "none, since no images arrive", "see the cameras below")


def check_camera(
    name: Modality, view: CameraView, limits: NodeParameters, *, sim_time: bool = False
) -> list[Finding]:
    """One camera: topic, QoS, rate, encoding, stamps, camera_info.

    Args:
        name: Which camera.
        view: What was seen of it.
        limits: The node's parameters.
        sim_time: Stamps are simulated time and are not compared with this machine's clock.
    """
    if not view.publishers:
        todo = f"start the camera's driver, or give its topic: {name}_image:=... in the launch"
        if not view.told:
            what = (
                f"nobody publishes {view.topic}, and the detector does not say what it listens to"
            )
            return [warn(f"{name} topic", what, f"{todo}; activate it, and look again")]
        return [bad(f"{name} topic", f"nobody publishes {view.topic}", todo)]
    findings = [_publishers(name, view), _type(name, view, limits), _qos(name, view)]
    if not view.stamps_ns:
        findings.append(
            bad(
                f"{name} rate",
                f"no image arrives on {view.topic} though {view.publishers[0]} publishes it",
                "is the driver streaming? ros2 topic hz; large images: see dds below",
            )
        )
        return findings
    findings += [_rate(name, view, limits), _encoding(name, view)]
    findings += [_stamps(name, view, sim_time=sim_time), _frame_id(name, view)]
    return [*findings, _camera_info(name, view)]


def _publishers(name: Modality, view: CameraView) -> Finding:
    """One publisher: two would be mixed."""
    who = ", ".join(view.publishers)
    if len(view.publishers) > 1:
        what = f"{view.topic} has {len(view.publishers)} publishers: {who}"
        return warn(f"{name} topic", what, "their images are mixed; remap one")
    return ok(f"{name} topic", f"{view.topic} from {who}")


def _qos(name: Modality, view: CameraView) -> Finding:
    """The detector's subscription and the publisher's offer go together."""
    if not view.heard:
        return warn(
            f"{name} qos",
            f"the detector has no subscription to {view.topic}"
            + ("" if view.told else ", it did not say which topic it listens to"),
            "is it active? look again in some seconds; remapped: it listens elsewhere",
        )
    if view.mismatched:
        parameter = f"qos_overrides.{view.topic}.subscription"
        todo = " and ".join(f"{parameter}.{policy} to {v}" for policy, v in MOST_TOLERANT.items())
        return bad(f"{name} qos", "; ".join(view.mismatched), f"set parameters {todo}")
    return ok(f"{name} qos", "matches the detector's subscription")


def _type(name: Modality, view: CameraView, limits: NodeParameters) -> Finding:
    """The message type that the detector's transport parameter makes it listen for."""
    transport = getattr(limits, f"{name}_transport")
    wanted = IMAGE_TYPES[transport]
    wrong = sorted(view.types - {wanted})
    if not wrong:
        return ok(f"{name} type", f"{wanted}, as {name}_transport {transport} wants it")
    fits = [key for key, kind in IMAGE_TYPES.items() if kind == wrong[0]]
    todo = f"set parameter {name}_transport to {fits[0]}" if fits else "remap it to an image topic"
    what = f"{view.topic} carries {wrong[0]}, wanted {wanted}: no image is received"
    return bad(f"{name} type", what, todo)


def rate_hz(stamps_ns: tuple[int, ...]) -> float:
    """Rate of a series of times; 0 for fewer than two."""
    if len(stamps_ns) < 2 or stamps_ns[-1] <= stamps_ns[0]:
        return 0.0
    return 1e9 * (len(stamps_ns) - 1) / (stamps_ns[-1] - stamps_ns[0])


def _rate(name: Modality, view: CameraView, limits: NodeParameters) -> Finding:
    """Fast enough, and not taken for dead between two frames."""
    rate = rate_hz(view.arrivals_ns)
    what = f"{rate:.1f} Hz"
    if rate and 1 / rate > limits.partner_timeout:
        todo = f"raise partner_timeout above {1 / rate:.2f}, or make the camera faster"
        return bad(f"{name} rate", f"{what}: counts as dead between two frames", todo)
    least = getattr(limits, f"min_rate_{name}")
    if rate < max(SLOW_HZ, least):
        todo = "raise the driver's frame rate; USB or network too narrow?"
        return warn(f"{name} rate", f"{what}, wanted {max(SLOW_HZ, least):g} or more", todo)
    return ok(f"{name} rate", what)


def _encoding(name: Modality, view: CameraView) -> Finding:
    """An encoding that the node reads."""
    seen = ", ".join(sorted(view.encodings))
    size = f"{view.size[0]}x{view.size[1]} " if view.size else ""
    if view.refused:
        return bad(f"{name} encoding", view.refused, "see what the detector's log says of it")
    unknown = [] if view.compressed else sorted(view.encodings - set(_readable(name, view)))
    if unknown:
        wanted = ", ".join(sorted(known_encodings(name)))
        return bad(f"{name} encoding", f"{unknown[0]!r} cannot be read", f"wanted one of {wanted}")
    return ok(f"{name} encoding", f"{size}{seen}")


def _readable(name: Modality, view: CameraView) -> list[str]:
    """Those of the encodings seen that the node reads."""
    rows = {encoding: find_encoding(encoding) for encoding in view.encodings}
    return [encoding for encoding, row in rows.items() if row is not None and name in row.cameras]


def _frame_id(name: Modality, view: CameraView) -> Finding:
    """A frame_id, the same in images and camera_info."""
    check = f"{name} frame_id"
    if not view.frame_id:
        todo = "set frame_id in the camera's driver; RViz shows no marker without one"
        return warn(check, "images carry no frame_id", todo)
    if view.info_frame_id not in (None, "", view.frame_id):
        what = f"images say {view.frame_id}, camera_info {view.info_frame_id}"
        return warn(check, what, "let the driver give both one frame_id")
    return ok(check, view.frame_id)


def _stamps(name: Modality, view: CameraView, *, sim_time: bool) -> Finding:
    """Stamps rise and lie near the clock."""
    stamps, arrivals = np.array(view.stamps_ns), np.array(view.arrivals_ns)
    if not stamps.any():
        return bad(f"{name} stamps", "all stamps are 0", "make the driver stamp its images")
    if (np.diff(stamps) <= 0).any():
        count = int((np.diff(stamps) <= 0).sum())
        return bad(
            f"{name} stamps",
            f"{count} of {len(stamps)} stamps do not rise",
            "two publishers, a looped bag, or a driver that repeats stamps",
        )
    if sim_time:
        return ok(f"{name} stamps", "rise (simulated time, not compared with the clock)")
    late = float(np.median(arrivals - stamps)) / 1e9
    if abs(late) > CLOCK_LIMIT_S:
        return bad(
            f"{name} stamps",
            f"stamps are {abs(late):.2f} s {'behind' if late > 0 else 'ahead of'} this machine's "
            "clock",
            "synchronise the camera's clock (PTP, chrony); a bag: --clock and use_sim_time",
        )
    if late < -FUTURE_S:
        return warn(
            f"{name} stamps",
            f"{-1e3 * late:.0f} ms ahead of this machine's clock",
            "synchronise the camera's clock (PTP, chrony)",
        )
    return ok(f"{name} stamps", f"{max(0.0, 1e3 * late):.0f} ms behind the clock")


def _camera_info(name: Modality, view: CameraView) -> Finding:
    """Intrinsics, and whether they belong to these images."""
    check = f"{name} camera_info"
    if view.info_size is None:
        what = "none: no markers" if name == "rgb" else "none (not needed)"
        if name == "thermal":
            return ok(check, what)
        return warn(check, what, "let the driver publish it, or remap rgb_info:=...")
    if view.size is not None and view.info_size != view.size:
        seen, told = (f"{w}x{h}" for w, h in (view.size, view.info_size))
        todo = "calibrate at the size that is published"
        return bad(check, f"tells {told}, images are {seen}", todo)
    if name == "thermal":
        return ok(check, "fits the images (markers need RGB's only)")
    if view.info_fault:
        return warn(check, f"{view.info_fault}: no markers", "see docs/topics.md")
    return ok(check, "calibrated, fits the images")


def check_pairing(view: SystemView, limits: NodeParameters) -> list[Finding]:
    """How the cameras' stamps lie to each other."""
    nothing = CameraView("")
    cameras = (view.cameras.get(camera, nothing) for camera in MODALITIES)
    rgb, thermal = (StampSeries(camera.stamps_ns, camera.arrivals_ns) for camera in cameras)
    skew = clock_skew(rgb, thermal, limits.thermal_clock_offset, limits.max_skew)
    if skew is None:
        return []
    what = (
        f"thermal stamps {1e3 * skew:+.0f} ms from RGB's, max_skew {1e3 * limits.max_skew:.0f} ms"
    )
    if abs(skew) > limits.max_skew:
        todo = clock_remedy(limits.thermal_clock_offset - skew)
        return [bad("skew", what, f"{todo}; else raise max_skew")]
    return [ok("skew", what)]


def check_listeners(view: SystemView) -> list[Finding]:
    """Everybody who listens to an answer hears it."""
    todo = "let it ask for best_effort and volatile, or set qos_overrides.<topic>.publisher.*"
    return [bad("listener", f"{deaf}: receives nothing", todo) for deaf in view.deaf]


def check_health(view: SystemView) -> list[Finding]:
    """What the node itself complains of."""
    findings = []
    for name, (level, message, _) in sorted(view.health.items()):
        if level in (1, 2):
            make = warn if level == 1 else bad
            findings.append(make(f"says: {name}", message, "see docs/diagnostics.md"))
    return findings
