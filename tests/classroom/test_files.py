import os
import stat
import sys
from pathlib import Path

import pytest

from kvlib.classroom.files import printable, replace


@pytest.mark.skipif(sys.platform == "win32", reason="only some users may make links")
def test_a_replaced_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """Grades that only their owner could read stay private."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(stat.S_IRUSR | stat.S_IWUSR)
    before = (tmp_path / "real").stat().st_mode
    (tmp_path / "link").symlink_to("real")
    replace(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
    assert (tmp_path / "real").stat().st_mode == before


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_file_that_cannot_be_replaced_stays(
    function: str, error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file is still there, and no other."""
    (tmp_path / "file").write_text("old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(error):
        replace(tmp_path / "file", b"new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_names_are_shown_in_one_line_with_what_their_script_needs() -> None:
    """Joiners and other scripts' spaces stay; what breaks or reverses a line is escaped."""
    assert printable("Žofie می\u200cخواهم　李\u00a0x") == "Žofie می\u200cخواهم　李\u00a0x"
    assert printable("\u202e\u2028\0\n\udcff") == "\\u202e\\u2028\\x00\\n\\udcff"
