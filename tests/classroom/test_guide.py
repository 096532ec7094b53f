from pathlib import Path

import pytest

from helpers.paths import ROOT
from kvlib.classroom.__main__ import main
from kvlib.classroom.guide import renewed
from kvlib.lessons.catalogue import EXERCISES


def test_guide_is_up_to_date() -> None:
    """If it isn't, run python -m kvlib.classroom guide docs/teaching.md."""
    text = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert text == renewed(text)
    for exercise in EXERCISES.values():
        assert f"| `{exercise.name}` | {exercise.objective} |" in text
        for mistake in exercise.mistakes:
            assert mistake.sentence.replace("|", r"\|") in text


def test_command_renews_the_tables_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --check it only says so, by its exit status too."""
    path = tmp_path / "guide.md"
    before = "above\n<!-- made: points -->\nold\n<!-- end -->\nbelow\n"
    path.write_text(before, encoding="utf-8")
    assert main(["guide", str(path), "--check"]) == 1
    assert path.read_text(encoding="utf-8") == before
    assert main(["guide", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("above\n<!-- made: points -->\n\n| exercise |")
    assert text.endswith("<!-- end -->\nbelow\n")
    assert "old" not in text
    assert main(["guide", str(path), "--check"]) == 0
    said = [line.rpartition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert said == ["would change", "renewed", "unchanged"]


def test_a_guide_with_an_unknown_table_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error quotes the mark."""
    path = tmp_path / "guide.md"
    path.write_text("<!-- made: nothing -->\n<!-- end -->")
    assert main(["guide", str(path)]) == 2
    assert "`<!-- made: nothing -->` names no part" in capsys.readouterr().err
    assert path.read_text() == "<!-- made: nothing -->\n<!-- end -->"
