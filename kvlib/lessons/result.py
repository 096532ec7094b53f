"""What a check says: data, and its two forms, text and HTML. Neither holds a time or an address."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final, Literal, Self

from kvlib.views import html
from kvlib.views.dumps import dump
from kvlib.views.layout import Layout
from kvlib.views.text import COLUMNS, width
from kvlib.wording import count

State = Literal["right", "wrong", "not tried yet"]
HEADLINES: Final = {"right": "right", "wrong": "not yet", "not tried yet": "not tried yet"}
SHOWN: Final = 200  # characters of a value
PICTURED: Final = 256  # bytes of a picture
STYLE: Final = (
    "<style>.kvlib .wrong{outline:3px solid #d55e00}.kvlib pre{white-space:pre-wrap}"
    ".kvlib.result pre{padding-left:8px}.kvlib code{overflow-wrap:anywhere}"
    ".kvlib.result>p:first-of-type{border-left:4px solid #0072b2;padding-left:8px}</style>"
)


@dataclass(frozen=True)
class Picture:
    """Bytes to look at.

    Attributes:
        layout: the bytes, as the real decoder sees them.
        wrong: the offset of the first wrong byte; None if none is marked.
        rule: what should stand there.
    """

    layout: Layout
    wrong: int | None = None
    rule: str = ""

    def where(self) -> str:
        """The words for the mark."""
        if self.wrong is None:
            return ""
        first = "The first wrong byte is at"
        if self.wrong >= len(self.layout.data):
            first = "The bytes end too early, at"
        return f"{first} offset {self.wrong} ({self.wrong:04X} in the dump). {self.rule}".rstrip()


@dataclass(frozen=True)
class Result:
    """What a check found; it shows itself.

    Attributes:
        name: the exercise.
        state: "right", "wrong" or "not tried yet".
        asked: the call, or the values, that it is about; "" if there was none.
        came: what came of it.
        picture: the bytes that it is about.
        words: what to make of it, a paragraph each.
        printed: what the answer printed besides.
        then: the call to type next.
    """

    name: str
    state: State
    asked: str = ""
    came: str = ""
    picture: Picture | None = None
    words: tuple[str, ...] = ()
    printed: str = ""
    then: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def require(self) -> Self:
        """The result itself; an AssertionError with its text if it is not right: for grading."""
        if not self.passed:
            raise AssertionError(repr(self))
        return self

    @property
    def headline(self) -> str:
        """The name, and what became of it."""
        return f"{self.name}: {HEADLINES[self.state]}"

    def paragraphs(self) -> Iterator[str]:
        """The words, the picture's last: it stands below them."""
        yield from self.words
        if self.printed.strip():
            shown = short(self.printed.strip()[:SHOWN])
            yield f"It also printed: {shown}{'…' * (len(self.printed) > SHOWN)}"
        if self.picture and self.picture.where():
            yield self.picture.where()

    def lines(self) -> Iterator[str]:
        """The text, in 80 columns but for what the learner wrote."""
        yield self.headline
        if self.asked:
            yield from _hanging("  asked  ", self.asked)
        if self.came:
            yield from _hanging("  came   ", self.came)
        if self.state != "not tried yet":
            for paragraph in self.paragraphs():
                yield from ("", *_hanging("", paragraph))
        if self.picture:
            yield ""
            yield from dump(self.picture.layout, limit=PICTURED).lines()
        if self.then:
            yield from ("", f"Next: {self.then}")

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self) -> str:
        """The same, as HTML that reads without its style."""
        body = [STYLE, f"<p><strong>{escape(self.headline)}</strong>"]
        if self.asked:
            body.append(f"<p>asked <code>{escape(self.asked)}</code>")
        if self.came:
            body.append(f"<br>came <code>{escape(self.came)}</code>")
        if self.state != "not tried yet":
            body += [f"<p>{_with_code(paragraph)}" for paragraph in self.paragraphs()]
        if self.picture:
            body.append(_drawn(self.picture))
        if self.then:
            body.append(f"<p>Next: <code>{escape(self.then)}</code>")
        return html.root("result", "".join(body))


def _hanging(before: str, text: str) -> Iterator[str]:
    """The text behind `before`, in lines of 80 columns; names and code are not divided."""
    room = COLUMNS - len(before)
    columns = room if width(text) == len(text) else room // 2
    for line in textwrap.wrap(text, columns, break_on_hyphens=False) or [""]:
        yield f"{before}{line}".rstrip()
        before = " " * len(before)


def _drawn(picture: Picture) -> str:
    marks = []
    if picture.wrong is not None:
        marks = [(picture.wrong, picture.wrong + 1, "wrong")]
    made = html.draw(picture.layout, marks=marks)
    return html.legend([made]) + html.picture(made, wait="")


@dataclass(frozen=True)
class Note:
    """A hint or a solution: words, and code if there is any. It shows itself."""

    title: str
    words: tuple[str, ...]
    code: str = ""
    then: str = ""

    def __repr__(self) -> str:
        lines = [self.title]
        if self.code:
            lines += ["", *(f"    {line}".rstrip() for line in self.code.splitlines())]
        for paragraph in self.words:
            lines += ["", *_hanging("", paragraph)]
        if self.then:
            lines += ["", f"Next: {self.then}"]
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        body = f"<p><strong>{escape(self.title)}</strong>"
        if self.code:
            body += f"<pre><code>{escape(self.code)}</code></pre>"
        body += "".join(f"<p>{_with_code(paragraph)}" for paragraph in self.words)
        if self.then:
            body += f"<p>Next: <code>{escape(self.then)}</code>"
        return {"text/plain": repr(self), "text/html": html.root("result", STYLE + body)}


def _with_code(text: str) -> str:
    """Text as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def short(value: object, limit: int = SHOWN) -> str:
    """A value as one would write it, cut where it gets long; without addresses."""
    try:
        text = repr(value)
    except Exception:  # a learner's own class may have a bad one
        text = f"a {type(value).__name__}"
    text = re.sub(r" at 0x[0-9A-Fa-f]+", "", text)
    if len(text) <= limit:
        return text
    return f"{text[: limit - 40]} … {text[-20:]} ({_size(value, text)})"


def _size(value: object, text: str) -> str:
    """How long a value is, in its own units if it has any."""
    if isinstance(value, bytes):
        return count(len(value), "byte")
    if isinstance(value, str):
        return count(len(value), "character")
    return f"{count(len(text), 'character')} as Python writes it"
