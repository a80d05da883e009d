"""A site of made-up results, served from this machine, and a real browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from claimbench.leaderboard.site.build import Site, build
from tests.site.synthetic import make_site, write_overview

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def site() -> Site:
    """Twelve papers of several themes, with every verdict, and hostile texts."""
    return make_site(12)


@pytest.fixture(scope="session")
def built(site: Site, tmp_path_factory) -> Path:
    """The folder of the built site."""
    out = tmp_path_factory.mktemp("site") / "out"
    build(site, out, tmp_path_factory.mktemp("plots"))
    return out


@pytest.fixture(scope="session")
def long_overview(tmp_path_factory) -> str:
    """The address of the overview of 250 papers; their own pages are not written."""
    out = tmp_path_factory.mktemp("long")
    write_overview(make_site(250), out)
    return (out / "index.html").as_uri()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def served(built: Path) -> Iterator[str]:
    """The address of a local server of the site."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(built)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["server", "file"])
def address(request, built: Path, served: str) -> str:
    """Where the site lies: on a server, or in a folder."""
    return served if request.param == "server" else f"{built.as_uri()}/"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, under the name that this system gives it."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        pytest.fail("the tests of the site need chromium; run: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which nothing goes wrong, and which asks no other host for anything."""
    page = browser.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on(
        "console",
        lambda message: (
            troubles.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("http://127.0.0.1:", "file://"))
            else troubles.append(f"request: {request.url}")
        ),
    )
    yield page
    page.close()
    assert troubles == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
