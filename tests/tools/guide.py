"""Write the tables in the guide for teachers, docs/teaching.md, from the exercises.

PYTHONPATH=tests python -m tools.guide [--check]
"""

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from helpers.paths import ROOT, SOURCES
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.glossary import NOTEBOOKS
from lessons.wrong import WRONG
from lessons.wrong.rows import Row, Value, Wrong


def renewed(guide: str) -> str:
    """Return the guide with a new table between each `<!-- made: NAME -->` and `<!-- end -->`."""

    def part(found: re.Match[str]) -> str:
        start, name, end = found.groups()
        if name not in PARTS:
            raise ValueError(f"`{start}` names no part: there are {', '.join(PARTS)}")
        return "\n".join([start, "", *PARTS[name](), "", end])

    return re.sub(r"(<!-- made: (\w+) -->).*?(<!-- end -->)", part, guide, flags=re.DOTALL)


def _sections() -> Iterator[str]:
    """Yield a table of each spine's sections, with their minutes and exercises."""
    yield "| notebook | section | minutes | exercises |"
    yield "|--:|---|--:|---|"
    for number, name in NOTEBOOKS.items():
        source = (SOURCES / f"{name}.md").read_text(encoding="utf-8")
        total = 0
        for part in source.partition("\n## Workshop")[0].split("\n## ")[1:]:
            title, minutes = re.findall(r"^(.+) \((\d+) min\)\n", part)[0]
            names = ", ".join(f"`{one}`" for one in re.findall(r"\{\{exercise (.+?)\}\}", part))
            total += int(minutes)
            yield _row(number, title, minutes, names)
        yield _row("", "**together**", f"**{total}**", "")


def _points() -> Iterator[str]:
    """Yield a table of each exercise's objective, minutes and points, with sums per notebook."""
    yield "| exercise | afterwards one can | how | minutes | points |"
    yield "|---|---|---|--:|--:|"
    for number, group in groupby(EXERCISES.values(), lambda one: one.name[:2]):
        own = list(group)
        for one in own:
            yield _row(f"`{one.name}`", one.objective, one.way, one.minutes, one.points)
        sums = sum(one.minutes for one in own), sum(one.points for one in own)
        yield _row(f"**notebook {int(number)}**", "", "", *(f"**{one}**" for one in sums))
    yield _row("**all**", "", "", "", f"**{sum(one.points for one in EXERCISES.values())}**")


def _mistakes() -> Iterator[str]:
    """Yield a table per exercise of the wrong answers that its check explains, from its tests."""
    for number, (name, rows) in enumerate(WRONG.items()):
        yield from [""] * (number > 0)
        yield from (f"### {name}", "", "| what people write | the check says |", "|---|---|")
        for row in rows:
            yield _row(_written(row), f"... {row.says} ...")


def _written(row: Row) -> str:
    """Return what a row's answer is, or what stands in it instead of what."""
    if isinstance(row, Value):
        return f"`{row.value!r:.100}`"
    if isinstance(row, Wrong):
        old, new = _short(row.old), _short(row.new)
        return f"{new} for {old}" if new else f"nothing for {old}"
    return _short(row.code)


def _short(code: str) -> str:
    """Return code in one line, cut if it is long."""
    text = " ".join(code.split()).replace("`", "'")
    return f"`{text if len(text) <= 90 else text[:88] + ' …'}`" if text else ""


def _row(*cells: object) -> str:
    escaped = (str(cell).replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


PARTS: Final = {"sections": _sections, "points": _points, "mistakes": _mistakes}
GUIDE: Final = ROOT / "docs" / "teaching.md"


def main(arguments: list[str]) -> int:
    """Renew the guide; with --check, return 1 if it would change and write nothing."""
    before = GUIDE.read_text(encoding="utf-8")
    after = renewed(before)
    if arguments != ["--check"]:
        GUIDE.write_text(after, encoding="utf-8", newline="\n")
        return 0
    return int(before != after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
