"""One line of the doctor's report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do.

    Attributes:
        level: ``ok``; ``warn``: works, but look at it; ``bad``: this keeps the system from working.
        check: Short stable name, e.g. ``rgb qos``.
        what: What was seen, one line.
        todo: What to do; empty where all is well.
    """

    level: Level
    check: str
    what: str
    todo: str = ""


def ok(check: str, what: str) -> Finding:
    """All is well."""
    return Finding("ok", check, what)


def warn(check: str, what: str, todo: str) -> Finding:
    """Works, but look at it."""
    return Finding("warn", check, what, todo)


def bad(check: str, what: str, todo: str) -> Finding:
    """Keeps the system from working."""
    return Finding("bad", check, what, todo)


def as_text(findings: Iterable[Finding]) -> str:
    """One line a finding, what to do below it."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<4}  {finding.check:<19} {finding.what}")
        if finding.todo:
            lines.append(f"{'':<26}-> {finding.todo}")
    return "\n".join(lines)


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [asdict(finding) for finding in findings]
