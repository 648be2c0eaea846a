"""tools/check_words.py finds the words we avoid, in prose and in strings, nowhere else."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "check_words.py"


@pytest.fixture(scope="module")
def words() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_words", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_prose_is_read_without_code_and_links(words: ModuleType, tmp_path: Path) -> None:
    page = "`told` [image](picture.png)\n\n```\nanew\n```\n\nIt is drawn\nanew.\n"
    (tmp_path / "README.md").write_text(page)
    (line,) = words.findings(tmp_path)
    assert line.startswith("README.md:8: 'anew'")


def test_strings_are_read_without_docstrings_and_keys(words: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "launch"
    folder.mkdir()
    code = '"""What it told."""\nKEY = "verdict"\n\nLINE = f"no answers for {KEY} s"\n'
    (folder / "x.py").write_text(code)
    (line,) = words.findings(tmp_path)
    assert line.startswith("launch/x.py:4: 'answers'")
