from __future__ import annotations

import sys

import pytest

from mdacl_tools.learning import allocator
from mdacl_tools.learning.allocator import ALLOCATOR, restart_with_allocator_settings


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """Commands that would have replaced this process."""
    calls: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(allocator.os, "execve", lambda _, *call: calls.append(call))
    monkeypatch.setattr(sys, "argv", ["mdacl", "train", "a b.yaml"])
    return calls


def test_command_is_started_again_with_the_settings(
    started: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_TOP_PAD_", "1")  # somebody else's value counts as not set
    restart_with_allocator_settings()
    ((command, environment),) = started
    assert command == [sys.executable, "-m", "mdacl_tools.cli.main", "train", "a b.yaml"]
    assert ALLOCATOR.items() <= environment.items()
    assert "PATH" in environment


def test_command_with_the_settings_goes_on(
    started: list[tuple[list[str], dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in ALLOCATOR.items():
        monkeypatch.setenv(key, value)
    restart_with_allocator_settings()
    assert started == []
