"""One server and one browser for all tests, a window with nothing in it for each."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.lab import FLAGS, Lab, Server, chromium, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab that is running."""
    with serving(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="session")
def window() -> Iterator[Browser]:
    """A Chromium without a window on the screen."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def lab(server: Server, window: Browser) -> Iterator[Lab]:
    """A new user's browser; the test fails if anything went wrong in it."""
    opened = Lab(server, window.new_context())
    yield opened
    opened.close()
    assert opened.problems == []
