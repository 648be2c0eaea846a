"""Python 3.10 with numpy 1.21 (ROS 2 Humble, JetPack 6) must be able to import the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*(ROOT / "mdacl_ros").rglob("*.py"), *(ROOT / "mdacl_tools").rglob("*.py")])
NOT_GENERIC = {"floating", "integer", "number", "dtype", "ndarray"}
"""Classes of numpy that can be subscripted since 1.22 only."""


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run at import or call: all but annotations, which stay texts."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from evaluated(child)


def subscripted_numpy_classes(source: str) -> list[int]:
    """Lines where numpy 1.21 raises TypeError."""
    return [
        node.lineno
        for node in evaluated(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in NOT_GENERIC
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id in ("np", "numpy")
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_numpy_1_21_imports_it(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert subscripted_numpy_classes(source) == []
    future = "from __future__ import annotations"
    assert future in source or "np." not in source  # annotations would be evaluated


def test_the_scan_finds_what_it_seeks() -> None:
    source = (
        "Values = npt.NDArray[np.floating[Any]]\n"
        "def f(x: np.ndarray[Any, Any]) -> np.dtype[Any]:\n"
        "    y: np.number[Any] = cast(np.integer[Any], x)\n"
    )
    assert subscripted_numpy_classes(source) == [1, 3]
