"""Child processes end, also those that do not want to."""

from __future__ import annotations

import time

import pytest

from mdacl_tools.live import processes
from mdacl_tools.live.processes import NodeProcess

STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True: time.sleep(1)
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    def make(code: str, **parameters: object) -> NodeProcess:
        (tmp_path / "h5_child.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return NodeProcess("child", ["h5_child"], parameters, tmp_path / "log")

    return make


def wait_for_text(process: NodeProcess, text: str) -> None:
    end = time.monotonic() + 20
    while text not in process.log.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_polite_process_ends_on_sigint(start):
    process = start("print('up', flush=True)\nimport time\ntime.sleep(60)")
    wait_for_text(process, "up")
    assert process.returncode is None
    assert process.usage().rss_mb > 1
    assert process.stop() != 0
    assert process.usage() is None
    assert "KeyboardInterrupt" in process.last_lines()


def test_a_deaf_process_is_killed(start, monkeypatch):
    patience = [(number, 0.2) for number, _ in processes.STOP_SIGNALS]
    monkeypatch.setattr(processes, "STOP_SIGNALS", patience)
    process = start(STUBBORN)
    wait_for_text(process, "deaf")
    assert process.stop() == -9


def test_parameters_keep_their_types(start):
    process = start(
        "import sys; print(sys.argv[1:])", clip="1605", rate=1.0, loop=True, name="it's"
    )
    wait_for_text(process, "]")
    text = process.log.read_text()
    for value in ("clip:='1605'", "rate:=1.0", "loop:=true", "name:='it''s'"):
        assert value in text
    process.stop()
