"""For how long nothing has been answered although a camera delivers, whatever the cause."""

from __future__ import annotations


class Silence:
    """Watches one active phase; times in monotonic seconds."""

    def __init__(self) -> None:
        self._answered_at: float | None = None
        self._alive_since: float | None = None

    def answered(self, now: float) -> None:
        """An answer went out."""
        self._answered_at = now

    def seconds(self, now: float, *, alive: bool) -> float:
        """Look now and then.

        Args:
            now: Of this moment.
            alive: Whether any camera delivers.

        Returns:
            Seconds since the last answer, or since a camera came to life after it; 0 while none
            is alive.
        """
        if not alive:
            self._alive_since = None
            return 0.0
        if self._alive_since is None:
            self._alive_since = now
        return now - max(self._alive_since, self._answered_at or self._alive_since)
