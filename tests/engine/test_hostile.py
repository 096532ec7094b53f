"""Hostile files: whatever bytes a store holds, kvlib reads them or raises a KvlibError.

The ids of the tables are a list of attacks. Random attacks are in test_fuzz.py, and those that
need a real directory in test_hostile_directory.py.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from struct import pack

import pytest

import kvlib
from helpers.lies import (
    CRC,
    FAR,
    FIRST,
    ITEMS,
    LENGTH,
    ONE_RECORD,
    SALT,
    SECOND,
    SEGMENTS,
    STREAM,
    TOP,
    Files,
    lying,
    with_frames,
)
from helpers.vocabulary import (
    HEAD_END,
    PREAMBLE,
    delete,
    disk_of,
    every_cut,
    field,
    files_of,
    frame,
    log_bytes,
    put,
    store_files,
)
from kvlib import CorruptionError, VersionError, recovery
from kvlib.__main__ import main
from kvlib.errors import FormatError

M2 = frame(b"M", 2, put("a", "1"), SALT)
C3 = frame(b"C", 3, b"", SALT)
WHOLE = store_files(ITEMS, salt=SALT)
SPLIT = store_files(ITEMS, salt=SALT, size=48)


Refuse = Callable[..., FormatError]


@pytest.fixture
def refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Return a function that checks how files are refused, and returns the error.

    Everything that opens a store refuses them with the same message and changes nothing.
    """
    folders = iter(range(1000))

    def refuse(files: Files, kind: type[FormatError] = CorruptionError) -> FormatError:
        disk = disk_of(files)
        errors = []
        for action in (
            partial(kvlib.open, disk),
            partial(kvlib.open, disk, read_only=True),
            partial(kvlib.Store().deserialize, disk),
            partial(kvlib.Store().serialize, disk),
            partial(recovery.recover, disk),
        ):
            with pytest.raises(FormatError) as caught:
                action()
            assert type(caught.value) is kind
            errors.append(caught.value)
        assert len(set(map(str, errors))) == 1
        assert files_of(disk) == files
        folder = tmp_path / f"{next(folders)}"
        folder.mkdir()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        for command in ("check", "dump", "compact"):
            assert main([command, str(folder)]) == (2 if kind is VersionError else 1)
            err = capsys.readouterr().err
            assert err.startswith("kvlib: ")
            assert "Traceback" not in err
            if kind is CorruptionError:
                assert str(errors[0]) in err.replace(f"{folder}{os.sep}", "")
        left = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}
        assert left == files
        return errors[0]

    return refuse


# --- lies -----------------------------------------------------------------------------------------

INNER = "the stream of generation 1"
LIE = b"s" + FAR.to_bytes(4, "big") + b"short"
NOT_TEXT = b"s\0\0\0\x03ok\xc3"


def segment(kind: bytes, payload: bytes) -> dict[str, bytes]:
    """Return a store whose only segment is this frame."""
    return WHOLE | {FIRST: PREAMBLE + frame(kind, 1, payload)}


def first_frame(kind: bytes, payload: bytes) -> dict[str, bytes]:
    """Return a store whose log begins with this frame."""
    return WHOLE | {"log": log_bytes(head=frame(kind, 1, payload))}


Lie = tuple[str, Files, str, int, str]  # its name, the files; path, offset and a word of the error


def lies_of_files() -> Iterator[Lie]:
    """Yield files that aren't what they should be."""
    yield "an empty log", {"log": b""}, "log", 0, "magic"
    yield "an empty log with segments", WHOLE | {"log": b""}, "log", 0, "magic"
    yield "a log with only its magic", {"log": PREAMBLE[:6]}, "log", 6, "version"
    for name, data in WHOLE.items():
        yield f"{name} of another program", WHOLE | {name: b"sqlite" + data[6:]}, name, 0, "magic"
        yield f"version 0 of {name}", WHOLE | {name: b"kvlib\0\0\0" + data[8:]}, name, 6, "version"
    for kind in (b"S", b"C", b"M"):
        yield f"a head of kind {kind!r}", first_frame(kind, WHOLE["log"][25:]), "log", 24, "kind"
    for kind in (b"H", b"C", b"M"):
        files = segment(kind, pack(">II", 0, 1) + STREAM)
        yield f"a segment of kind {kind!r}", files, FIRST, 24, "kind"
    for size in (0, 23, 25):
        yield f"a head of {size} bytes", first_frame(b"H", bytes(size)), "log", 12, f"{size} bytes"
    for size in (0, 5, 7):
        files = segment(b"S", bytes(size))
        yield f"a segment of {size} bytes", files, FIRST, 25, "segment 0 of 1"
    whole = WHOLE[FIRST]
    for more in (b"\0", whole[8:]):
        files = WHOLE | {FIRST: whole + more}
        yield f"{len(more)} bytes after a segment", files, FIRST, len(whole), "follow"
    swapped = SPLIT | {FIRST: SPLIT[SECOND], SECOND: SPLIT[FIRST]}
    yield "segments that changed places", swapped, FIRST, 25, "segment 0 of 3"
    for index, missing in enumerate((FIRST, SECOND)):
        left = {name: data for name, data in SPLIT.items() if name != missing}
        yield f"no segment {index}", left, missing, 0, f"segment {index} of 3 is missing"


def lies_of_numbers() -> Iterator[Lie]:
    """Yield heads and segments with wrong numbers."""
    for count in (2, 100_000, FAR):
        files = lying(head={SEGMENTS: count})
        yield f"a head that names {count} segments", files, FIRST, 25, f"0 of {count}"
    yield "a head that names no segments", lying(head={SEGMENTS: 0}), "log", 37, "stream"
    for place, value in [(LENGTH, 71), (LENGTH, 73), (LENGTH, 2**64 - 1), (CRC, 0), (CRC, 1)]:
        files = lying(head={place: value})
        yield f"a head with {value} in field {place}", files, "log", 37, "stream"
    for generation in (0, 2, TOP):
        files = lying(piece=(generation, 0, 1))
        yield f"a segment of generation {generation}", files, FIRST, 16, f"generation {generation}"
    for index, total in [(1, 1), (0, 2), (FAR, FAR), (0, 0)]:
        files = lying(piece=(1, index, total))
        yield f"segment {index} of {total}", files, FIRST, 25, "segment 0 of 1"


def lies_of_streams() -> Iterator[Lie]:
    """Yield streams that aren't snapshots."""
    key, value = field("k"), field("v")
    yield (
        "no segments and no stream",
        lying(head={SEGMENTS: 0, LENGTH: 0, CRC: 0}),
        INNER,
        0,
        "count",
    )
    yield "no stream", lying(b""), INNER, 0, "count"
    yield "4294967295 records", lying(b"\xff" * 4 + key + value), INNER, 0, "count"
    yield "a byte after the last record", lying(b"\0\0\0\0?"), INNER, 4, "record"
    yield "a key twice", lying(b"\0\0\0\2" + 2 * (key + value)), INNER, 16, "second"
    yield "a key past the end", lying(ONE_RECORD + LIE), INNER, 5, "length"
    yield "a value past the end", lying(ONE_RECORD + key + LIE), INNER, 11, "length"
    yield "a key that isn't text", lying(ONE_RECORD + NOT_TEXT + value), INNER, 11, "UTF-8"


def bad_frames() -> Iterator[tuple[str, bytes, int, str]]:
    """Yield frames with the right checksum: a name, the frame, offset and a word of the error."""

    def mutations(payload: bytes) -> bytes:
        return frame(b"M", 2, payload, SALT)

    yield "a close with a payload", frame(b"C", 2, b"?", SALT), 4, "close"
    for kind in (b"H", b"S", b"?", b"X", b"\xff"):
        yield f"kind {kind!r}", frame(kind, 2, put("a", "1"), SALT), 16, "kind"
    for sequence in (0, 1, 3, TOP, TOP + 1, 2**64 - 1):
        for kind, payload in ((b"M", put("a", "1")), (b"m", put("a", "1")), (b"C", b"")):
            data = frame(kind, sequence, payload, SALT)
            yield f"sequence {sequence} of {kind!r}", data, 8, f"sequence {sequence}"
    yield "no mutations", mutations(b""), 17, "mutation"
    yield "no unsynced mutations", frame(b"m", 2, b"", SALT), 17, "mutation"
    yield "an unknown operation", mutations(b"X"), 17, "operation"
    yield "an operation after the last", mutations(delete("k") + b"?"), 24, "operation"
    yield "a delete without a key", mutations(delete("k") + b"D"), 25, "field"
    yield "an unknown tag", mutations(b"Px\0\0\0\0"), 18, "tag"
    yield "a deleted key past the end", mutations(b"D" + LIE), 19, "length"
    yield "a key past the end", mutations(b"P" + LIE), 19, "length"
    yield "a value past the end", mutations(b"P" + field("k") + LIE), 25, "length"
    yield "a key that isn't text", mutations(b"D" + NOT_TEXT), 25, "UTF-8"
    yield "a value that isn't text", mutations(b"P" + field("k") + NOT_TEXT), 31, "UTF-8"


@pytest.mark.parametrize(
    ("files", "path", "offset", "word"),
    [
        pytest.param(*lie, id=name)
        for name, *lie in (*lies_of_files(), *lies_of_numbers(), *lies_of_streams())
    ],
)
def test_a_lie_is_refused(refuse: Refuse, files: Files, path: str, offset: int, word: str) -> None:
    """A store that contradicts itself below right checksums is refused where the lie is."""
    error = refuse(files)
    assert (error.path, error.offset) == (path, offset)
    assert word in error.reason


@pytest.mark.parametrize(
    ("bad", "offset", "word"), [pytest.param(*bad, id=name) for name, *bad in bad_frames()]
)
def test_a_whole_frame_that_no_writer_writes_is_refused(
    refuse: Refuse, bad: bytes, offset: int, word: str
) -> None:
    """A whole frame with a flaw is damage, as no crash leaves one, wherever in the log it is."""
    for frames in ((bad,), (bad, M2, C3)):
        error = refuse(with_frames(*frames))
        assert (error.path, error.offset) == ("log", HEAD_END + offset)
        assert word in error.reason


@pytest.mark.parametrize("version", [2, 255, 256, 65_535])
def test_a_newer_version_is_not_damage(refuse: Refuse, version: int) -> None:
    """A newer log or segment is a VersionError, whatever follows the version."""
    preamble = b"kvlib\0" + version.to_bytes(2, "big")
    files = with_frames(M2, C3)
    for name, data in files.items():
        for newer in (preamble, preamble + b"who knows", preamble + data[8:]):
            error = refuse(files | {name: newer}, VersionError)
            assert (error.path, error.offset) == (name, 6)
            assert f"version {version}" in error.reason


@pytest.mark.parametrize("name", ["log", FIRST])
def test_every_cut_of_a_snapshot_is_refused(refuse: Refuse, name: str) -> None:
    """Head and segments were fsynced before the rename, so losing their end is damage."""
    for cut in every_cut(WHOLE[name]):
        with pytest.raises(CorruptionError) as caught:
            recovery.recover(disk_of(WHOLE | {name: cut}))
        assert caught.value.path == name
        assert caught.value.offset <= len(cut) + 4
        if len(cut) % 16 == 0:
            refuse(WHOLE | {name: cut})


@pytest.mark.parametrize("length", [1, 2**31, FAR])
def test_a_frame_longer_than_its_file(refuse: Refuse, length: int) -> None:
    """A frame past the end of its file is a torn tail in a log, and damage in a head or segment."""
    claim = pack(">IIQ", 0, length, 2) + b"M"
    with kvlib.open(disk_of(with_frames(M2, claim))) as opened:
        assert dict(opened) == ITEMS | {"a": "1"}
        assert opened.recovered.dropped_bytes == len(claim)
    for name, data in WHOLE.items():
        error = refuse(WHOLE | {name: data[:12] + length.to_bytes(4, "big") + data[16:25]})
        assert (error.path, error.offset) == (name, 12)


@pytest.mark.parametrize("size", [1, 6, 25, HEAD_END, 2**16])
def test_a_log_of_zeros_is_refused(refuse: Refuse, size: int) -> None:
    """A log of zeros, which a file system may leave, is refused rather than taken over as empty."""
    for files in ({}, with_frames(M2)):
        assert refuse(files | {"log": bytes(size)}).offset == 0


@pytest.mark.parametrize("size", [1, 16, 17, 18, 4096, 2**20])
def test_zeros_after_the_last_frame_are_a_torn_tail(size: int) -> None:
    """Zeros after the last frame are a torn tail, because a crash may leave them."""
    for salt in (0, SALT):
        files = store_files(ITEMS, frame(b"M", 2, put("a", "1"), salt), bytes(size), salt=salt)
        with kvlib.open(disk_of(files)) as opened:
            assert dict(opened) == ITEMS | {"a": "1"}
            assert opened.recovered.dropped_bytes == size


@pytest.mark.parametrize(
    ("generation", "frames"),
    [(TOP - 2, []), (TOP - 1, []), (TOP, []), (TOP - 1, [frame(b"M", TOP, put("a", "1"), SALT)])],
)
def test_a_store_at_the_last_sequence(generation: int, frames: list[bytes]) -> None:
    """A store at the last sequence opens and closes; a write is kept or refused."""
    files = store_files(ITEMS, *frames, salt=SALT, generation=generation)
    records = ITEMS | {"a": "1"} if frames else ITEMS
    assert dict(kvlib.open(disk_of(files), read_only=True)) == records
    opened = kvlib.open(disk_of(files))
    with suppress(ValueError, kvlib.KvlibError):
        opened["b"] = "2"
    assert dict(opened) in (records, records | {"b": "2"})
    opened.close()


@pytest.mark.parametrize("generation", [TOP + 1, 2**64 - 1])
def test_a_generation_above_the_last_is_refused(refuse: Refuse, generation: int) -> None:
    """A generation above the last sequence is damage."""
    error = refuse(store_files(ITEMS, generation=generation))
    assert error.offset == 16
    assert f"sequence {generation}" in error.reason
