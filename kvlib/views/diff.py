"""Two states of the same bytes, difference by difference: a field, a record, a frame, a file.

Records are matched by key and frames by sequence, wherever they are; everything else by name. Two
states without a difference are the same bytes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Final, NamedTuple

from kvlib import snapshot
from kvlib.disk import Disk, Place
from kvlib.encoding import Item
from kvlib.layout.dissect import Layout, Region, check_format, dissect, dissect_directory
from kvlib.layout.text import COLUMNS, WORDS, fit, meaning
from kvlib.plural import count
from kvlib.views import arguments, sides
from kvlib.views.timeline import Moment, ReaderOutcome, Scene, Timeline, Verdict

Comparable = bytes | bytearray | Layout | Place
Name = tuple[str, Item | int | None, int]  # what it is, its key or sequence, which repetition
Named = dict[Name, Region]

LIMIT: Final = 2048  # bytes in all pictures; with more, a page gets too large to load


class LayoutPair(NamedTuple):
    """The two states of a file or of bytes; None if it doesn't exist in that state."""

    before: Layout | None
    after: Layout | None


class Difference(NamedTuple):
    """A difference in words, and the regions that differ on both sides."""

    words: str
    before: tuple[Region, ...] = ()
    after: tuple[Region, ...] = ()
    verdict: Verdict = "told"


def diff(before: Comparable, after: Comparable, *, format: str | None = None) -> Timeline:
    """Show the differences between two states of a log, segment, snapshot stream or store.

    Args:
        before: bytes, a layout, the path of a file, or a store's place: a Disk or a directory.
        after: the same kind of thing, later.
        format: the format of bytes, one of FORMATS; by default a guess from `before`.

    Raises TypeError for two different kinds of things, MissingError if a path has nothing,
    ValueError for more than 2,048 bytes.
    """
    pairs = list(map(_titled, _pairs(before, after, format)))
    found = [(pair, one) for pair in pairs for one in _differences(pair, len(pairs) > 1)]
    shown = [pair for pair in pairs if not found or any(pair is its for its, _ in found)]
    _check_size(shown)
    moments = [_moment(str(number), *one) for number, one in enumerate(found, 1)]
    if not found:
        pictures = tuple(Scene(layout) for pair in shown for layout in pair if layout)
        moments = [Moment("none", (ReaderOutcome("told", "no difference"),), pictures)]
    caption = "Before and after, field by field."
    return Timeline(caption, "difference", ("the comparison",), tuple(moments), 0, sides.draw)


def _moment(label: str, pair: LayoutPair, found: Difference) -> Moment:
    pictures = []
    for layout, regions in zip(pair, (found.before, found.after), strict=True):
        if layout:
            marks = tuple((region.start, region.end) for region in regions)
            pictures.append(Scene(layout, marks))
    return Moment(label, (ReaderOutcome(found.verdict, found.words),), tuple(pictures))


def _check_size(pairs: list[LayoutPair]) -> None:
    size = sum(len(layout.data) for pair in pairs for layout in pair if layout)
    if size > LIMIT:
        reason = f"{size:,} bytes before and after, a diff shows at most {LIMIT:,}"
        raise ValueError(f"{reason}: compare parts of them, such as single files or frames")


# ---------------------------------------------------------------------------- what is compared


def _pairs(before: Comparable, after: Comparable, format: str | None) -> Iterator[LayoutPair]:
    old, new = _taken(before), _taken(after)
    if not isinstance(old, Disk) and not isinstance(new, Disk):
        format = check_format(
            old.data, old.format(format) if isinstance(old, arguments.File) else format
        )
        yield LayoutPair(_dissected(old, format), _dissected(new, format))
    elif isinstance(old, Disk) and isinstance(new, Disk):
        yield from _files(old, new)
    else:
        raise TypeError("diff takes two states of one thing: bytes or files, or else two stores")


def _taken(state: Comparable) -> Layout | arguments.File | Disk:
    return state if isinstance(state, Layout) else arguments.taken(state, "diff")


def _dissected(state: Layout | arguments.File, format: str) -> Layout:
    if isinstance(state, Layout):
        return state
    return dissect(state.data, format=format, source=state.name)


def _files(before: Disk, after: Disk) -> Iterator[LayoutPair]:
    """Yield pairs of files with the same name, then segments with the same index."""
    olds = {layout.source: layout for layout in dissect_directory(before)}
    news = {layout.source: layout for layout in dissect_directory(after)}
    heirs = {_index(name): name for name in news if name not in olds}
    for name, old in olds.items():
        heir = name if name in news else heirs.pop(_index(name), "")
        yield LayoutPair(old, news.pop(heir, None))
    for new in news.values():
        yield LayoutPair(None, new)


def _index(name: str) -> str:
    match = snapshot.SEGMENT_NAME.fullmatch(name)
    return f"segment {int(match[2], 16)}" if match else name


def _titled(pair: LayoutPair) -> LayoutPair:
    before, after = (
        layout and replace(layout, source=f"{title}: {layout.source}".removesuffix(": "))
        for title, layout in zip(("before", "after"), pair, strict=True)
    )
    return LayoutPair(before, after)


# -------------------------------------------------------------------------------- what differs


def _differences(pair: LayoutPair, is_file: bool) -> Iterator[Difference]:
    before, after = pair
    names = [layout.source.partition(": ")[2] for layout in pair if layout]
    if before is None or after is None:
        words = f"{names[0]}: only {'after' if before is None else 'before'}"
        regions = [(layout.root,) if layout else () for layout in pair]
        yield Difference(words, regions[0], regions[1])
        return
    if is_file and names[0] != names[1]:
        yield Difference(f"{_index(names[0])}: the file {names[0]} is now {names[1]}")
    path = f"{_index(names[0])}: " if is_file else ""
    yield from _Walk(before.data, after.data).within(before.root, after.root, path)
    old, new = _reading(before), _reading(after)
    if old != new:
        verdict: Verdict = "refused" if after.root.status == "bad" else "told"
        yield Difference(f"{path}reading: {old} -> {new}", verdict=verdict)


def _reading(layout: Layout) -> str:
    if layout.stopped_at is None:
        return "to its end"
    how = "a torn tail" if layout.root.status == "torn" else "stopped"
    return f"{how} at offset {layout.stopped_at}, {layout.reason}"


class _Walk(NamedTuple):
    """A walk through the regions of both sides at once."""

    before: bytes
    after: bytes

    def within(self, old: Region, new: Region, path: str) -> Iterator[Difference]:
        """Yield the differences between the children of two regions."""
        olds, news = _named(old.children), _named(new.children)
        olds, news = _adopted(olds, news), _adopted(news, olds)
        yield from _moved(olds, news, path)
        for name in _merged(olds, news):
            mine, theirs = olds.get(name), news.get(name)
            if mine and theirs:
                yield from self.between(mine, theirs, path)
                continue
            for there, side in ((mine, "before"), (theirs, "after")):
                if there:
                    words = f"{path}{_summary(there)}: only {side}"
                    yield Difference(words, (mine,) if mine else (), (theirs,) if theirs else ())

    def between(self, old: Region, new: Region, path: str) -> Iterator[Difference]:
        """Yield the differences between a region and its later state."""
        first, second = self.before[old.start : old.end], self.after[new.start : new.end]
        path += _title(old)
        if first != second and old.children and new.children and not _is_field(old):
            yield from self.within(old, new, path + " ")
        elif first != second:
            words = f"{_value(old, first)} -> {_value(new, second)}"
            if _value(old, first) == _value(new, second):  # both are cut off
                same = takewhile(lambda two: two[0] == two[1], zip(first, second, strict=False))
                words = f"differs from its byte {len(list(same))} on"
            yield Difference(f"{path}: {words}", *self.leaves(old, new))

    def leaves(self, old: Region, new: Region) -> tuple[tuple[Region, ...], tuple[Region, ...]]:
        """Return the leaves of a field that differ, on both sides."""
        olds = {_last(leaf): (leaf, self.before[leaf.start : leaf.end]) for leaf in old.leaves()}
        news = {_last(leaf): (leaf, self.after[leaf.start : leaf.end]) for leaf in new.leaves()}
        mine = [leaf for name, (leaf, raw) in olds.items() if news.get(name, (0, None))[1] != raw]
        theirs = [leaf for name, (leaf, raw) in news.items() if olds.get(name, (0, None))[1] != raw]
        return tuple(mine), tuple(theirs)


def _adopted(mine: Named, theirs: Named) -> Named:
    """Return `mine` with the other side's names for what could not be read."""
    there = {_last(region): name for name, region in theirs.items() if name not in mine}
    return {
        there.get(name[0], name) if name[1] is None and name not in theirs else name: region
        for name, region in mine.items()
    }


def _moved(olds: Named, news: Named, path: str) -> Iterator[Difference]:
    """Yield a difference if both sides have the same things in another order."""
    mine, theirs = [name for name in olds if name in news], [name for name in news if name in olds]
    for first, second in zip(mine, theirs, strict=True):
        if first != second:
            old, new = olds[first], news[second]
            words = f"{path}{_title(old)} was where {_title(new)} is now"
            yield Difference(words, (old,), (new,))
            return


def _merged(olds: Named, news: Named) -> list[Name]:
    """Return all names in the order before; new names follow the name that they follow after."""
    ranks = {name: (number, 0) for number, name in enumerate(olds)}
    order, last = [*olds], -1
    for number, name in enumerate(news, 1):
        last = ranks[name][0] if name in olds else last
        while last + 1 < len(order) and order[last + 1] not in news:
            last += 1  # and after the previous name that was there before
        ranks.setdefault(name, (last, number))
    return sorted(ranks, key=ranks.__getitem__)


def _named(regions: Sequence[Region]) -> Named:
    """Return the regions by their identity, with a number for repeated ones."""
    named: Named = {}
    seen = Counter[tuple[str, Item | int | None]]()
    for region in regions:
        what = _identity(region)
        seen[what] += 1
        named[(*what, seen[what])] = region
    return named


def _identity(region: Region) -> tuple[str, Item | int | None]:
    """Return the kind and the key or sequence of a record or frame; else the name and None."""
    last = _last(region)
    kind = last.partition("[")[0]
    name = {"record": ".key.data", "frame": ".sequence"}.get(kind, "")
    for leaf in region.leaves():
        if last != kind and leaf.name == region.name + name and leaf.value is not None:
            return kind, leaf.value
    return last, None


def _last(region: Region) -> str:
    return region.name.rpartition(".")[2]


def _is_field(region: Region) -> bool:
    return _last(region) in ("key", "value") or region.name.startswith("field[")


# ------------------------------------------------------------------------------------- in words


def _title(region: Region) -> str:
    what, key = _identity(region)
    return what if key is None else fit(f"{what} {key!r}", COLUMNS // 2)


def _summary(region: Region) -> str:
    """Return a region's title and contents in words."""
    kinds = ("value",) if _last(region).startswith("record") else ("key", "value")
    leaves = [leaf for leaf in region.leaves() if leaf.kind in kinds and leaf.value is not None]
    content = ", ".join(repr(leaf.value) for leaf in leaves)
    size = count(region.end - region.start, "byte")
    return f"{_title(region)} ({fit(content, COLUMNS // 2) or size})"


def _value(region: Region, raw: bytes) -> str:
    leaf = list(region.leaves())[-1]
    if leaf.value is None or (leaf.kind == "raw" and leaf.value == len(raw)):
        text = f"{WORDS[leaf.status]} {raw.hex(' ').upper() or 'nothing'}".lstrip()
    else:
        text = repr(leaf.value) if region.children else meaning(replace(leaf, note="")).rstrip()
    return fit(text, COLUMNS // 2)
