"""What the page says, and that it is written whole, once, escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from mdacl_ros.errors import RecordingError
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.report.index import write_index
from mdacl_tools.report.page import write_page
from mdacl_tools.scoring.report import Verdict
from report.made import answers, report_of, two_cameras, write_evaluation

RECORDING = two_cameras()
EVIL = "<script>alert(1)</script>\"'&"


class Outline(HTMLParser):
    """Headings and tables in their order; fails on tags that do not close."""

    VOID = ("meta", "link")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.order: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3", "table"):
            self.order.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(text: str) -> list[str]:
    parser = Outline()
    parser.feed(text)
    assert parser.open == []
    return parser.order


def test_the_verdict_comes_before_numbers_pictures_and_tables(tmp_path):
    write_evaluation(tmp_path, RECORDING)
    text = write_page(tmp_path, RECORDING).read_text()
    assert outline(text)[:5] == ["h1", "h2", "h2", "h3", "h3"]
    assert outline(text).count("table") == 8
    places = [
        text.index(mark)
        for mark in (
            "Four persons in ten", ">Key numbers<", ">RGB alone<", ">Worst misses<",
            ">Worst false alarms<", ">What happened when<", ">How it spreads<", ">Tables<",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert len(text) < 3_000_000


def test_nothing_is_asked_of_a_network(tmp_path):
    write_evaluation(tmp_path, RECORDING)
    text = write_page(tmp_path, RECORDING).read_text()
    addresses = set(re.findall(r"(?:href|src)=\"(?!data:|#)([^\"]*)", text))
    assert addresses == set()
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_text_from_outside_is_escaped(tmp_path):
    records = answers(RECORDING)
    report = report_of(records, name=EVIL)
    write_evaluation(
        tmp_path,
        RECORDING,
        name=EVIL,
        verdict=Verdict("bad", (EVIL, EVIL)),
        settings=report.settings | {"labels": [EVIL, "car", "bicycle"], "model": EVIL},
        counts=report.counts | {"left_out": {EVIL: 3}},
    )
    text = write_page(tmp_path, RECORDING).read_text()
    outline(text)
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert(1)") > 5
    write_index(tmp_path, [tmp_path])
    assert "<script>alert" not in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize("level", ["ok", "warn", "bad"])
def test_each_verdict_has_a_word_and_a_shape_of_its_own(tmp_path, level):
    write_evaluation(tmp_path, RECORDING, verdict=Verdict(level, ("It is so.",)))
    text = write_page(tmp_path).read_text()
    words = {"ok": "Good", "warn": "Look closer", "bad": "Do not use"}
    assert f'<p class="word">{words[level]}</p>' in text
    shape = {"ok": '<circle class="shape"', "warn": "L62 58H2Z", "bad": "M20 3h24l17"}
    header = text[text.index("<header") : text.index("</header>")]
    assert [key for key, mark in shape.items() if mark in header] == [level]


def test_a_recording_without_truth_and_without_frames_still_has_a_page(tmp_path):
    write_evaluation(
        tmp_path, RECORDING, scores={}, worst={}, events=(), histograms={},
        mdi={"mean": None}, flicker={"share": None}, detections_per_frame={},
        timing={"written": ""},
    )  # fmt: skip
    (tmp_path / "frames.jsonl").write_text("")
    text = write_page(tmp_path).read_text()
    outline(text)
    assert "no ground truth" in text
    assert "What happened when" not in text


def test_a_failed_page_leaves_the_old_one(tmp_path):
    write_evaluation(tmp_path, RECORDING)
    before = write_page(tmp_path, RECORDING).read_bytes()
    other = two_cameras(0.5)
    with pytest.raises(RecordingError, match="give the recording that was evaluated"):
        write_page(tmp_path, other)
    assert (tmp_path / "report.html").read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"report.json", "frames.jsonl", "report.html"}


def test_frames_of_another_report_are_refused(tmp_path):
    write_evaluation(tmp_path, RECORDING)
    lines = (tmp_path / "frames.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "frames.jsonl").write_text("".join(lines[5:]))
    with pytest.raises(RecordingError, match="lacks frames that the report beside it tells of"):
        write_page(tmp_path, RECORDING)


def test_the_same_evaluation_gives_the_same_page(tmp_path):
    write_evaluation(tmp_path, RECORDING)
    assert write_page(tmp_path, RECORDING).read_bytes() == (
        write_page(tmp_path, RECORDING).read_bytes()
    )


def test_an_index_shows_the_worst_first_and_links_to_the_pages(tmp_path):
    for name, level in (("good day", "ok"), ("bad night", "bad"), ("dusk", "warn")):
        folder = tmp_path / name
        write_evaluation(folder, RECORDING, name=name, verdict=Verdict(level, ("So.",)))
    text = write_index(tmp_path, sorted(p for p in tmp_path.iterdir())).read_text()
    outline(text)
    assert re.findall(r'<a href="([^"]*)"', text) == [
        "bad%20night/report.html", "dusk/report.html", "good%20day/report.html",
    ]  # fmt: skip
    assert "3 recordings: 1 not to be used, 1 to look at more closely, 1 good." in text


def test_the_command_writes_pages_index_and_annotated_bag(tmp_path, capsys):
    bag = tmp_path / "bag"
    write_bag(RECORDING, bag)
    for name in ("a", "b"):
        write_evaluation(tmp_path / "out" / name, RECORDING, name=name)
    assert main(["report", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "index.html").is_file()
    one = ["report", str(tmp_path / "out" / "a"), "--recording", str(bag), "--annotate"]
    assert main(one) == 0
    assert "data:image/jpeg" in (tmp_path / "out" / "a" / "report.html").read_text()
    assert (tmp_path / "out" / "a" / "annotated" / "metadata.yaml").is_file()
    assert (tmp_path / "out" / "a" / "annotated" / "annotated.mcap").is_file()
    capsys.readouterr()
    (mcap,) = bag.glob("*.mcap")
    mcap.write_bytes(mcap.read_bytes()[:-20])  # only the index at the end is lost
    assert main(one[:-1]) == 0
    assert "data:image/jpeg" in (tmp_path / "out" / "a" / "report.html").read_text()
    assert main(["report", str(tmp_path / "out"), "--recording", str(bag)]) == 2
    assert "got 2 reports, wanted one" in capsys.readouterr().err
    assert main(["report", str(bag)]) == 2
    assert "found no report.json" in capsys.readouterr().err
