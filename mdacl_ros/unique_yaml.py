"""YAML in which no key may come twice: PyYAML would silently take the last."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Plain values only, as ``yaml.safe_load``."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping", node.start_mark, f"key {key!r} is there twice",
                    key_node.start_mark,
                )  # fmt: skip
            if isinstance(key, Hashable):
                seen.add(key)
        return super().construct_mapping(node, deep)


def load_unique_yaml(text: str) -> Any:
    """Read a YAML text.

    Raises:
        yaml.YAMLError: It is none, or a key comes twice in one mapping.
    """
    return yaml.load(text, Loader=_Loader)
