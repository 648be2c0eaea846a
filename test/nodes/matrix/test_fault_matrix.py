"""Every fault before, while and after it, against real processes: alive, told, counted, resumed."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from .cases import GROUPS, QUICK, Group
from .trial import FAULT_S, Trial
from .verdict import Verdict, head, judge, row, write_table

TABLE = Path(__file__).resolve().parents[3] / "docs" / "fault_matrix.md"


def tried(group: Group, folder: Path) -> list[Verdict]:
    """Run the cases; the processes end cleanly afterwards."""
    kind = {"compressed": group.compressed, "reliable": group.reliable}
    with Trial(group.cases, folder, **kind) as trial:
        trial.run()
        for process in (trial.detector, trial.injector):
            assert process.end(signal.SIGINT) == 0
            assert "Traceback" not in process.log()
        return judge(trial)


def complaints(verdicts: list[Verdict]) -> dict[str, list[str]]:
    """What is not as it has to be, by fault."""
    return {v.case.name: found for v in verdicts if (found := v.faults())}


def test_the_page_says_with_what_it_was_made() -> None:
    page = TABLE.read_text(encoding="utf-8")
    assert page.startswith(head(FAULT_S))
    rows = [line for line in page.removeprefix(head(FAULT_S)).splitlines() if line[:2] == "| "]
    assert [row.split(" | ")[0][2:] for row in rows] == [
        case.name for group in GROUPS for case in group.cases
    ]


def test_three_faults(model_folder: Path) -> None:
    assert complaints(tried(Group(QUICK), model_folder)) == {}


@pytest.mark.matrix
def test_the_whole_matrix(model_folder: Path) -> None:
    verdicts = [verdict for group in GROUPS for verdict in tried(group, model_folder)]
    if "WRITE_FAULT_MATRIX" in os.environ:
        write_table(verdicts, TABLE, FAULT_S)
    assert complaints(verdicts) == {}


@pytest.mark.matrix
@pytest.mark.skipif("FAULT_ROWS" not in os.environ, reason="FAULT_ROWS says which rows to try")
def test_some_rows(model_folder: Path) -> None:
    """Rows whose names hold FAULT_ROWS, FAULT_TIMES each, e.g. ``FAULT_ROWS="rgb drop"``."""
    wanted, times = os.environ["FAULT_ROWS"], int(os.environ.get("FAULT_TIMES", "1"))
    verdicts = []
    for group in GROUPS:
        chosen = [case for case in group.cases if wanted in case.name]
        # One that is there from the start needs new processes each time.
        anew = any(case.from_start for case in chosen)
        for cases in [chosen] * times if anew else [chosen * times]:
            if cases:
                verdicts += tried(replace(group, cases=cases), model_folder)
                print(*map(row, verdicts[-len(cases) :]), sep="\n")
    assert complaints(verdicts) == {}
