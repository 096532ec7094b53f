r"""A separate JupyterLab in a headless Chromium, and the actions of a reader.

    opened = lab.open_cells(["print('hello')"])       # a notebook of these code cells
    run_all(opened)
    assert outputs(opened, cell=0).inner_text() == "hello\n"

Requests to other machines are refused. They are collected in `Lab.problems`, with the errors of the
browser's console, and fail the test.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from helpers.paths import ROOT

PICTURES = ROOT / "build" / "browser"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
OUTPUT = ".jp-OutputArea-output"
SECONDS = 120  # for any single wait, on a busy machine

# Chromium has no sandbox for root, and the machine may have no graphics card. The last flag keeps
# other machines' names from being resolved, in case a request gets past the route in Lab.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]

SETTINGS = {
    # No requests for news and updates.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Draw outputs that are scrolled out of view too, so that all of them are checked.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


def chromium() -> str:
    """Return the path of Chromium: from the variable CHROMIUM, or else an installed one."""
    names = [os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError(
            "No Chromium was found. On Debian: apt install chromium. "
            "If it has another name: make browser CHROMIUM=/where/it/is"
        )
    return found


# ------------------------------------------------------------------------------------- the server


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address without a final slash, its folder and its token."""

    address: str
    folder: Path
    token: str

    def ask(self, method: str, path: str) -> Any:
        """Call the server's REST interface. Return the parsed JSON, or None for no content."""
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.address}{path}", headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            content = answer.read()
        return json.loads(content) if content else None


@contextmanager
def serving(place: Path) -> Iterator[Server]:
    """Run JupyterLab in the empty folder `place`, which also has its settings and its log."""
    folder = place / "notebooks"
    folder.mkdir()
    write_settings(place / "settings", "light")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", folder, secrets.token_hex(16))
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            command(server, port), env=environment(place, server.token), stdout=log, stderr=log
        )
        try:
            wait_for(server, process, place / "log")
            yield server
        finally:
            process.terminate()  # it ends its kernels first
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def command(server: Server, port: int) -> list[str]:
    """Return the command line of the server."""
    return [
        *[sys.executable, "-m", "jupyterlab", str(server.folder), "--no-browser", "--allow-root"],
        *["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"],
        *["--LabApp.extension_manager=readonly", "--LanguageServerManager.autodetect=False"],
        "--LabApp.expose_app_in_browser=True",  # to read cells from the model, not from the screen
    ]


def environment(place: Path, token: str) -> dict[str, str]:
    """Return an environment in which the server doesn't read or write the user's files."""
    names = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    places = {name: str(place / name.lower()) for name in [*names, "JUPYTERLAB_WORKSPACES_DIR"]}
    places["JUPYTERLAB_SETTINGS_DIR"] = str(place / "settings")
    return {**os.environ, **places, "JUPYTER_TOKEN": token, "JUPYTER_PREFER_ENV_PATH": "1"}


def write_settings(folder: Path, theme: str) -> None:
    """Write JupyterLab's settings, which it reads when a page is opened."""
    chosen = {**SETTINGS, "apputils-extension/themes": {"theme": THEMES[theme]}}
    for name, values in chosen.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers. Raises RuntimeError with its log if it has ended."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            server.ask("GET", "/api/status")
        except (URLError, ConnectionError, HTTPException):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')}")


# ------------------------------------------------------------------------------------ the browser


class Lab:
    """One user's browser, for one test; `problems` lists its errors."""

    def __init__(self, server: Server, context: BrowserContext) -> None:
        """Watch the requests and the errors of the pages of `context`."""
        self.problems: list[str] = []
        self._server = server
        self._context = context
        self._opened = 0
        context.set_default_timeout(SECONDS * 1000)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.route(lambda url: not is_here(url), lambda route: route.abort())
        context.on("request", lambda request: self._see(request.url))
        context.on("console", lambda line: self._hear(line.type, line.text))
        context.on("weberror", lambda error: self._hear("error", str(error.error)))

    def _see(self, url: str) -> None:
        if not is_here(url):
            self.problems.append(f"a request to {url}")

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error":
            self.problems.append(f"console: {text}")

    def open(
        self, notebook: Path, *, theme: str = "light", width: int = 1280, height: int = 800
    ) -> Page:
        """Open a copy of a notebook in a new folder. Return the page, before any cell has run."""
        self._opened += 1
        folder = self._server.folder / f"{secrets.token_hex(4)}-{self._opened}"
        folder.mkdir()
        shutil.copy(notebook, folder)
        write_settings(self._server.folder.parent / "settings", theme)

        page = self._context.new_page()
        page.on("websocket", lambda socket: self._see(socket.url))
        page.set_viewport_size({"width": width, "height": height})
        path = f"/lab/tree/{folder.name}/{notebook.name}"
        page.goto(f"{self._server.address}{path}?reset&token={self._server.token}")
        expect(page.locator("#jp-main-statusbar")).to_contain_text(
            # The notebook's indicator says idle before the kernel is connected; this one doesn't.
            re.compile(r"Python 3.*\| Idle"),
            timeout=SECONDS * 1000,
        )
        return page

    def open_cells(
        self,
        sources: Sequence[str],
        *,
        theme: str = "light",
        width: int = 1280,
        height: int = 800,
    ) -> Page:
        """Open a notebook of these code cells. Return the page, before any cell has run."""
        path = self._server.folder.parent / "cells.ipynb"
        path.write_text(json.dumps(notebook_of(sources)), encoding="utf-8")
        return self.open(path, theme=theme, width=width, height=height)

    def close(self) -> None:
        """Close the pages, and end the kernels that they started."""
        self._context.close()
        for session in self._server.ask("GET", "/api/sessions"):
            self._server.ask("DELETE", f"/api/sessions/{session['id']}")


def is_here(url: str) -> bool:
    """Return whether an address is this machine's, or contains its own data."""
    parts = urlsplit(url)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname == "127.0.0.1"


def notebook_of(sources: Sequence[str]) -> dict[str, Any]:
    """Return the JSON of a notebook of code cells without outputs."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


# ----------------------------------------------------------------------------- what a reader does

# The current state of the notebook, from JupyterLab's model.
READ = """() => {
    const notebook = jupyterapp.shell.currentWidget.content;
    return {
        active: notebook.activeCellIndex,
        mode: notebook.mode,
        cells: notebook.widgets.map((cell) => ({
            ...cell.model.toJSON(), running: cell.model.executionState === "running" })),
    };
}"""


def read(page: Page) -> dict[str, Any]:
    """Return the active cell, the mode, and the cells as they would be saved."""
    found: dict[str, Any] = page.evaluate(READ)
    return found


def run_all(page: Page) -> None:
    """Choose Run All from the menu, and wait until every cell has run and is drawn.

    Raises AssertionError for a failed cell without the tag raises-exception, which ends the run.
    """
    # Otherwise the stored outputs would look like those of a finished run.
    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator('.lm-Menu [data-command="runmenu:run-all"]').click()
    end = time.monotonic() + SECONDS
    while waiting := [cell for cell in read(page)["cells"] if not is_done(cell)]:
        failed = [cell for cell in waiting if errors(cell)]
        assert not failed, "\n".join([cell["source"] + str(errors(cell)) for cell in failed])
        assert time.monotonic() < end, f"not run: {[cell['id'] for cell in waiting]}"
        page.wait_for_timeout(100)
    settle(page)


def is_done(cell: dict[str, Any]) -> bool:
    """Return whether a cell has run as expected, or has nothing to run."""
    if cell["cell_type"] != "code" or not "".join(cell["source"]).strip():
        return True
    ended = cell["execution_count"] is not None and not cell["running"]
    return ended and (is_announced(cell) or not errors(cell))


def is_announced(cell: dict[str, Any]) -> bool:
    """Return whether the author expects an error in this cell."""
    return "raises-exception" in cell["metadata"].get("tags", [])


def errors(cell: dict[str, Any]) -> list[str]:
    """Return the errors in a cell's outputs."""
    shown = cell.get("outputs", [])
    return [f"{one['ename']}: {one['evalue']}" for one in shown if one["output_type"] == "error"]


def settle(page: Page) -> None:
    """Wait until the page is unchanged for half a second, because widgets are drawn late."""
    before, now = "", page.locator("#jp-main-dock-panel").inner_html()
    while before != now:
        page.wait_for_timeout(500)
        before, now = now, page.locator("#jp-main-dock-panel").inner_html()


def outputs(page: Page, cell: int | None = None) -> Locator:
    """Find the outputs of all cells or of one, counted from 0 with text cells."""
    if cell is None:
        return page.locator(OUTPUT)
    return page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(OUTPUT)


def unfold(page: Page) -> None:
    """Choose an option of each prediction, and open everything that is folded."""
    options = page.get_by_role("button", name="(a)", exact=True)
    for left in range(options.count(), 0, -1):
        options.first.click()
        expect(options).to_have_count(left - 1)  # its name says now whether it was right
    settle(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")


def change_theme(page: Page, theme: str) -> None:
    """Switch to the light or the dark theme."""
    change = "(theme) => jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(change, THEMES[theme])
    body = expect(page.locator("body"))
    body.to_have_attribute("data-jp-theme-name", THEMES[theme], timeout=SECONDS * 1000)
    settle(page)


def screenshot(page: Page, name: str) -> Path:
    """Save a picture of the window in build/browser/."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    return path


def screenshot_all(page: Page, name: str) -> list[Path]:
    """Save pictures of the whole notebook, one for every 4,000 pixels of its height."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": 4000})
    panel = page.locator(".jp-Notebook:visible .jp-WindowedPanel-outer")
    height: int = panel.evaluate("(element) => element.scrollHeight")
    shown: int = panel.evaluate("(element) => element.clientHeight")
    pictures = []
    for number, top in enumerate(range(0, height, shown), start=1):
        panel.evaluate("(element, top) => { element.scrollTop = top; }", top)
        page.wait_for_timeout(200)
        pictures.append(screenshot(page, f"{name}-{number}"))
    page.set_viewport_size(size)
    return pictures


# ------------------------------------------------------------------------------------- one cell

# A cell as it would be saved, and whether it is running; "active" is the selected one.
CELL = """(id) => {
    const notebook = jupyterapp.shell.currentWidget.content;
    const index = id === "active" ? notebook.activeCellIndex
        : notebook.widgets.findIndex(({ model }) => model.id === id);
    const { model } = notebook.widgets[index];
    return { ...model.toJSON(), index, running: model.executionState === "running" };
}"""
# Otherwise the execution count of an earlier run would look like that of the next one.
FORGET = """(id) => {
    const { widgets } = jupyterapp.shell.currentWidget.content;
    widgets.find(({ model }) => model.id === id).model.executionCount = null;
}"""
HAS_RUN = f"(id) => {{ const cell = ({CELL})(id); return cell.execution_count && !cell.running; }}"


def read_cell(page: Page, name: str = "active") -> dict[str, Any]:
    """Return the cell with this id, or the active one, as it would be saved, with its index."""
    found: dict[str, Any] = page.evaluate(CELL, name)
    return found


def outputs_of(page: Page, name: str) -> Locator:
    """Find the outputs of the cell with this id."""
    return outputs(page, read_cell(page, name)["index"])


def editor_of(page: Page, name: str = "active") -> Locator:
    """Find the editor of a cell."""
    cells = page.locator(".jp-Notebook .jp-Cell")
    return cells.nth(read_cell(page, name)["index"]).locator(".cm-content")


def write(page: Page, name: str, source: str, *, paste: bool = False) -> None:
    """Replace the source of a cell: type a single line, paste several.

    JupyterLab would indent typed lines again.
    """
    editor_of(page, name).click()
    page.keyboard.press("ControlOrMeta+A")
    if paste or "\n" in source:
        page.evaluate("(text) => navigator.clipboard.writeText(text)", source)
        page.keyboard.press("ControlOrMeta+V")
    else:
        page.keyboard.type(source)
    assert read_cell(page, name)["source"] == source


def add_below(page: Page) -> str:
    """Insert a cell below the active one with B, and start editing it. Return its id."""
    before = read_cell(page)["index"]
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.wait_for_function(f"(before) => ({CELL})('active').index === before + 1", arg=before)
    page.keyboard.press("Enter")
    expect(editor_of(page)).to_be_focused()
    name: str = read_cell(page)["id"]
    return name


def run_cell(page: Page, name: str, keys: str = "Shift+Enter") -> None:
    """Run the active cell, which has this id, and wait until it has run."""
    assert read_cell(page)["id"] == name
    page.evaluate(FORGET, name)
    page.keyboard.press(keys)
    page.wait_for_function(HAS_RUN, arg=name)


# ------------------------------------------------------------------------------------------ laws


def violations(page: Page, inside: str = OUTPUT) -> list[str]:
    """Check these elements with axe-core. Return a text with the HTML for each fault.

    Raises an error if there is no such element on the screen: see `unfold`.
    """
    found = Axe().run(page, context=inside).response
    return [
        f"{rule['id']} ({rule['impact']}): {node['failureSummary']}\n{node['html']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def shortcut_leaks(page: Page, target: Locator) -> list[str]:
    """Press the notebook's shortcuts with `target` focused. Return those that had an effect.

    x cuts a cell, b inserts one, d d deletes one, arrow down and Shift+Enter select the next one.
    The keys and the focus should stay in the output. If a key removes the target, the remaining
    keys aren't tried.
    """
    found = []
    for keys in KEYS:
        if target.count() and (leak := _press(page, target, keys)):
            found.append(leak)
    return found


KEYS = [["x"], ["b"], ["d", "d"], ["ArrowDown"], ["Shift+Enter"]]


def _press(page: Page, target: Locator, keys: Sequence[str]) -> str | None:
    target.focus()
    before = read(page)
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(300)  # a running cell takes a moment
    after = read(page)
    changed = [name for name, value in before.items() if after[name] != value]
    if not page.evaluate(f"() => document.activeElement.closest('{OUTPUT}') !== null"):
        changed.append("focus")
    return f"{' '.join(keys)} changes: {', '.join(changed)}" if changed else None
