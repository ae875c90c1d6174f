"""The rendered book in a browser, as readers have it: on a desk and on a phone, without a network.

It needs a Chromium and the pages that `make book` builds; without either it is skipped, and says so.
"""

import functools
import shutil
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urlparse

import pytest

from nlcore import home

playwright = pytest.importorskip("playwright.sync_api")

HTML = home() / "_build" / "html"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
PAGES = sorted(path for path in HTML.glob("book/*.html"))
WIDTHS = {"desk": 1400, "phone": 390}

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed"),
    pytest.mark.skipif(not PAGES, reason="`make book` has not been called"),
    pytest.mark.xdist_group("browser"),
]

# of a page: what is wider than the screen and cannot be scrolled in a box of its own
WIDER = """() => {
  const limit = document.documentElement.clientWidth + 1;
  const scrolls = e => { for (; e && e !== document.body; e = e.parentElement)
    if (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX)) return true; return false; };
  return [...document.querySelectorAll("article *")]
    .filter(e => e.getBoundingClientRect().right > limit && !scrolls(e)).map(e => e.outerHTML.slice(0, 120)); }"""
BARE_IMAGES = """() => [...document.querySelectorAll("article img")]
  .filter(e => !(e.getAttribute("alt") || "").trim() || /\\.(png|svg|jpe?g)$/.test(e.getAttribute("alt") || ""))
  .map(e => e.outerHTML.slice(0, 120))"""
BARE_TABLES = """() => [...document.querySelectorAll(".cell_output table")]
  .filter(e => !e.querySelector("caption")).map(e => e.outerHTML.slice(0, 120))"""
LINKS = """() => [...document.querySelectorAll("a[href]")].map(e => e.href)"""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Seen(NamedTuple):
    """What a page showed: errors of its scripts, hosts that it asked for something, its links, the places in it that a
    link may lead to, and by the name of a width what is wrong there."""

    errors: list[str]
    hosts: set[str]
    links: list[str]
    places: set[str]
    wrong: dict[str, list[str]]


def seen(browser, path: Path) -> Seen:
    """A page, opened once and looked at in both widths."""
    page, errors, hosts = browser.new_page(), [], set()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: hosts.add(urlparse(request.url).netloc))
    page.goto(path.as_uri(), wait_until="load")
    wrong = {}
    for name, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        wrong[name] = page.evaluate(WIDER) + page.evaluate(BARE_IMAGES) + page.evaluate(BARE_TABLES)
        if page.evaluate("() => document.documentElement.scrollWidth") > width:
            wrong[name].append("it scrolls sideways")
    links, places = page.evaluate(LINKS), page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    page.close()
    return Seen(errors, hosts - {""}, links, {*places}, wrong)


@pytest.fixture(scope="module")
def look(browser):
    """What a page showed; each is opened once."""
    return functools.cache(lambda path: seen(browser, path))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_works_without_a_network_and_fits_the_screen(look, path):
    page = look(path)
    assert not page.errors and not page.hosts
    assert page.wrong == {name: [] for name in WIDTHS}


def test_no_link_is_broken(look):
    pages = {path: look(path) for path in [*PAGES, HTML / "genindex.html", HTML / "search.html"]}
    broken = []
    for path, page in pages.items():
        for address in page.links:
            bare, place = urldefrag(address)
            if not bare.startswith("file:"):
                continue
            target = Path(unquote(urlparse(bare).path))
            if not target.exists() or (place and target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{path.name}: {address}")
    assert not broken
