import subprocess
import sys
import textwrap

import psutil
import pytest

from mdacl_ros.errors import EngineError, ModelError
from mdacl_ros.runtime.child_build import build_in_child


@pytest.fixture
def module(tmp_path, monkeypatch):
    def write(body: str) -> str:
        (tmp_path / "built_by_test.py").write_text(textwrap.dedent(body))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return "built_by_test"

    return write


def test_progress_and_arguments_are_passed_on(module):
    name = module(
        """
        import json, sys
        for part in sys.argv[1:]:
            print(json.dumps({"fraction": 0.5, "what": part}), flush=True)
        print("x" * 1_000_000, file=sys.stderr)  # more than a pipe holds
        """
    )
    told = []
    build_in_child(name, ["one", "two"], lambda *report: told.append(report))
    assert [t for t in told if t[1] != "starting"] == [(0.5, "one"), (0.5, "two")]


def test_the_childs_error_keeps_its_class(module):
    name = module(
        """
        import json
        print(json.dumps({"error": "no weights", "kind": "ModelError"}), flush=True)
        """
    )
    with pytest.raises(ModelError, match="no weights"):
        build_in_child(name, [], lambda *_: None)


def test_a_crash_is_told_with_its_last_line(module):
    name = module("raise SystemError('the converter gave up')")
    with pytest.raises(EngineError, match=r"status 1.*the converter gave up"):
        build_in_child(name, [], lambda *_: None)


def test_raising_in_progress_ends_a_silent_build(module):
    name = module("import time; time.sleep(60)")

    def stop(fraction: float, what: str) -> None:
        raise EngineError("given up")

    with pytest.raises(EngineError, match="given up"):
        build_in_child(name, [], stop)


def test_runs_the_same_interpreter(module):
    name = module("import json, sys; print(json.dumps({'fraction': 1, 'what': sys.executable}))")
    told = []
    build_in_child(name, [], lambda *report: told.append(report))
    assert told[-1][1] == sys.executable


def test_what_libraries_print_is_no_report_and_is_kept_for_a_crash(module):
    name = module(
        """
        import json, os
        os.write(1, b"libX: loaded\\n[1]\\n{}\\n")
        print(json.dumps({"fraction": 0.5, "what": "going on"}), flush=True)
        os.write(1, b"libX: cannot go on\\n")
        os._exit(3)
        """
    )
    told = []
    with pytest.raises(EngineError, match=r"status 3: libX: cannot go on"):
        build_in_child(name, [], lambda *report: told.append(report))
    assert told[-1] == (0.5, "going on")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's part is Linux only")
def test_the_child_ends_with_its_killed_parent(module, tmp_path):
    name = module(
        """
        import json, os, time
        print(json.dumps({"fraction": 0, "what": str(os.getpid())}), flush=True)
        time.sleep(60)
        """
    )
    code = (
        "from mdacl_ros.runtime.child_build import build_in_child\n"
        f"build_in_child({name!r}, [], lambda _, what: print(what, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = psutil.Process(next(int(line) for line in parent.stdout if line[0].isdigit()))
        parent.kill()
    assert psutil.wait_procs([child], timeout=20)[1] == []
