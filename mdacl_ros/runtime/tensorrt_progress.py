"""How far a TensorRT build is: its nested phases as one fraction that never falls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from mdacl_ros.runtime.engine import Progress

SPANS = {
    "Cloning network graph": (0.0, 0.02),
    "Preparing graph for optimization": (0.02, 0.10),
    "Optimizing graph": (0.10, 0.20),
    "Computing profile costs": (0.20, 1.0),
}
"""Where a build spends its time, as parts of the whole. TensorRT counts steps, nearly all of which
belong to the first tenth of a second; phases inside these divide them by their steps."""

OFTEN = 0.1
"""Seconds between two reports of one phase."""


@dataclass(slots=True)
class _Phase:
    """A phase that has begun: its part of the whole, and how many of its steps are done."""

    low: float
    high: float
    steps: int
    done: int = 0

    def at(self, step: int) -> float:
        """Where ``step`` begins."""
        return self.low + (self.high - self.low) * step / max(self.steps, 1)


class PhaseProgress:
    """Turns TensorRT's reports of phases into reports of a fraction.

    Args:
        progress: Called with the fraction and the name of the phase.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._phases: dict[str, _Phase] = {}
        self._fraction = 0.0
        self._shown = ""
        self._next = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of ``steps`` steps begins inside ``parent``."""
        self._phases[name] = _Phase(*self._span(name, parent), steps)
        self._report(name)

    def step(self, name: str) -> None:
        """A step of a phase is done."""
        if (phase := self._phases.get(name)) is not None:
            phase.done += 1
            self._fraction = max(self._fraction, min(phase.at(phase.done), 1.0))
        self._report(name)

    def finish(self, name: str) -> None:
        """A phase is over."""
        if (phase := self._phases.pop(name, None)) is not None and phase.high > phase.low:
            self._fraction = max(self._fraction, phase.high)

    def _span(self, name: str, parent: str | None) -> tuple[float, float]:
        """A named part, a step of the parent, or nothing for what is not known."""
        if name in SPANS:
            return SPANS[name]
        above = self._phases.get(parent or "")
        if above is None:
            return 0.0, 0.0
        return above.at(above.done), above.at(min(above.done + 1, above.steps))

    def _report(self, name: str) -> None:
        now = time.monotonic()
        if name != self._shown or now >= self._next:
            self._shown, self._next = name, now + OFTEN
            self._progress(self._fraction, name)


def build_monitor(trt: Any, progress: Progress) -> Any:
    """A monitor for ``IBuilderConfig.progress_monitor``.

    What ``progress`` raises cannot pass through TensorRT: the build is cancelled, and the monitor
    keeps it in ``raised``.

    Args:
        trt: TensorRT's module.
        progress: Called with the build's fraction in [0, 1] and its phase.
    """

    class BuildMonitor(trt.IProgressMonitor):
        """See :func:`build_monitor`; the names are TensorRT's."""

        def __init__(self) -> None:
            super().__init__()
            self.raised: BaseException | None = None
            self._phases = PhaseProgress(progress)

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            self._guarded(lambda: self._phases.start(name, parent, steps))

        def phase_finish(self, name: str) -> None:
            self._phases.finish(name)

        def step_complete(self, name: str, _step: int) -> bool:
            self._guarded(lambda: self._phases.step(name))
            return self.raised is None

        def _guarded(self, report: Any) -> None:
            if self.raised is not None:
                return
            try:
                report()
            except BaseException as error:  # raised again where the build returns
                self.raised = error

    return BuildMonitor()
