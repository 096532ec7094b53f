"""The view that anyone can make: controls above what a function shows for their values."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from kvlib.views import arguments
from kvlib.views.arguments import Choice

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer


class Screen(NamedTuple):
    """What a function gives to an Explorer if it has more to show than text: both in full."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def explore(show: Callable[..., object], **controls: Choice) -> "Explorer":
    """Show `show(**values)`, and show it again whenever a control changes.

    A str makes a text field, an int a number field from 0 on, a range one with its bounds that
    starts at the first, a list a menu, a bool a box to tick. What `show` gives is dumped if it is
    bytes, shown as it is if it is a str, else by its repr; an exception by its message.

    TypeError if `show` is no function, ValueError for a range or a list with nothing in it.
    """
    arguments.check_callable("show", show, *controls)
    for name, choice in controls.items():
        if isinstance(choice, (range, list)) and not choice:
            raise ValueError(f"{name} has nothing to choose from: {choice!r}")
    from kvlib.views.widgets import Explorer

    return Explorer(show, controls)
