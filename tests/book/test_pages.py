"""The rendered book in a browser, as readers have it: on a desk and on a phone, without a network.

It needs a Chromium and the pages that `make book` builds; without either it is skipped, and says so.
"""

import shutil
from pathlib import Path
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


def opened(browser, path: Path, width: int):
    """A page at a width, with the errors of its scripts and the hosts that it asked for something."""
    page, errors, hosts = browser.new_page(viewport={"width": width, "height": 900}), [], set()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: hosts.add(urlparse(request.url).netloc))
    page.goto(path.as_uri(), wait_until="load")
    return page, errors, hosts - {""}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_works_without_a_network_and_fits_the_screen(browser, path):
    for name, width in WIDTHS.items():
        page, errors, hosts = opened(browser, path, width)
        assert not errors and not hosts, name
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, name
        assert not page.evaluate(WIDER), name
        assert not page.evaluate(BARE_IMAGES) and not page.evaluate(BARE_TABLES), name
        page.close()


@pytest.fixture(scope="module")
def links(browser) -> dict[Path, tuple[list[str], set[str]]]:
    """Of each page its links and the places that a link may lead to."""
    found = {}
    for path in [*PAGES, HTML / "genindex.html", HTML / "search.html"]:
        page, _, _ = opened(browser, path, 1400)
        places = {*page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")}
        found[path] = page.evaluate(LINKS), places
        page.close()
    return found


def test_no_link_is_broken(links):
    broken = []
    for path, (addresses, _) in links.items():
        for address in addresses:
            bare, place = urldefrag(address)
            if not bare.startswith("file:"):
                continue
            target = Path(unquote(urlparse(bare).path))
            if not target.exists() or (place and target in links and unquote(place) not in links[target][1]):
                broken.append(f"{path.name}: {address}")
    assert not broken
