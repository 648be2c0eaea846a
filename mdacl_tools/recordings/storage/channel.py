"""What every storage file of a bag offers, whatever its format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
"""``(N,)`` log times in ns."""


@dataclass(frozen=True, slots=True)
class BagChannel:
    """One connection of a file; a topic can have several (two drivers, a restarted driver).

    Attributes:
        topic: Topic.
        msgtype: ``sensor_msgs/msg/Image``, also for messages of ROS 1.
        encoding: How messages are serialised: ``cdr``, ``ros1``, or what we cannot read.
        definition: Text of the message definition, ROS' msg format; empty without one.
    """

    topic: str
    msgtype: str
    encoding: str = "cdr"
    definition: str = ""


Raw = tuple[BagChannel, int, bytes]
"""Channel, log time in ns, serialised message."""


class StorageFile(Protocol):
    """One storage file, open; it can be read as often as wanted, with flat memory.

    Attributes:
        name: File name, for messages.
        channels: All channels, also those without messages.
        expected: Messages by topic that the file itself says it holds; empty if it does not say.
        notes: What is worth knowing of it, a sentence each.
        damage: What is wrong with it, a sentence each; a pass can add to it.
    """

    name: str
    channels: list[BagChannel]
    expected: dict[str, int]
    notes: list[str]

    @property
    def damage(self) -> list[str]:
        """What is wrong with it, a sentence each."""
        ...

    def times(self) -> Mapping[str, Times]:
        """Sorted log times of the messages that can be read, by topic."""
        ...

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """Intact messages of some topics in the order of their log times."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...
