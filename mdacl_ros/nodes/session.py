"""What runs between activate and deactivate: cameras in, detector, results out."""

from __future__ import annotations

import re
import threading
import time
import traceback

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.lifecycle import LifecycleNode

from mdacl_ros.config.parameters import NodeParameters
from mdacl_ros.errors import MdaclError
from mdacl_ros.health.clock_watch import ClockWatch
from mdacl_ros.health.life_log import LifeLog
from mdacl_ros.health.pair_health import PairHealth
from mdacl_ros.health.pairing_watch import LostShare, Pairing
from mdacl_ros.health.rate_watch import RateWatch
from mdacl_ros.health.residual_watch import ResidualWatch
from mdacl_ros.health.silence import Silence
from mdacl_ros.health.stamp_watch import StampWatch
from mdacl_ros.health.statistics import Statistics
from mdacl_ros.health.synchronizer_state import SynchronizerState, read_synchronizer
from mdacl_ros.nodes import messages
from mdacl_ros.nodes.camera_input import CameraInput
from mdacl_ros.nodes.image_messages import FrameDecoder
from mdacl_ros.nodes.inference_thread import InferenceThread
from mdacl_ros.nodes.node_clock import clock_of
from mdacl_ros.nodes.result_publishers import ResultPublishers
from mdacl_ros.nodes.watchdog import Watchdog
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.sensing.camera_info import images_of
from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer
from mdacl_ros.sensing.registration.residual import Residual
from mdacl_ros.sensing.registration.residual_alarm import knocked_text
from mdacl_ros.sensing.registration.warp_plausibility import Plausibility, implausible_text
from mdacl_ros.types import MODALITIES, Frame, FramePair, Modality, PerceptionResult

STOP_WAIT, EXIT_WAIT = 5.0, 0.5
"""Seconds granted to the pair in work when the node is deactivated, and when the process ends."""


class DetectionSession:
    """Owns the subscriptions, the synchronizer and the inference thread of one active phase.

    Attributes:
        statistics: Counters and timings since activation.
        cameras: Inputs by camera.
        parameters: The parameters in force; see :meth:`configure`.
        health: What pairs and answers tell about the cameras.
    """

    def __init__(
        self,
        node: LifecycleNode,
        perception: Perception,
        publishers: ResultPublishers,
        parameters: NodeParameters,
    ) -> None:
        self.parameters = parameters
        self.statistics = publishers.statistics = Statistics()
        self.health = PairHealth(self.statistics)
        self._node = node
        self._perception = perception
        self._replacement: Perception | None = None
        self._exchange = threading.Lock()
        self._abandoned = False
        self._publishers = publishers
        self._reported: set[str] = set()
        self._lost_share, self._stamps, self._clock = LostShare(), StampWatch(), ClockWatch()
        self._rates: dict[Modality, RateWatch] = {c: RateWatch(c) for c in MODALITIES}
        self._silence, self._lives = Silence(), LifeLog(time.monotonic())
        self._next_probe = 0.0
        self._decoder = self._new_decoder()
        self._rgb_frame_id, self._rgb_size_known = "", False
        self._residual = ResidualWatch(self._residual_failed)
        self._inference = InferenceThread(
            PairSynchronizer(parameters.sync_config()),
            self._process,
            self._failed,
            clock_of(node),
            self.statistics,
        )
        self._watchdog = Watchdog(self._inference, self.statistics, node.get_logger())
        self.cameras: dict[Modality, CameraInput] = {}
        # Of this phase alone: rclpy's groups keep a reference to every entity they ever held, so
        # that the node's own would grow with each activation.
        group = MutuallyExclusiveCallbackGroup()
        transports = (parameters.rgb_transport, parameters.thermal_transport)
        try:
            for camera, transport in zip(MODALITIES, transports, strict=True):
                self.cameras[camera] = CameraInput(
                    node,
                    camera,
                    transport,
                    self._inference.push,
                    self.statistics,
                    self._max_pixels,
                    group,
                )
        except Exception:
            self._unsubscribe()
            raise

    def start(self) -> None:
        """Start detecting."""
        self._residual.start()
        self._inference.start()

    def request_stop(self) -> None:
        """Take no other pair; returns at once, and :meth:`stop` follows."""
        self._inference.stop(0)

    def stop(self, wait: float = STOP_WAIT) -> None:
        """Unsubscribe, finish the pairs in work, and end the threads.

        Args:
            wait: Seconds after which a hanging inference is left behind, see :attr:`hangs`.
        """
        self._unsubscribe()
        self._abandoned = not self._inference.stop(wait)
        self._residual.stop()
        if self._abandoned:
            self._node.get_logger().error(
                f"inference still hangs after {self._inference.busy_s:.1f} s: left behind, its "
                "result will not be published"
            )
        else:
            self._take_replacement()

    def replace(self, perception: Perception) -> None:
        """Use another detector pipeline from the next pair on; the engine it frees is closed."""
        with self._exchange:
            unused, self._replacement = self._replacement, perception
            used = (self._perception.engine, perception.engine)
            if unused is not None and unused.engine not in used:
                unused.engine.close()

    def watch(self) -> None:
        """Look after the inference and the cameras; called now and then."""
        self._watchdog.look(self.parameters.inference_timeout)
        for camera in self.cameras.values():
            camera.look_for_wrong_type()

    @property
    def hangs(self) -> bool:
        """Whether a pair that :meth:`stop` left behind is still in work, and its engine in use."""
        return self._abandoned and self._inference.alive

    @property
    def busy_s(self) -> float:
        """Seconds the pair in work has taken so far, 0 while none is."""
        return self._inference.busy_s

    def configure(self, parameters: NodeParameters) -> None:
        """Take live parameters over; effective from the next pair on."""
        self.parameters = parameters
        self._inference.configure(parameters.sync_config())

    def synchronizer_state(self) -> SynchronizerState:
        """Who is alive, the synchronizer's counters, and the newest skew."""
        return self._inference.inspect(read_synchronizer)

    def log_lives(self, state: SynchronizerState) -> None:
        """Log cameras that fall silent, freeze, or come back."""
        named = {name: camera.topic for name, camera in self.cameras.items()}
        logger = self._node.get_logger()
        alive: dict[str, bool] = {
            c: state.alive[c] or state.held_out.get(c, False) for c in MODALITIES
        }
        for line in self._lives.lines(alive, state.frozen, named, time.monotonic()):
            if line.warns:  # one call for each severity: rclpy allows a call no second one
                logger.warning(line.text)
            else:
                logger.info(line.text)

    def watch_pairing(self, state: SynchronizerState) -> Pairing:
        """Judge how well the cameras' frames meet; say so once when nothing goes out any more."""
        received = state.received["rgb"]
        share = self._lost_share.update(time.monotonic(), received, state.unpaired_rgb)
        pairing = Pairing(
            starved_s=state.starved_s,
            # Where each thermal frame serves once, the faster camera loses frames by design.
            lost_share=share if self.parameters.reuse_partner else 0.0,
            unpaired_skew_ms=state.unpaired_skew_ms,
            max_skew_ms=self.parameters.max_skew * 1e3,
            thermal_clock_offset_s=self.parameters.thermal_clock_offset,
        )
        complaint = pairing.complaint()
        if pairing.starved and complaint is not None and "starved" not in self._reported:
            self._reported.add("starved")
            self._node.get_logger().warning(complaint[1])
        return pairing

    @property
    def deaf(self) -> str:
        """A listener whose QoS keeps our answers from it, or empty."""
        return self._publishers.deaf()

    def silent_s(self, state: SynchronizerState) -> float:
        """Seconds without an answer although a camera delivers."""
        return self._silence.seconds(time.monotonic(), alive=any(state.alive.values()))

    def watch_streams(self, state: SynchronizerState) -> tuple[str, ...]:
        """What the stamps and the rates of both cameras tell that is wrong."""
        now, times = time.monotonic(), self.statistics.times
        clock = self._clock.remark(self._inference.inspect(lambda _, now_ns: now_ns), now)
        slow = (
            rate.remark(times(f"frames_{camera}"), now, self.parameters.partner_timeout)
            for camera, rate in self._rates.items()
        )
        return (*self._stamps.remarks(state, now), *filter(None, (clock, *slow)))

    def watch_residual(self) -> tuple[Residual | None, Residual | None]:
        """How far thermal lies beside RGB, and whether the rig was knocked; log that once."""
        residual, knocked = self._residual.read(self.parameters.residual_warn)
        if knocked is not None and "knocked" not in self._reported:
            self._reported.add("knocked")
            self._node.get_logger().warning(
                knocked_text(knocked, bool(self.parameters.calibration))
            )
        return residual, knocked

    def watch_warp(self) -> Plausibility | None:
        """Evidence that the calibration has the wrong size, if any; log that once."""
        found = self._residual.implausible()
        if found is not None and "implausible" not in self._reported:
            self._reported.add("implausible")
            self._node.get_logger().warning(
                implausible_text(found, bool(self.parameters.calibration))
            )
        return found

    def _unsubscribe(self) -> None:
        for camera in self.cameras.values():
            camera.destroy()

    def _new_decoder(self) -> FrameDecoder:
        """A decoder that remembers no frame."""
        return FrameDecoder(
            lambda camera, error: self.cameras[camera].reject(error), self._max_pixels
        )

    def _max_pixels(self) -> int:
        """The largest image accepted at this moment."""
        return self.parameters.max_image_pixels

    def _take_replacement(self) -> None:
        """Go over to the pipeline that :meth:`replace` was given; between two pairs."""
        with self._exchange:
            new, self._replacement = self._replacement, None
            if new is None:
                return
            old, self._perception = self._perception, new
        self._rgb_size_known = False
        self._residual.forget()
        if old.engine is not new.engine:
            self._publishers.rename(new.engine.labels, self.parameters.score_threshold)
            old.engine.close()

    def _process(self, pair: FramePair) -> None:
        """Run the detector on one pair and publish; in the inference thread."""
        self._take_replacement()
        decoded = self._decoder.decode(pair)
        if decoded.rgb is None and decoded.thermal is None:
            self.statistics.count("dropped_failed")
            return
        self.health.look(decoded)
        if decoded.rgb is not None:
            self._rgb_frame_id, self._rgb_size_known = decoded.rgb.frame_id, True
        elif not self._rgb_size_known:
            self._learn_rgb_size()
        result = self._detect(decoded)
        if self._abandoned:
            return  # it hung while the node was deactivated: nobody waits for this answer
        if self._residual.due(decoded, self.parameters.residual_rate):
            self._residual.offer(self._perception.aligned_pair())
        self._log_warnings()
        self.health.answered(result)
        self._silence.answered(time.monotonic())
        self.statistics.tick("processed")
        self.statistics.sample("mdi", result.dominance.mdi)
        for stage, milliseconds in result.timings_ms.items():
            self.statistics.sample(f"stage_{stage}", milliseconds)
        self._publish(result, decoded)

    def _detect(self, pair: FramePair) -> PerceptionResult:
        """Run the detector; frames it cannot use are counted, also where that leaves no answer."""
        try:
            return self._perception.process(
                pair,
                probe=self._probe_is_due(),
                registered_preview=self._publishers.wants_registered(pair),
            )
        finally:
            frames: dict[Modality, Frame | None] = {"rgb": pair.rgb, "thermal": pair.thermal}
            unused = {} if self._abandoned else self._perception.unused
            for camera, error in unused.items():
                self.cameras[camera].reject_frame(frames[camera], error)

    def _publish(self, result: PerceptionResult, pair: FramePair) -> None:
        """Publish one answer in the RGB camera's frame."""
        header = messages.to_header(result.stamp_ns, self._frame_id(pair))
        share_in_id = self.parameters.share_in_detection_id
        self._publishers.publish(result, pair, header, share_in_id=share_in_id)
        try:
            self._publishers.publish_pictures(
                result,
                pair,
                header,
                self.cameras["rgb"].camera_info,
                self.parameters.marker_distance,
            )
        except Exception as error:  # the answer is out: a picture of it costs no pair
            self._pictures_failed(error)

    def _pictures_failed(self, error: Exception) -> None:
        """Count pictures that could not be made; log the first error of each kind."""
        line = f"no overlay, preview or markers: {type(error).__name__}: {error}"
        line = " ".join(line.split())
        self.statistics.count("pictures_failed")
        self.statistics.note("pictures_failed", line)
        kind = re.sub(r"\d+", "#", line)
        if kind not in self._reported and self._node.context.ok():
            self._reported.add(kind)
            self._node.get_logger().error(line + " (logged once; see /diagnostics for the count)")

    def _learn_rgb_size(self) -> None:
        """Take the RGB image's size from camera_info: thermal alone is answered in its pixels."""
        info = self.cameras["rgb"].camera_info
        if info is not None and info.width and info.height:
            self._perception.expect_rgb_size(images_of(info))
            self._rgb_size_known = True

    def _frame_id(self, pair: FramePair) -> str:
        """The RGB frame, also while RGB is dead; the thermal one if RGB was never heard of."""
        info = self.cameras["rgb"].camera_info
        known = self._rgb_frame_id or (info.header.frame_id if info is not None else "")
        return known or (pair.thermal.frame_id if pair.thermal is not None else "")

    def _log_warnings(self) -> None:
        """Log what perception has begun to assume or do without."""
        for warning in self._perception.warnings:
            if warning not in self._reported:
                self._reported.add(warning)
                self._node.get_logger().warning(warning)

    def _probe_is_due(self) -> bool:
        """Whether reliance and the exact index are to be measured on this pair."""
        rate, now = self.parameters.reliance_rate, time.monotonic()
        if rate <= 0 or now < self._next_probe:
            return False
        self._next_probe = now + 1 / rate
        return True

    def _residual_failed(self, line: str) -> None:
        """Say that the registration is no longer watched."""
        self._node.get_logger().error(f"the residual of the registration is not watched: {line}")

    def _failed(self, pair: FramePair, error: BaseException) -> None:
        """Count a pair that was lost; log the first error of each kind."""
        if not isinstance(error, MdaclError):  # what it left half done must not live on
            self._perception.reset()
            self._decoder = self._new_decoder()
        line = str(error) if isinstance(error, MdaclError) else f"{type(error).__name__}: {error}"
        line = " ".join(line.split())  # OpenCV's errors have several
        line = f"pair at {pair.stamp_ns / 1e9:.3f} s lost: {line}"
        self.statistics.count("dropped_failed")
        self.statistics.note("failed", line)
        kind = re.sub(r"\d+", "#", line)
        if kind in self._reported or not self._node.context.ok():
            return
        self._reported.add(kind)
        if not isinstance(error, MdaclError):
            line += "\n" + "".join(traceback.format_exception(error)).rstrip()
        self._node.get_logger().error(line + " (logged once; see /diagnostics for the count)")
