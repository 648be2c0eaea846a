"""Whether the clock that decides who is alive goes on: with ``use_sim_time`` it can stand still."""

from __future__ import annotations

STANDS_S = 1.0
"""Seconds of real time without a change from which the clock stands still."""


class ClockWatch:
    """Compares the node's clock with real time."""

    def __init__(self) -> None:
        self._newest_ns: int | None = None
        self._moved_at = 0.0

    def remark(self, now_ns: int, now: float) -> str | None:
        """Look at the clock, several times a second.

        Args:
            now_ns: What it shows.
            now: Monotonic seconds.

        Returns:
            That it stands still: no camera is taken for dead meanwhile; else ``None``.
        """
        if now_ns != self._newest_ns:
            self._newest_ns, self._moved_at = now_ns, now
        if now - self._moved_at < STANDS_S:
            return None
        return (
            "/clock stands still, so no camera counts as dead: is the bag paused or over? set "
            "use_sim_time to false where nobody publishes /clock"
        )
