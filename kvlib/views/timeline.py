"""A timeline: bytes at one moment after another, and what readers answered.

A view asks the engine at each moment before anything is shown. Text, table and figure only show the
answers: every experiment has really been made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final, Literal, NamedTuple

from kvlib.layout.dissect import Layout, walk_again
from kvlib.layout.regions import Span
from kvlib.layout.text import hanging, lines
from kvlib.views.figure import Figure

Verdict = Literal["right", "refused", "wrong", "told"]

SIGNS: Final[dict[Verdict, str]] = {"right": "=", "refused": "!", "wrong": "x", "told": "-"}
TABLES: Final = 16_000  # characters of HTML
KEY: Final = "(= right, ! refused, x wrong and no error)"


class ReaderOutcome(NamedTuple):
    """The outcome of a moment: right, refused with an error, or wrong without an error.

    Or only told, if there is no right or wrong.
    """

    verdict: Verdict
    words: str


class Scene(NamedTuple):
    """The bytes of a moment, as the engine read them.

    Attributes:
        layout: their regions; its source is the title.
        marks: spans of them that are new, or that differ.
    """

    layout: Layout
    marks: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Moment:
    """One experiment.

    Attributes:
        label: its name in a word or two: "57", "put café".
        outcomes: an outcome for each reader.
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
        control: what one chooses: "bytes that reached the disk".
        strips: the names of the readers: ("kvlib",), or ("yours", "kvlib").
        moments: at least one.
        start: the index of the moment to show first.
        draw: what makes a figure of it.
    """

    caption: str
    control: str
    strips: tuple[str, ...]
    moments: tuple[Moment, ...]
    start: int
    draw: "Callable[[Timeline], Figure]"

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
        """Return all outcomes to be folded below a figure, unless they would take up its room."""
        tables = "".join(self._table(number) for number in range(len(self.strips)))
        if len(tables) > TABLES:
            runs = sum(1 for strip in range(len(self.strips)) for _ in self.runs(strip))
            tables = f"<p>There are {runs:,}: print this view to list them."
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
        return {"text/plain": repr(self), "text/html": self.draw(self).html()}

    def _table(self, strip: int) -> str:
        """Return the outcomes of one reader as a table."""
        rows = "".join(
            f"<tr><th scope=row>{escape(self.span(run))}"
            f"<td>{SIGNS[run.outcome.verdict]} {run.outcome.verdict}<td>{escape(run.outcome.words)}"
            for run in self.runs(strip)
        )
        control = escape(self.control)
        return (
            "<div class=scroll tabindex=0><table>"
            f"<caption>{control}: what {escape(self.strips[strip])} answers</caption><thead><tr>"
            f"<th scope=col>{control}<th scope=col>verdict<th scope=col>outcome<tbody>"
            f"{rows}</table></div>"
        )
