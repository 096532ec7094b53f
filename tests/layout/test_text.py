"""Dumps as text. `make goldens` rewrites the goldens."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import hexdump
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import kvlib
from helpers.golden import check_golden, check_none_is_left, write
from helpers.vocabulary import AWKWARD, FIELDS, LONG, MAPPINGS
from kvlib import MemoryDisk
from kvlib.encoding import Item
from kvlib.layout.dissect import dissect, dissect_directory, walk
from kvlib.layout.text import COLUMNS, fit, hanging, lines, width
from kvlib.views import dump

CODE = re.compile("\x1b\\[[0-9;]*m")


def store(**options: int) -> MemoryDisk:
    """Return a store with a snapshot and a log, always the same."""
    disk = MemoryDisk()
    with kvlib.open(disk, **options) as made:  # type: ignore[arg-type]  # options of several types
        made.update({"café": b"1", "": ""})
        made.compact()
        made["ключ"] = "値" * 20
        made.delete("")
    return disk


def spoil(data: bytes, at: int, byte: int) -> bytes:
    """Return the data with another byte at one place."""
    return data[:at] + bytes([byte]) + data[at + 1 :]


def a_directory() -> str:
    """Dump a store with small segments, and then the place of a lost one."""
    disk = store(max_segment_size=24)
    whole = "\n\n".join(repr(dump(file)) for file in dissect_directory(disk))
    disk.delete(disk.names()[0])
    (first, *_) = dissect_directory(disk)
    return f"{whole}\n\n{dump(first)!r}"


def coloured(data: bytes) -> str:
    """Return a coloured dump with visible escape codes."""
    return "\n".join(dump(data).lines(colour=True)).replace("\x1b", "\\x1b")


SNAPSHOT = kvlib.encode_snapshot({"café": b"\xff\0", "k": ""})
LOG = store().read("log")
WIDE = kvlib.encode_snapshot({"値" * 400: ""})
RECORDS = kvlib.encode_snapshot({f"key {number}": b"value" * 9 for number in range(40)})
PICTURES: dict[str, Callable[[], object]] = {
    "field": lambda: dump(kvlib.encode_field("café")),
    "record": lambda: dump(kvlib.encode_field("café") + kvlib.encode_field(b"")),
    "snapshot": lambda: dump(SNAPSHOT),
    "segments": lambda: "\n\n".join(repr(dump(part)) for part in kvlib.split(SNAPSHOT, 20)),
    "frame": lambda: dump(kvlib.seal(b"S", 3, b"anything") + kvlib.seal(b"C", 4, b"")),
    "log": lambda: dump(LOG, source="log"),
    "sealed": lambda: dump(store().read("0000000000000003.00000000.segment")),
    "directory": a_directory,
    "empty": lambda: dump(b""),
    "unknown": lambda: dump(b"hello"),
    "bad_tag": lambda: dump(spoil(SNAPSHOT, 4, 0x74), "snapshot"),
    "bad_length": lambda: dump(spoil(SNAPSHOT, 8, 0x99)),
    "bad_utf8": lambda: dump(spoil(SNAPSHOT, 12, 0xFF)),
    "doubled_key": lambda: dump(spoil(SNAPSHOT[:16] + SNAPSHOT[4:], 3, 2)),
    "cut": lambda: dump(SNAPSHOT[:-5]),
    "torn_tail": lambda: dump(LOG[:-20]),
    "damaged_log": lambda: dump(spoil(LOG, 60, 0x80)),
    "newer": lambda: dump(spoil(LOG, 7, 2)),
    "long": lambda: dump(RECORDS, limit=128),
    "long_damaged": lambda: dump(spoil(RECORDS, 1000, 0x80), limit=128),
    "long_value": lambda: dump(kvlib.encode_field(b"x" * 3000), limit=64),
    "long_reason": lambda: dump(spoil(WIDE + WIDE[4:], 3, 2), limit=64),
    "colour": lambda: coloured(SNAPSHOT),
    "colour_damaged": lambda: coloured(spoil(SNAPSHOT, 8, 0x99)),
    "colour_torn": lambda: coloured(LOG[:-3]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_dump_equals_its_golden(name: str) -> None:
    """Each picture equals its golden; no line is too wide, or ends with a space."""
    check_golden("", PICTURES, name)
    text = str(PICTURES[name]())
    for line in CODE.sub("", text.replace("\\x1b", "\x1b")).split("\n"):
        assert width(line) <= COLUMNS
        assert line == line.rstrip()


def test_each_golden_has_a_picture() -> None:
    """No golden is left without a picture."""
    check_none_is_left("", PICTURES)


@given(st.binary(min_size=1, max_size=1024))
def test_the_rows_can_be_restored(data: bytes) -> None:
    """The first paragraph is the hexdump package's, which restores the bytes from it."""
    rows = repr(dump(data)).split("\n\n")[0]
    assert rows == hexdump.hexdump(data, result="return")
    assume(data != b" ")  # the package raises an IndexError for its own dump of a space
    assert hexdump.restore(rows) == data


@given(MAPPINGS)
def test_every_key_and_value_is_shown(items: dict[Item, Item]) -> None:
    """Each key and value that fits is at the end of a line, as a Python literal."""
    text = repr(dump(kvlib.encode_snapshot(items), limit=None))
    for item in [*items, *items.values()]:
        if width(repr(item)) < 20:
            assert any(line.endswith(f" {item!r}") for line in text.split("\n"))


@given(FIELDS | st.sampled_from([*AWKWARD, *LONG]), st.integers(0, 80))
def test_no_line_is_too_wide(item: Item, limit: int) -> None:
    """No line has more than 80 columns, even with characters that are two columns wide."""
    data = kvlib.encode_snapshot({item: item})
    for line in repr(dump(data, limit=limit)).split("\n"):
        assert width(line) <= COLUMNS


@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_have_a_dump(data: bytes, limit: int) -> None:
    """Every byte is shown, or counted as left out."""
    text = repr(dump(data, limit=limit))
    left_out = sum(
        int(number.replace(",", "")) for number in re.findall(r"^\(([0-9,]+) byte", text, re.M)
    )
    rows = re.findall(r"^[0-9A-F]{8}: (.{49})", text, re.M)
    assert sum(len(row.split()) for row in rows) + left_out == len(data)


def test_a_long_dump_is_a_sequence_of_blocks() -> None:
    """The rows of all blocks restore the bytes, and a region that spans blocks has one line."""
    data = random.Random(1).randbytes(5000)
    text = repr(dump(kvlib.encode_field(data), limit=None))
    rows = "\n".join(re.findall(r"^[0-9A-F]{8}: .*$", text, re.M))
    assert hexdump.restore(rows) == kvlib.encode_field(data)
    assert [line[:4] for line in text.split("\n") if "data" in line] == ["0001", "0005"]


def test_a_flaw_is_shown_wherever_it_is() -> None:
    """The row where reading stops is shown, even beyond the limit."""
    for at in range(4, len(RECORDS), 61):
        text = repr(dump(spoil(RECORDS, at, 0xFF), "snapshot", limit=96))
        assert "!!" in text
        place = re.search(r"!! stopped at ([0-9A-F]{4})", text)
        if place:
            row = int(place[1], 16) // 16 * 16
            assert f"{row:08X}: " in text


def test_a_layout_is_dumped_like_its_bytes() -> None:
    """The dump of a layout is that of its bytes, decoded piece by piece."""
    frames = kvlib.seal(b"S", 3, b"anything") + kvlib.seal(b"M", 4, b"Ds\0\0\0\0")
    damaged = [LOG[:-3], spoil(LOG, 60, 0x80), spoil(LOG, 7, 9), b"?"]
    for data in (SNAPSHOT, frames, LOG, b"", *damaged):
        assert repr(dump(dissect(data))) == repr(dump(data))
    assert repr(dump(dissect(LOG, source="log"))) == repr(dump(LOG, source="log"))
    assert repr(dump(dissect(LOG, source="log"), source="")) == repr(dump(LOG))


def test_lines_come_while_the_bytes_are_read() -> None:
    """The first block of a long dump is printed before the rest is decoded."""
    data = kvlib.encode_snapshot({f"{number}": "" for number in range(5000)})
    pieces = walk(data, "snapshot")
    text = lines(data, pieces)
    assert next(text).startswith("00000000: ")
    assert next(pieces).start < 1200


def test_a_dump_is_a_mimebundle() -> None:
    """A notebook gets the text and escaped HTML, the same at each call."""
    shown = dump(b"s\0\0\0\3<b>")
    bundle = shown._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == repr(shown)
    assert bundle["text/html"].startswith('<div class="kvlib figure mathjax_ignore">')
    assert "&lt;b&gt;" in bundle["text/html"]
    assert "<b>" not in bundle["text/html"].partition("<script")[0]
    assert bundle == dump(b"s\0\0\0\3<b>")._repr_mimebundle_()


def test_a_store_is_dumped_file_by_file(tmp_path: Path) -> None:
    """A store is dumped from its path or its disk, as the command prints it."""
    with kvlib.open(tmp_path / "data") as made:
        made["café"] = "2,50 €"
    command = [sys.executable, "-m", "kvlib", "dump", str(tmp_path / "data")]
    printed = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    path = tmp_path / "data"
    for place in (path, str(path), kvlib.DirectoryDisk(path)):
        shown = dump(place)
        assert repr(shown) in printed
        assert repr(shown).count(" bytes\n\n00000000: 6B 76") == 2
        html = shown._repr_mimebundle_()["text/html"]
        assert html.count('class="kvlib figure mathjax_ignore"') == 2


def test_a_file_is_dumped_under_its_name(tmp_path: Path) -> None:
    """A file's name is its title, and gives the format, even if the file is damaged."""
    file = tmp_path / "log"
    for data in (LOG, spoil(LOG, 0, 0)):
        file.write_bytes(data)
        assert repr(dump(file)) == repr(dump(str(file))) == repr(dump(data, "log", "log"))
    assert repr(dump(file, "unknown", "")) == repr(dump(spoil(LOG, 0, 0), "unknown"))


def test_a_bytearray_is_dumped_like_bytes() -> None:
    """A bytearray has the dump of the same bytes."""
    assert repr(dump(bytearray(SNAPSHOT))) == repr(dump(SNAPSHOT))


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("値値", 4, "値値"),
        ("値値", 3, "値…"),
        ("値値", 2, "…"),
        ("cafe\u0301!", 5, "cafe\u0301!"),
    ],
)
def test_text_is_fitted_by_its_columns(text: str, columns: int, shown: str) -> None:
    """A wide character takes two columns, and a combining accent none."""
    assert fit(text, columns) == shown


def test_long_text_hangs_below_its_first_line() -> None:
    """Text is wrapped at 80 columns, and indented by the width of what precedes it."""
    for word in ("word", "値値"):
        first, *rest = hanging("asked  ", f"{word} " * 40)
        assert first.startswith(f"asked  {word} {word}")
        assert all(line.startswith(f"       {word}") for line in rest)
        assert max(map(width, [first, *rest])) <= COLUMNS
    assert [*hanging("asked  ", "")] == ["asked"]


if __name__ == "__main__":
    write("", PICTURES)
