"""The lifecycle node: cameras in, detections and modality dominance out.

    ros2 run mdacl_ros detector_node --ros-args -p autostart:=true -p calibration:=rig.yaml

Parameters: config/detector.yaml, or ``ros2 param describe /detector_node <name>``.

configure loads the engine and the calibration, activate subscribes and starts the inference
thread, deactivate and cleanup undo it. A transition that cannot be made fails with one line that
says why; the node stays up and can be configured again once the cause is mended.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Set
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from mdacl_ros.config.parameters import RELOADED, NodeParameters
from mdacl_ros.errors import EngineError, MdaclError
from mdacl_ros.health.status_part import Part
from mdacl_ros.nodes import diagnostics, topics
from mdacl_ros.nodes.engine_reload import EngineReload, Loaded
from mdacl_ros.nodes.health_reporter import HealthReporter
from mdacl_ros.nodes.node_creation import (
    NOT_STARTED,
    refusals_in_one_line,
    tell_unknown_parameters,
)
from mdacl_ros.nodes.parameter_server import ParameterServer
from mdacl_ros.nodes.pipeline import EngineFactory, Pipeline
from mdacl_ros.nodes.process import run_node
from mdacl_ros.nodes.result_publishers import ResultPublishers
from mdacl_ros.nodes.session import EXIT_WAIT, STOP_WAIT, DetectionSession
from mdacl_ros.nodes.snapshot import take_snapshot
from mdacl_ros.pipeline.perception import Perception
from mdacl_ros.runtime import load_engine
from mdacl_ros.runtime.engine import Engine
from mdacl_ros.sensing.registration.rig import RigCalibration

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class DetectorNode(LifecycleNode):
    """Detects in RGB-thermal pairs and tells which camera the answer rests on.

    Attributes:
        session: What runs while active; kept, stopped, for its counters afterwards.
        progress: What configuring is doing, with percent, or empty.
        build_fraction: Share of an engine build that is done, ``None`` while none runs.
        configure_error: Why configuring failed the last time, or empty.
    """

    def __init__(self, *, engine_factory: EngineFactory = load_engine, **node_options: Any) -> None:
        # Before what may fail: rclpy destroys also half a node.
        self.session: DetectionSession | None = None
        self._health: HealthReporter | None = None
        self._results: ResultPublishers | None = None
        self._pipeline = Pipeline(engine_factory, self._on_progress)
        super().__init__(topics.NODE_NAME, **node_options)
        self.progress = ""
        self.build_fraction: float | None = None
        self.configure_error = ""
        self.state_label = "unconfigured"
        self._idle_distance = False
        self._stop_by: float | None = None  # monotonic time, once the process is to end
        # Transitions and exchanges run one at a time, also in a multi-threaded executor.
        self._lock = threading.RLock()
        self._server = ParameterServer(self, self._on_parameters, self._check)
        for error in self._server.errors.values():
            self.get_logger().error(error)
        self._reload = EngineReload(self, self._load_other_engine, self._use_engine)
        self._health = HealthReporter(self, self._parts, self._statuses, self._look_after)

    @property
    def parameters(self) -> NodeParameters:
        """The valid parameters in force."""
        return self._server.values

    @property
    def engine(self) -> Engine | None:
        """The loaded engine, or ``None`` while unconfigured."""
        return self._pipeline.engine

    @property
    def perception(self) -> Perception | None:
        """The detector pipeline of the newest active phase, or ``None``."""
        return self._pipeline.perception

    @property
    def rig(self) -> RigCalibration | None:
        """The rig calibration, or ``None`` while unconfigured or without one."""
        return self._pipeline.rig

    @property
    def start_errors(self) -> str:
        """What is wrong with the parameters given at start, and keeps it from being configured."""
        return "; ".join(self._server.errors.values())

    @property
    def engine_reason(self) -> str:
        """Why this engine, precision and device run; empty where all three were named."""
        choice = self._pipeline.choice
        return "" if choice is None else choice.reason

    @property
    def engine_pending(self) -> bool:
        """Whether parameters name another engine than the one that runs."""
        return self._pipeline.pending(self.parameters)

    @property
    def loads(self) -> bool:
        """Whether an engine is being loaded, by a transition or by ``~/reload_engine``."""
        return self._pipeline.loads

    @property
    def loads_silently(self) -> bool:
        """Whether it is loaded by a call that cannot be given up."""
        return self._pipeline.loads_silently

    @property
    def hangs(self) -> bool:
        """Whether an inference that does not return was left behind."""
        return self.session is not None and self.session.hangs

    @property
    def _because(self) -> str:
        """The reason for the engine, for the end of a log line."""
        return f" ({self.engine_reason})" if self.engine_reason else ""

    @property
    def _stopping(self) -> bool:
        """Whether the process is to end."""
        return self._stop_by is not None

    def start(self) -> None:
        """Configure and activate if parameter ``autostart`` says so."""
        change = f"ros2 lifecycle set {self.get_fully_qualified_name()}"
        remedy = f"{change} configure && {change} activate"
        if not self.parameters.autostart:
            self.get_logger().info(f"waiting to be configured: {remedy}")
        elif self.trigger_configure() == SUCCESS:
            if not self._stopping:
                self.trigger_activate()
        elif not self._stopping:
            self.get_logger().warning(f"{NOT_STARTED}: fix the error above, then: {remedy}")

    def request_stop(self) -> None:
        """Let an engine build give up at its next sign of life, and inference after this pair."""
        self._stop_by = time.monotonic() + EXIT_WAIT
        if self.session is not None:
            self.session.request_stop()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model, build or load its engine, and read the calibration."""
        self.configure_error = ""
        return self._transition("configure", self._configure, self._unload, "inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start detecting."""
        super().on_activate(state)
        result = self._transition("activate", self._activate, self._stop, "active")
        if result != SUCCESS:
            super().on_deactivate(state)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and finish the pair in work; counters stay readable."""
        with self._lock:
            self._stop()
            self.state_label = "inactive"
            self.get_logger().info("deactivated: not subscribed, no detections")
            return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the engine and the output topics."""
        with self._lock:
            result = super().on_cleanup(state)
            self._unload()
            self.configure_error = ""
            self.state_label = "unconfigured"
            self.get_logger().info("cleaned up: engine and output topics are released")
            return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop from any state."""
        with self._lock:
            self._stop()
            self._unload()
            self.state_label = "finalized"
            self.get_logger().info("shut down; the process goes on until a signal ends it")
            return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to unconfigured after an error in a transition."""
        with self._lock:
            self._stop()
            self._unload()
            self.state_label = "unconfigured"
            return SUCCESS

    def destroy_node(self) -> None:
        """Stop all threads, publish the last counters, and take the node down."""
        self._stop()
        if self._health is not None:
            self._health.stop()
            self._unload()
        super().destroy_node()

    def _parts(self) -> Iterable[Part]:
        """How the node is at this moment."""
        return diagnostics.parts(take_snapshot(self)).values()

    def _statuses(self) -> list[DiagnosticStatus]:
        """The node's health at this moment."""
        return diagnostics.statuses(self.get_fully_qualified_name(), take_snapshot(self))

    def _look_after(self) -> None:
        """Keep the inference alive; several times a second, in the heartbeat's thread."""
        if self.session is not None and self.state_label == "active":
            self.session.watch()

    def _transition(
        self, name: str, action: Callable[[], None], undo: Callable[[], None], label: str
    ) -> TransitionCallbackReturn:
        """Run a transition's work; on any error log one line, undo, and fail cleanly."""
        try:
            with self._lock, refusals_in_one_line("ROS"):
                action()
        except Exception as error:  # rclpy would swallow it and leave the node half configured
            line = str(error) if isinstance(error, MdaclError) else traceback.format_exc().rstrip()
            self.get_logger().error(f"{name} failed: {line}")
            self.configure_error = f"{name} failed: {str(error) or type(error).__name__}"
            undo()
            return FAILURE
        finally:
            self.progress, self.build_fraction = "", None
        self.state_label = label
        return SUCCESS

    def _configure(self) -> None:
        parameters = self._server.require_valid()
        self.progress = "loading"
        engine = self._pipeline.load(parameters)
        self._results = ResultPublishers(self, engine.labels)
        self._server.locked = True
        self._tell_idle_distance(parameters)
        self.get_logger().info(
            f"configured: {engine.name} {engine.precision} on {engine.device}, "
            f"input {parameters.input_width}x{parameters.input_height}{self._because}"
        )

    def _activate(self) -> None:
        assert self._results is not None
        if self.hangs:
            raise EngineError(
                "inference of the last active phase still hangs, and its engine with it; restart "
                "the node's process"
            )
        self.configure_error = ""
        # Anew each time: no picture from before a pause may colour what comes after it.
        perception = self._pipeline.make_perception(self.parameters)
        self.session = DetectionSession(self, perception, self._results, self.parameters)
        self._results.publish_label_info(self.parameters.score_threshold)
        tell_unknown_parameters(self, later=True)
        self.session.start()
        names = ", ".join(camera.topic for camera in self.session.cameras.values())
        self.get_logger().info(f"active: waiting for {names}")

    def _load_other_engine(self) -> Loaded:
        """Load the engine anew; in a thread, while the old one goes on."""
        if self.engine is None:
            raise EngineError(
                "reload_engine: the node is not configured; configure loads the engine"
            )
        parameters = self.parameters
        try:
            return Loaded(*self._pipeline.load_engine(parameters), parameters)
        finally:
            self.progress, self.build_fraction = "", None

    def _use_engine(self, loaded: Loaded) -> str:
        """Go over to a new engine between two pairs; the old one is closed then."""
        engine = loaded.engine
        with self._lock:
            old = self._pipeline.take_engine(engine, loaded.choice, loaded.parameters)
            if self.session is not None and self.state_label == "active":
                self.session.replace(self._pipeline.make_perception(self.parameters))
            elif self._results is not None:
                self._results.rename(engine.labels, self.parameters.score_threshold)
                if not self.hangs:
                    old.close()
        width, height = engine.input_size
        line = f"{engine.name} {engine.precision} on {engine.device}, input {width}x{height}"
        self.get_logger().info(f"engine reloaded: {line}{self._because}")
        return line

    def _stop(self) -> None:
        if self.session is not None:
            by = self._stop_by
            self.session.stop(STOP_WAIT if by is None else max(0.0, by - time.monotonic()))

    def _unload(self) -> None:
        """Release what configure made; safe after half of it."""
        if self._results is not None:
            self._results.destroy()
        self._results = None
        self._pipeline.unload(close=not self.hangs)
        self._server.locked = False

    def _on_progress(self, fraction: float, text: str) -> None:
        """Show how far an engine build is; raise to end it when the process is to stop."""
        if self._stopping:
            raise EngineError("engine build given up: the node is shutting down")
        line = f"building engine: {fraction:.0%} {text}"
        if line != self.progress:
            self.get_logger().info(line)
        self.progress, self.build_fraction = line, fraction

    def _check(self, parameters: NodeParameters, named: Set[str]) -> None:
        """Refuse a model that is not there, an engine or a calibration that cannot be used."""
        if "model" in named:
            parameters.model_folder()
        if not named.isdisjoint(RELOADED):
            parameters.choose_engine()
        self._check_rig(parameters, named)

    def _check_rig(self, parameters: NodeParameters, named: Set[str]) -> None:
        """Refuse a calibration that cannot be used, or not with the images that arrive."""
        self._pipeline.forget_checked()
        if "calibration" not in named:
            return
        session = self.session if self.state_label == "active" else None
        self._pipeline.check_rig(parameters, session.health.sizes if session else {})

    def _tell_idle_distance(self, parameters: NodeParameters) -> None:
        """Warn of a reference_distance that nothing depends on."""
        kind = "none" if self.rig is None else self.rig.kind
        idle = (
            parameters.reference_distance > 0 and kind != "extrinsics" and self.engine is not None
        )
        if idle and not self._idle_distance:
            self.get_logger().warning(
                f"reference_distance has no effect: the calibration is of kind {kind}, only "
                "extrinsics know of distances"
            )
        self._idle_distance = idle

    def _on_parameters(self, parameters: NodeParameters) -> None:
        """Take accepted changes over while running."""
        with self._lock:
            self._tell_idle_distance(parameters)
            active = self.session if self.state_label == "active" else None
            if self._pipeline.take_rig(parameters) and active is not None:
                active.replace(self._pipeline.make_perception(parameters))
            if self.perception is not None:
                self.perception.config = parameters
            if active is not None:
                threshold_changed = parameters.score_threshold != active.parameters.score_threshold
                active.configure(parameters)
                if threshold_changed and self._results is not None:
                    self._results.publish_label_info(parameters.score_threshold)


def main(args: list[str] | None = None) -> int:
    """Run the detector node until SIGINT or SIGTERM."""
    return run_node(DetectorNode, args)
