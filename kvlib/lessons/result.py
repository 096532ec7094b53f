"""The result of a check, as text and as HTML, without times or addresses."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, Literal, Self

from kvlib.layout.text import hanging
from kvlib.lessons.picture import BytesPicture
from kvlib.views import html
from kvlib.views.plain import SHOWN, written

CheckState = Literal["right", "wrong", "not tried yet"]
HEADLINES: Final = {"right": "right", "wrong": "not yet", "not tried yet": "not tried yet"}
SIGNS: Final = {"right": "✓", "wrong": "✗", "not tried yet": "○"}  # so that it isn't only a colour
CLASSES: Final = {"right": "ok", "wrong": "no", "not tried yet": "new"}
STYLE: Final = (
    "<style>.kvlib .wrong{outline:3px solid #d55e00}.kvlib pre{white-space:pre-wrap}"
    ".kvlib.result pre{padding-left:8px}.kvlib code{overflow-wrap:anywhere}"
    ".kvlib.result>p:first-of-type{border-left:4px solid #0072b2;padding-left:8px}"
    ".kvlib.result>p.ok{border-color:#009e73}.kvlib.result>p.no{border-color:#d55e00}"
    ".kvlib .dots{font-size:1.4em;letter-spacing:.2em}.kvlib .dots .right{color:#009e73}"
    ".kvlib .dots .wrong{color:#d55e00;outline:0}</style>"
)


@dataclass(frozen=True)
class Result:
    """The result of a check, which shows itself.

    Attributes:
        name: the exercise.
        state: "right", "wrong" or "not tried yet".
        asked: the call or the values, or "".
        came: the outcome.
        picture: the bytes in question.
        words: the feedback, as paragraphs.
        printed: the answer's output.
        then: the call to type next.
    """

    name: str
    state: CheckState
    asked: str = ""
    came: str = ""
    picture: BytesPicture | None = None
    words: tuple[str, ...] = ()
    printed: str = ""
    then: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def require(self) -> Self:
        """Return the result if it is right, else raise AssertionError with its text."""
        if not self.passed:
            raise AssertionError(repr(self))
        return self

    @property
    def headline(self) -> str:
        """The name and the state."""
        return f"{SIGNS[self.state]} {self.name}: {HEADLINES[self.state]}"

    def paragraphs(self) -> Iterator[str]:
        """Yield the feedback, the picture's last, because the picture follows."""
        yield from self.words
        if self.printed.strip():
            shown = written(self.printed.strip()[:SHOWN])
            yield f"It also printed: {shown}{'…' * (len(self.printed) > SHOWN)}"
        if self.picture and self.picture.where():
            yield self.picture.where()

    def lines(self) -> Iterator[str]:
        """Yield the text, in 80 columns except for the learner's own lines."""
        yield self.headline
        if self.asked:
            yield from hanging("  tried  ", self.asked)
        if self.came:
            yield from hanging("  got    ", self.came)
        if self.state != "not tried yet":
            for paragraph in self.paragraphs():
                yield from ("", *hanging("", paragraph))
        if self.picture:
            yield ""
            yield from self.picture.lines()
        if self.then:
            yield from ("", f"Next: {self.then}")

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.html()}

    def html(self) -> str:
        """Return the same as HTML, which reads without its style too."""
        body = [STYLE, f"<p class={CLASSES[self.state]}><strong>{escape(self.headline)}</strong>"]
        if self.asked:
            body.append(f"<p>tried <code>{escape(self.asked)}</code>")
        if self.came:
            body.append(f"<br>got <code>{escape(self.came)}</code>")
        if self.state != "not tried yet":
            body += [f"<p>{_with_code(paragraph)}" for paragraph in self.paragraphs()]
        if self.picture:
            body.append(_drawn(self.picture))
        if self.then:
            body.append(f"<p>Next: <code>{escape(self.then)}</code>")
        return html.root("result", "".join(body))


@dataclass(frozen=True)
class Progress:
    """The state of each exercise, by name, which shows itself."""

    states: Mapping[str, CheckState]

    def _notebooks(self) -> Iterator[tuple[str, dict[str, CheckState]]]:
        """Yield each notebook's number, and its exercises with a line that counts them."""
        for number in dict.fromkeys(name.partition("-")[0] for name in self.states):
            own = {name: state for name, state in self.states.items() if name[:2] == number}
            counts = Counter(own.values())
            said = f"Notebook {int(number)}: {counts['right']} of {len(own)} right"
            if counts["wrong"]:
                said += f", {counts['wrong']} not yet"
            yield said, own

    def __repr__(self) -> str:
        lines = []
        for said, own in self._notebooks():
            lines += ["", f"{said}  {''.join(SIGNS[state] for state in own.values())}"]
            lines += [
                f"  {SIGNS[state]} {name:<18} {HEADLINES[state]}" for name, state in own.items()
            ]
        return "\n".join(lines[1:])

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        body = STYLE
        for said, own in self._notebooks():
            dots = "".join(
                f'<span class={state.split()[0]} title="{name}: '
                f'{HEADLINES[state]}">{SIGNS[state]}</span>'
                for name, state in own.items()
            )
            rows = (
                f"<tr><td>{SIGNS[state]}<th scope=row style='text-align:left'>{name}"
                f"<td>{HEADLINES[state]}"
                for name, state in own.items()
            )
            body += (
                f"<p>{said}<br><span class=dots aria-hidden=true>{dots}</span>"
                f"<table><tbody>{''.join(rows)}</table>"
            )
        return {"text/plain": repr(self), "text/html": html.root("result", body)}


def _drawn(picture: BytesPicture) -> str:
    marks = []
    if picture.wrong is not None:
        marks = [(picture.wrong, picture.wrong + 1, "wrong")]
    made = html.draw(picture.layout, marks=marks)
    return html.legend([made]) + html.picture(made, picture.windows(), wait="")


@dataclass(frozen=True)
class HelpText:
    """A hint or a solution, with or without code, which shows itself."""

    title: str
    words: tuple[str, ...]
    code: str = ""
    then: str = ""

    def __repr__(self) -> str:
        lines = [self.title]
        if self.code:
            lines += ["", *(f"    {line}".rstrip() for line in self.code.splitlines())]
        for paragraph in self.words:
            lines += ["", *hanging("", paragraph)]
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
    """Return a text as HTML, with code between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
