"""The page as people get it: opened in a real browser."""

from __future__ import annotations

import json

import pytest

from mdacl_tools.report.index import write_index
from mdacl_tools.report.page import write_page
from report.browser import open_browser, resize
from report.made import two_cameras, write_evaluation

SIZES = ((1280, 900, False), (390, 844, False), (1280, 900, True))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluation") / "bag <1>"
    recording = two_cameras(3.0)
    write_evaluation(folder, recording)
    write_index(folder.parent, [folder])
    return write_page(folder, recording)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


OWN_PAGES = ("chrome:", "chrome-untrusted:")
"""The browser's own: it opens its page for new tabs before ours."""


def requested(browser) -> list[str]:
    """Addresses that pages asked for since the last call; the browser's own pages do not count."""
    entries = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [e["params"] for e in entries if e["method"] == "Network.requestWillBeSent"]
    addresses = [p["request"]["url"] for p in sent if not p["documentURL"].startswith(OWN_PAGES)]
    return [url for url in addresses if not url.startswith(OWN_PAGES)]


def texts(browser, selector: str) -> list[str]:
    return [element.text for element in browser.find_elements("css selector", selector)]


def test_it_loads_without_an_error_and_without_a_network(browser, page):
    for file in (page, page.parent.parent / "index.html"):
        browser.get(file.as_uri())
        assert browser.get_log("browser") == []
        addresses = requested(browser)
        assert file.as_uri() in addresses
        assert [url for url in addresses if not url.startswith(("file:", "data:"))] == []
    browser.find_element(
        "css selector", ".recordings a"
    ).click()  # the page is found from the index
    assert browser.title.startswith("Look closer")


@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
def test_the_verdict_is_seen_first(browser, page, width, height, dark):
    resize(browser, width, height, dark=dark)
    browser.get(page.as_uri())
    place = browser.execute_script(
        "return ['.verdict .mark', '.verdict .word', 'h1', '.bar-group'].map("
        "s => document.querySelector(s).getBoundingClientRect())"
        ".map(b => [b.top, b.bottom, b.right])"
    )
    assert all(0 <= top < bottom <= height and right <= width for top, bottom, right in place)
    assert texts(browser, ".word") == ["LOOK CLOSER"]
    assert texts(browser, "h1") == ["Four persons in ten are missed."]
    # Nothing sticks out of the page to the side.
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(18, 20, 25)" if dark else "rgb(247, 247, 245)")


def test_a_click_on_a_head_sorts(browser, page):
    resize(browser, 1280, 900)
    browser.get(page.as_uri())
    scores = browser.find_elements("css selector", "table.sortable")[0]

    def column(index: int) -> list[str]:
        return [
            row.find_elements("css selector", "th, td")[index].text
            for row in scores.find_elements("css selector", "tbody tr")
        ]

    def click(index: int) -> None:
        button = scores.find_elements("css selector", "thead button")[index]
        browser.execute_script("arguments[0].focus()", button)
        button.send_keys("\ue007")  # the Enter key: a mouse is not needed

    assert column(0) == ["both", "RGB alone", "thermal alone"]
    click(1)
    assert column(1) == ["61.0", "50.0", "40.0"]
    click(1)
    assert column(1) == ["40.0", "50.0", "61.0"]
    heads = scores.find_elements("css selector", "thead th")
    assert [head.get_attribute("aria-sort") for head in heads[:3]] == [None, "ascending", None]
    click(0)
    assert column(0) == ["both", "RGB alone", "thermal alone"]


def test_the_keys_read_a_moment(browser, page):
    browser.get(page.as_uri())
    chart = browser.find_element("id", "course-chart")
    browser.execute_script("arguments[0].focus()", chart)
    assert texts(browser, "#readout")[0].startswith("0.00 s · MDI +0.80 (RGB leads)")
    chart.send_keys("\ue010")  # End
    assert "(thermal leads)" in texts(browser, "#readout")[0]
    assert browser.find_element("id", "cursor").get_attribute("visibility") == "visible"


def test_all_pictures_are_drawn(browser, page):
    browser.get(page.as_uri())
    count = browser.execute_script("return document.querySelectorAll('svg image').length")
    assert count > 8
    # Each data URI is a picture that the browser can decode.
    decoded = browser.execute_async_script(
        "const done = arguments[0];"
        "Promise.all([...document.querySelectorAll('svg image')].map(i => { const p = new Image();"
        "p.src = i.href.baseVal; return p.decode().then(() => p.naturalWidth); }))"
        ".then(done, error => done(String(error)))"
    )
    assert isinstance(decoded, list)
    assert min(decoded) > 0
