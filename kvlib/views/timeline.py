"""A timeline: bytes at one moment after another, chosen with a slider. Every explorer is one.

A view asks the engine at each position of its slider before anything is shown, and stores the
answers in moments. Text, table and script only show them: every experiment has really been made.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from kvlib.layout.dissect import Layout, walk_again
from kvlib.layout.text import hanging, lines
from kvlib.views.delta import Numbers, changes, squeeze
from kvlib.views.html import WAIT, Drawing, LeafText, as_html, draw, legend, picture, root

if TYPE_CHECKING:
    from kvlib.views.figure import Figure

Verdict = Literal["right", "refused", "wrong", "told"]
Word = Literal["new", "lost", "flipped", "differs"]

SIGNS: Final[dict[Verdict, str]] = {"right": "=", "refused": "!", "wrong": "x", "told": "-"}
KEY: Final = "(= right, ! refused, x wrong and no error)"


class ReaderOutcome(NamedTuple):
    """The outcome of a moment: right, refused with an error, or wrong without an error.

    Or only told, if there is no right or wrong.
    """

    verdict: Verdict
    words: str


class Highlight(NamedTuple):
    """A span of a picture's bytes to point out, and its kind."""

    start: int
    end: int
    word: Word


@dataclass(frozen=True)
class Scene:
    """The bytes of a moment, as the engine read them.

    Attributes:
        layout: the regions of the bytes that are there; its source is the title.
        beyond: bytes that would follow, but never reached the disk.
        marks: spans in either of them to point out.
    """

    layout: Layout
    beyond: bytes = b""
    marks: tuple[Highlight, ...] = ()


@dataclass(frozen=True)
class Moment:
    """One position of the slider.

    Attributes:
        label: its name in a word or two: "57", "put café".
        outcomes: an outcome for each strip of the timeline.
        pictures: the bytes.
        notes: other texts with their headings, such as the contents of memory.
    """

    label: str
    outcomes: tuple[ReaderOutcome, ...] = ()
    pictures: tuple[Scene, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


class Run(NamedTuple):
    """Consecutive moments with the same outcome: the first and the last of them."""

    first: int
    last: int
    outcome: ReaderOutcome


@dataclass(frozen=True)
class Timeline:
    """Moments, and their common properties. It shows itself.

    Attributes:
        caption: the experiment.
        control: the unit of the slider: "bytes that reached the disk".
        strips: the names of the readers: ("kvlib",), or ("yours", "kvlib").
        moments: at least one.
        start: the index of the moment to show first.
        draw: what makes a figure of it.
    """

    caption: str
    control: str
    strips: tuple[str, ...]
    moments: tuple[Moment, ...]
    start: int = 0
    draw: "Callable[[Timeline], Figure] | None" = None

    def runs(self, strip: int) -> Iterator[Run]:
        """Return the outcomes of all moments, without repetition."""
        outcomes = enumerate(moment.outcomes[strip] for moment in self.moments)
        for outcome, members in groupby(outcomes, lambda pair: pair[1]):
            numbers = [number for number, _ in members]
            yield Run(numbers[0], numbers[-1], outcome)

    def span(self, run: Run) -> str:
        """Return the labels of a run's ends: "0-20"."""
        first, last = self.moments[run.first].label, self.moments[run.last].label
        return first if run.first == run.last else f"{first}-{last}"

    def answers(self, number: int) -> str:
        """Return what each reader answers at a moment, as sentences."""
        told = []
        for strip, (verdict, words) in zip(self.strips, self.moments[number].outcomes, strict=True):
            known = verdict == "told" or words.startswith(verdict)
            told.append(f"{strip}: {'' if known else f'{verdict}: '}{words}.")
        return " ".join(told)

    def folded_runs(self) -> tuple[tuple[str, str], ...]:
        """Return all outcomes as tables, to be folded below a figure."""
        tables = "".join(_runs(self, number) for number in range(len(self.strips)))
        return (("All outcomes", tables),)

    def lines(self) -> Iterator[str]:
        """Yield the text: every outcome, then the first moment to show."""
        yield from hanging("", self.caption)
        for number, strip in enumerate(self.strips):
            runs = list(self.runs(number))
            yield from ("", f"{self.control}: what {strip} answers")
            yield from [KEY] * any(run.outcome.verdict != "told" for run in runs)
            columns = max(len(self.span(run)) for run in runs)
            for run in runs:
                before = f"  {self.span(run):>{columns}}  {SIGNS[run.outcome.verdict]} "
                yield from hanging(before, run.outcome.words)
        moment = self.moments[self.start]
        yield from ("", f"{self.control}: {moment.label}")
        for heading, text in moment.notes:
            yield from ("", f"{heading}:", *text.splitlines())
        for shown in moment.pictures:
            yield from ("", f"{shown.layout.source}:", "")
            yield from lines(shown.layout.data, walk_again(shown.layout))

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        html = self.draw(self).html() if self.draw else page(self)
        return {"text/plain": repr(self), "text/html": html}


# ------------------------------------------------------------------------------------------- HTML

LIMIT: Final = 50_000  # bytes of HTML
BRIEF: Final = 400  # bytes of data; with more, only the script shows all parts


def page(timeline: Timeline) -> str:
    """Return the timeline's tables and the script that plays it, within LIMIT bytes.

    If there are too many moments, the slider leaves out some at its ends and says so; the table of
    outcomes has them all.
    """
    shots = _shots(timeline)
    first, last = 0, len(timeline.moments)
    while first < last:
        html = _page(timeline, shots, first, last)
        size = len(html.encode())
        if size <= LIMIT:
            return html
        room = (last - first) * LIMIT // size * 9 // 10
        first = max(0, min(timeline.start - room // 2, len(timeline.moments) - room))
        last = first + room
    return as_html(repr(timeline))


def _page(timeline: Timeline, shots: list[list[Drawing | None]], first: int, last: int) -> str:
    start = timeline.moments[timeline.start]
    part = replace(timeline, moments=timeline.moments[first:last], start=timeline.start - first)
    notice = ""
    if len(part.moments) < len(timeline.moments):
        notice = (
            f"<p>The slider has {len(part.moments):,} of {len(timeline.moments):,} positions, from "
            f"{escape(part.moments[0].label)} to {escape(part.moments[-1].label)}: more would make "
            "this page too large. The outcomes below are complete."
        )
    tables = "".join(_runs(timeline, number) for number in range(len(timeline.strips)))
    notes = "".join(f"<dt>{escape(heading)}<dd>{escape(text)}" for heading, text in start.notes)
    drawn = legend(made for shot in shots[first:last] for made in shot if made)
    there = sum(len(made.data) for made in shots[timeline.start] if made)
    pictures = "".join(
        picture(made or Drawing("", b"", ()), brief=there > BRIEF).replace(
            "<div", "<div" if made else "<div hidden", 1
        )
        for made in shots[timeline.start]
    )
    body = (
        f"<p><b>{escape(timeline.caption)}</b>{notice}<p class=wait>{WAIT}</p>"
        f"<details class=outcomes open><summary>All outcomes</summary>{tables}</details>"
        f"<p class=now>{escape(timeline.control)}: {escape(start.label)}</p>"
        f"<dl>{notes}</dl>{drawn}<div class=pictures>{pictures}</div>"
    )
    data = reel(part, shots[first:last])
    return root("film", body, data, styles=("timeline.css",), scripts=("view.js", "timeline.js"))


def _shots(timeline: Timeline) -> list[list[Drawing | None]]:
    """Return the pictures of each moment, the same number for each."""
    slots = max(len(moment.pictures) for moment in timeline.moments)
    shots: list[list[Drawing | None]] = []
    for moment in timeline.moments:
        made = [draw(shown.layout, shown.beyond, shown.marks) for shown in moment.pictures]
        shots.append([*made, *[None] * (slots - len(made))])
    return shots


def _runs(timeline: Timeline, strip: int) -> str:
    """Return the outcomes of one strip as a table."""
    rows = "".join(
        f"<tr><th scope=row>{escape(timeline.span(run))}"
        f"<td>{SIGNS[run.outcome.verdict]} {run.outcome.verdict}<td>{escape(run.outcome.words)}"
        for run in timeline.runs(strip)
    )
    control = escape(timeline.control)
    return (
        "<div class=scroll tabindex=0><table class=runs>"
        f"<caption>{control}: what {escape(timeline.strips[strip])} answers</caption><thead><tr>"
        f"<th scope=col>{control}<th scope=col>verdict<th scope=col>outcome<tbody>"
        f"{rows}</table></div>"
    )


def reel(timeline: Timeline, shots: list[list[Drawing | None]]) -> dict[str, object]:
    """Return the timeline in the form that its script reads: see delta.py."""
    strings, pieces, outcomes = Numbers[str](), Numbers[LeafText](), Numbers[ReaderOutcome]()
    moments = timeline.moments
    return {
        "control": timeline.control,
        "start": timeline.start,
        "strips": timeline.strips,
        "labels": _texts((moment.label for moment in moments), strings),
        "results": [
            _column(str(outcomes[moment.outcomes[strip]]) for moment in moments)
            for strip in range(len(timeline.strips))
        ],
        "slots": [_slot(column, strings, pieces) for column in zip(*shots, strict=True)],
        "notes": _notes(moments, strings),
        "outcomes": [(SIGNS[verdict], words) for verdict, words in outcomes],
        "pieces": squeeze((_piece(piece, strings) for piece in pieces), str),
        "strings": squeeze(changes(list(strings), str), str),
    }


def _column(strings: Iterable[str]) -> str:
    return "|".join(squeeze(strings, str))


def _texts(texts: Iterable[str], strings: Numbers[str]) -> str:
    """Return a column of texts; "~" marks one whose numbers were squeezed instead."""
    texts = list(texts)
    literal = sum(not text.startswith("*") for text in squeeze(texts, lambda _: ""))
    if 2 * literal < len({*texts}):
        return "|".join(squeeze(texts, lambda text: _numbers(text, strings)))
    return "~" + _column(_numbers(text, strings) for text in texts)


def _numbers(text: str, strings: Numbers[str]) -> str:
    """Return a text as the numbers of its parts between colons, because many parts recur."""
    return " ".join(str(strings[part]) for part in text.split(": "))


def _piece(piece: LeafText, strings: Numbers[str]) -> str:
    words = [_numbers(text, strings) for text in (piece.heading, piece.name, piece.meaning)]
    about = ":".join(map(str, piece.about or ()))
    return ":".join([str(piece.size), piece.letter, piece.status, *words, about])


def _slot(
    shots: Sequence[Drawing | None], strings: Numbers[str], pieces: Numbers[LeafText]
) -> dict[str, object]:
    """Return one picture at all moments."""
    there = [shot or Drawing("", b"", ()) for shot in shots]
    data = [_column(changes([made.data for made in there], _hex, first)) for first in (False, True)]
    first = len(data[1]) < len(data[0])
    return {
        "there": _column("x" * (shot is not None) for shot in shots),
        "titles": _texts((made.title for made in there), strings),
        "first": first,
        "data": data[first],
        "pieces": _column(changes([[pieces[piece] for piece in made.pieces] for made in there])),
        "marks": _column(" ".join(_mark(made, *mark) for mark in made.marks) for made in there),
        "flaws": _texts((made.flaw for made in there), strings),
    }


def _hex(fresh: Sequence[int]) -> str:
    return bytes(fresh).hex()


def _mark(made: Drawing, start: int, end: int, word: str) -> str:
    """Return a mark, without its size if it reaches the end."""
    return f"{word}:{start}:{'' if end == len(made.data) else end - start}"


def _notes(moments: Sequence[Moment], strings: Numbers[str]) -> list[str]:
    """Return two columns for each note: its headings, and its texts."""
    most = max(len(moment.notes) for moment in moments)
    padded = [[*moment.notes, *[("", "")] * (most - len(moment.notes))] for moment in moments]
    return [
        _texts((note[side] for note in column), strings)
        for column in zip(*padded, strict=True)
        for side in (0, 1)
    ]
