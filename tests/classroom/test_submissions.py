import json
from pathlib import Path

import pytest

from kvlib.classroom import submissions
from kvlib.classroom.submissions import CodeCell, UnreadableError, collect, read_cells


def test_notebooks_are_found_by_learner(tmp_path: Path) -> None:
    """A learner has a file or a folder of any depth; hidden files and folders are ignored."""
    for name in (
        "anna/01.ipynb",
        "anna/kvlib/02.ipynb",
        "anna/.ipynb_checkpoints/01-checkpoint.ipynb",
        "boris.ipynb",
        "carl/readme.txt",
        ".trash/dora.ipynb",
        "EMMA.IPYNB",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert collect(tmp_path) == {
        "anna": [tmp_path / "anna/01.ipynb", tmp_path / "anna/kvlib/02.ipynb"],
        "boris": [tmp_path / "boris.ipynb"],
        "EMMA": [tmp_path / "EMMA.IPYNB"],
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "JSON"),
        (b"\xff\xfe", "Unicode"),
        (b"{}", "it has no 'cells'"),
        (b"[]", "Error"),
        (b'{"cells": 3}', "TypeError"),
        (b'{"cells": [1]}', "TypeError"),
        (b'{"cells": [{}]}', "it has no 'cell_type'"),
        (b"[" * 200_000, "RecursionError"),
        (None, "not a readable file"),
        (bytes(2**20 + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_is_not_a_notebook_is_rejected_with_a_reason(
    content: bytes | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any contents, a folder, and a file above the largest size raise UnreadableError."""
    monkeypatch.setattr(submissions, "LARGEST", 2**20)
    path = tmp_path / "one.ipynb"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        read_cells(path)


def test_notebooks_of_each_version_are_read(tmp_path: Path) -> None:
    """A byte order mark, lines in a list, an unknown kernel and lone surrogates don't matter."""
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "old"}]}]}
    new = {
        "metadata": {"kernelspec": {"name": "nothing"}},
        "cells": [
            {"cell_type": "markdown", "source": "no code"},
            {"cell_type": "code", "id": "new", "source": ["a\n", "b\ud800"], "outputs": 3},
        ],
    }
    for raw, cells in (old, [CodeCell("None", "old")]), (new, [CodeCell("new", "a\nb?")]):
        (tmp_path / "one.ipynb").write_text(json.dumps(raw), encoding="utf-8-sig")
        assert read_cells(tmp_path / "one.ipynb") == cells
