"""What every diagnostic status is made of, before it becomes a message."""

from __future__ import annotations

OK, WARN, ERROR = b"\x00", b"\x01", b"\x02"
"""Levels of ``diagnostic_msgs/DiagnosticStatus``."""

RECENT = 5.0
"""Seconds a fact decides the level of a status."""

Part = tuple[bytes, str, dict[str, object]]
"""Level, one-line message, key/values."""


def judged(warnings: list[str], errors: list[str], fine: str, values: dict[str, object]) -> Part:
    """A status whose level is that of its worst remark; ``fine`` is said without any."""
    level = ERROR if errors else WARN if warnings else OK
    return level, "; ".join([*errors, *warnings]) or fine, values
