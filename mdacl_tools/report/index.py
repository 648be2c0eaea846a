"""``index.html``: many evaluated recordings at a glance, the worst first.

write_index(out, [out / "monday", out / "tuesday"])
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mdacl_ros.errors import RecordingError
from mdacl_ros.whole_file import write_whole
from mdacl_tools.report.formatting import duration, sentence, signed
from mdacl_tools.report.page import BASELINES, PAGE_FILE, mean_mdi, templates
from mdacl_tools.report.table_cells import Cell, count, share
from mdacl_tools.scoring.report import Level, Report, read_report

INDEX_FILE = "index.html"

RANKS: dict[Level, int] = {"bad": 0, "warn": 1, "ok": 2}

HEAD = (
    "recording", "verdict", "length", "answers", "both", "RGB", "thermal", "miss rate",
    "mean MDI", "events",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One recording.

    Attributes:
        name: Its name.
        link: Where its page is, relative to the index.
        level: Its verdict.
        rank: The verdict as a number, worst first.
        sentence: The verdict's first sentence.
        cells: Its numbers.
    """

    name: str
    link: str
    level: Level
    rank: int
    sentence: str
    cells: tuple[Cell, ...]


def write_index(out: Path, folders: Sequence[Path]) -> Path:
    """Write the page over many evaluations, whole or not at all.

    Args:
        out: Folder for ``index.html``.
        folders: Each holds a ``report.json`` and its page.

    Raises:
        RecordingError: There is no report, or one cannot be read.
    """
    if not folders:
        raise RecordingError(f"index {out}: got no report, wanted one at least; evaluate first")
    rows = sorted((_row(out, folder) for folder in folders), key=lambda r: (r.rank, r.name))
    template = templates().get_template("index.html.j2")
    text = template.render(rows=rows, head=HEAD, level=rows[0].level, summary=_summary(rows))
    return write_whole(out / INDEX_FILE, text)


def _row(out: Path, folder: Path) -> IndexRow:
    report = read_report(folder)
    sentences, level = report.verdict.sentences, report.verdict.level
    link = quote(Path(os.path.relpath(folder / PAGE_FILE, out)).as_posix())
    name = str(report.recording["name"])
    first = sentence(sentences[0]) if sentences else ""
    return IndexRow(name, link, level, RANKS[level], first, _cells(report))


def _cells(report: Report) -> tuple[Cell, ...]:
    scores = [report.scores.get(mode) for mode in BASELINES]
    fused, seconds, mdi = scores[0], report.recording["duration_s"], mean_mdi(report)
    return (
        Cell(duration(seconds), seconds),
        count(report.counts.get("processed")),
        *(share(None if mode is None else mode.map50) for mode in scores),
        share(None if fused is None else fused.lamr.get("reasonable")),
        Cell(signed(mdi), mdi),
        count(len(report.events)),
    )


def _summary(rows: Sequence[IndexRow]) -> str:
    """How many recordings got which verdict, worst first."""
    counts = Counter(row.level for row in rows)
    says: tuple[tuple[Level, str], ...] = (
        ("bad", "not to be used"), ("warn", "to look at more closely"), ("ok", "good"),
    )  # fmt: skip
    parts = [f"{counts[level]} {words}" for level, words in says if counts[level]]
    return f"{len(rows)} recording{'s' if len(rows) > 1 else ''}: {', '.join(parts)}."
