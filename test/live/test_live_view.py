"""The live view shows what matters, on a terminal and as plain lines."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from mdacl_tools.live.live_view import LiveState, PlainView, open_view, plain_line, render

STATE = LiveState(
    title="mdacl_ros  clip",
    done=0.43,
    phase="smoke",
    rates={"rgb": 30.0, "thermal": 29.9, "answers": 21.4},
    latency_ms=(44.0, 61.0),
    found=Counter(person=4, car=1),
    reliance=-0.42,
    present=("thermal",),
    dropped={"busy": 31},
    cpu_percent=131.0,
    rss_mb=740.0,
    warnings=("no usable frames from rgb",),
)


def shown(state: LiveState) -> str:
    console = Console(file=io.StringIO(), width=80, record=True)
    console.print(render(state))
    return console.export_text()


def test_the_panel_shows_cameras_reliance_and_drops():
    text = shown(STATE)
    for part in ("43%", "smoke", "○ rgb", "● thermal", "-0.42", "4 person, 1 car", "busy 31"):
        assert part in text
    for part in ("21.4 Hz", "p50 44 ms", "131 % of a core", "! no usable frames from rgb"):
        assert part in text


@pytest.mark.parametrize(("reliance", "filled_left"), [(-0.5, 10), (0.5, 0), (-7.0, 20), (None, 0)])
def test_the_bar_leaves_the_middle_towards_the_camera_relied_on(reliance, filled_left):
    text = shown(LiveState(title="x", reliance=reliance))
    left, right = next(line for line in text.splitlines() if "┃" in line).split("┃")
    assert left.count("█") == filled_left
    assert right.count("█") == (10 if reliance == 0.5 else 0)


def test_plain_lines_hold_the_same_and_stages_are_printed_once(capsys):
    assert plain_line(STATE) == (
        " 43% | smoke | 21.4 Hz | latency p50 44 p95 61 ms | reliance -0.42 | cameras thermal | "
        "4 person, 1 car | dropped 31 busy"
    )
    with open_view() as view:  # stdout is no terminal here
        assert isinstance(view, PlainView)
        for stage in ("loading", "loading", ""):
            view.show(LiveState(title="x", stage=stage))
        view.show(STATE)
    assert capsys.readouterr().out.splitlines() == [
        "loading",
        "  0% | 0.0 Hz | cameras none | nothing found",
    ]
