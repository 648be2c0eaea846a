"""What runs between activate and deactivate: cameras in, detector, results out."""

from __future__ import annotations

import re
import time
import traceback

from rclpy.lifecycle import LifecycleNode

from mdacl_ros.errors import MdaclError
from mdacl_ros.nodes import messages
from mdacl_ros.nodes.camera_input import CameraInput
from mdacl_ros.nodes.image_messages import FrameDecoder, image_size
from mdacl_ros.nodes.inference_thread import InferenceThread
from mdacl_ros.nodes.pair_health import PairHealth
from mdacl_ros.nodes.pairing import LostShare, Pairing
from mdacl_ros.nodes.parameters import NodeParameters
from mdacl_ros.nodes.residual_watch import ResidualWatch
from mdacl_ros.nodes.result_publishers import ResultPublishers
from mdacl_ros.nodes.statistics import Statistics
from mdacl_ros.nodes.synchronizer_state import SynchronizerState, clock_of, read_synchronizer
from mdacl_ros.perception import Perception
from mdacl_ros.sensing.residual import Residual
from mdacl_ros.sensing.residual_alarm import knocked_text
from mdacl_ros.sensing.synchronizer import PairSynchronizer
from mdacl_ros.types import MODALITIES, FramePair, Modality, PerceptionResult


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
        self._publishers = publishers
        self._reported: set[str] = set()
        self._lost_share = LostShare()
        self._next_probe = 0.0
        self._decoder = FrameDecoder(lambda camera, error: self.cameras[camera].reject(error))
        self._rgb_frame_id, self._rgb_size_known = "", False
        self._residual = ResidualWatch(self._residual_failed)
        self._inference = InferenceThread(
            PairSynchronizer(parameters.sync_config()),
            self._process,
            self._failed,
            clock_of(node),
            self.statistics,
        )
        self.cameras: dict[Modality, CameraInput] = {}
        transports = (parameters.rgb_transport, parameters.thermal_transport)
        try:
            for camera, transport in zip(MODALITIES, transports, strict=True):
                self.cameras[camera] = CameraInput(
                    node, camera, transport, self._inference.push, self.statistics
                )
        except Exception:
            self._unsubscribe()
            raise

    def start(self) -> None:
        """Start detecting."""
        self._residual.start()
        self._inference.start()

    def stop(self) -> None:
        """Unsubscribe, finish the pairs in work, and end the threads."""
        self._unsubscribe()
        self._inference.stop()
        self._residual.stop()

    def configure(self, parameters: NodeParameters) -> None:
        """Take live parameters over; effective from the next pair on."""
        self.parameters = parameters
        self._inference.configure(parameters.sync_config())

    def synchronizer_state(self) -> SynchronizerState:
        """Who is alive, the synchronizer's counters, and the newest skew."""
        return self._inference.inspect(read_synchronizer)

    def watch_pairing(self, state: SynchronizerState) -> Pairing:
        """Judge how well the cameras' frames meet; say so once when nothing goes out any more."""
        share = self._lost_share.update(time.monotonic(), state.received_rgb, state.unpaired_rgb)
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

    def watch_residual(self) -> tuple[Residual | None, Residual | None]:
        """How far thermal lies beside RGB, and whether the rig was knocked; log that once."""
        residual, knocked = self._residual.read(self.parameters.residual_warn)
        if knocked is not None and "knocked" not in self._reported:
            self._reported.add("knocked")
            self._node.get_logger().warning(
                knocked_text(knocked, bool(self.parameters.calibration))
            )
        return residual, knocked

    def _unsubscribe(self) -> None:
        for camera in self.cameras.values():
            camera.destroy()

    def _process(self, pair: FramePair) -> None:
        """Run the detector on one pair and publish; in the inference thread."""
        decoded = self._decoder.decode(pair)
        if decoded.rgb is None and decoded.thermal is None:
            self.statistics.count("dropped_failed")
            return
        self.health.look(decoded)
        if decoded.rgb is not None:
            self._rgb_frame_id, self._rgb_size_known = decoded.rgb.frame_id, True
        elif not self._rgb_size_known:
            self._learn_rgb_size()
        result = self._perception.process(
            decoded,
            probe=self._probe_is_due(),
            registered_preview=self._publishers.wants_registered(decoded),
        )
        if self._residual.due(decoded, self.parameters.residual_rate):
            self._residual.offer(self._perception.aligned_pair())
        self._log_warnings()
        self.health.answered(result)
        self.statistics.tick("processed")
        self.statistics.sample("mdi", result.dominance.mdi)
        for stage, milliseconds in result.timings_ms.items():
            self.statistics.sample(f"stage_{stage}", milliseconds)
        self._publish(result, decoded)

    def _publish(self, result: PerceptionResult, pair: FramePair) -> None:
        """Publish one answer in the RGB camera's frame."""
        header = messages.to_header(result.stamp_ns, self._frame_id(pair))
        share_in_id = self.parameters.share_in_detection_id
        self._publishers.publish(result, pair, header, share_in_id=share_in_id)
        self._publishers.publish_pictures(
            result,
            pair,
            header,
            self.cameras["rgb"].camera_info,
            self.parameters.marker_distance,
        )

    def _learn_rgb_size(self) -> None:
        """Take the RGB image's size from camera_info: thermal alone is answered in its pixels."""
        info = self.cameras["rgb"].camera_info
        if info is not None and info.width and info.height:
            self._perception.expect_rgb_size(image_size(info))
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
        """Whether the exact gradient index is to be computed on this pair."""
        rate, now = self.parameters.dominance_probe_rate, time.monotonic()
        if rate <= 0 or now < self._next_probe:
            return False
        self._next_probe = now + 1 / rate
        return True

    def _residual_failed(self, line: str) -> None:
        """Say that the registration is no longer watched."""
        self._node.get_logger().error(f"the residual of the registration is not watched: {line}")

    def _failed(self, pair: FramePair, error: Exception) -> None:
        """Count a pair that was lost; log the first error of each kind."""
        line = str(error) if isinstance(error, MdaclError) else f"{type(error).__name__}: {error}"
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
