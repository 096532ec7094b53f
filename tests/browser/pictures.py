"""`make pictures`: take the pictures of README.md from running notebooks, in both themes.

    PYTHONPATH=tests python -m browser.pictures [FOLDER]

Nothing in them depends on chance or time, so the same notebooks, browser and fonts give the same
pictures.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from browser.lab import (
    FLAGS,
    THEMES,
    Lab,
    change_theme,
    chromium,
    outputs,
    read,
    run_all,
    serving,
    settle,
    unfold,
)
from helpers.paths import ROOT

FOLDER = ROOT / "docs" / "pictures"
NOTEBOOKS = ROOT / "notebooks"
LIMIT = 150_000  # bytes a picture


class Picture(NamedTuple):
    """A view in a notebook, and the action before its picture is taken."""

    name: str
    notebook: str
    cell: str
    act: Callable[[Locator], None]


def ask_for_a_length(view: Locator) -> None:
    """Go to the length, which also outlines the bytes that follow."""
    view.locator(".stage").press("Home")
    view.locator(".stage").press("ArrowRight")


def cut_the_second_frame(view: Locator) -> None:
    """Let 110 bytes arrive, and point at the length of the torn frame."""
    move(view, "bytes that reached the disk", 110)
    view.locator(".grid .L.torn").first.hover()


def flip_a_length(view: Locator) -> None:
    """Flip the bit that the notebook asks for."""
    slider = view.get_by_role("slider")
    label = "flipped bit: 55.5."
    for number in range(int(slider.get_attribute("max") or 0) + 1):
        slider.fill(str(number))
        if label in (view.locator(".player output").text_content() or ""):
            view.locator(".grid .L.bad").first.hover()
            return
    raise LookupError(label)


def move(view: Locator, control: str, number: int) -> None:
    """Set the slider of a timeline."""
    view.get_by_label(control).fill(str(number))


PICTURES = [
    Picture("field", "01_encode", "encode-type-encode", ask_for_a_length),
    Picture("cuts", "03_log", "log-explore-cuts", cut_the_second_frame),
    Picture("flips", "03_log", "log-answer-flip", flip_a_length),
]


def main() -> None:
    """Take all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=60_000)  # milliseconds, for a busy machine
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as server, window() as opened:
        for notebook in dict.fromkeys(picture.notebook for picture in PICTURES):
            lab = Lab(server, opened.new_context())
            take(lab, notebook, folder)
            lab.close()
            if lab.problems:
                raise RuntimeError("\n".join(lab.problems))


@contextmanager
def window() -> Iterator[Browser]:
    """Yield a headless Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


def take(lab: Lab, notebook: str, folder: Path) -> None:
    """Run a notebook, and take its pictures in both themes."""
    page = lab.open(NOTEBOOKS / f"{notebook}.ipynb", width=1280, height=1600)
    run_all(page)
    unfold(page)
    ids = [cell["id"] for cell in read(page)["cells"]]
    for theme in THEMES:
        change_theme(page, theme)
        for picture in PICTURES:
            if picture.notebook == notebook:
                view = outputs(page, ids.index(picture.cell)).locator(".kvlib")
                picture.act(view)
                keep(page, view, folder / f"{picture.name}-{theme}.png")


def keep(page: Page, view: Locator, path: Path) -> None:
    """Save a picture of a view on the notebook's background."""
    page.evaluate("document.activeElement.blur()")
    settle(page)
    view.screenshot(path=path, animations="disabled", caret="hide")
    size = path.stat().st_size
    print(f"{path.name:20}{size:>10,} bytes")
    if size > LIMIT:
        raise ValueError(f"{path} is too large: {size:,} bytes, at most {LIMIT:,}")


if __name__ == "__main__":
    main()
