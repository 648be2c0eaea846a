"""The keys of a training YAML as a table, made from the classes that read it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from mdacl_tools.learning.train_config import TrainConfig


class Key(NamedTuple):
    """One key of the YAML.

    Attributes:
        name: With its section, e.g. ``augmentation.flip``.
        default: What it is where the file does not name it.
        meaning: From the docstring.
    """

    name: str
    default: Any
    meaning: str


def config_keys() -> Iterator[Key]:
    """All keys: the file's own first, then those of its sections."""
    defaults = TrainConfig()
    sections = [f.name for f in fields(defaults) if is_dataclass(getattr(defaults, f.name))]
    yield from _keys(defaults, "", skipped=sections)
    for name in sections:
        yield from _keys(getattr(defaults, name), f"{name}.")


def keys_table() -> str:
    """All keys as a Markdown table."""
    rows = [f"| `{k.name}` | `{_yaml(k.default)}` | {k.meaning} |" for k in config_keys()]
    return "\n".join(["| key | default | |", "|---|---|---|", *rows])


def _keys(defaults: Any, prefix: str, skipped: list[str] | None = None) -> Iterator[Key]:
    meanings = _meanings(type(defaults))
    for field in fields(defaults):
        if field.name not in (skipped or ()):
            value = getattr(defaults, field.name)
            yield Key(prefix + field.name, value, meanings[field.name])


def _meanings(kind: type) -> dict[str, str]:
    """What the ``Attributes`` of a class's docstring say, by name."""
    text = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2]
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", text, re.MULTILINE)
    return {name: _plain(meaning) for name, meaning in entries}


def _plain(text: str) -> str:
    """One line of Markdown from reStructuredText."""
    text = re.sub(r":\w+:`[~.\w]*?(\w+)`", r"`\1`", " ".join(text.split()))
    return text.replace("``", "`").replace("|", "\\|")


def _yaml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return '""' if value == "" else str(value)
