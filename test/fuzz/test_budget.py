"""What is told of the size of ``make fuzz`` is what it does."""

from __future__ import annotations

import re
from pathlib import Path

from . import test_images, test_loaders, test_node, test_parameters  # noqa: F401 - they add to the budget
from .budget import inputs
from .test_storm import TARGETS

ROOT = Path(__file__).resolve().parents[2]


def test_the_makefile_and_the_docs_tell_the_number_of_inputs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (tries,) = map(int, re.findall(r"MDACL_FUZZ=(\d+)", makefile))
    total = inputs(tries) + tries * len(TARGETS)
    told = f"{round(total, -4):,}"
    assert f"Feed {told} malformed inputs" in makefile
    operations = (ROOT / "docs" / "operations.md").read_text()
    assert f"feeds {told} malformed" in operations
    assert f"whole of `make fuzz` ({told} inputs)" in operations
    assert abs(total - round(total, -4)) < 1_000, total
