"""The pages: every relative link and anchor exists, and the README's Python runs."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from mdacl_ros.config.parameters import SPECS
from mdacl_tools.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "calibration/*.md", "models/*/*.md")
    for page in ROOT.glob(pattern)
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def without_code(text: str) -> str:
    """The page without code blocks and code spans, in which a bracket is no link."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives the headings of a page."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = sum(
            other == slug or re.fullmatch(rf"{slug}-\d+", other) is not None for other in found
        )
        found.add(f"{slug}-{number}" if number else slug)
    return found


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_and_anchors_exist(page: Path) -> None:
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert missing == []


def test_every_page_is_reached_from_the_readme() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        seen.add(page)
        links = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text("utf-8"))
        waiting += {(page.parent / link).resolve() for link in links} - seen
    assert set(PAGES) <= seen


def test_every_parameter_and_command_has_a_row() -> None:
    parameters = (ROOT / "docs" / "parameters.md").read_text("utf-8")
    assert {name for name in SPECS if f"`{name}`" not in parameters} == set()
    commands = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert {name for name in COMMANDS if f"`mdacl {name}" not in commands} == set()


def test_the_readme_shows_python_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert sum(not line.startswith(("import", "from")) for line in block.split("\n") if line) <= 6
    noise = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "rgb.png"), noise.integers(0, 255, (120, 160, 3), np.uint8))
    cv2.imwrite(
        str(tmp_path / "thermal.png"), noise.integers(29_000, 31_000, (120, 160)).astype(np.uint16)
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
    assert capsys.readouterr().out.startswith("[")
