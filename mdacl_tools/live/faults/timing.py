"""Faults of when a message comes, and of the stamp it carries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mdacl_tools.live.faults.message import Delivery, ImageData, Past
from mdacl_tools.live.faults.ranges import require, require_choice

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Drop:
    """Messages are lost.

    Attributes:
        share: Share of them, in (0, 1]; 1 is a silent camera.
    """

    share: float = 1.0

    def __post_init__(self) -> None:
        require("share", self.share, 0 < self.share <= 1, "more than 0, at most 1")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Lose it, or pass it on."""
        lost = self.share >= 1 or past.random.random() < self.share
        return [] if lost else [Delivery(message)]


@dataclass(frozen=True, slots=True)
class Freeze:
    """The picture stands still.

    Attributes:
        stamps: ``new``: the same pixels under new stamps (a stuck driver, a closed shutter);
            ``old``: the same message again and again; ``none``: nothing comes at all.
    """

    stamps: str = "new"

    def __post_init__(self) -> None:
        require_choice("stamps", self.stamps, ("new", "old", "none"))

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Send the first message's pixels."""
        if self.stamps == "none":
            return []
        frozen = past.first or message
        if self.stamps == "new":
            frozen = replace(frozen, stamp_ns=message.stamp_ns)
        return [Delivery(frozen)]


@dataclass(frozen=True, slots=True)
class Delay:
    """Every message comes late, its stamp as before.

    Attributes:
        seconds: How late.
    """

    seconds: float = 0.3

    def __post_init__(self) -> None:
        require("seconds", self.seconds, 0 <= self.seconds <= 60, "0 to 60")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Hold it back."""
        return [Delivery(message, self.seconds)]


@dataclass(frozen=True, slots=True)
class Jitter:
    """Every message comes late by another time, so that they may overtake each other.

    Attributes:
        seconds: At most this late.
    """

    seconds: float = 0.1

    def __post_init__(self) -> None:
        require("seconds", self.seconds, 0 <= self.seconds <= 60, "0 to 60")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Hold it back for a random time."""
        return [Delivery(message, self.seconds * float(past.random.random()))]


@dataclass(frozen=True, slots=True)
class Reorder:
    """Every second message is overtaken by those after it.

    Attributes:
        seconds: How long it is held back; more than the camera's period.
    """

    seconds: float = 0.15

    def __post_init__(self) -> None:
        require("seconds", self.seconds, 0 < self.seconds <= 60, "more than 0, at most 60")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Hold back every second message."""
        return [Delivery(message, self.seconds if past.number % 2 else 0.0)]


@dataclass(frozen=True, slots=True)
class DuplicateStamp:
    """Messages carry the stamp of an earlier one, with their own pixels.

    Attributes:
        every: So many in a row have one stamp.
    """

    every: int = 2

    def __post_init__(self) -> None:
        require("every", self.every, self.every >= 2, "2 or more")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Keep the stamp of the message before, but for the first of each group."""
        if past.previous is None or past.number % self.every == 0:
            return [Delivery(message)]
        return [Delivery(replace(message, stamp_ns=past.previous.stamp_ns))]


@dataclass(frozen=True, slots=True)
class ClockJump:
    """The camera's clock is off while the fault lasts: it jumps there and back.

    Attributes:
        seconds: Added to the stamps; negative: back in time.
    """

    seconds: float = 5.0

    def __post_init__(self) -> None:
        require("seconds", self.seconds, abs(self.seconds) <= 1e6, "-1e6 to 1e6")

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Move the stamp; never before the epoch."""
        moved = max(0, message.stamp_ns + round(self.seconds * NANOSECONDS))
        return [Delivery(replace(message, stamp_ns=moved))]


@dataclass(frozen=True, slots=True)
class Restart:
    """The camera's driver goes away and comes back with another quality of service.

    What it publishes afterwards is the node's part (:mod:`mdacl_tools.live.fault_injector_node`).

    Attributes:
        silence: Seconds until it is back.
        reliability: ``best_effort`` or ``reliable``.
        durability: ``volatile`` or ``transient_local``.
    """

    silence: float = 0.5
    reliability: str = "best_effort"
    durability: str = "volatile"

    def __post_init__(self) -> None:
        require("silence", self.silence, 0 <= self.silence <= 600, "0 to 600")
        require_choice("reliability", self.reliability, ("best_effort", "reliable"))
        require_choice("durability", self.durability, ("volatile", "transient_local"))

    def apply(self, message: ImageData, past: Past) -> list[Delivery]:
        """Nothing comes while the driver starts."""
        return [] if past.age_s < self.silence else [Delivery(message)]
