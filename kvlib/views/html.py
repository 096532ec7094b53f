"""What shows itself without a picture: text as HTML, and the two forms of a widget's screen."""

from html import escape
from typing import NamedTuple


class Screen(NamedTuple):
    """A result with text and HTML, each of them complete.

    Attributes:
        text: for terminals.
        html: for a widget, where no script runs.
        page: for pages without a kernel; "" if the text has to do.
    """

    text: str
    html: str
    page: str = ""

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def as_html(text: str) -> str:
    """Return a text that keeps its columns; the pages that show notebooks restyle a bare <pre>."""
    style = "font-family: monospace; line-height: 1.3; white-space: pre; overflow-x: auto"
    return f'<pre class="kvlib-dump" style="{style}">{escape(text)}</pre>'
