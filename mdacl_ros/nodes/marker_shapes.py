"""The shapes that our RViz markers are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker

from mdacl_ros.types import FloatArray

Name = tuple[str, int]
"""Namespace and number of a marker."""

SPACE = 0.5
"""Width of a space, letters' heights. RViz (Humble to Kilted) reads it from ``scale.x`` of a text,
and without it takes that of text one metre high."""

LETTER = 0.9
"""Width of RViz's average letter (Liberation Sans), letters' heights."""

LINE = 1.6
"""Height of a line of text with the room it needs, letters' heights."""

_OUTLINE = (0, 1, 1, 2, 2, 3, 3, 0)
"""Corner pairs of a quadrilateral as LINE_LIST segments."""


def colour(rgb: Sequence[int], alpha: float = 1.0) -> ColorRGBA:
    """A colour of R, G, B in 0..255 with alpha in [0, 1]."""
    red, green, blue = (value / 255 for value in rgb)
    return ColorRGBA(r=red, g=green, b=blue, a=float(alpha))


def outlines(
    header: Header, quads: FloatArray, colours: Sequence[ColorRGBA], name: Name, width: float
) -> Marker:
    """``(N, 4, 3)`` quadrilaterals in metres as one LINE_LIST, each in its own colour."""
    return _coloured(
        Marker.LINE_LIST,
        header,
        quads[:, _OUTLINE].reshape(-1, 3),
        np.repeat(np.array(colours, object), len(_OUTLINE)).tolist(),
        name,
        width,
    )


def lines(
    header: Header, points: FloatArray, colours: Sequence[ColorRGBA], name: Name, width: float
) -> Marker:
    """``(2 N, 3)`` points in metres as N lines, each in its own colour."""
    twice = np.repeat(np.array(colours, object), 2).tolist()
    return _coloured(Marker.LINE_LIST, header, points, twice, name, width)


def triangle(header: Header, corners: FloatArray, shade: ColorRGBA, name: Name) -> Marker:
    """A triangle ``(3, 3)`` in metres, seen from both sides."""
    both = np.concatenate([corners, corners[::-1]])
    return _coloured(Marker.TRIANGLE_LIST, header, both, [shade] * 6, name, 1.0)


def text(
    header: Header, position: FloatArray, words: str, shade: ColorRGBA, name: Name, height: float
) -> Marker:
    """A line of text centred at a point in metres, its letters ``height`` metres high."""
    marker = _marker(Marker.TEXT_VIEW_FACING, header, name)
    marker.color = shade
    marker.scale.x, marker.scale.z = SPACE * height, height
    x, y, z = position.tolist()
    marker.pose.position = Point(x=x, y=y, z=z)
    marker.text = words
    return marker


def text_size(words: str, height: float) -> tuple[float, float]:
    """About how wide and high RViz draws a line of text whose letters are ``height`` high."""
    spaces = words.count(" ")
    return (LETTER * (len(words) - spaces) + SPACE * spaces) * height, LINE * height


def live_for(markers: Sequence[Marker], seconds: float) -> None:
    """Let markers vanish by themselves when nothing replaces them for so long."""
    whole = int(seconds)
    lifetime = Duration(sec=whole, nanosec=round((seconds - whole) * 1e9))
    for marker in markers:
        marker.lifetime = lifetime


def _coloured(
    kind: int,
    header: Header,
    points: FloatArray,
    colours: list[ColorRGBA],
    name: Name,
    scale: float,
) -> Marker:
    """A marker of many points, each with its colour."""
    marker = _marker(kind, header, name)
    marker.scale.x = scale
    marker.scale.y = marker.scale.z = 1.0 if kind == Marker.TRIANGLE_LIST else 0.0
    marker.points = [Point(x=x, y=y, z=z) for x, y, z in points.tolist()]
    marker.colors = colours
    marker.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    return marker


def _marker(kind: int, header: Header, name: Name) -> Marker:
    """An empty marker with an identity pose."""
    marker = Marker(header=header, type=kind, ns=name[0], id=name[1])
    marker.pose.orientation.w = 1.0
    return marker
