"""A view for any function: controls for its arguments, above its result."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kvlib.views import arguments
from kvlib.views.arguments import Choice

if TYPE_CHECKING:
    from kvlib.views.widgets import Explorer


def explore(show: Callable[..., object], **controls: Choice) -> "Explorer":
    """Show `show(**values)`, and show it again whenever a control changes.

    A str makes a text field, an int a number field that starts there and has the minimum 0, a
    range a number field within its bounds, a list a menu, a bool a checkbox. A result is dumped if
    it is bytes, shown as it is if it is a str, else by its repr; an exception by its message.

    Raises TypeError if `show` isn't a function, ValueError for an empty range or list.
    """
    arguments.check_callable("show", show, *controls)
    for name, choice in controls.items():
        if isinstance(choice, (range, list)) and not choice:
            raise ValueError(f"{name} has nothing to choose from: {choice!r}")
    from kvlib.views.widgets import Explorer

    return Explorer(show, controls)
