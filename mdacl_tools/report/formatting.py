"""Numbers and names as people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

MINUS = "\N{MINUS SIGN}"

TIMES = "\N{MULTIPLICATION SIGN}"

NOTHING = "\N{EN DASH}"
"""Shown where a number is not defined."""

EVENT_WORDS = {
    "missing_rgb": "RGB missing",
    "missing_thermal": "thermal missing",
    "freeze_rgb": "RGB frozen",
    "freeze_thermal": "thermal frozen",
}

MODE_WORDS = {
    "fused": "both",
    "thermal absent": "RGB alone",
    "rgb absent": "thermal alone",
}
"""Modes of the scores by what is left, in the order in which they are shown."""

LEVEL_WORDS = {"ok": "Good", "warn": "Look closer", "bad": "Do not use"}


def event_words(name: str) -> str:
    """Name of an event, or of a part of a recording, for people."""
    return EVENT_WORDS.get(name, name.replace("_", " "))


def mode_words(mode: str) -> str:
    """Name of a mode of the scores for people."""
    return MODE_WORDS.get(mode, mode)


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent, without the sign."""
    return NOTHING if share is None else f"{100 * share:.{digits}f}"


def signed(value: float | None, digits: int = 2) -> str:
    """A number with its sign."""
    return NOTHING if value is None else f"{value:+.{digits}f}".replace("-", MINUS)


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits; whole numbers as they are."""
    if value is None:
        return NOTHING
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}".replace(",", " ")
    return f"{value:.{digits}g}".replace("-", MINUS)


def sentence(text: str) -> str:
    """A sentence with a capital first letter, unless its first word has its own (mAP50)."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def duration(seconds: float | None) -> str:
    """A length of time: ``12.3 s``, ``4 min 05 s``, ``1 h 02 min``."""
    if seconds is None:
        return NOTHING
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: float) -> str:
    """A number of bytes."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def listing(labels: Iterable[int], names: Sequence[str]) -> str:
    """Objects by class: ``2 × person, car``."""
    counted = Counter(class_name(label, names) for label in labels)
    return ", ".join(name if n == 1 else f"{n} {TIMES} {name}" for name, n in counted.items())


def class_name(label: int, names: Sequence[str]) -> str:
    """Name of a class, also of one that the list does not know."""
    return names[label] if 0 <= label < len(names) else f"class {label}"
