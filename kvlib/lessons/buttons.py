"""The buttons of a prediction. Only this module of the lessons needs ipywidgets."""

from functools import partial
from typing import Any

import ipywidgets

from kvlib.lessons.guesses import Guess
from kvlib.lessons.result import SIGNS
from kvlib.views.widgets import GUARD


class Buttons(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A button for each option; pressing one shows the result and the reason.

    Attributes:
        letters: the buttons, by letter.
    """

    def __init__(self, guess: Guess) -> None:
        """Show the buttons, and the result too if an option was chosen before."""
        self._guess = guess
        layout = ipywidgets.Layout(width="5em", flex="none")
        self.letters = {
            letter: ipywidgets.Button(description=f"({letter})", tooltip=option, layout=layout)
            for letter, option in guess.question.options.items()
        }
        for letter, button in self.letters.items():
            button.on_click(partial(self._choose, letter))
        row = [ipywidgets.HTML("Your prediction:"), *self.letters.values()]
        guard = ipywidgets.HTML(GUARD, layout=ipywidgets.Layout(display="none"))
        rows = ipywidgets.Layout(flex_flow="row wrap")
        self._row, self._guard = ipywidgets.HBox(row, layout=rows), guard
        super().__init__([self._row, self._guard])
        self.add_class("kvlib-explorer")
        if guess.chosen:
            self._reveal()

    def _choose(self, letter: str, _: object) -> None:
        if not self._guess.chosen:
            self._guess.choose(letter)
            self._reveal()

    def _reveal(self) -> None:
        guess = self._guess
        for letter, button in self.letters.items():
            # The chosen button keeps the focus, so it isn't disabled.
            if letter == guess.chosen:
                right = letter == guess.question.right
                button.description = f"{SIGNS['right' if right else 'wrong']} ({letter})"
            else:
                button.disabled = True
        result: Any = ipywidgets.Output()  # the only widget that runs the script of a figure
        if guess.value is None or not hasattr(guess.value, "_repr_mimebundle_"):
            result.append_stdout(guess.result + "\n")
        else:
            result.append_stdout(guess.printed)
            result.append_display_data(guess.value)
        self.children = [
            self._row,
            ipywidgets.HTML(guess.verdict_html()),
            result,
            ipywidgets.HTML(guess.why_html()),
            self._guard,
        ]
