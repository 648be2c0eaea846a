"""The tables of the page: scores, parts, sizes, events, and those of the run."""

from __future__ import annotations

from mdacl_tools.report.formatting import MODE_WORDS, duration, event_words, mode_words, signed
from mdacl_tools.report.run_tables import frames_table, settings_table, timing_table
from mdacl_tools.report.table_cells import Cell, Table, count, share
from mdacl_tools.scoring.report import ModeScores, Report


def modes_of(report: Report) -> list[str]:
    """Modes that were scored: both cameras, each alone, then corruptions."""
    known = [mode for mode in MODE_WORDS if mode in report.scores]
    return known + [mode for mode in report.scores if mode not in MODE_WORDS]


def all_tables(report: Report) -> tuple[Table, ...]:
    """The tables that have something to say."""
    tables = (
        scores_table(report),
        parts_table(report),
        bins_table(report, "ap_by_height", "By height of the object", "height in pixels"),
        bins_table(report, "ap_by_size", "By area of the object", "COCO's area"),
        events_table(report),
        frames_table(report),
        timing_table(report),
        settings_table(report),
    )
    return tuple(table for table in tables if table.rows)


def scores_table(report: Report) -> Table:
    """A row for every mode."""
    modes = modes_of(report)
    classes = sorted({name for mode in modes for name in report.scores[mode].ap50_by_class})
    sets = sorted(
        {name for m in modes for name in report.scores[m].lamr}, key=("reasonable day night").find
    )
    head = ("cameras", "mAP50", "mAP", *(f"AP50 {name}" for name in classes))
    head += (*(f"miss rate, {name}" for name in sets), "mean MDI")

    def row(scores: ModeScores) -> list[Cell]:
        return [
            share(scores.map50),
            share(scores.map),
            *(share(scores.ap50_by_class.get(name)) for name in classes),
            *(share(scores.lamr.get(name)) for name in sets),
            Cell(signed(scores.mdi), scores.mdi),
        ]

    rows = tuple((Cell(mode_words(mode)), *row(report.scores[mode])) for mode in modes)
    note = "In percent. Miss rate: log-average of persons (KAIST protocol), less is better."
    return Table("Scores", note, head, rows)


def parts_table(report: Report) -> Table:
    """A row for every part of the recording, the mAP50 of every mode beside each other."""
    modes = [mode for mode in MODE_WORDS if mode in report.scores]
    names = list(dict.fromkeys(name for mode in modes for name in report.scores[mode].parts))
    head = ("part", "frames", *(f"mAP50, {mode_words(mode)}" for mode in modes), "mean MDI")

    def row(name: str) -> tuple[Cell, ...]:
        parts = {mode: report.scores[mode].parts.get(name, {}) for mode in modes}
        first = next((part for part in parts.values() if part), {})
        mdi = parts.get("fused", {}).get("mdi")
        scores = (share(parts[mode].get("map50")) for mode in modes)
        return (
            Cell(event_words(name)),
            count(first.get("images")),
            *scores,
            Cell(signed(mdi), mdi),
        )

    note = "In percent. The phases are those the recording names."
    return Table("Phases of the recording", note, head, tuple(row(name) for name in names))


def bins_table(report: Report, key: str, title: str, what: str) -> Table:
    """A row for every bin of size, the AP50 of every mode beside each other."""
    modes = [mode for mode in MODE_WORDS if mode in report.scores]
    bins = {mode: getattr(report.scores[mode], key) for mode in modes}
    names = list(dict.fromkeys(name for mode in modes for name in bins[mode]))
    head = (what, "objects", *(f"AP50, {mode_words(mode)}" for mode in modes))

    def row(order: int, name: str) -> tuple[Cell, ...]:
        values = [bins[mode].get(name, {}) for mode in modes]
        objects = next((v.get("objects") for v in values if v), None)
        scores = (share(value.get("ap50")) for value in values)
        return (Cell(_range(name), order), count(objects), *scores)

    rows = tuple(row(order, name) for order, name in enumerate(names))
    return Table(title, "In percent; small, far objects first.", head, rows)


def events_table(report: Report) -> Table:
    """A row for every event."""
    start_ns = int(report.recording.get("start_ns") or 0)
    means: dict[str, float | None] = report.mdi.get("by_event") or {}
    rows = []
    for event in report.events:
        first, length = (event.start_ns - start_ns) / 1e9, (event.end_ns - event.start_ns) / 1e9
        mdi = means.get(event.name)
        rows.append(
            (
                Cell(event_words(event.name)),
                Cell(duration(first), first),
                Cell(duration(length), length),
                Cell(signed(mdi), mdi),
            )
        )
    head = ("event", "begins at", "lasts", "mean MDI of its kind")
    return Table("Events", "Found in images and stamps, not entered by anyone.", head, tuple(rows))


def _range(name: str) -> str:
    """A range of sizes: ``32 to 64``, ``128 or more``; names stay as they are."""
    low, dash, high = name.partition("-")
    return f"{low} to {high}" if high else f"{low} or more" if dash else name
