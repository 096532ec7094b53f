"""The changes to the model notebook that break each rule."""

import os
from collections.abc import Callable
from typing import Any

from kvlib.classroom.notebooks import WIDGET_VIEW
from kvlib.lessons.catalogue import EXERCISES
from notebooks import rules
from notebooks.model import code, exercise_cells, find, insert, markdown, replace
from notebooks.rules import Rule
from tools.notebooks import Notebook, tags

Change = Callable[[Notebook], None]

ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": list[str]()}
LENGTH, FIELD = (EXERCISES[f"01-{name}"].objective for name in ("length", "encode-field"))


def replaced(name: str, old: str, new: str) -> Change:
    """Return a change that replaces text in a cell."""
    return lambda notebook: replace(notebook, name, old, new)


def assigned(name: str, **fields: Any) -> Change:
    """Return a change that sets a cell's fields."""
    return lambda notebook: find(notebook, name).update(fields)


def showing(**output: Any) -> Change:
    """Return a change that replaces a cell's output."""
    return assigned("model-more", outputs=[output])


def with_metadata(name: str, **metadata: Any) -> Change:
    """Return a change that adds to a cell's metadata."""
    return lambda notebook: find(notebook, name)["metadata"].update(metadata)


def with_data(name: str, kind: str, data: str) -> Change:
    """Return a change that replaces one form of a cell's output."""
    return lambda notebook: find(notebook, name)["outputs"][0]["data"].update({kind: [data]})


def tagged(name: str, tag: str) -> Change:
    """Return a change that adds a tag to a cell."""
    return lambda notebook: tags(find(notebook, name)).append(tag)


def untagged(*names: str) -> Change:
    """Return a change that removes all metadata from cells."""
    return each(*(assigned(name, metadata={}) for name in names))


def removed(*names: str) -> Change:
    """Return a change that removes cells."""
    return each(
        *(
            lambda notebook, name=name: notebook["cells"].remove(find(notebook, name))
            for name in names
        )
    )


def inserted(*cells: dict[str, Any], before: str) -> Change:
    """Return a change that inserts new cells before another."""
    return each(
        *(lambda notebook, cell=cell: insert(notebook, cell, before=before) for cell in cells)
    )


def appended(*cells: dict[str, Any]) -> Change:
    """Return a change that appends cells."""
    return lambda notebook: notebook["cells"].extend(cells)


def each(*changes: Change) -> Change:
    """Return a change that makes several changes."""

    def change(notebook: Notebook) -> None:
        for one in changes:
            one(notebook)

    return change


def without_introduction(notebook: Notebook) -> None:
    """Remove the two cells above the set-up cell."""
    del notebook["cells"][:2]


def without_an_id(notebook: Notebook) -> None:
    """Delete the id of a cell."""
    del find(notebook, "model-more")["id"]


def with_glossary_early(notebook: Notebook) -> None:
    """Add a second glossary."""
    insert(notebook, find(notebook, "model-glossary"), before="model-more")


BREAKS: dict[Rule, list[Change]] = {
    rules.code_was_run_in_order: [
        assigned("model-more", execution_count=None),
        assigned("model-more", execution_count=99),
    ],
    rules.ids_are_named_and_unique: [
        assigned("model-more", id="model-end"),
        assigned("model-more", id="b1946ac9"),
        assigned("model-more", id="b1946ac9-2492-4d23-84c6-235b4d2611184"),
        without_an_id,
    ],
    rules.nothing_of_a_machine_is_shown: [
        replaced("model-more", "'more'", f"open('{os.sep}tmp{os.sep}log')"),
        showing(output_type="stream", name="stdout", text=["in site-packages/kvlib"]),
        showing(output_type="display_data", data={"text/plain": ["<Thing at 0x7f3a5c0d2e10>"]}),
        showing(**{**ERROR, "traceback": ["ipykernel_7/1.py"]}),
    ],
    rules.nothing_is_hidden_from_nbval: [
        tagged("model-more", "nbval-ignore-output"),
        replaced("model-more", "json", "# NBVAL_SKIP\njson"),
        tagged("model-more", "raises-exception"),
        showing(**ERROR),
    ],
    rules.only_what_is_needed_is_stored: [
        lambda notebook: notebook["metadata"].update(widgets={}),
        lambda notebook: notebook["metadata"]["language_info"].update(version="3.11.7"),
        with_metadata("model-more", execution={}),
        showing(output_type="display_data", data={WIDGET_VIEW: {"model_id": "1"}}),
    ],
    rules.headings_form_an_outline: [
        replaced("model-workshop", "**Afterwards", "# Another title\n\n**Afterwards"),
        replaced("model-try", "###", "####"),
        replaced("model-workshop", "**Afterwards", "## More (1 min)\n\n**Afterwards"),
    ],
    rules.code_is_introduced: [
        inserted(code("model-bare", "1"), before="model-more"),
        without_introduction,
    ],
    rules.pictures_are_described: [
        replaced("model-start", "A drawing", ""),
        replaced("model-start", "![A drawing](drawing.png)", '<img src="a.png" alt="">'),
    ],
    rules.spine_is_short: [
        inserted(*(code(f"model-many-{n}", "1") for n in range(23)), before="model-workshop"),
        inserted(
            *(code(f"model-view-{n}", "1", "interactive") for n in range(6)),
            before="model-workshop",
        ),
        replaced("model-try", "Try it", "One **_more\nterm_**"),
        assigned("model-more", source="\n".join(["1"] * 13)),
    ],
    rules.minutes_are_honest: [
        replaced("model-workshop", " min)", ")"),
        replaced("model-start", "21", "16"),
        replaced("model-start", "21", "29"),
        each(
            inserted(
                *(code(f"model-view-{n}", "1", "interactive") for n in range(9)),
                before="model-end",
            ),
            replaced("model-start", "21", "48"),
        ),
    ],
    rules.predictions_come_first: [
        removed("model-0-predict", "model-0-run", "model-0-why"),
        inserted(markdown("model-between", "Well?"), before="model-0-run"),
        assigned("model-0-run", id="model-0-answer"),
        untagged("model-0-run"),
        untagged("model-0-why"),
        tagged("model-more", "answer"),
        replaced("model-0-predict", "(c)", "(d)"),
        replaced("model-0-run", "model-0", "model-1"),
        replaced("model-0-why", "**(a)** ", ""),
    ],
    rules.results_are_folded: [
        assigned("model-0-run", outputs=[]),
        with_data("model-0-run", "text/plain", "1"),
        with_data("model-0-run", "text/html", "<div class=a><details>1</details></div>"),
        with_data(
            "model-0-run",
            "text/html",
            "<div class=a>1<details><summary>2</summary>3</details></div>",
        ),
    ],
    rules.letters_are_balanced: [
        each(*(replaced(f"model-{n}-why", "**(c)**", "**(a)**") for n in (2, 5))),
        each(replaced("model-1-why", "(b)", "(a)"), replaced("model-2-why", "(c)", "(a)")),
    ],
    rules.nothing_tells_the_answer: [
        replaced("model-try", "Try it", "Try it: (b) is right"),
        replaced("model-try", "Try it", "Try it 122 times"),
        replaced("model-1-predict", "What", "Of 122, what"),
        replaced("model-start", "## Start", "## Start with 122 tries"),
    ],
    rules.learner_takes_part: [
        untagged("model-try-slider"),
        replaced("model-title", "Shift-Enter", "a click"),
        replaced("model-try", "Try it", "Try it with Run All"),
    ],
    rules.exercises_are_complete: [
        removed("01-length-stub"),
        removed(*(cell["id"] for cell in exercise_cells(EXERCISES["01-bug-hunt"]))),
        appended(*exercise_cells(EXERCISES["01-length"])),
        appended(*exercise_cells(EXERCISES["02-count"])),
        inserted(markdown("model-apart", "Well?"), before="01-length-check"),
        replaced("01-length-stub", "...", "14"),
        replaced("01-length-check", "prediction", "14"),
        replaced("model-01-decode-order", "end = start + length", "end = length"),
        assigned("01-length-check", outputs=[]),
    ],
    rules.objectives_are_listed: [
        replaced("model-start", LENGTH, "do it"),
        replaced("model-workshop", "(15)", "(14)"),
        replaced("model-workshop", "**Afterwards you can**", "Afterwards you can"),
        replaced("model-start", f"- {LENGTH};\n- {FIELD};", f"- {FIELD};\n- {LENGTH};"),
    ],
    rules.objectives_are_checked: [
        replaced("model-end", LENGTH, "do it"),
        replaced("model-end", "Check yourself", "Questions"),
        removed("model-check"),
        replaced("model-check", "**4. ", "**3. "),
        replaced("model-end", "<summary>Answer", "<summary>Why?"),
        replaced("model-end", "</details>", ""),
        replaced("model-check", " Well?", ""),
        replaced("model-end", "So.", "So.\n\n<details>More.</details>"),
    ],
    rules.glossary_comes_last: [
        removed("model-glossary"),
        with_glossary_early,
        appended(markdown("model-after", "More.")),
        assigned("model-glossary", id="other-glossary"),
        replaced("model-glossary", "One key and its value.", "One key."),
    ],
    rules.words_are_introduced: [
        replaced("model-try", "Try it", "A **_term_**"),
        replaced("model-start", "**_record_**", "record"),
        replaced("model-start", "*tag*", "tag"),
        replaced("model-start", "*decode*", "decode"),
        replaced("model-start", "*tag*", "**_tag_**"),
        replaced("model-try", "Try it", "Two **_records_**"),
        replaced("model-try", "Try it", "A **_segment_**"),
    ],
    rules.words_are_explained_once: [
        replaced("model-try", "Try it", "Try it\n\n| term | meaning |\n|---|---|\n| a | b |"),
    ],
    rules.spine_has_short_exercises: [
        removed("01-decode-order-stub"),
        removed("model-workshop"),
    ],
    rules.setup_comes_first: [
        untagged("model-setup"),
        tagged("model-more", "setup"),
        assigned("model-setup", id="model-imports"),
    ],
}
