"""Find words that our texts for users avoid; part of ``make lint``.

A native robotics engineer stumbles over translated English. The words stand for better ones:
reported for told, image for picture, result or detections for answer, fix for mend, again for anew,
split for part of a data set, status for verdict. Pages are read without code, quotations and link
targets; of Python files only strings with a space in them, no docstrings. Keys of JSON files and of
/diagnostics, which keep their names, have no spaces.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("*.md", "docs/*.md", "calibration/*.md", "models/*/*.md")
CODE = ("launch", "mdacl_ros", "mdacl_tools", "research")
EXEMPT = ("mdacl_ros/network/",)
"""Folders whose source is part of every engine's key: a word is no reason to build all again."""

KEYS = ("answered labelled frames",)
"""Documented names of rows and keys that have spaces."""

AVOIDED = re.compile(
    r"\b(told|pictures?|mend(?:s|ed|ing)?|anew|doubles|is none|are none|held out|are no numbers"
    r"|starve[sd]?|deaf|knocked|laid over|comes|came|verdicts?|sentences?|alive again|lives"
    r"|answer(?:s|ed|ing)?|parts?)\b",
    re.IGNORECASE,
)
NOT_PROSE = re.compile(
    r"^ *```.*?^ *```|^(?: {4}|\t)[^\n]*$|``?[^`]+``?|\]\([^)]*\)|“[^”]*”|<!--.*?-->",
    re.DOTALL | re.MULTILINE,
)


def page_lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines of a page's prose."""
    blanked = NOT_PROSE.sub(lambda match: "\n" * match.group().count("\n"), text)
    yield from enumerate(blanked.splitlines(), 1)


def user_strings(source: str) -> Iterator[tuple[int, str]]:
    """Strings that a user may read, with their line: those with a space, but no docstring."""
    tree = ast.parse(source)
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if (
            isinstance(text, str)
            and id(node) not in statements
            and " " in text.strip()
            and text not in KEYS
        ):
            yield node.lineno, text


def findings(root: Path) -> list[str]:
    """One line for each avoided word: file, line, word."""
    found = []
    for path in sorted(p for pattern in PAGES for p in root.glob(pattern)):
        found += _in(path.relative_to(root), page_lines(path.read_text(encoding="utf-8")))
    for path in sorted(p for folder in CODE for p in (root / folder).rglob("*.py")):
        name = path.relative_to(root)
        if not name.as_posix().startswith(EXEMPT):
            found += _in(name, user_strings(path.read_text(encoding="utf-8")))
    return found


def _in(path: Path, texts: Iterator[tuple[int, str]]) -> list[str]:
    return [
        f"{path}:{line}: {match.group()!r}: see tools/check_words.py for what to write"
        for line, text in texts
        for match in AVOIDED.finditer(text)
    ]


if __name__ == "__main__":
    lines = findings(ROOT)
    print("\n".join(lines) or "words: no avoided ones")
    sys.exit(bool(lines))
