"""An evaluation as it is called leaves a page, an annotated bag and, of several, an index."""

from __future__ import annotations

import pytest
from scoring.blob_perception import build_blobs

from mdacl_tools.cli import evaluate as command
from mdacl_tools.cli.main import main
from mdacl_tools.recordings.bag_writer import write_bag
from mdacl_tools.recordings.synthetic import RigFaults, SyntheticRecording
from mdacl_tools.scoring.report import read_report


@pytest.fixture
def bag(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "build", build_blobs)
    monkeypatch.chdir(tmp_path)
    faults = RigFaults(duration_s=1.5, freeze_s=(0.6, 0.8), rgb_size=(320, 240))
    write_bag(SyntheticRecording(faults), tmp_path / "bag")
    return tmp_path / "bag"


def test_an_evaluation_leaves_a_page_and_an_annotated_bag(bag, tmp_path, capsys):
    # The thermal clock of the synthetic rig is 40 ms late.
    call = ["evaluate", str(bag), "--out", "out", "--thermal-clock-offset", "0.04", "--annotate"]
    assert main(call) == 0
    out = tmp_path / "out"
    assert "report.html" in capsys.readouterr().out
    assert sorted(p.name for p in out.iterdir()) == [
        "annotated", "frames.jsonl", "report.html", "report.json",
    ]  # fmt: skip
    text = (out / "report.html").read_text()
    assert read_report(out).verdict.sentences[0][1:] in text
    assert text.count("data:image/jpeg") >= 16  # thumbnails of both cameras at least


def test_what_is_there_is_not_made_again_but_what_is_missing_is(bag, tmp_path):
    assert main(["evaluate", str(bag), "--out", "out"]) == 0
    page, annotated = tmp_path / "out" / "report.html", tmp_path / "out" / "annotated"
    page.write_text("kept")
    assert main(["evaluate", str(bag), "--out", "out"]) == 0
    assert page.read_text() == "kept"
    assert not annotated.exists()
    assert main(["evaluate", str(bag), "--out", "out", "--annotate"]) == 0
    assert annotated.is_dir()
    # Of another report both are made anew, or go.
    other = ["evaluate", str(bag), "--out", "out", "--threshold", "0.5"]
    assert main([*other, "--no-page"]) == 0
    assert main(other) == 0
    assert "<td>0.5</td>" in page.read_text()
    assert not annotated.exists()


def test_no_page_where_none_is_wanted(bag, tmp_path, capsys):
    assert main(["evaluate", str(bag), "--no-page", "--annotate"]) == 2
    assert "needs the page; leave --no-page out" in capsys.readouterr().err
    assert main(["evaluate", str(bag), "--out", "out", "--no-page"]) == 0
    assert not (tmp_path / "out" / "report.html").exists()


def test_several_recordings_get_an_index_and_a_cut_one_says_so(bag, tmp_path):
    cut = tmp_path / "cut"
    write_bag(SyntheticRecording(RigFaults(duration_s=1.5, rgb_size=(320, 240))), cut)
    (file,) = cut.glob("*.mcap")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * 2 // 3])
    assert main(["evaluate", str(bag), str(cut), "--out", "out"]) == 3
    text = (tmp_path / "out" / "index.html").read_text()
    assert 'href="bag/report.html"' in text
    assert 'href="cut/report.html"' in text
    page = (tmp_path / "out" / "cut" / "report.html").read_text()
    assert "Damage of the recording" in page
    assert "ends in the middle of a record" in page
    assert read_report(tmp_path / "out" / "cut").counts["truth_frames"] > 0  # labels as well
