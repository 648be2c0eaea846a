"""Cells and tables: what is shown, and what is sorted by."""

from __future__ import annotations

from dataclasses import dataclass

from mdacl_tools.report.formatting import number, percent


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown, and what is sorted by (text where it is ``None``)."""

    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table that readers can sort.

    Attributes:
        title: Its caption.
        note: One line on what the numbers mean.
        head: Names of the columns.
        rows: Cells by row, the first of each names it.
    """

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def share(value: float | None) -> Cell:
    """A share in percent."""
    return Cell(percent(value), value)


def count(value: float | None) -> Cell:
    """A whole number."""
    return Cell(number(value), value)
