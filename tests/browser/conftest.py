"""One server and one browser for all tests, and a fresh context for each test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.lab import FLAGS, Lab, Server, chromium, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a running JupyterLab."""
    with serving(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="session")
def window() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def lab(server: Server, window: Browser) -> Iterator[Lab]:
    """Yield a new user's browser; fail the test if anything went wrong in it."""
    opened = Lab(server, window.new_context())
    yield opened
    opened.close()
    assert opened.problems == []
