"""For damage, the command line names the field and shows commands that can be pasted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import kvlib
from helpers.commands import flip, linux
from helpers.damaged import NAMES, a_store
from helpers.paths import ROOT
from helpers.stores import save_files
from helpers.vocabulary import HEAD_END, PREAMBLE
from kvlib import CorruptionError
from kvlib.layout import advice


@pytest.mark.parametrize(
    ("name", "offset", "field"),
    [
        ("log", 0, "preamble.magic"),
        ("log", 9, "head.crc"),
        ("log", 37, "head.stream_length"),
        ("log", HEAD_END + 3, "frame[0].crc"),
        (NAMES[0], 25, "segment.index"),
    ],
)
def test_advice_names_the_field_and_the_commands(
    tmp_path: Path, name: str, offset: int, field: str
) -> None:
    """The field has the name that a dump gives it."""
    store = tmp_path / "my store"
    save_files(a_store(), store)
    error = CorruptionError(str(store / name), offset, "because")
    quote = '"' if os.name == "nt" else "'"
    for path in (store, store / name):
        assert list(advice.advice(error, str(path))) == [
            f"  the field there: {field}",
            "  what you can do:",
            "    restore a backup, if there is one",
            f"    kvlib salvage {quote}{store}{quote} NEW",
            "      writes everything that still verifies to a new store, NEW",
            f"    kvlib dump {quote}{store / name}{quote}",
            "      shows every byte, labelled",
        ]


def test_advice_where_bytes_are_missing(tmp_path: Path) -> None:
    """Missing bytes have a field's name, but a missing file has none."""

    def advise(path: str | None, offset: int, argument: Path = tmp_path) -> list[str]:
        return list(advice.advice(CorruptionError(path, offset, ""), str(argument)))

    save_files({"bytes": b"s\0\0\0\0s\0", "log": PREAMBLE}, tmp_path)
    bare = tmp_path / "bytes"
    assert not [line for line in advise(str(bare), 7, bare) if "salvage" in line]
    assert advise(str(tmp_path / "log"), 8)[0] == "  the field there: head.missing"
    for path in ("the stream of generation 3", str(tmp_path / NAMES[0]), None):
        lines = advise(path, 0)
        assert lines[0] == "  what you can do:"
        assert f"    kvlib dump {tmp_path}" in lines


@linux
@pytest.mark.parametrize(
    "name",
    [
        b"plain",
        b"two words",
        b'it\'s "quoted"',
        b"$(touch never) `id` $HOME",
        b"-n",
        b"--help",
        b"line\nbreak\ttab",
        b"caf\xe9 \xff\xfe",
        "\u202eright to left \u2028".encode(),
        b"back\\slash\\x41",
        b"*?[a-z]{1,2}~!#&|;<>",
    ],
)
def test_advice_can_be_pasted_into_a_shell(name: bytes, tmp_path: Path) -> None:
    """The pasted commands read the right store, even if its path has odd bytes."""
    folder = os.fsencode(tmp_path)
    path = os.path.join(folder, name)
    with kvlib.open(os.fsdecode(path)) as opened:
        opened["a"] = "1"
        opened["b"] = "2"
    flip(Path(os.fsdecode(path)) / "log", 60)
    for number, shown in enumerate((b"./" + name if name.startswith(b"-") else name, path)):
        done = subprocess.run(
            [sys.executable, "-m", "kvlib", "check", shown], capture_output=True, cwd=folder
        )
        assert done.returncode == 1
        *_, salvage, _, dump, _ = done.stderr.decode().splitlines()
        assert salvage.strip().startswith("kvlib salvage ")
        assert salvage.isprintable()
        line = f"{salvage.replace('NEW', f'saved{number}')}; {dump}"
        line = line.replace("kvlib", f"PYTHONPATH={ROOT} {sys.executable} -m kvlib")
        pasted = subprocess.run(["bash", "-c", line], capture_output=True, cwd=folder)
        assert pasted.returncode == 1, pasted.stderr
        assert f"saved{number}: ".encode() in pasted.stdout
        assert b"log: " in pasted.stdout


@pytest.mark.parametrize(
    ("system", "path", "pasted"),
    [
        ("posix", "data", "data"),
        ("posix", "my data", "'my data'"),
        ("posix", "-n", "./-n"),
        ("posix", "line\nbreak/é\udcff", r"$'line\x0abreak/\xc3\xa9\xff'"),
        ("nt", "my data", '"my data"'),
    ],
)
def test_advice_quotes_a_path_for_its_shell(
    system: str, path: str, pasted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path without special characters needs no quotes."""
    quote = advice._quoted
    monkeypatch.setattr(os, "name", system)
    assert quote(path) == pasted
