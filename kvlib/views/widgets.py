"""Dumps that change while you type. The only part of the views that needs ipywidgets."""

from collections.abc import Callable
from typing import Any

import ipywidgets

from kvlib.views.dumps import as_html, dump

Choice = str | int | bool | list[Any] | range


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Labelled controls above what a function shows for their values; made by `explore`."""

    def __init__(self, show: Callable[..., object], controls: dict[str, Choice]) -> None:
        self._show = show
        self._controls = {name: _control(name, choice) for name, choice in controls.items()}
        self._screen = ipywidgets.HTML()
        for control in self._controls.values():
            control.observe(self._update, names="value")
        super().__init__([*self._controls.values(), self._screen])
        self._update()

    @property
    def text(self) -> str:
        """What the screen shows now."""
        values = {name: control.value for name, control in self._controls.items()}
        try:
            shown = self._show(**values)
        except Exception as error:  # the learner's own function, or their own input: both answer
            return f"{type(error).__name__}: {error}"
        if isinstance(shown, str):
            return shown
        return repr(dump(shown) if isinstance(shown, (bytes, bytearray)) else shown)

    def _update(self, _: object = None) -> None:
        self._screen.value = as_html(self.text)

    def __repr__(self) -> str:
        values = [f"{name}: {control.value!r}" for name, control in self._controls.items()]
        return "\n".join([*values, "", self.text])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        # ipywidgets would cut the text at 110 characters; without a kernel it is all there is.
        bundle = super()._repr_mimebundle_(**options)
        bundle["text/plain"] = repr(self)
        return bundle


def _control(name: str, choice: Choice) -> Any:
    described = {"description": f"{name}:", "style": {"description_width": "initial"}}
    if isinstance(choice, bool):
        return ipywidgets.Checkbox(value=choice, indent=False, description=name)
    if isinstance(choice, str):
        return ipywidgets.Text(value=choice, continuous_update=True, **described)
    if isinstance(choice, int):
        return ipywidgets.BoundedIntText(value=choice, min=0, max=2**32 - 1, **described)
    if isinstance(choice, range):
        ends = {"min": choice[0], "max": choice[-1], "step": choice.step}
        return ipywidgets.BoundedIntText(value=choice[0], **ends, **described)
    if isinstance(choice, list):
        return ipywidgets.Dropdown(options=choice, **described)
    raise TypeError(f"{name} is a str, bool, int, range or list, not {type(choice).__name__}")


def explore(show: Callable[..., object], **controls: Choice) -> Explorer:
    """Show `show(**values)`, and show it again whenever a control changes.

    A str makes a text field, an int a number field from 0 on, a range one with its bounds that
    starts at the first, a list a menu, a bool a box to tick. What `show` gives is dumped if it is
    bytes, shown as it is if it is a str, else by its repr; an exception by its message.
    """
    return Explorer(show, controls)
