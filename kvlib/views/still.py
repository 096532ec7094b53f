"""A figure where no script runs: one position, in a widget's HTML.

The picture is inline, not an image, so that its colours follow the theme. Its label has the
sentence, and the picture should say it too.
"""

from html import escape

from kvlib.views import svg
from kvlib.views.figure import Figure, style


def still(figure: Figure) -> str:
    """Return the position that a figure starts with, as HTML without a script."""
    says = figure.sentence(figure.positions[figure.start])
    picture = svg.inline(figure.shapes(), figure.height, f"{figure.title}. {says}")
    folded = "".join(
        f"<details><summary>{escape(summary)}</summary>{html}</details>"
        for summary, html in figure.folded
    )
    return (
        f'<div class="kvlib figure mathjax_ignore" data-on><style>{style()}</style>{picture}'
        f"{folded}</div>"
    )
