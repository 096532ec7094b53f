"""Turn a notebook into an HTML page that can be read without a network."""

import re
from pathlib import Path
from typing import Final

from kvlib.classroom.exercise_cells import Notebook

# nbconvert's own template without its downloads. Outputs that are folded in the notebook are
# folded here too.
TEMPLATE: Final = """\
{%- extends "index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block outputs -%}
{%- if cell.metadata.get("jupyter", {}).get("outputs_hidden") -%}
<details><summary>Guess first, then look</summary>{{ super() }}</details>
{%- else -%}
{{ super() }}
{%- endif -%}
{%- endblock -%}
"""


def page(notebook: Notebook, name: str) -> str:
    """Return the notebook as a self-contained page, whose links lead to other pages.

    Args:
        notebook: the notebook.
        name: the name of its file. The page's title is this name without its suffix.
    """
    from nbconvert import HTMLExporter  # takes a second

    exporter = HTMLExporter(raw_template=TEMPLATE, embed_images=True)
    resources = {"metadata": {"name": Path(name).stem}}
    html: str
    html, _ = exporter.from_notebook_node(notebook, resources=resources)
    return re.sub(r'(<a href="[\w-]+)\.ipynb([#"])', r"\1.html\2", html).rstrip("\n") + "\n"
