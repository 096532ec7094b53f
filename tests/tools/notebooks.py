"""Build the notebooks from their sources: run them, and store what they show.

    PYTHONPATH=tests python -m tools.notebooks [--check] [NOTEBOOK ...]

The source of notebooks/NAME.ipynb is notebooks/source/NAME.md, in MyST Markdown; a notebook that
has no source is run as it is. Each one runs in its own kernel and in an empty temporary folder, so
it must stand alone, and leaves no files. The same source gives the same bytes. A notebook of the
series gets its glossary, written by kvlib.lessons.glossary, as its last cell; the answers to its
predictions are copied into kvlib. --check writes nothing, and exits with 1 if a notebook would
change.

    PYTHONPATH=tests python -m tools.notebooks --sources [NOTEBOOK ...]

goes the other way: it rewrites the sources from notebooks that were edited in JupyterLab.

    PYTHONPATH=tests python -m tools.notebooks --sections NOTEBOOK ...

runs each section in a fresh namespace and an empty folder, after nothing but the set-up cell, as a
learner does who comes back another day.
"""

import argparse
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from helpers.paths import NOTEBOOKS, PACKAGE, SOURCES
from kvlib.lessons.catalogue import EXERCISES
from kvlib.lessons.glossary import NOTEBOOKS as SERIES
from kvlib.lessons.glossary import glossary

Cell = dict[str, Any]
Notebook = dict[str, Any]


# The same on every machine; Jupyter adds the rest when it opens a notebook.
NOTEBOOK_METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
# Authors set tags. Editors add everything else.
CELL_METADATA = {"tags"}


def load(path: Path) -> Notebook:
    """Read a notebook with each cell's source as one string."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def tags(cell: Cell) -> list[str]:
    """Return the cell's tags."""
    found: list[str] = cell["metadata"].get("tags", [])
    return found


# -------------------------------------------------------------------------------------- sources

PREDICTIONS = PACKAGE / "lessons" / "predictions.json"
SOURCE_HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

"""


def source_of(path: Path) -> Path:
    """Return where the source of a notebook is."""
    return path.parent / SOURCES.name / f"{path.stem}.md"


def read_source(path: Path) -> Any:
    """Return the notebook that a source describes: not run, and without its glossary."""
    import jupytext

    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        if "id" not in cell.metadata:
            start = cell.source.partition("\n")[0]
            raise ValueError(f"{path.name}: cell {number} has no id: {start!r}")
        cell.id = cell.metadata.pop("id")
        cell.source = CELLS.get(cell.id) or expanded(cell.source)
        if REASON in cell.metadata.get("tags", ()):
            cell.source = folded(cell.source)
    return notebook


# What the exercises say is written in their modules. The cells of their stubs and checks are empty
# in a source, and a text has {{exercise NAME}}, {{objective NAME}}, {{objectives NAME NAME}} or
# {{objectives with minutes NAME NAME}}.
PLACEHOLDER = re.compile(r"\{\{[a-z][\w -]+\}\}")
CELLS = {
    name: source
    for exercise in EXERCISES.values()
    for name, source in zip(exercise.cells, (exercise.stub, exercise.call), strict=True)
}


def expanded(text: str) -> str:
    """Return a text with its placeholders replaced by what the exercises say."""
    return PLACEHOLDER.sub(lambda found: _expansion(found[0]), text)


def _expansion(placeholder: str) -> str:
    kind, *names = placeholder.strip("{}").split()
    minutes = names[:2] == ["with", "minutes"]
    exercises = [EXERCISES[name] for name in names[2 * minutes :]]
    if kind == "exercise":
        return exercises[0].heading
    if kind == "objective":
        return exercises[0].objective
    lines = [f"- {one.objective}{f' ({one.minutes})' * minutes}" for one in exercises]
    lines[0] = lines[0].removesuffix(")") + " minutes)" * minutes
    return ";\n".join(lines) + "."


def write_source(notebook: Notebook, former: str = "") -> str:
    """Return the source of a notebook, with the placeholders that its former source has."""
    import jupytext
    import nbformat

    found = sorted(set(PLACEHOLDER.findall(former)), key=lambda one: -len(_expansion(one)))
    cells = []
    for cell in without_glossary(notebook):
        metadata = {"id": cell["id"], **cell["metadata"]}
        made = CELLS.get(cell["id"]) == cell["source"]
        source = "" if made else _collapsed(cell["source"], found)
        if REASON in tags(cell):
            source = unfolded(source)
        if cell["cell_type"] == "markdown":
            cells.append(nbformat.v4.new_markdown_cell(source, metadata=metadata))
        else:
            cells.append(nbformat.v4.new_code_cell(source, metadata=metadata))
    text: str = jupytext.writes(nbformat.v4.new_notebook(cells=cells), fmt="md:myst")
    body = re.sub(r"\A---\n.*?\n---\n+", "", text, flags=re.S)
    body = re.sub(r"^(:id: .*\n)\n+```$", r"\1```", body, flags=re.M)  # an empty cell
    return SOURCE_HEADER + body.rstrip("\n") + "\n"


def _collapsed(text: str, placeholders: Sequence[str]) -> str:
    for placeholder in placeholders:
        text = text.replace(_expansion(placeholder), placeholder)
    return text


# A prediction NAME is three cells: NAME-predict has the question and its options, NAME-run makes
# the experiment with `predict("NAME", ...)`, and NAME-why begins with the right letter. A notebook
# has the reason folded, for those who read it without a kernel. With a kernel, `predict` shows the
# reason, so kvlib has a copy.
REASON = "reason"
SUMMARY = "<details><summary>The answer, if you read without a kernel</summary>\n\n"
LETTER = re.compile(r"\(([abc])\) ")


def folded(reason: str) -> str:
    """Return a reason as the notebook has it."""
    return SUMMARY + LETTER.sub(r"**(\1)** ", reason, count=1) + "\n\n</details>"


def unfolded(reason: str) -> str:
    """Return a reason as the source has it."""
    body = reason.removeprefix(SUMMARY).removesuffix("\n\n</details>")
    return re.sub(r"\A\*\*(\([abc]\))\*\* ", r"\1 ", body)


def predictions(cells: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the options, the right letter and the reason of each prediction in a source."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable("table")
    texts = {cell["id"]: cell["source"] for cell in cells}
    found = {}
    for name in [one.removesuffix("-predict") for one in texts if one.endswith("-predict")]:
        reason = unfolded(texts.get(f"{name}-why", ""))
        letter = LETTER.match(reason)
        if not letter:
            raise ValueError(f"{name}-why: a reason begins with the right letter, such as (b)")
        items = re.findall(r"^- \(([abc])\) (.+(?:\n {2,}.+)*)", texts[f"{name}-predict"], re.M)
        found[name] = {
            "options": {one: " ".join(option.split()) for one, option in items},
            "right": letter[1],
            "why": markdown.render(reason[letter.end() :]).strip(),
        }
    return found


def copy_of_predictions() -> str:
    """Return the text of the copy in kvlib of all predictions in the series."""
    made = {}
    for name in SERIES.values():
        source = SOURCES / f"{name}.md"
        made.update(predictions(read_source(source).cells))
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def disagreement(path: Path) -> str:
    """Return the first difference between a notebook and its source, or "" if they agree."""
    source, built = source_of(path), load(path)
    wanted = {cell.id: cell for cell in read_source(source).cells}
    cells = without_glossary(built)
    for cell in cells:
        other = wanted.get(cell["id"])
        if other is None:
            return f"cell {cell['id']} is not in {SOURCES.name}/{source.name}"
        ours = (cell["cell_type"], cell["source"], cell["metadata"])
        if ours != (other.cell_type, other.source, other.metadata):
            return f"cell {cell['id']} differs from {SOURCES.name}/{source.name}"
    if [cell["id"] for cell in cells] != [*wanted]:
        return f"the cells of {SOURCES.name}/{source.name} differ, or are in another order"
    return ""


# ------------------------------------------------------------------------------ running, cleaning


def renew(path: Path) -> str:
    """Return the text that a notebook's file should have: built from its source, run and clean."""
    import nbformat  # takes a second, and reading a notebook doesn't need it

    from kvlib.classroom.notebooks import execute

    source = source_of(path)
    read = read_source(source) if source.exists() else nbformat.read(path, as_version=4)
    notebook = execute(read)
    end_with_glossary(notebook, path.stem)
    clean(notebook)
    text: str = nbformat.writes(notebook)
    return text.rstrip("\n") + "\n"


def end_with_glossary(notebook: Notebook, stem: str) -> None:
    """Put a new glossary at the end of a notebook in the series, and drop the old one."""
    import nbformat

    for number, name in SERIES.items():
        if name == stem:
            cells = without_glossary(notebook)
            source = glossary(number, text_of(cells))
            made = nbformat.v4.new_markdown_cell(source, id=glossary_id(stem.partition("_")[2]))
            notebook["cells"] = [*cells, made]


def glossary_id(prefix: str) -> str:
    """Return the id of the glossary's cell; all ids in a notebook share the prefix."""
    return f"{prefix}-glossary"


def without_glossary(notebook: Notebook) -> list[Cell]:
    """Return all cells but the glossary."""
    return [cell for cell in notebook["cells"] if not str(cell.get("id")).endswith("-glossary")]


def text_of(cells: Sequence[Cell]) -> str:
    """Return the text of all Markdown cells."""
    return "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")


def clean(notebook: Notebook) -> None:
    """Drop what only an editor needs; `execute` has dropped what differs between runs."""
    notebook["metadata"] = NOTEBOOK_METADATA
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5  # the first version with cell ids
    for cell in notebook["cells"]:
        for name in cell["metadata"].keys() - CELL_METADATA:
            del cell["metadata"][name]


# --------------------------------------------------------------------------------------- sections


def failures_of_sections(notebook: Notebook) -> list[str]:
    """Run each section after nothing but the set-up cell; return a line for each that fails.

    Sections share a process, because a kernel per section would take a minute per notebook. So the
    state of modules carries over from section to section; names and files don't.
    """
    setup = [cell for cell in notebook["cells"] if "setup" in tags(cell)]
    return [
        f"{heading}: {failure}"
        for heading, cells in sections(notebook)
        if cells and (failure := _run_in_fresh_namespace([*setup, *cells]))
    ]


def sections(notebook: Notebook) -> Iterator[tuple[str, list[Cell]]]:
    """Yield each second-level heading with its code cells, without the set-up cell."""
    heading, cells = "before the first heading", list[Cell]()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and (found := re.match(r"## +(.+)", cell["source"])):
            yield heading, cells
            heading, cells = found[1].strip(), []
        elif cell["cell_type"] == "code" and "setup" not in tags(cell):
            cells.append(cell)
    yield heading, cells


def _run_in_fresh_namespace(cells: Sequence[Cell]) -> str | None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    no_history = Config({"HistoryManager": {"enabled": False}})  # a database in the home folder
    shell = InteractiveShell(config=no_history)
    with _empty_working_folder(), redirect_stdout(io.StringIO()):
        for cell in cells:
            result = shell.run_cell(cell["source"])
            error = result.error_before_exec or result.error_in_exec
            if error and "raises-exception" not in tags(cell):
                return f"{cell['id']}: {type(error).__name__}: {error}"
    return None


@contextmanager
def _empty_working_folder() -> Iterator[None]:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)  # Windows doesn't remove a folder that is in use


# ------------------------------------------------------------------------------------ the command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description="Run notebooks and clean what is stored in them.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="write nothing; 1 if any would change")
    mode.add_argument("--sections", action="store_true", help="run each section by itself")
    mode.add_argument("--sources", action="store_true", help="write the sources from the notebooks")
    parser.add_argument("paths", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all")
    options = parser.parse_args(arguments)

    paths = options.paths or sorted(NOTEBOOKS.glob("*.ipynb"))
    if not paths:
        parser.error("there is no notebook in notebooks/")
    for path in paths:  # before the first of them runs, which takes a minute
        try:
            load(path)
        except Exception as error:
            parser.error(f"{path} is not a notebook: {type(error).__name__}: {error}")
    if options.sections:
        return max([_try_sections(path) for path in paths])
    if options.sources:
        for path in paths:
            source_of(path).parent.mkdir(exist_ok=True)
            source = source_of(path)
            former = source.read_text(encoding="utf-8") if source.exists() else ""
            text = write_source(load(path), former)
            source.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if any(path.resolve().parent == NOTEBOOKS for path in paths) and not options.check:
        try:
            PREDICTIONS.write_text(copy_of_predictions(), encoding="utf-8", newline="\n")
        except ValueError as error:
            parser.error(f"{error}")
    return max([_renew_file(path, write=not options.check) for path in paths])


def _refuse_to_lose_edits(path: Path) -> None:
    """Raise ValueError if a notebook was edited itself, later than its source."""
    source = source_of(path)
    if not source.exists() or source.stat().st_mtime >= path.stat().st_mtime:
        return
    if different := disagreement(path):
        raise ValueError(
            f"{different}, and the notebook is newer: `make sources` copies its edits into the"
            f" source; `touch {SOURCES.name}/{source.name}` lets `make notebooks` overwrite them"
        )


def _try_sections(path: Path) -> int:
    failures = failures_of_sections(load(path))
    for failure in failures:
        print(f"{path.name}: {failure}")
    return int(bool(failures))


def _renew_file(path: Path, *, write: bool) -> int:
    from kvlib.classroom.files import replace
    from kvlib.classroom.notebooks import ClassroomError

    before = path.read_bytes()
    try:
        if write:
            _refuse_to_lose_edits(path)
        after = renew(path).encode()
    except (ClassroomError, ValueError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return 1
    if after == before:
        print(f"{path.name}: unchanged")
        return 0
    if write:
        replace(path, after)
    print(f"{path.name}: {'renewed' if write else 'would change'}")
    return int(not write)


if __name__ == "__main__":
    sys.exit(main())
