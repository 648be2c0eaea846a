"""Both cameras alive and no answers: diagnostics must say so, with the number that mends it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from mdacl_ros.health.pairing_watch import LostShare, Pairing
from mdacl_ros.nodes import diagnostics
from mdacl_ros.nodes.diagnostics import Snapshot

from .bench import Bench, wait_until

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
CLOCK_ERROR = 400 * MS


@pytest.mark.parametrize(
    ("pairing", "level", "said"),
    [
        (Pairing(), OK, "no recent results"),
        (Pairing(starved_s=0.3, lost_share=0.2), OK, "no recent results"),
        (Pairing(2.0, 1.0, 200.0, 120.0, 0.05), ERROR, "thermal_clock_offset to about -0.150"),
        (Pairing(2.0, 1.0, 200.0, 120.0, 0.05), ERROR, "+200 ms (max_skew is 120 ms"),
        (Pairing(2.0, 1.0, 9e6, 120.0), ERROR, "clocks are 9000 s apart: synchronise them"),
        (Pairing(2.0, 1.0, None, 120.0), ERROR, "no thermal frame is near"),
        (Pairing(0.0, 0.4, -70.0, 60.0), WARN, "40% of the RGB frames"),
        (Pairing(0.0, 0.4, -70.0, 60.0), WARN, "raise max_skew"),
    ],
)
def test_frames_that_do_not_meet_are_said_with_a_remedy(
    pairing: Pairing, level: bytes, said: str
) -> None:
    got, message, _ = diagnostics.inference(Snapshot(state="active", pairing=pairing))
    assert got == level
    assert said in message


def test_a_reload_hides_no_trouble_of_the_engine_that_runs() -> None:
    troubled = Snapshot(
        state="active", progress="building engine: 5%", busy_s=60.0, inference_timeout=2.0
    )
    level, message, _ = diagnostics.inference(troubled)
    assert (level, "inference hangs" in message) == (ERROR, True)
    assert "the old one runs until it is done" in diagnostics.engine(troubled)[1]


def test_the_skew_is_shown_among_the_counters() -> None:
    pairing = Pairing(unpaired_skew_ms=-71.5, lost_share=0.1)
    _, _, values = diagnostics.cameras(Snapshot(state="active", pairing=pairing))
    assert (values["unpaired_skew_ms"], values["unpaired_rgb_share"]) == (-71.5, 0.1)


def test_the_lost_share_is_that_of_the_last_seconds() -> None:
    share = LostShare()
    early = [share.update(t, received=30 * t, lost=30 * t) for t in range(4)]
    assert early == [0, 0, 0, 0]  # too short to tell a start from a fault
    assert share.update(4, 120, 120) == 1.0
    later = [share.update(t, received=30 * t, lost=120) for t in range(5, 12)]
    assert later == sorted(later, reverse=True)
    assert later[-1] == 0.0


def test_no_frames_are_no_loss() -> None:
    share = LostShare()
    assert [share.update(t, 0, 0) for t in range(10)] == [0.0] * 10


def test_a_node_whose_cameras_never_meet_reports_an_error_and_recovers(
    model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    values = {"model": str(model_folder), "partner_timeout": 5.0}
    with Bench(values) as bench:
        bench.activate()
        stop = threading.Event()

        def cameras() -> None:
            frame = 0
            while not stop.wait(0.02):
                stamp = T0 + frame * 20 * MS
                bench.publish("rgb", stamp)
                bench.publish("thermal", stamp + CLOCK_ERROR)
                frame += 1

        feeding = threading.Thread(target=cameras)
        feeding.start()
        try:
            _, message, _ = bench.wait_for_health(
                "inference", lambda level, *_: level == 2, "starvation is an error"
            )
            assert not bench.detections
            assert "both cameras are alive" in message
            assert "max_skew is 120 ms" in message
            _, _, values = bench.wait_for_health(
                "cameras", lambda _l, _m, v: "unpaired_skew_ms" in v, "the skew"
            )
            skew = float(values["unpaired_skew_ms"])
            assert skew == pytest.approx(400, abs=100)
            assert bench.set_parameter("thermal_clock_offset", -skew / 1e3)[0]
            wait_until(lambda: len(bench.detections) > 2, "answers with the offset it told")
            bench.wait_for_health("inference", lambda level, *_: level != 2, "it recovers")
        finally:
            stop.set()
            feeding.join()
    logged = [x for x in capfd.readouterr().err.splitlines() if "no pairs for" in x]
    assert len(logged) == 1


def test_rgb_that_dies_with_its_clock_ahead_leaves_thermal_answered(model_folder: Path) -> None:
    with Bench({"model": str(model_folder)}) as bench:
        bench.activate()

        def feed(seconds: float, *, rgb: bool) -> int:
            """Both cameras at 20 Hz, RGB a minute ahead; the thermal frames that were answered."""
            first = time.time_ns()
            while time.time_ns() - first < seconds * 1e9:
                stamp = time.time_ns()
                bench.publish("thermal", stamp)
                if rgb:
                    bench.publish("rgb", stamp + 60_000 * MS)
                time.sleep(0.05)
            return sum(first <= stamp < first + 30_000 * MS for stamp in bench.stamps())

        feed(1.5, rgb=True)
        assert bench.detections  # RGB alone, its clock being what it is
        assert feed(1.5, rgb=False) >= 10  # of 30, but for partner_timeout
