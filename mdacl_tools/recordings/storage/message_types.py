"""Messages from their bytes, each channel by itself: one broken definition spoils no other."""

from __future__ import annotations

from functools import cache
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from mdacl_tools.recordings.bag_messages import COMPRESSED, IMAGE, INFO, bag_types
from mdacl_tools.recordings.storage.channel import BagChannel

UNCHANGED = (IMAGE, COMPRESSED, INFO)
"""Types that are the same in every release of ROS 2: what a bag says of them is not needed."""


class MessageTypes:
    """Decodes messages: by the channel's own definition where types have changed."""

    def __init__(self) -> None:
        self._stores: dict[BagChannel, Typestore] = {}

    def decode(self, channel: BagChannel, data: bytes) -> Any:
        """A message from its bytes; errors are the libraries'."""
        if channel not in self._stores:
            self._stores[channel] = _store(channel)
        store = self._stores[channel]
        if channel.encoding == "ros1":
            return store.deserialize_ros1(data, channel.msgtype)
        return store.deserialize_cdr(data, channel.msgtype)


def _store(channel: BagChannel) -> Typestore:
    known = _known_types(channel.encoding)
    if channel.msgtype in UNCHANGED or not channel.definition:
        return known
    try:
        store = get_typestore(Stores.EMPTY)
        store.register(get_types_from_msg(channel.definition, channel.msgtype))
    except Exception:  # a definition that nobody can read
        return known
    return store


@cache
def _known_types(encoding: str) -> Typestore:
    return get_typestore(Stores.ROS1_NOETIC) if encoding == "ros1" else bag_types()
