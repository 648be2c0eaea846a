"""What a training leaves behind to look at: ``log.jsonl``, TensorBoard events, a picture."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from mdacl_tools.learning.curves import draw_curves

LOG = "log.jsonl"
EVENTS = "events"
CURVES = "curves.png"
_EVERY = 10  # steps between TensorBoard points: more cannot be seen
_DRAW_AFTER = 60.0  # seconds: a picture takes one


class TrainingLog:
    """Appends one record a step; a context manager.

    Args:
        folder: Run folder.
        step: Step the run continues from; later records of an interrupted run are dropped, since
            these steps are taken again.
        active: Whether this process writes.
    """

    def __init__(self, folder: Path, step: int, active: bool = True) -> None:
        self.folder, self.active = folder, active
        self._drawn = time.monotonic()
        if active:
            _trim(folder / LOG, step)

    def __enter__(self) -> TrainingLog:
        if self.active:
            self._lines = (self.folder / LOG).open("a")
            self._events = _event_writer(self.folder / EVENTS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.active:
            self._lines.close()
            self._events.close()
            self._draw()

    def write(self, record: dict[str, float]) -> None:
        """Add the record of a step; it has at least ``step``."""
        if not self.active:
            return
        self._lines.write(json.dumps(record) + "\n")
        step = int(record["step"])
        if step % _EVERY == 0:
            for name, value in record.items():
                if name != "step":
                    self._events.add_scalar(f"train/{name}", value, step)

    def flush(self) -> None:
        """Bring everything to the disk, the picture at most once a minute."""
        if self.active:
            self._lines.flush()
            self._events.flush()
            if time.monotonic() - self._drawn >= _DRAW_AFTER:
                self._draw()

    def _draw(self) -> None:
        draw_curves([self.folder], self.folder / CURVES)
        self._drawn = time.monotonic()


def _event_writer(folder: Path) -> Any:
    from tensorboardX import SummaryWriter

    return SummaryWriter(str(folder))


def _trim(path: Path, step: int) -> None:
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        kept = [x for x in lines if x.endswith("\n") and json.loads(x)["step"] <= step]
        path.write_text("".join(kept))
