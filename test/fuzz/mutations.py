"""Damage to good bytes and values, as hypothesis strategies that shrink to the smallest damage."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

ODD_NUMBERS: list[Any] = [0, -1, 1, 2**31, 2**32 - 1, 2**63, 1e308, -1e-308, math.nan, math.inf]
ODD_VALUES = st.one_of(
    st.sampled_from([None, True, "", "rgb", [], {}, [[]], [None] * 9, "0" * 40, *ODD_NUMBERS]),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.lists(st.floats(), max_size=10),
)
"""Values of every kind that a YAML file or a parameter call may hold."""

_POSITION = st.floats(0, 1, exclude_max=True)
_EDIT = st.tuples(
    st.sampled_from(["set", "delete", "insert", "repeat", "cut", "zero"]),
    _POSITION,
    st.integers(1, 64),
    st.binary(min_size=1, max_size=8),
)
EDITS = st.lists(_EDIT, min_size=1, max_size=6)
"""Edits for :func:`damaged`: what, where (share of the length), how long, with which bytes."""


def damaged(good: bytes, edits: list[tuple[str, float, int, bytes]]) -> bytes:
    """Apply edits to good bytes, one after the other."""
    data = bytearray(good)
    for kind, share, length, payload in edits:
        at = int(share * len(data))
        if kind == "set":
            data[at : at + len(payload)] = payload
        elif kind == "delete":
            del data[at : at + length]
        elif kind == "insert":
            data[at:at] = payload * length
        elif kind == "repeat":
            data[at:at] = data[at : at + length]
        elif kind == "cut":
            del data[at:]
        else:
            data[at : at + length] = bytes(len(data[at : at + length]))
    return bytes(data)


def with_odd_value(content: Any, path: list[int], value: Any) -> Any:
    """A copy of nested lists and mappings in which one item, found by ``path``, is another."""
    if not path or not isinstance(content, dict | list) or not content:
        return value
    if isinstance(content, dict):
        key = sorted(content, key=str)[path[0] % len(content)]
        return {**content, key: with_odd_value(content[key], path[1:], value)}
    index = path[0] % len(content)
    return [
        *content[:index],
        with_odd_value(content[index], path[1:], value),
        *content[index + 1 :],
    ]


PATHS = st.lists(st.integers(0, 20), min_size=1, max_size=4)
"""Where :func:`with_odd_value` changes something."""
