"""Widgets for the views that change while you type. Only this module needs ipywidgets."""

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import ipywidgets

from kvlib.layout.text import fit, hanging
from kvlib.plural import count
from kvlib.views import readers
from kvlib.views.arguments import Choice
from kvlib.views.dump import as_html, dump
from kvlib.views.html import Screen
from kvlib.views.plain import told

Values = Mapping[str, object]  # of controls, by name

MOST: Final = 20_000  # characters of a screen
MOST_HTML: Final = 1_000_000

# While a menu, a checkbox or a button has the focus, JupyterLab treats keys as its own shortcuts: x
# cuts the cell. It ignores elements with this attribute, but ipywidgets can't set it. The HTML of a
# widget runs no <script>, but it does run the error handler of an image that can't be loaded.
GUARD: Final = (
    '<img alt="" src="data:," onerror="if (!window.kvlibGuard) { window.kvlibGuard = true;'
    " document.addEventListener('focusin', event => { if (event.target.closest('.kvlib-explorer'))"
    " event.target.setAttribute('data-lm-suppress-shortcuts', 'true') }) }\">"
)


class Explorer(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Labelled controls above a function's result for their values; made by `explore`.

    Attributes:
        controls: the controls, by name.
        buttons: buttons that set several controls, by name.
        screen: the HTML below them.
        text: the text of the screen.
    """

    def __init__(
        self,
        show: Callable[..., object],
        controls: Mapping[str, Choice],
        presets: Mapping[str, Values | Callable[[Any], Values]] | None = None,
        *,
        hidden: Collection[str] = (),
        page: str = "",
    ) -> None:
        """Show `show(**values)` below controls.

        Args:
            show: the function of the controls' values.
            controls: what each control chooses from, by name.
            presets: values to set, or functions that compute them from the values of all
                controls, by the names of their buttons.
            hidden: the controls that only buttons set.
            page: HTML for pages without a kernel, instead of that of a Screen.
        """
        self._show, self._page, self._held = show, page, False
        self.controls = {name: _control(name, choice) for name, choice in controls.items()}
        self.screen = ipywidgets.HTML()
        for control in self.controls.values():
            control.observe(self._update, names="value")
        guard = ipywidgets.HTML(GUARD, layout=ipywidgets.Layout(display="none"))
        self.buttons = {
            name: _button(name, self._set, one) for name, one in (presets or {}).items()
        }
        acts = [button for name, button in self.buttons.items() if callable((presets or {})[name])]
        sets = [button for button in self.buttons.values() if button not in acts]
        shown = [control for name, control in self.controls.items() if name not in hidden]
        rows = ipywidgets.Layout(flex_flow="row wrap")
        above = [ipywidgets.HBox(row, layout=rows) for row in (sets, [*shown, *acts]) if row]
        super().__init__([*above, self.screen, guard])
        self.add_class("kvlib-explorer")
        self._update()

    @property
    def _values(self) -> dict[str, object]:
        return {name: control.value for name, control in self.controls.items()}

    def _set(self, values: Values | Callable[[Any], Values]) -> None:
        self._held = True  # one update, not one for each control
        for name, value in (values(self._values) if callable(values) else values).items():
            self.controls[name].value = value
        self._held = False
        self._update()

    def _update(self, _: object = None) -> None:
        if self._held:
            return
        self._now = ""
        try:
            answer = self._show(**self._values)
            self.text, self.screen.value = _shown(answer)
            self._now = answer.page if isinstance(answer, Screen) else ""
        except (Exception, SystemExit) as error:  # a learner's function or input has failed
            self.text = "\n".join(hanging("", fit(readers.error_line(error), readers.ANSWER)))
            self.screen.value = as_html(self.text)

    def __repr__(self) -> str:
        lines = list[str]()
        for name, control in self.controls.items():
            lines += hanging(f"{name}: ", repr(control.value))
        return "\n".join([*lines, "", self.text] if lines else [self.text])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        # ipywidgets would cut the text at 110 characters, but without a kernel there is only this
        # text.
        bundle = super()._repr_mimebundle_(**options)
        bundle["text/plain"] = repr(self)
        if page := self._page or self._now:
            bundle["text/html"] = page
        return bundle


class Revealed(NamedTuple):
    """What pressing one of several buttons reveals: HTML, outputs of a cell, and HTML again."""

    sign: str
    above: str
    outputs: tuple[Mapping[str, object], ...]
    below: str


class Buttons(ipywidgets.VBox):  # type: ignore[misc]
    """Buttons of which one can be pressed, once; what that reveals is shown below them.

    Attributes:
        buttons: the buttons, by name.
    """

    def __init__(
        self,
        label: str,
        options: Mapping[str, str],
        press: Callable[[str], Revealed],
        pressed: str = "",
    ) -> None:
        """Show a label and a button for each option.

        Args:
            label: text in front of the buttons.
            options: for each button's name, what shows when the pointer is on it.
            press: returns what a button reveals.
            pressed: the button that is pressed already, or "".
        """
        self._press, self._pressed = press, ""
        layout = ipywidgets.Layout(width="5em", flex="none")
        self.buttons = {
            name: ipywidgets.Button(description=f"({name})", tooltip=option, layout=layout)
            for name, option in options.items()
        }
        for name, button in self.buttons.items():
            button.on_click(partial(self.reveal, name))
        row = [ipywidgets.HTML(label), *self.buttons.values()]
        self._row = ipywidgets.HBox(row, layout=ipywidgets.Layout(flex_flow="row wrap"))
        self._guard = ipywidgets.HTML(GUARD, layout=ipywidgets.Layout(display="none"))
        super().__init__([self._row, self._guard])
        self.add_class("kvlib-explorer")
        if pressed:
            self.reveal(pressed)

    def reveal(self, name: str, _: object = None) -> None:
        """Press a button; do nothing if one is pressed already."""
        if self._pressed:
            return
        self._pressed, found = name, self._press(name)
        for other, button in self.buttons.items():
            button.disabled = other != name  # the pressed one keeps the focus
        self.buttons[name].description = f"{found.sign} ({name})"
        result = ipywidgets.Output()  # the only widget that runs the script of a figure
        result.outputs = found.outputs
        texts = [ipywidgets.HTML(found.above), result, ipywidgets.HTML(found.below)]
        self.children = [self._row, *texts, self._guard]


def _shown(answer: object) -> tuple[str, str]:
    """Return a function's result as text and as HTML."""
    if isinstance(answer, (bytes, bytearray)):
        answer = dump(answer)
    if isinstance(answer, str):
        text = _cut(answer)
        return text, as_html(text)
    text = _cut(repr(answer)) if hasattr(answer, "_repr_html_") else told(answer, MOST)
    html = answer._repr_html_() if hasattr(answer, "_repr_html_") else None
    return text, html if html and len(html) <= MOST_HTML else as_html(text)


def _cut(text: str) -> str:
    left = len(text) - MOST
    return text if left <= 0 else f"{text[:MOST]}\n({count(left, 'more character')})"


def _button(name: str, act: Callable[[Any], None], values: object) -> Any:
    # Buttons keep their width; if there is no room, they move to the next row.
    layout = ipywidgets.Layout(width="auto", flex="none")
    button = ipywidgets.Button(description=name, layout=layout)
    button.on_click(partial(lambda values, _: act(values), values))
    return button


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
        layout = ipywidgets.Layout(width="12em")
        return ipywidgets.BoundedIntText(value=choice[0], layout=layout, **ends, **described)
    if isinstance(choice, list):
        layout = ipywidgets.Layout(width="max-content")
        return ipywidgets.Dropdown(options=choice, layout=layout, **described)
    raise TypeError(f"{name} is a str, bool, int, range or list, not {type(choice).__name__}")
