"""Predictions: you choose what will happen, then you see what does happen, and why.

The questions are written in the sources of the notebooks. `make notebooks` copies their options and
answers into predictions.json, so that each of them is written once.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from importlib.resources import files
from importlib.util import find_spec
from io import StringIO
from pprint import pformat
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, overload

from kvlib.layout.text import hanging
from kvlib.lessons.result import SIGNS, page
from kvlib.views.html import as_html

if TYPE_CHECKING:
    from kvlib.views.widgets import Buttons, Revealed

COLUMNS: Final = 88

_chosen: dict[str, str] = {}  # the letters chosen in this process


class Question(NamedTuple):
    """The answer to a prediction.

    Attributes:
        options: what one can choose, by letter.
        right: the letter of the right one.
        why: the reason, as HTML.
    """

    options: Mapping[str, str]
    right: str
    why: str


@cache
def questions() -> Mapping[str, Question]:
    """Return the questions of all notebooks, by name."""
    text = files("kvlib.lessons").joinpath("predictions.json").read_text(encoding="utf-8")
    return {name: Question(**fields) for name, fields in json.loads(text).items()}


@overload
def predict() -> "Score": ...
@overload
def predict(name: str, call: Callable[..., object], *arguments: object) -> "Guess": ...
def predict(
    name: str = "", call: Callable[..., object] | None = None, *arguments: object
) -> "Guess | Score":
    """Run `call(*arguments)`, and show what it does once you have chosen what you expect.

    What it prints, returns or raises is kept until then. Your first choice counts. Without
    arguments, show how often you were right.

    Args:
        name: the prediction, such as "encode-name".
        call: the experiment.
        arguments: its arguments.

    Raises ValueError if there is no prediction with this name.
    """
    if call is None:
        return Score({one: _chosen[one] for one in questions() if one in _chosen})
    if name not in questions():
        raise ValueError(f"There is no prediction {name!r}. Use the name that the cell had.")
    printed, value = StringIO(), None
    with redirect_stdout(printed):
        try:
            value = call(*arguments)
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
    return Guess(name, questions()[name], printed.getvalue(), value)


@dataclass(frozen=True, eq=False)
class Guess:
    """An experiment whose result is shown as soon as you have chosen. It shows itself.

    Attributes:
        name: the prediction.
        question: its options and answer.
        printed: what the experiment printed, or the error that it raised.
        value: what it returned.
    """

    name: str
    question: Question
    printed: str
    value: object

    @property
    def chosen(self) -> str:
        """The letter that was chosen, or "" before that."""
        return _chosen.get(self.name, "")

    def choose(self, letter: str) -> Self:
        """Choose an option; once one is chosen, it stays.

        Raises ValueError if there is no such option.
        """
        if letter not in self.question.options:
            raise ValueError(f"{letter!r} is no option: choose {self._letters()}")
        _chosen.setdefault(self.name, letter)
        return self

    @property
    def headline(self) -> str:
        """What was chosen and whether it is right, or what there is to choose from."""
        if not self.chosen:
            return f"{SIGNS['not tried yet']} {self.name}: choose {self._letters()}"
        return f"{self._sign} {self.name}: {self._said}"

    @property
    def _state(self) -> Literal["right", "wrong"]:
        return "right" if self.chosen == self.question.right else "wrong"

    @property
    def _sign(self) -> str:
        return SIGNS[self._state]

    @property
    def _said(self) -> str:
        right = self.question.right
        end = "and that's right" if self._state == "right" else f"but ({right}) is right"
        return f"you chose ({self.chosen}), {end}"

    def _letters(self) -> str:
        *first, last = (f"({letter})" for letter in self.question.options)
        return f"{', '.join(first)} or {last}"

    @property
    def result(self) -> str:
        """The result of the experiment as text."""
        if self.value is None:
            return self.printed.rstrip("\n")
        text = repr(self.value)
        if isinstance(self.value, (dict, list, tuple, set)) and len(text) > COLUMNS:
            text = pformat(self.value, width=COLUMNS, sort_dicts=False)
        return self.printed + text

    def __repr__(self) -> str:
        if not self.chosen:
            return self.headline
        why = unescape(re.sub(r"<[^>]+>", "", self.question.why))
        return "\n".join([self.headline, "", self.result, "", *hanging("", " ".join(why.split()))])

    def result_html(self) -> str:
        """Return the result of the experiment as HTML."""
        bundle: Any = getattr(self.value, "_repr_mimebundle_", dict)()
        html = bundle.get("text/html") or getattr(self.value, "_repr_html_", str)()
        return (
            (as_html(self.printed) if self.printed else "") + html if html else as_html(self.result)
        )

    def verdict_html(self) -> str:
        """Return what was chosen, and whether it is right, as HTML."""
        right = self.question.right
        head = f"{self._sign} {self._said[0].upper()}{self._said[1:]}"
        option = f"({right}) {_plain(self.question.options[right])}"
        body = f"<p class=head><strong>{escape(head)}</strong><p>{escape(option)}"
        return page(f'<div class="card {self._state}">{body}</div>')

    def why_html(self) -> str:
        """Return the reason as HTML."""
        return page(self.question.why)

    def html(self) -> str:
        """Return this for a page without a kernel: folded, unless something was chosen."""
        if self.chosen:
            return self.verdict_html() + self.result_html() + self.why_html()
        summary = f"Choose {self._letters()} first. Then unfold what happens."
        return page(f"<details><summary>{summary}</summary>{self.result_html()}</details>")

    def buttons(self) -> "Buttons":
        """Return a widget with a button for each option."""
        from kvlib.views.widgets import Buttons

        options = self.question.options
        return Buttons("Your prediction:", options, self._reveal, self.chosen)

    def _reveal(self, letter: str) -> "Revealed":
        from kvlib.views.widgets import Revealed

        self.choose(letter)
        bundle: Any = getattr(self.value, "_repr_mimebundle_", dict)()
        printed = self.printed if bundle else self.result + "\n"
        outputs: list[dict[str, object]] = []
        if printed:
            outputs.append({"output_type": "stream", "name": "stdout", "text": printed})
        if bundle:
            outputs.append({"output_type": "display_data", "data": bundle, "metadata": {}})
        return Revealed(self._sign, self.verdict_html(), tuple(outputs), self.why_html())

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle: dict[str, Any] = {}
        if find_spec("ipywidgets"):
            bundle = self.buttons()._repr_mimebundle_(**options)
        return {**bundle, "text/plain": repr(self), "text/html": self.html()}


@dataclass(frozen=True)
class Score:
    """How often the predictions made in this process were right. It shows itself.

    Attributes:
        chosen: the letters chosen, by the names of the predictions.
    """

    chosen: Mapping[str, str]

    @property
    def right(self) -> int:
        """The number of right predictions."""
        return sum(questions()[name].right == letter for name, letter in self.chosen.items())

    @property
    def headline(self) -> str:
        """The numbers, as a sentence."""
        if not self.chosen:
            return "You haven't made a prediction since the kernel started."
        return f"Predictions: {len(self.chosen)} made, {self.right} right."

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for name, letter in self.chosen.items():
            right = questions()[name].right
            state = "right" if letter == right else "wrong"
            said = f"({letter})" if letter == right else f"({letter}); ({right}) is right"
            rows.append((SIGNS[state], name, said))
        return rows

    def __repr__(self) -> str:
        width = max(map(len, self.chosen), default=0)
        rows = (f"  {sign} {name:<{width}}  {said}" for sign, name, said in self._rows())
        return "\n".join([self.headline, *rows])

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = "".join(
            f"<tr><td>{sign}<th scope=row style='text-align:left'>{name}<td>{said}"
            for sign, name, said in self._rows()
        )
        table = f"<table><tbody>{rows}</table>" if rows else ""
        return {"text/plain": repr(self), "text/html": page(f"<p>{self.headline}{table}")}


def _plain(markdown: str) -> str:
    """Return the text of an option without the marks of its code."""
    return re.sub(r"[`*]", "", markdown)
