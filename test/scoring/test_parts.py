"""The pieces of a report, each by itself."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from mdacl_ros.sensing.pairing.synchronizer import PairSynchronizer, SyncConfig
from mdacl_ros.types import Detections, FramePair, GroundTruth
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.scenes import Scene, SceneConfig
from mdacl_tools.scenes.config import Conditions
from mdacl_tools.scoring.conclusions import judge
from mdacl_tools.scoring.events import EventFinder
from mdacl_tools.scoring.flicker import Flicker
from mdacl_tools.scoring.image_faults import rgb_signs
from mdacl_tools.scoring.matched_detections import Matched
from mdacl_tools.scoring.miss_rate import MissRates, log_average
from mdacl_tools.scoring.recording_pairing import BusyDrops, paired
from mdacl_tools.scoring.report import ModeScores
from mdacl_tools.scoring.scores import ScoreBook
from mdacl_tools.scoring.summary import histogram
from mdacl_tools.scoring.worst import WorstFrames

from .test_contract import record

MS = 1_000_000


def found(*rows) -> Detections:
    """Detections of rows ``x0, y0, x1, y1, score, label``."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    labels = table[:, 5].astype(np.int64)
    return Detections(table[:, :4], table[:, 4], labels, (640, 480))


def there(*rows) -> GroundTruth:
    """Truth of rows ``x0, y0, x1, y1, label, ignore``."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    labels = table[:, 4].astype(np.int64)
    return GroundTruth(table[:, :4], labels, table[:, 5].astype(bool))


def at(index: int, detections: Detections, truth=None):
    return record(
        index, stamp_ns=index * 100 * MS, boxes=detections.boxes, scores=detections.scores,
        labels=detections.labels, truth=truth, events=(),
    )  # fmt: skip


def test_pairs_on_the_bags_clock_are_those_of_a_node_that_polls_all_the_time() -> None:
    faults = RigFaults(duration_s=3.0, freeze_s=(0.9, 2.0))
    config = SyncConfig(thermal_clock_offset_ns=40 * MS)
    got = list(paired(SyntheticRecording(faults), PairSynchronizer(config)))
    events, polled, want = list(SyntheticRecording(faults)), PairSynchronizer(config), []
    clock = events[0].time_ns
    for event in events:
        while clock < event.time_ns:
            want.append(polled.poll(clock))
            clock += MS
        want.append(polled.push(event.camera, event.frame, event.time_ns))
    want += [polled.poll(clock + i * MS) for i in range(700)]
    shown = [pair for pair in want if pair is not None]
    keys = [(p.stamp_ns, p.skew_ns, p.rgb is None, p.thermal is None) for p in shown]
    assert [(p.stamp_ns, p.skew_ns, p.rgb is None, p.thermal is None) for _, p in got] == keys
    assert any(p.thermal is None for p in shown)


def test_a_busy_detector_takes_the_newest() -> None:
    pairs = [(time, FramePair(None, None, time)) for time in (0, 10, 20, 30, 95, 200)]
    drops = BusyDrops(50 / MS)  # 50 ns
    assert [(t, p.stamp_ns) for t, p in drops(pairs)] == [(0, 0), (50, 30), (100, 95), (200, 200)]
    assert drops.dropped == 2


@pytest.mark.parametrize(
    ("conditions", "want"),
    [
        (Conditions(), ()),
        (Conditions(darkness=0.5), ()),
        (Conditions(smoke=0.7), ("smoke",)),
        (Conditions(darkness=1.0, smoke=0.9), ("smoke",)),
    ],
)
def test_signs_of_simulated_weather(conditions, want) -> None:
    scene = Scene(SceneConfig(seed=2, size=(320, 240), thermal_size=(160, 120)))
    assert rgb_signs(scene.render(0.5, conditions).rgb) == want


def test_signs_of_plain_pictures() -> None:
    noise = np.random.default_rng(0).integers(0, 30, (240, 320, 3)).astype(np.uint8)
    assert rgb_signs(noise) == ("dark",)
    assert rgb_signs(np.full((240, 320, 3), 255, np.uint8)) == ("glare",)
    assert rgb_signs(np.zeros((240, 320, 3), np.uint8)) == ("dark",)


def test_an_event_needs_three_frames_in_a_row_and_is_then_known_from_the_first() -> None:
    finder = EventFinder()
    signs = [(), ("dark",), (), ("dark",), ("dark",), ("dark",), ("dark",), ()]
    frames = [f for i, s in enumerate(signs) for f in finder.add(at(i, found()), s)]
    frames += finder.finish()
    assert [f.index for f in frames] == list(range(8))
    assert [f.events for f in frames] == [()] * 3 + [("dark",)] * 4 + [()]
    (span,) = finder.spans
    assert (span.start_ns, span.end_ns) == (300 * MS, 600 * MS)


def test_events_apart_are_two() -> None:
    finder = EventFinder(1)
    for index in (0, 5, 30):
        list(finder.add(at(index, found()), ("smoke",)))
    list(finder.finish())
    assert [(s.start_ns, s.end_ns) for s in finder.spans] == [(0, 500 * MS), (3000 * MS, 3000 * MS)]


def test_flicker_counts_gaps_and_singles() -> None:
    person, car = (10, 10, 50, 90, 0.9, 0), (200, 10, 290, 70, 0.8, 1)
    flicker = Flicker(0.3)
    frames = [[person], [person, car], [person], [], [person], [person]]
    for index, rows in enumerate(frames):
        flicker.add(at(index, found(*rows)))
    counts = flicker.to_json()
    assert (counts["vanished"], counts["single"]) == (1, 1)  # person in frame 3, car in frame 1
    assert counts["share"] == pytest.approx(2 / counts["detections"])
    steady = Flicker(0.3)
    for index in range(5):
        steady.add(at(20 * index, found(person)))  # two seconds apart: nothing follows
    assert steady.to_json()["share"] is None


def test_worst_frames_are_those_with_the_tallest_misses() -> None:
    worst = WorstFrames(0.3)
    for index in range(30):
        truth = there((10, 10, 50, 20 + index, 0, 0), (300, 10, 400, 200, 0, 1))
        alarm = (100, 100, 140, 180, 0.3 + 0.02 * index, 1)
        crowd, faint = (310, 20, 390, 180, 0.9, 0), (10, 10, 50, 20 + index, 0.2, 0)
        worst.add(at(index, found(alarm, crowd, faint), truth))
    kept = worst.summarize()
    assert [frame.index for frame in kept["misses"]] == list(range(29, 17, -1))
    first = kept["false_alarms"][0]
    assert first.index == 29
    assert first.boxes == [[100, 100, 140, 180, pytest.approx(0.88), 1]]
    assert kept["misses"][0].boxes == [[10, 10, 50, 49, 0]]
    assert kept["misses"][0].cost == 39


def test_log_average_miss_rate_by_hand() -> None:
    """Ten persons, five found before the first false alarm, three after it; ten images."""
    hits = np.array([1] * 5 + [0] + [1] * 3 + [0] * 9, bool)
    matched = Matched(
        np.linspace(0.9, 0.1, 18), np.tile(hits, (10, 1)), np.zeros((10, 18), bool), 10,
        np.zeros(18, np.uint32),
    )  # fmt: skip
    # false alarms an image: 0 for 5 detections, then 0.1, ... 1.0 at the end
    expected = np.exp(np.mean(np.log([0.5] * 4 + [0.2] * 5)))
    assert log_average(matched, 10) == pytest.approx(expected)
    assert log_average(replace(matched, objects=0), 10) is None
    none = replace(matched, scores=np.zeros(0), hits=np.zeros((10, 0), bool))
    none = replace(none, ignored=np.zeros((10, 0), bool))
    assert log_average(none, 10) == 1.0


def test_reasonable_leaves_out_what_is_low() -> None:
    rates = MissRates(0)
    tall, low = (10, 10, 40, 110, 0, 0), (200, 10, 215, 50, 0, 0)
    answer = found((10, 10, 40, 110, 0.9, 0), (200, 10, 215, 50, 0.8, 0), (300, 0, 310, 20, 0.7, 0))
    rates.add(answer, there(tall, low), "day")
    rates.add(found(), there(tall), "night")
    whole = rates.rates()
    assert whole["day"] == pytest.approx(1e-10)
    assert whole["night"] == 1.0
    assert whole["reasonable"] == pytest.approx(0.5)


def test_ap_by_size_and_height_go_to_their_bins() -> None:
    book = ScoreBook(("person", "car"))
    small, tall = (10, 10, 30, 34, 0, 0), (100, 10, 200, 160, 1, 0)
    book.add(found((10, 10, 30, 34, 0.9, 0)), there(small, tall), 0.25, None)
    scores = book.summarize()
    assert scores.ap_by_size["small"] == {"ap50": 1.0, "ap": 1.0, "objects": 1}
    assert scores.ap_by_size["medium"] == {"ap50": None, "ap": None, "objects": 0}
    assert scores.ap_by_size["large"]["ap50"] == 0.0
    assert [b["objects"] for b in scores.ap_by_height.values()] == [1, 0, 0, 1]
    assert scores.map50 == 0.5
    assert scores.mdi == 0.25
    assert scores.parts == {}


def test_histograms_hold_what_is_outside() -> None:
    assert histogram([-9, 0.5, 1.5, 99], (0, 1, 2))["counts"] == [2, 2]
    assert histogram([], (0, 1))["counts"] == [0]


COUNTS = {
    "frames_rgb": 100, "frames_thermal": 100, "processed": 100, "pairs": 100, "single_rgb": 0,
    "single_thermal": 0, "dropped": {"rgb": {"late": 0}, "thermal": {}}, "dropped_busy": 0,
    "unreadable": {"rgb": 0, "thermal": 0}, "failed": 0, "labels_unmatched": 0,
}  # fmt: skip
MODES = {"fused": ModeScores(0.6, 0.3, objects={"person": 5}, images=100)}
MODES |= {"rgb absent": ModeScores(0.5, 0.2), "thermal absent": ModeScores(0.4, 0.2)}


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        ({}, "ok", "mAP50 60.0 % over 100 frames with 5 objects."),
        ({"fused": 0.45}, "warn", "Without rgb the score is 5.0 points higher."),
        ({"fused": 0.1}, "bad", "mAP50 10.0 %"),
        ({"counts": {"single_rgb": 30}}, "warn", "thermal was missing in 30.0 % of the frames."),
        ({"counts": {"single_rgb": 30, "pairs": 70}}, "warn", "thermal found no partner near"),
        (
            {"counts": {"single_rgb": 99, "pairs": 1}, "assumed": ["thermal is not used: sizes"]},
            "warn",
            "thermal was not used in 99.0 % of the frames.",
        ),
        (
            {"counts": {"frames_rgb": 0, "unreadable": {"rgb": 7, "thermal": 0}}},
            "bad",
            "None of the 7 rgb images could be read: thermal was judged alone.",
        ),
        ({"counts": {"dropped_busy": 3}}, "warn", "3 pairs were dropped"),
        ({"counts": {"unreadable": {"rgb": 2, "thermal": 0}}}, "warn", "2 images could not be"),
        ({"counts": {"dropped": {"rgb": {"late": 9}}}}, "warn", "9.0 % of the rgb frames"),
        (
            {"counts": {"frames_thermal": 0, "single_rgb": 100}},
            "warn",
            "There is no thermal camera",
        ),
        ({"damage": ["x.mcap: cut"]}, "warn", "Damaged: x.mcap: cut."),
        ({"assumed": ["thermal is not used: x"]}, "warn", "Note: thermal is not used: x."),
        ({"assumed": ["same view"]}, "ok", "Note: same view."),
        ({"flicker": 0.3}, "warn", "30.0 % of the detections flicker."),
        ({"mismatch": "labels l: none fits"}, "bad", "No score: labels l: none fits."),
        ({"events": {"freeze_rgb": 10}}, "warn", "10.0 % of the frames: freeze of rgb."),
    ],
)
def test_the_verdict_follows_its_rules(change, level, says) -> None:
    scores = dict(MODES)
    if "fused" in change:
        scores["fused"] = replace(scores["fused"], map50=change["fused"])
    recording = {"damage": change.get("damage", []), "assumptions": change.get("assumed", [])}
    verdict = judge(
        recording, COUNTS | change.get("counts", {}), scores,
        {"paired_mean": 0.1}, change.get("events", {}), {"share": change.get("flicker", 0.0)},
        change.get("mismatch", ""),
    )  # fmt: skip
    assert verdict.level == level
    assert any(says in sentence for sentence in verdict.sentences)
    ranks = [says in s for s in verdict.sentences]
    assert ranks.index(True) < 3 if level != "ok" else True
    assert all(a != b for a, b in itertools.pairwise(verdict.sentences))
