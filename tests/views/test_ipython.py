"""Objects of the engine show themselves, in 80 columns."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import kvlib
from helpers.vocabulary import flip_bit
from kvlib import CorruptionError, DirectoryDisk, KvlibError, MemoryDisk, Recovery, Store
from kvlib.crash import CrashDisk
from kvlib.errors import FormatError, VersionError
from kvlib.frame import Frame
from kvlib.salvage import Finding, Salvage
from kvlib.snapshot import Head
from kvlib.views.explain import SEARCHED, explain
from kvlib.views.ipython import html, register, text


def a_store(place: kvlib.disk.Place) -> kvlib.DurableStore:
    """Return an open store with eight records."""
    store = kvlib.open(place)
    for number in range(8):
        store[f"<key {number}>"] = b"\0" * 100 * number
    return store


def a_damaged_disk() -> MemoryDisk:
    """Return the files of that store, with a flipped bit in a frame that isn't the last."""
    disk = MemoryDisk()
    a_store(disk).close()
    disk.write("log", flip_bit(disk.read("log"), 66 * 8))
    return disk


def caught(call: Callable[[], object]) -> FormatError:
    """Return the error that a call raises."""
    with pytest.raises(FormatError) as found:
        call()
    return found.value


def test_a_stores_repr_has_its_place_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repr has the path as it was passed, the numbers of keys and mutations, and the state."""
    monkeypatch.chdir(tmp_path)
    store = a_store("data")
    figures = "8 keys, 8 mutations in the log"
    assert repr(store) == f"<DurableStore 'data': {figures}, open>"
    reader = kvlib.open("data", read_only=True)
    assert repr(reader) == f"<DurableStore 'data': {figures}, read-only>"
    store.close()
    assert repr(store) == text(store) == "<DurableStore 'data': closed>"
    assert "until the store is opened again" in html(store)
    assert repr(Store()) == "<Store: 0 keys>"


def test_a_failed_store_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed append, the repr and the status say that writes are refused."""
    disk = MemoryDisk()
    store = a_store(disk)
    monkeypatch.setattr(disk, "append", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        store["a"] = "b"
    assert repr(store).endswith("writes are refused>")
    assert "an append failed (full)" in html(store.status())


def test_a_large_store_shows_its_first_records() -> None:
    """The first five of eight records are shown, shortened, with the number of the others."""
    shown_html = html(a_store(MemoryDisk()))
    assert "&lt;key 4&gt;" in shown_html
    assert "&lt;key 5&gt;" not in shown_html
    assert "and 3 more records" in shown_html
    assert max(map(len, re.findall(r"<td[^>]*>(.*?)</td>", shown_html))) < 100
    few = Store()
    assert "Records" not in html(few)
    few["a"] = "b"
    assert "more record" not in html(few)


STATUS = kvlib.Status(3, 2, 0, 130, 1, None, "x" * 90)
FINDING = Finding("log", 49, 9, "spoilt <here>")
OBJECTS: list[tuple[object, str, str]] = [
    (STATUS, "Status(keys=3, pending=2", "2 mutations in the log"),
    (Recovery(2), "Recovery(replayed=2", "2 mutations"),
    (Recovery(1, 90, 7), "dropped_bytes=7)", "7 bytes from offset 90 of the log on, dropped"),
    (Head(1, 2, 3, 4, 5, 6), "Head(generation=1", "5 bytes of stream"),
    (Frame(0, 19, b"M", 4, b"ab"), "payload=b'ab')", "2 bytes: b'ab'"),
    (Frame(0, 99, b"C", 4, b"a" * 82), "payload=<82 bytes>)", "82 bytes: b'aaa"),
    (Frame(0, 17, b"?", 4, b""), "kind=b'?'", "unknown"),
    (Salvage(3, (FINDING,), ()), "Salvage(records=3", "log, offset 49, 9 bytes"),
    (Salvage(0, (FINDING,), ()), "Salvage(records=0", "spoilt <here>"),
    (MemoryDisk(), "<MemoryDisk: 0 files>", "MemoryDisk: 0 files"),
    (a_damaged_disk(), "<MemoryDisk: 2 files>", "bytes, head and log"),
    (CrashDisk({"log.new": b"1"}), "<CrashDisk: 1 file>", "1 byte, of a snapshot that is not"),
    (CrashDisk({"a": b""}), "<CrashDisk: 1 file>", "0 bytes, not kvlib's"),
    (DirectoryDisk("nowhere"), "<DirectoryDisk 'nowhere': not there yet>", "cannot be read"),
]


@pytest.mark.parametrize(("object", "words", "html_words"), OBJECTS)
def test_an_object_shows_itself(object: object, words: str, html_words: str) -> None:
    """The text is the repr in 80 columns, and the HTML a table with a caption."""
    assert words in text(object)
    assert max(map(len, text(object).splitlines()), default=0) <= 80
    assert html_words in unescape(html(object))
    assert "<here>" not in html(object)
    assert html(object).count("<caption>") == html(object).count("<table") > 0
    assert " at 0x" not in text(object) + html(object)


def test_other_objects_have_no_table() -> None:
    """Objects that aren't the engine's are rejected."""
    with pytest.raises(TypeError, match="no table of a list"):
        html([])
    with pytest.raises(TypeError, match="not OSError"):
        explain(OSError())  # type: ignore[arg-type]  # the mistake that is tested


# ----------------------------------------------------------------------------------------- errors


def marked(error: FormatError) -> list[str]:
    """Return the lines of an error's text with the mark of the wrong field."""
    return [line for line in text(error).splitlines() if "!!" in line and "stopped at" not in line]


def test_an_error_shows_the_bytes_that_caused_it() -> None:
    """The field at the offset is marked, on the disk that was being read or that is passed."""
    disk = a_damaged_disk()
    error = caught(lambda: kvlib.open(disk))
    (line,) = marked(error)
    assert line.startswith(f"{error.offset:04X}-")
    assert "crc" in line
    assert "salvage(disk, other)" in text(error)
    bare = CorruptionError(error.path, error.offset, error.reason)
    assert marked(bare) == []
    assert repr(explain(bare, disk)).splitlines()[:40] == text(error).splitlines()[:40]
    assert unescape(re.sub("<.*?>", "", html(error))).split()[:9] == text(error).split()[:9]


def test_an_error_of_a_directory_finds_its_file(tmp_path: Path) -> None:
    """The error's path is enough to find the file; the advice is the command line's."""
    disk = a_damaged_disk()
    for name in disk.names():
        (tmp_path / name).write_bytes(disk.read(name))
    error = caught(lambda: kvlib.open(tmp_path))
    error.__traceback__ = None
    assert len(marked(error)) == 1
    assert "the field there: frame[0]." in text(error)
    assert "kvlib salvage" in text(error)
    (tmp_path / "log").write_bytes(b"other bytes")
    assert marked(error) == []  # the file has changed
    gone = CorruptionError(str(tmp_path / "gone" / "log"), 0, "spoilt")
    assert text(gone).startswith("CorruptionError:")


@pytest.mark.parametrize(
    "call",
    [
        lambda: kvlib.decode_snapshot(b"\0\0\0\1s\0\0\0\5caf"),
        lambda: kvlib.decode_field(b"?\0\0\0\1a"),
        lambda: kvlib.join([b"\0\0\0\1\0\0\0\1abc"]),
    ],
)
def test_an_error_of_a_pure_function_shows_its_argument(call: Callable[[], object]) -> None:
    """The bytes are found in the functions that raised the error."""
    assert len(marked(caught(call))) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: kvlib.join([b"\0\0\0\1\0\0\0\2abc"]),
        lambda: kvlib.decode_snapshot(b"\0\0\0\1?" + bytes(SEARCHED)),
    ],
)
def test_an_error_without_bytes_is_its_message(call: Callable[[], object]) -> None:
    """A missing segment has no bytes to show, and very large arguments aren't searched."""
    error = caught(call)
    assert " ".join(text(error).split()) == f"CorruptionError: {error}"
    assert "<pre" not in html(error)


def test_a_newer_file_is_not_advised_to_be_salvaged(tmp_path: Path) -> None:
    """The only advice for a newer format version is the error's own."""
    (tmp_path / "log").write_bytes(b"kvlib\0\0\2")
    error = caught(lambda: kvlib.open(tmp_path))
    assert isinstance(error, VersionError)
    assert len(marked(error)) == 1
    assert "salvage" not in text(error)


# ---------------------------------------------------------------------------------------- IPython


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """Yield an IPython in which kvlib's objects are registered."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    no_history = Config({"HistoryManager": {"enabled": False}})
    started = InteractiveShell.instance(config=no_history)
    register()
    yield started
    InteractiveShell.clear_instance()


def test_ipython_shows_objects_by_text_and_table(shell: InteractiveShell) -> None:
    """The registered text and HTML are shown, for subclasses too."""
    assert shell.display_formatter
    for object, _, _ in OBJECTS:
        data, _ = shell.display_formatter.format(object)
        assert data == {"text/plain": text(object), "text/html": html(object)}


def test_ipython_shows_the_bytes_below_an_uncaught_error(shell: InteractiveShell) -> None:
    """The usual traceback comes first, and the error is still the result of the cell."""
    with capture_output() as captured:
        result = shell.run_cell("import kvlib; kvlib.decode_field(b'?')")
    assert isinstance(result.error_in_exec, KvlibError)
    assert "Traceback" in captured.stdout
    (output,) = captured.outputs
    assert "!!T tag" in output.data["text/plain"]


def test_without_ipython_nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that hasn't loaded IPython isn't affected."""
    register()
    monkeypatch.delitem(__import__("sys").modules, "IPython")
    register()
