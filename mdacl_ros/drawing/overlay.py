"""Pictures of what the detector answered: boxes on an image, both cameras side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from mdacl_ros.drawing.label_places import place_labels
from mdacl_ros.drawing.primitives import (
    GREEN,
    GREY,
    INK,
    PINK,
    RGB_COLOUR,
    SKY,
    THERMAL_COLOUR,
    VERMILION,
    WHITE,
    YELLOW,
    Colour,
    draw_gauge,
    draw_text,
    gauge_text,
    shade,
    text_size,
)
from mdacl_ros.types import ByteArray, Detections, DominanceReading

CLASS_COLOURS: tuple[Colour, ...] = (YELLOW, GREEN, PINK, SKY, VERMILION)
"""Colour of label 0, 1, ...; more labels start over."""

HISTORY_STEP = 2
"""Pixels a value of the MDI curve in the footer."""

DEAD, UNUSED = "no {} image", "{} frozen or broken: not used"
"""What a camera's place says while it shows nothing."""

FOOTER_FRACTION = 0.13
"""Height of the footer of :func:`side_by_side` against the height of an image."""


def class_colour(label: int) -> Colour:
    """The colour of a class, the same in every picture and marker."""
    return CLASS_COLOURS[label % len(CLASS_COLOURS)]


def detection_text(detections: Detections, index: int, labels: Sequence[str]) -> str:
    """Class, score and the camera one detection rests on: ``person 0.82 thermal 71 %``.

    Args:
        detections: The answer.
        index: Which of them.
        labels: Class names; a label beyond them is shown as its number.
    """
    label = int(detections.labels[index])
    name = labels[label] if 0 <= label < len(labels) else f"class {label}"
    text = f"{name} {float(detections.scores[index]):.2f}"
    if detections.rgb_shares is None:
        return text
    share = float(detections.rgb_shares[index])
    return (
        f"{text} RGB {100 * share:.0f} %"
        if share >= 0.5
        else f"{text} thermal {100 - 100 * share:.0f} %"
    )


def draw_detections(
    image_rgb: ByteArray,
    detections: Detections,
    labels: Sequence[str],
    dominance: DominanceReading | None = None,
) -> ByteArray:
    """Draw boxes with :func:`detection_text`, and the reliance gauge along the lower edge.

    Args:
        image_rgb: ``(H, W, 3)`` uint8 R, G, B; not changed. ``(H, W)`` grey is taken too.
        detections: Boxes; scaled if ``image_size`` differs from the image.
        labels: Class names in the order of ``detections.labels``.
        dominance: Draw the gauge for this reading.

    Returns:
        A new ``(H, W, 3)`` uint8 picture.
    """
    picture = _to_rgb(image_rgb)
    height, width = picture.shape[:2]
    scale = np.array([width, height] * 2, np.float32) / np.array(detections.image_size * 2)
    boxes = np.rint(detections.boxes * scale).astype(int).tolist()
    colours = [class_colour(int(label)) for label in detections.labels]
    texts = [detection_text(detections, i, labels) for i in range(len(boxes))]
    tags = _place_tags(picture, boxes, texts)
    # Best last, so that it lies on top.
    for box, colour in zip(reversed(boxes), reversed(colours), strict=True):
        _draw_box(picture, box, colour)
    for tag, colour in zip(reversed(tags), reversed(colours), strict=True):
        _draw_tag(picture, tag, colour)
    if dominance is not None:
        bar = max(22, height // 18)
        shade(picture, (0, height - bar, width, height), INK, 0.7)
        text = gauge_text(dominance.reliance)
        size = max(9, bar * 2 // 5)
        text_y = height - bar + (bar - text_size(text, size)[1]) // 2
        draw_text(picture, text, (bar // 3, text_y), size)
        left = bar // 3 + text_size("reliance +0.00", size)[0] + bar // 2
        gauge = (left, height - bar + 1, width - bar // 3, height - 1)
        draw_gauge(picture, gauge, dominance.reliance)
    return picture


def side_by_side(
    rgb: ByteArray | None,
    thermal: ByteArray | None,
    detections: Detections,
    labels: Sequence[str],
    dominance: DominanceReading | None = None,
    *,
    caption: str = "",
    history: Sequence[float] = (),
    unused: Collection[str] = (),
) -> ByteArray:
    """Both cameras with the same detections; below them the reliance gauge and the MDI curve.

    Args:
        rgb: ``(H, W, 3)`` uint8, or ``None`` while the camera is dead.
        thermal: ``(H, W)`` uint8 preview registered to RGB, or ``None`` while the camera is dead;
            shown in false colours, hot is bright.
        detections: Boxes in RGB pixels; both pictures are brought to ``image_size``.
        labels: Class names.
        dominance: Reading for the gauge; ``None`` leaves it empty.
        caption: Short text in the footer, for instance the phase.
        history: Recent MDI values, oldest first, for the curve in the footer.
        unused: ``RGB`` or ``THERMAL`` of cameras that send pictures which are not used: frozen, or
            broken.

    Returns:
        ``(H + footer, 2 W, 3)`` uint8, all sides even (video codecs want that).
    """
    width, height = (side + side % 2 for side in detections.image_size)
    footer = round(height * FOOTER_FRACTION / 2) * 2
    canvas = np.empty((height + footer, 2 * width, 3), np.uint8)
    canvas[:] = INK
    panels = (("RGB", rgb, RGB_COLOUR), ("THERMAL", thermal, THERMAL_COLOUR))
    for column, (title, image, colour) in enumerate(panels):
        panel = canvas[:height, column * width : (column + 1) * width]
        if image is None:
            _draw_dead(panel, UNUSED.format(title) if title in unused else DEAD.format(title))
        else:
            picture = _to_rgb(image, false_colours=title == "THERMAL")
            scaled = np.asarray(cv2.resize(picture, (width, height)), np.uint8)
            panel[:] = draw_detections(scaled, detections, labels)
        _draw_title(panel, title, colour)
    cv2.line(canvas, (width, 0), (width, height), INK, 2)
    _draw_footer(canvas[height:], dominance, caption, history)
    return canvas


def _to_rgb(image: ByteArray, *, false_colours: bool = False) -> ByteArray:
    if image.ndim == 3:
        return image.copy()
    if false_colours:
        coloured = cv2.applyColorMap(image, cv2.COLORMAP_INFERNO)
        return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB), np.uint8)


def _draw_box(picture: ByteArray, box: list[int], colour: Colour) -> None:
    x0, y0, x1, y1 = box
    line = max(1, round(min(picture.shape[:2]) / 300))
    shade(picture, (x0, y0, x1, y1), colour, 0.10)
    cv2.rectangle(picture, (x0, y0), (x1, y1), INK, line + 2)
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, line)


class _Tag(NamedTuple):
    """A detection's words on a plate of its colour; ``place`` is x0, y0, x1, y1."""

    text: str
    place: tuple[int, int, int, int]
    size: int
    pad: int


def _place_tags(picture: ByteArray, boxes: list[list[int]], texts: list[str]) -> list[_Tag]:
    """Find room for each detection's words, best first, so that none hides another's."""
    height, width = picture.shape[:2]
    size = max(8, round(min(height, width) / 48))
    pad = size // 3
    sides = [tuple(side + 2 * pad for side in text_size(t, size, bold=True)) for t in texts]
    places = place_labels((0, 0, width, height), boxes, sides)
    return [
        _Tag(t, (round(x0), round(y0), round(x1), round(y1)), size, pad)
        for t, (x0, y0, x1, y1) in zip(texts, places, strict=True)
    ]


def _draw_tag(picture: ByteArray, tag: _Tag, colour: Colour) -> None:
    shade(picture, tag.place, colour, 1)
    left, top, _, _ = tag.place
    draw_text(picture, tag.text, (left + tag.pad, top + tag.pad), tag.size, INK, bold=True)


def _draw_title(panel: ByteArray, title: str, colour: Colour) -> None:
    size = max(9, panel.shape[0] // 40)
    width, height = text_size(title, size, bold=True)
    shade(panel, (size, size, width + 3 * size, height + 2 * size), INK, 0.65)
    draw_text(panel, title, (2 * size, size + size // 2), size, colour, bold=True)


def without_image(size: tuple[int, int], camera: str) -> ByteArray:
    """``(H, W)`` uint8 that says that a camera delivers nothing.

    Args:
        size: ``(width, height)``.
        camera: ``RGB`` or ``THERMAL``.
    """
    panel = np.empty((size[1], size[0], 3), np.uint8)
    _draw_dead(panel, DEAD.format(camera))
    return np.asarray(cv2.cvtColor(panel, cv2.COLOR_RGB2GRAY), np.uint8)


def _draw_dead(panel: ByteArray, text: str) -> None:
    height, width = panel.shape[:2]
    panel[:] = (30, 33, 41)
    for offset in range(-height, width, 28):
        cv2.line(panel, (offset, height), (offset + height, 0), (37, 40, 49), 6, cv2.LINE_AA)
    size = max(10, height // 26)
    where = (width // 2, height // 2 - size)
    draw_text(panel, text, where, size, GREY, bold=True, anchor="center")


def _draw_footer(
    footer: ByteArray, dominance: DominanceReading | None, caption: str, history: Sequence[float]
) -> None:
    height, width = footer.shape[:2]
    half, size, margin = width // 2, max(10, height // 5), height // 4
    value = gauge_text(None if dominance is None else dominance.reliance).upper()
    draw_text(footer, value, (margin, height // 7), size, WHITE, bold=True)
    draw_text(footer, caption, (half - margin, height // 7), size, GREY, anchor="right")
    if dominance is not None:
        gauge = (margin, height // 2, half - margin, height - height // 8)
        draw_gauge(footer, gauge, dominance.reliance)
    _draw_history(footer[:, half + margin : width - margin], history)


def _draw_history(area: ByteArray, history: Sequence[float]) -> None:
    """The MDI curve, newest at the right; blue above 0, red below."""
    height, width = area.shape[:2]
    middle, reach = height // 2, height // 2 - height // 8
    cv2.line(area, (0, middle), (width - 1, middle), (70, 75, 86), 1)
    draw_text(area, "MDI so far", (0, height // 7), max(10, height // 5), GREY)
    values = [min(1.0, max(-1.0, v)) for v in history[-(width // HISTORY_STEP) :]]
    start = width - HISTORY_STEP * len(values)
    for i, value in enumerate(values):
        y, x = middle - round(value * reach), start + HISTORY_STEP * i
        colour = RGB_COLOUR if value >= 0 else THERMAL_COLOUR
        area[min(y, middle) : max(y, middle) + 1, x : x + HISTORY_STEP] = colour
