"""The result of a check, as text and as HTML, without times or addresses."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final, Literal, Self

from kvlib.layout.text import hanging
from kvlib.lessons.picture import BytesPicture
from kvlib.views import svg
from kvlib.views.annotated import annotated
from kvlib.views.plain import SHOWN, written

CheckState = Literal["right", "wrong", "not tried yet"]
HEADLINES: Final = {"right": "right", "wrong": "not yet", "not tried yet": "not tried yet"}
SIGNS: Final = {"right": "✓", "wrong": "✗", "not tried yet": "○"}  # so that it isn't only a colour
CLASSES: Final = {"right": "right", "wrong": "wrong", "not tried yet": "new"}
STYLE: Final = (
    ".kvlib.result{max-width:860px;font:15px/1.5 var(--kv-sans)}"
    ".kvlib.result :is(pre,code){font-family:var(--kv-mono);white-space:pre-wrap;"
    "overflow-wrap:anywhere;background:none;color:inherit;padding:0}"
    ".kvlib.result .card{border:2px solid var(--kv-mark);border-radius:14px;padding:0 16px 8px;"
    "background:var(--kv-card);color:var(--kv-ink);overflow:hidden}"
    ".kvlib.result .card p{margin:8px 0}.kvlib.result .card.new{border-style:dashed}"
    ".kvlib.result .card>.head{margin:0 -16px;padding:8px 16px;font-size:17px}"
    ".kvlib.result .card.right{border-color:var(--kv-right)}"
    ".kvlib.result .card.wrong{border-color:var(--kv-wrong)}"
    ".kvlib.result .right>.head{background:var(--kv-right-p);color:var(--kv-right-t)}"
    ".kvlib.result .wrong>.head{background:var(--kv-wrong-p);color:var(--kv-wrong-t)}"
    ".kvlib.result .what{color:var(--kv-ink2)}.kvlib.result .card img{display:block}"
    ".kvlib.result summary{cursor:pointer;width:fit-content;color:var(--kv-you-t)}"
    ".kvlib.result details>table{display:block;overflow-x:auto;font:13px var(--kv-mono)}"
    ".kvlib.result :is(th,td){text-align:left;padding:1px 10px 1px 0;font-weight:inherit;"
    "vertical-align:top}"
    ".kvlib.result .dots{font-size:1.3em}.kvlib.result .dots span{margin-right:.35em}"
    ".kvlib.result .dots .right{color:var(--kv-right)}"
    ".kvlib.result .dots .wrong{color:var(--kv-wrong)}"
    ".kvlib.result .dots .here{outline:3px solid var(--kv-you);border-radius:50%}"
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
        states: the states of the notebook's exercises, by name; shown in HTML.
    """

    name: str
    state: CheckState
    asked: str = ""
    came: str = ""
    picture: BytesPicture | None = None
    words: tuple[str, ...] = ()
    printed: str = ""
    then: str = ""
    states: Mapping[str, CheckState] = field(default_factory=dict, compare=False)

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
        body = [f"<p class=head><strong>{escape(self.headline)}</strong>"]
        if self.asked:
            body.append(f"<p><span class=what>given</span> <code>{escape(self.asked)}</code>")
        if self.came:
            body.append(f"<p><span class=what>got</span> <code>{escape(self.came)}</code>")
        if self.picture:
            body.append(_drawn(self.picture))
        if self.state != "not tried yet":
            body += [f"<p>{_with_code(paragraph)}" for paragraph in self.paragraphs()]
        if self.then:
            body.append(f"<p>Next: <code>{escape(self.then)}</code>")
        card = f'<div class="card {CLASSES[self.state]}">{"".join(body)}</div>'
        return page(card + _row(self.states, self.name))


@dataclass(frozen=True)
class Progress:
    """The state of each exercise, by name, which shows itself."""

    states: Mapping[str, CheckState]

    def _notebooks(self) -> Iterator[tuple[str, dict[str, CheckState]]]:
        """Yield each notebook's number, and its exercises with a line that counts them."""
        for number in dict.fromkeys(name.partition("-")[0] for name in self.states):
            own = {name: state for name, state in self.states.items() if name[:2] == number}
            yield _counted(own), own

    def __repr__(self) -> str:
        lines = []
        for said, own in self._notebooks():
            lines += ["", f"{said}  {''.join(SIGNS[state] for state in own.values())}"]
            lines += [
                f"  {SIGNS[state]} {name:<18} {HEADLINES[state]}" for name, state in own.items()
            ]
        return "\n".join(lines[1:])

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        body = ""
        for said, own in self._notebooks():
            rows = (
                f"<tr><td>{SIGNS[state]}<th scope=row style='text-align:left'>{name}"
                f"<td>{HEADLINES[state]}"
                for name, state in own.items()
            )
            body += f"<p>{said}<br>{_dots(own)}<table><tbody>{''.join(rows)}</table>"
        return {"text/plain": repr(self), "text/html": page(body)}


def _counted(states: Mapping[str, CheckState]) -> str:
    """Return how many of a notebook's exercises are right."""
    counts = Counter(states.values())
    number = int(next(iter(states)).partition("-")[0])
    said = f"Notebook {number}: {counts['right']} of {len(states)} right"
    return said + f", {counts['wrong']} not yet" * bool(counts["wrong"])


def _dots(states: Mapping[str, CheckState], here: str = "") -> str:
    """Return a sign for each exercise, with a ring around one of them."""
    dots = "".join(
        f'<span class="{CLASSES[state]}{" here" * (name == here)}" title="{name}: '
        f'{HEADLINES[state]}">{SIGNS[state]}</span>'
        for name, state in states.items()
    )
    return f"<span class=dots aria-hidden=true>{dots}</span>"


def _row(states: Mapping[str, CheckState], here: str) -> str:
    return f"<p>{_dots(states, here)} {_counted(states)}" if states else ""


def _drawn(picture: BytesPicture) -> str:
    """Return the bytes as a static picture, the first wrong one ringed, and the table of parts."""
    figure = annotated(picture.layout, "", picture.windows(), picture.wrong)
    folded = "".join(
        f"<details><summary>{summary}</summary>{html}</details>" for summary, html in figure.folded
    )
    return figure.img() + folded


def page(body: str) -> str:
    """Return HTML with the style of results around it."""
    style = svg.variables() + STYLE
    return f'<div class="kvlib result mathjax_ignore"><style>{style}</style>{body}</div>'


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
        return {"text/plain": repr(self), "text/html": page(body)}


def _with_code(text: str) -> str:
    """Return a text as HTML, with code between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
