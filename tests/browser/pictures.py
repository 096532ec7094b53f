"""`make pictures`: draw each picture of the series for README.md and for whoever reviews it.

    PYTHONPATH=tests python -m browser.pictures [FOLDER] [NAME ...]

For each there is an SVG that reads alone, and a screenshot of each of four forms: in JupyterLab
light and dark, 430 pixels wide, and with scripts and styles stripped, as GitHub or a mail shows it.
Nothing in them depends on chance or time, so the same browser and fonts give the same pictures.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from browser.lab import FLAGS, Lab, change_theme, chromium, outputs, run_all, serving, settle
from helpers.figures import CALLS, SETUP, figure, made
from helpers.paths import ROOT

FOLDER = ROOT / "docs" / "pictures"
LIMIT = 200_000  # bytes a picture
NARROW = 430  # pixels
STRIPPED = re.compile(r"<(script|style)\b.*?</\1>| style=\"[^\"]*\"", re.DOTALL)


def main() -> None:
    """Draw all pictures, or those that are named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    names = sys.argv[2:] or [*CALLS]
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        keep(folder / f"{name}.svg", figure(name).image().encode())
    expect.set_options(timeout=60_000)  # milliseconds, for a busy machine
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as server, window() as opened:
        lab = Lab(server, opened.new_context())
        take(lab, names, folder)
        lab.close()
        if lab.problems:
            raise RuntimeError("\n".join(lab.problems))
        strip(opened, names, folder)


@contextmanager
def window() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


def take(lab: Lab, names: Sequence[str], folder: Path) -> None:
    """Run the calls in JupyterLab, and take each view light, dark and narrow."""
    page = lab.open_cells([SETUP, *(CALLS[name] for name in names)], width=1280, height=1200)
    run_all(page)
    for theme in ("dark", "light"):
        change_theme(page, theme)
        for number, name in enumerate(names, 1):
            shoot(
                page, outputs(page, number).locator(".kvlib").first, folder / f"{name}-{theme}.png"
            )
    page.evaluate(
        "(width) => document.querySelectorAll('.kvlib').forEach("
        "(root) => (root.style.width = width + 'px'))",
        NARROW,
    )
    for number, name in enumerate(names, 1):
        shoot(page, outputs(page, number).locator(".kvlib").first, folder / f"{name}-narrow.png")


def strip(window: Browser, names: Sequence[str], folder: Path) -> None:
    """Show each view's HTML without its scripts and styles, and take a picture."""
    context = window.new_context(java_script_enabled=False, viewport={"width": 900, "height": 900})
    page = context.new_page()
    for name in names:
        html = STRIPPED.sub("", made(CALLS[name])._repr_mimebundle_()["text/html"])
        page.set_content(f"<!doctype html><meta charset=utf-8>{html}")
        keep(folder / f"{name}-stripped.png", page.locator(".kvlib").screenshot())
    context.close()


def shoot(page: Page, view: Locator, path: Path) -> None:
    """Save a picture of a view on the notebook's background."""
    page.evaluate("document.activeElement.blur()")
    settle(page)
    keep(path, view.screenshot(animations="disabled", caret="hide"))


def keep(path: Path, data: bytes) -> None:
    """Write a picture, unless it is too large."""
    print(f"{path.name:30}{len(data):>10,} bytes")
    if len(data) > LIMIT:
        raise ValueError(f"{path} is too large: {len(data):,} bytes, at most {LIMIT:,}")
    path.write_bytes(data)


if __name__ == "__main__":
    main()
