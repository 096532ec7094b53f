"""Hostile bytes: whatever stands in the files, there is a result or a KvlibError, and no more.

The names of the tests are a list of attacks. After them come what opening a file may execute,
which is nothing, and a sample of what `make fuzz` does.
"""

import ast
import os
import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from struct import pack
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.paths import CORPUS
from helpers.vocabulary import (
    HEAD_END,
    PREAMBLE,
    FaultyDisk,
    delete,
    disk_of,
    every_cut,
    field,
    files_of,
    frame,
    log_bytes,
    put,
    run_python,
    store_files,
)
from kvlib import (
    CorruptionError,
    DirectoryDisk,
    KvlibError,
    VersionError,
    encoding,
    log,
    recovery,
    segments,
    snapshot,
)
from kvlib import frame as frames
from kvlib.__main__ import main
from kvlib.layout.dissect import walk_directory
from tools import fuzz

SALT = 0x5EED
ITEMS: dict[kvlib.encoding.Item, kvlib.encoding.Item] = {"café": b"1", b"k": "v" * 50}
FIRST = f"{1:016x}.{0:08x}.segment"
M2 = frame(b"M", 2, put("a", "1"), SALT)
C3 = frame(b"C", 3, b"", SALT)
FAR = 2**32 - 1

Refuse = Callable[..., str]


def store(*more: bytes, **how: int) -> dict[str, bytes]:
    """The files of a store with a snapshot of ITEMS; `more` are the frames of its log."""
    return store_files(ITEMS, *more, salt=SALT, **how)


def with_stream(stream: bytes) -> dict[str, bytes]:
    """A store of one segment around any stream, with checksums that are right."""
    return with_head(0, SALT, 0, 1, len(stream), crc32(stream)) | {
        FIRST: PREAMBLE + frame(b"S", 1, pack(">II", 0, 1) + stream)
    }


def with_head(less: int, *numbers: int) -> dict[str, bytes]:
    """The files of a store with other numbers in its head, whose payload lacks `less` bytes."""
    payload = pack(">IIIQI", *numbers)
    head = frame(b"H", 1, payload[: len(payload) - less])
    return store() | {"log": log_bytes(head=head)}


def peak(action: Callable[[], object]) -> int:
    """The bytes of memory that an action takes, which may be refused."""
    tracemalloc.start()
    try:
        with suppress(KvlibError):
            action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def fill(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A directory with these files."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """The regular files of a directory, but the one that a lock needs."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and path.name != "lock"
    }


@pytest.fixture
def refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """All that opens a store refuses these files, says so in one way, and changes nothing.

    Gives what they say, with the offset, without the folder.
    """
    folders = iter(range(1000))

    def refuse(files: Mapping[str, bytes], kind: type[KvlibError] = CorruptionError) -> str:
        disk = disk_of(files)
        actions: list[Callable[[], object]] = [
            lambda: kvlib.open(disk),
            lambda: kvlib.open(disk, read_only=True),
            lambda: kvlib.Store().deserialize(disk),
            lambda: kvlib.Store().serialize(disk),
            lambda: recovery.recover(disk),
        ]
        said = set()
        for action in actions:
            with pytest.raises(KvlibError) as caught:
                action()
            assert type(caught.value) is kind
            said.add(str(caught.value))
        assert files_of(disk) == files
        (one,) = said
        folder = fill(tmp_path / f"{next(folders)}", files)
        for command in ("check", "dump", "compact"):
            assert main([command, str(folder)]) == (2 if kind is VersionError else 1)
            err = capsys.readouterr().err
            assert err.startswith("kvlib: ")
            assert "Traceback" not in err
            if kind is CorruptionError:
                assert one in err.replace(f"{folder}{os.sep}", "")
        assert contents(folder) == files
        return one

    return refuse


# --- numbers that promise too much ----------------------------------------------------------------


def test_a_claimed_count_of_4294967295_records(refuse: Refuse) -> None:
    """It is compared with the bytes that are there, before anything is made for so many."""
    stream = b"\xff" * 4 + field("k") + field("v")
    with pytest.raises(CorruptionError, match="count 4294967295, but only 12 bytes follow"):
        kvlib.decode_snapshot(stream)
    assert peak(lambda: kvlib.decode_snapshot(stream)) < 10_000
    assert "count 4294967295" in refuse(with_stream(stream))


@pytest.mark.parametrize("length", [6, 255, 2**31 - 1, 2**31, FAR])
def test_a_length_past_the_end(refuse: Refuse, length: int) -> None:
    """Of a key, of a value, in a stream and in a frame whose checksum is right."""
    lie = b"s" + length.to_bytes(4, "big") + b"short"
    for data in (lie, field("k") + lie):
        with pytest.raises(CorruptionError, match=f"length {length}, but only"):
            encoding.decode_field(data, data.index(lie))
        refuse(with_stream(b"\0\0\0\1" + data))
    for payload in (b"D" + lie, b"P" + lie, b"P" + field("k") + lie):
        said = refuse(store(frame(b"M", 2, payload, SALT)))
        assert said.startswith(f"log: offset {HEAD_END + 17 + payload.index(lie) + 1}: ")
        with pytest.raises(CorruptionError):
            log.decode_mutations(payload)


@pytest.mark.parametrize("length", [1, 2**31, FAR])
def test_a_frame_longer_than_its_file(refuse: Refuse, length: int) -> None:
    """At the end of a log it is a torn tail; in a head or a segment it is damage."""
    lie = pack(">IIQ", 0, length, 2) + b"M"
    with pytest.raises(CorruptionError, match=f"length {length}, but only 0 bytes"):
        kvlib.unseal(lie)
    disk = disk_of(store(M2, lie))
    with kvlib.open(disk) as opened:
        assert dict(opened) == ITEMS | {"a": "1"}
        assert opened.recovered.dropped_bytes == len(lie)
    files = store()
    for name in files:
        data = files[name][:12] + length.to_bytes(4, "big") + files[name][16:25]
        assert f"{name}: offset 12: length" in refuse(files | {name: data})


def test_a_head_that_names_100000_segments_that_are_not_there(refuse: Refuse) -> None:
    """The first one is looked for, and no other."""
    for number in (100_000, FAR):
        files = with_head(0, SALT, 0, number, 4, 0)
        disk = FaultyDisk(disk_of(files))
        with pytest.raises(CorruptionError, match=f"not segment 0 of {number}"):
            recovery.recover(disk)
        assert disk.calls == [("names", ""), ("read", "log"), ("read", FIRST)]
        assert peak(partial(recovery.recover, disk)) < 20_000
        refuse(files)
        del files[FIRST]
        assert refuse(files) == f"{FIRST}: offset 0: segment 0 of {number} is missing"


def test_a_head_that_names_100000_segments_that_are_all_there() -> None:
    """Each is read, once."""
    items: dict[kvlib.encoding.Item, kvlib.encoding.Item] = {"k": "v" * 99_985}
    files = store_files(items, size=9)
    assert len(files) == 100_001
    disk = FaultyDisk(disk_of(files))
    state = recovery.recover(disk)
    assert state is not None
    assert state.items == items
    assert len(disk.calls) == 2 + 100_000


def test_the_picture_of_2000_segments() -> None:
    """A record that spans them all is drawn once in each: no more regions than there are bytes."""
    files = store_files({"k": "v" * 2_000}, size=9)
    pieces = sum(1 for _, _, found in walk_directory(disk_of(files)) for _ in found)
    assert pieces < 5 * 2_020
    del files[max(name for name in files if name != "log")]
    with pytest.raises(CorruptionError, match="is missing"):
        recovery.recover(disk_of(files))


def test_bare_segments_that_claim_a_total_of_4294967295() -> None:
    """Which one is missing is found without counting so far."""
    pieces = [pack(">II", index, FAR) + b"x" for index in range(100)]
    with pytest.raises(CorruptionError, match="segment 100 of 4294967295 is missing"):
        kvlib.join(pieces)
    assert peak(lambda: kvlib.join(pieces)) < 50_000
    with pytest.raises(CorruptionError, match="segment 0 of 4294967295 is missing"):
        kvlib.join([pack(">II", FAR - 1, FAR)])


def test_claims_cost_no_memory() -> None:
    """A file of a hundred bytes that promises exabytes takes some kilobytes."""
    stream = kvlib.encode_snapshot(ITEMS)
    right = (SALT, 0, 1, len(stream), crc32(stream))
    huge = frame(b"M", 2, b"", SALT)[:4] + b"\xff" * 4 + frame(b"M", 2, b"", SALT)[8:]
    claims = [
        with_head(0, *right[:2], FAR, *right[3:]),
        with_head(0, *right[:3], 2**64 - 1, right[4]),
        with_stream(b"\xff" * 4),
        with_stream(b"\0\0\0\1s" + b"\xff" * 4 + b"k"),
        store(huge),
        store(frame(b"M", 2, b"Ps" + b"\xff" * 4, SALT)),
        store() | {FIRST: PREAMBLE + frame(b"S", 1, b"\xff" * 8)},
    ]
    for files in claims:
        disk = disk_of(files)
        assert peak(partial(recovery.recover, disk)) < 50_000
        assert peak(partial(fuzz.feed_pictures, fuzz.pack_files(files))) < 100_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\0\0\x10\0" + b"b\0\0\0\0" * 8_192, id="doubled keys"),
        pytest.param(
            kvlib.encode_snapshot({number.to_bytes(2, "big"): b"" for number in range(8_000)})
            + b"?",
            id="a byte too many",
        ),
        pytest.param(b"\0\0\0\1b" + (2**17).to_bytes(4, "big") + bytes(2**17), id="long key"),
    ],
)
def test_memory_stays_within_a_small_multiple_of_the_input(data: bytes) -> None:
    """Records take more room as Python objects than as bytes, and that is all."""
    assert peak(lambda: kvlib.decode_snapshot(data)) < 32 * len(data) + 10_000
    assert peak(lambda: recovery.recover(disk_of(with_stream(data)))) < 40 * len(data)
    payload = b"D\x62\0\0\0\0" * (len(data) // 6)
    assert peak(lambda: log.decode_mutations(payload + b"?")) < 32 * len(payload)


# --- files that are no log ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 6, 8, 25, 49, 4096, 2**16])
def test_a_log_of_zeros(refuse: Refuse, size: int) -> None:
    """A file system may leave one; it is no new store, and nothing is written over it."""
    assert "is not the magic" in refuse({"log": bytes(size)})
    assert "is not the magic" in refuse(store(M2) | {"log": bytes(size)})


@pytest.mark.parametrize("size", [1, 16, 17, 18, 4096, 2**20])
def test_zeros_behind_the_last_frame(size: int) -> None:
    """A crash leaves them, too: a torn tail."""
    for salt in (0, SALT):
        last = frame(b"M", 2, put("a", "1"), salt)
        files = store_files(ITEMS, last, bytes(size), salt=salt)
        with kvlib.open(disk_of(files)) as opened:
            assert dict(opened) == ITEMS | {"a": "1"}
            assert opened.recovered.dropped_bytes == size


def test_an_empty_log(refuse: Refuse) -> None:
    """It is damage, with segments and without them: a log is renamed into place whole."""
    assert refuse({"log": b""}) == "log: offset 0: b'' is not the magic b'kvlib\\x00'"
    refuse(store() | {"log": b""})


def test_a_log_with_only_its_magic(refuse: Refuse) -> None:
    """And with any other part of its head."""
    assert refuse({"log": PREAMBLE[:6]}) == "log: offset 6: no version here, expected 1"
    for cut in every_cut(store()["log"]):
        refuse(store() | {"log": cut})


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 2, 72, 0), "not segment 0 of 2"),
        ((0, 1, 71, None), "not the stream that the head names"),
        ((0, 1, 73, None), "not the stream that the head names"),
        ((0, 1, 2**64 - 1, None), "not the stream that the head names"),
        ((0, 1, None, 0), "not the stream that the head names"),
        ((0, 0, 0, 0), "0 bytes, but a count needs 4"),
        ((0, 0, 0, 1), "not the stream that the head names"),
        ((0, 0, None, None), "not the stream that the head names"),
    ],
)
def test_a_head_that_lies(
    refuse: Refuse, numbers: tuple[int, int, int | None, int | None], said: str
) -> None:
    """About the number of segments, the length of the stream or its checksum."""
    compactions, total, length, crc = numbers
    stream = kvlib.encode_snapshot(ITEMS)
    length = len(stream) if length is None else length
    crc = crc32(stream) if crc is None else crc
    assert said in refuse(with_head(0, SALT, compactions, total, length, crc))


def test_a_head_of_another_size(refuse: Refuse) -> None:
    """Its checksum is right, and its payload shorter or longer than a head's."""
    assert "a head of 23 bytes" in refuse(with_head(1, SALT, 0, 1, 4, 0))
    head = frame(b"H", 1, bytes(25))
    assert "a head of 25 bytes" in refuse(store() | {"log": log_bytes(head=head)})


def test_a_segment_that_is_another_one(refuse: Refuse) -> None:
    """Of another generation, index or total; or no segment, or one with something behind it."""
    stream = kvlib.encode_snapshot(ITEMS)
    for sequence, index, total, said in (
        (2, 0, 1, "a segment of generation 2"),
        (2**63, 0, 1, "a segment of generation 9223372036854775808"),
        (1, 1, 1, "not segment 0 of 1"),
        (1, 0, 2, "not segment 0 of 1"),
        (1, FAR, FAR, "not segment 0 of 1"),
        (1, 0, 0, "not segment 0 of 1"),
    ):
        payload = pack(">II", index, total) + stream
        data = PREAMBLE + frame(b"S", sequence, payload)
        assert said in refuse(store() | {FIRST: data})
    whole = store()[FIRST]
    assert "1 bytes follow the frame" in refuse(store() | {FIRST: whole + b"?"})
    assert "kind b'M', expected b'S'" in refuse(store() | {FIRST: PREAMBLE + frame(b"M", 1, b"")})
    assert "not segment 0 of 1" in refuse(store() | {FIRST: PREAMBLE + frame(b"S", 1, b"short")})


# --- versions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 255, 256, 65_535])
def test_a_newer_version_is_not_called_damage(refuse: Refuse, version: int) -> None:
    """In the log and in a segment: whatever follows may be anything, and is not looked at."""
    preamble = frames.MAGIC + version.to_bytes(2, "big")
    for name, data in store(M2, C3).items():
        for changed in (preamble, preamble + b"who knows", preamble + data[8:]):
            said = refuse(store(M2, C3) | {name: changed}, VersionError)
            assert said.startswith(
                f"{name}: offset 6: format version {version}, but this kvlib reads"
            )


def test_version_0_is_damage(refuse: Refuse) -> None:
    """No kvlib ever wrote it."""
    for name, data in store(M2, C3).items():
        files = store(M2, C3) | {name: frames.MAGIC + b"\0\0" + data[8:]}
        assert refuse(files) == f"{name}: offset 6: no version here, expected 1"


# --- frames with right checksums that say what nobody says ----------------------------------------


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (frame(b"C", 2, b"?", SALT), "offset 53: a close frame with a payload"),
        (frame(b"H", 2, bytes(24), SALT), "offset 65: kind b'H' inside a log"),
        (frame(b"S", 2, b"", SALT), "offset 65: kind b'S' inside a log"),
        (frame(b"?", 2, b"", SALT), "offset 65: unknown kind b'?' in a whole frame"),
        (frame(b"\xff", 2, b"", SALT), "offset 65: unknown kind b'\\xff' in a whole frame"),
        (frame(b"M", 2, b"", SALT), "offset 66: a mutations frame without a mutation"),
        (frame(b"m", 2, b"", SALT), "offset 66: a mutations frame without a mutation"),
        (frame(b"M", 2, b"X", SALT), "offset 66: operation b'X' is neither"),
        (frame(b"M", 2, delete("k") + b"D", SALT), "offset 74: the data ends 5 bytes short"),
        (frame(b"M", 2, b"Px\0\0\0\0", SALT), "offset 67: tag b'x' is neither"),
        (frame(b"M", 0, put("a", "1"), SALT), "offset 57: sequence 0, expected 2"),
        (frame(b"M", 1, put("a", "1"), SALT), "offset 57: sequence 1, expected 2"),
        (frame(b"M", 3, put("a", "1"), SALT), "offset 57: sequence 3, expected 2"),
        (frame(b"M", 2**63, b"", SALT), "sequence 9223372036854775808, expected 2"),
        (frame(b"M", 2**63 + 1, b"", SALT), "sequence 9223372036854775809 is above"),
        (frame(b"C", 2**64 - 1, b"", SALT), "sequence 18446744073709551615 is above"),
    ],
)
def test_a_whole_frame_that_nobody_writes(refuse: Refuse, bad: bytes, said: str) -> None:
    """Its checksum is right, so that no crash has made it: at the end of a log, and inside."""
    assert said in refuse(store(bad))
    assert said in refuse(store(bad, M2, C3))


def test_data_that_is_no_text(refuse: Refuse) -> None:
    """Keys and values that say they are UTF-8, and are not; the offset is that of the byte."""
    for raw in (b"\xff", b"ok\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"):
        lie = b"s" + len(raw).to_bytes(4, "big") + raw
        with pytest.raises(CorruptionError, match="not UTF-8"):
            kvlib.decode_field(lie)
        assert "not UTF-8" in refuse(with_stream(b"\0\0\0\1" + lie + field("v")))
        assert "not UTF-8" in refuse(store(frame(b"M", 2, b"P" + field("k") + lie, SALT)))
        files = store() | {"log": store()["log"] + frame(b"M", 2, b"D" + lie, SALT)}
        assert f"offset {72 + raw.index(max(raw))}" in refuse(files) or len(raw) > 1


def test_a_key_that_stands_twice(refuse: Refuse) -> None:
    """In a snapshot it cannot; the same letters as bytes and as text are two keys."""
    two = b"\0\0\0\2" + 2 * (field("k") + field("v"))
    assert "is here for the second time" in refuse(with_stream(two))
    pair = b"\0\0\0\2" + field("k") + field("v") + field(b"k") + field("v")
    assert dict(kvlib.open(disk_of(with_stream(pair)))) == {"k": "v", b"k": "v"}


# --- the last sequence ----------------------------------------------------------------------------


@pytest.mark.parametrize("generation", [2**63 - 2, 2**63 - 1, 2**63])
def test_a_store_at_the_last_sequence(generation: int) -> None:
    """It is read like any other, and what it cannot number any more is not written."""
    files = store(generation=generation)
    assert dict(kvlib.open(disk_of(files), read_only=True)) == ITEMS
    opened = kvlib.open(disk_of(files))
    assert dict(opened) == ITEMS
    with suppress(ValueError, KvlibError):
        opened["a"] = "1"
    assert dict(opened) in (ITEMS, ITEMS | {"a": "1"})


def test_a_store_at_the_last_sequence_can_be_closed() -> None:
    """No bytes of a store are a mistake of the one who closes it."""
    kvlib.open(disk_of(store(generation=2**63 - 1))).close()


@pytest.mark.parametrize("generation", [2**63 + 1, 2**64 - 1])
def test_a_sequence_above_the_last(refuse: Refuse, generation: int) -> None:
    """Nobody has written it."""
    assert f"offset 16: sequence {generation} is above" in refuse(store(generation=generation))


# --- work without end -----------------------------------------------------------------------------


def crc_work(monkeypatch: pytest.MonkeyPatch, data: bytes) -> tuple[int, str]:
    """How many bytes of checksums the search behind a bad frame takes, and what comes of it."""
    work = 0

    def counting(piece: bytes, seed: int = 0) -> int:
        nonlocal work
        work += len(piece)
        return crc32(piece, seed)

    files = store() | {"log": store()["log"] + data}
    with monkeypatch.context() as patched:
        patched.setattr(frames, "crc32", counting)
        try:
            recovery.recover(disk_of(files))
        except CorruptionError as error:
            return work, error.reason
    return work, "torn"


def fake(sequence: int, length: int, kind: bytes = b"M") -> bytes:
    """The header of a frame whose checksum is wrong."""
    return pack(">IIQ", 1, length, sequence) + kind


@pytest.mark.parametrize("size", [1_000, 4_000, 100_000])
def test_fake_frames_that_overlap(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Each spans all that follow: tried out one by one, they would cost the square of their
    number.
    """
    headers = [fake(3 + at % (size // 2), 17 * (size - at - 1)) for at in range(size)]
    data = b"".join(headers)
    work, said = crc_work(monkeypatch, data)
    assert work <= 65 * len(data) + 1_000
    assert "made to keep a reader searching forever" in said


def test_fake_frames_that_stand_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all tried out: a header each."""
    data = b"".join(fake(3 + at, 0) for at in range(100_000))
    work, said = crc_work(monkeypatch, data)
    assert said == "torn"
    assert work <= 2 * len(data)


def test_fake_frames_that_hide_a_true_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged is found behind them, or the search is given up: never torn."""
    for number in (10, 100, 1_000, 10_000):
        true = frame(b"M", 3 + number // 2, put("a", "1"), SALT)
        data = b"".join(fake(3, 17 * (number - at - 1)) for at in range(number)) + true
        _, said = crc_work(monkeypatch, data)
        assert "promises that this one had been fsynced" in said or "forever" in said


def test_sequences_that_match_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes in which every place could be the beginning of a frame."""
    for unit in (b"M", b"\0", b"\0\0\0\0\0\0\0\3M", b"\0\0\0\0\0\0\0\3C", b"\0M", b"\0\0\0\3M"):
        data = (unit * 200_000)[:200_000]
        work, _ = crc_work(monkeypatch, b"?" + data)
        assert work <= 66 * len(data)


def test_a_strict_decoder_reads_each_field_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the flaw is at the very end, and the fast reading was in vain."""
    calls = 0
    real = encoding.decode_field

    def counting(data: bytes, offset: int = 0) -> tuple[encoding.Item, int]:
        nonlocal calls
        calls += 1
        return real(data, offset)

    items: dict[encoding.Item, encoding.Item] = {str(number): "" for number in range(20_000)}
    monkeypatch.setattr(encoding, "decode_field", counting)
    monkeypatch.setattr(log, "decode_field", counting)
    with pytest.raises(CorruptionError):
        kvlib.decode_snapshot(kvlib.encode_snapshot(items) + b"?")
    assert calls == 40_000
    with pytest.raises(CorruptionError):
        log.decode_mutations(b"".join(map(delete, items)) + b"?")
    assert calls == 60_000


# --- what is not a regular file -------------------------------------------------------------------

posix = pytest.mark.skipif(os.name == "nt", reason="no links and pipes for everybody there")


def place_link(path: Path, outside: Path) -> None:
    """A link to a file that belongs to somebody else."""
    path.symlink_to(outside)


def place_dangling(path: Path, outside: Path) -> None:
    """A link to a file that is not there: writing would make it."""
    path.symlink_to(outside.with_name("nowhere"))


def place_directory(path: Path, outside: Path) -> None:
    """A directory."""
    path.mkdir()


def place_pipe(path: Path, outside: Path) -> None:
    """A pipe that nobody writes to: reading would wait for ever."""
    os.mkfifo(path)


Place = Callable[[Path, Path], None]
places = pytest.mark.parametrize("place", [place_link, place_dangling, place_directory, place_pipe])


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that no store may touch; what it holds would be a whole log."""
    path = tmp_path / "outside"
    path.write_bytes(store(M2)["log"])
    return path


@posix
@places
@pytest.mark.parametrize("name", ["log", FIRST])
def test_what_is_no_regular_file_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], outside: Path, place: Place, name: str
) -> None:
    """In the place of the log or of a segment it is damage: not followed, and not waited for."""
    folder = fill(tmp_path / "store", store(M2))
    (folder / name).unlink()
    place(folder / name, outside)
    before, there = contents(folder), sorted(path.name for path in tmp_path.iterdir())
    with fuzz.patience(60):
        for action in (
            lambda: kvlib.open(folder),
            lambda: kvlib.open(folder, read_only=True),
            lambda: kvlib.Store().deserialize(folder),
            lambda: kvlib.Store().serialize(folder),
        ):
            with pytest.raises(CorruptionError, match="is not a regular file") as caught:
                action()
            assert caught.value.path == str(folder / name)
        for command in ("check", "dump", "compact"):
            status = main([command, str(folder)])
            err = capsys.readouterr().err
            assert err.startswith(f"kvlib: {folder / name}: ")
            assert status == 1
            assert "Traceback" not in err
    assert contents(folder) == before
    assert outside.read_bytes() == store(M2)["log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == there


@posix
@places
def test_a_lock_that_is_no_regular_file(tmp_path: Path, outside: Path, place: Place) -> None:
    """Whoever writes refuses it; whoever only reads needs no lock."""
    folder = fill(tmp_path / "store", store(M2))
    place(folder / "lock", outside)
    with fuzz.patience(60):
        for action in (lambda: kvlib.open(folder), lambda: kvlib.Store().serialize(folder)):
            with pytest.raises(CorruptionError, match="is not a regular file"):
                action()
        assert dict(kvlib.open(folder, read_only=True)) == ITEMS | {"a": "1"}
    assert main(["check", str(folder)]) == 0
    assert main(["compact", str(folder)]) == 1
    assert contents(folder) == store(M2)
    assert outside.read_bytes() == store(M2)["log"]
    assert not outside.with_name("nowhere").exists()


@posix
@places
def test_a_new_log_that_is_no_regular_file(tmp_path: Path, outside: Path, place: Place) -> None:
    """It is in the way of the next snapshot, and nothing is written through it."""
    folder = fill(tmp_path / "store", store(M2, C3))
    place(folder / "log.new", outside)
    with fuzz.patience(60):
        assert main(["check", str(folder)]) == 0
        assert main(["dump", str(folder)]) == 0
        with kvlib.open(folder) as opened:
            opened["b"] = "2"
            with pytest.raises(CorruptionError, match=r"log\.new: offset 0: .* not a regular file"):
                opened.compact()
            opened["c"] = "3"
        with kvlib.open(folder) as opened:
            assert dict(opened) == ITEMS | {"a": "1", "b": "2", "c": "3"}
    (folder / "log").write_bytes(store(M2)["log"])  # not closed: opening wants a new snapshot
    with pytest.raises(CorruptionError, match=r"log\.new: offset 0"):
        kvlib.open(folder)
    assert dict(kvlib.open(folder, read_only=True)) == ITEMS | {"a": "1"}
    assert outside.read_bytes() == store(M2)["log"]
    assert not outside.with_name("nowhere").exists()


@posix
@places
def test_a_coming_segment_that_is_no_regular_file(
    tmp_path: Path, outside: Path, place: Place
) -> None:
    """A name that the next snapshot will use: nothing is written through it."""
    folder = fill(tmp_path / "store", store(M2, C3))
    place(folder / f"{4:016x}.{0:08x}.segment", outside)
    with fuzz.patience(60), kvlib.open(folder) as opened:
        with pytest.raises(CorruptionError, match="is not a regular file"):
            opened.compact()
        opened.compact()  # the next generation has another name
        assert dict(opened) == ITEMS | {"a": "1"}
    assert outside.read_bytes() == store(M2)["log"]
    assert not outside.with_name("nowhere").exists()


@posix
def test_a_log_that_is_a_device(tmp_path: Path) -> None:
    """Reading /dev/zero through a link would never end."""
    folder = fill(tmp_path / "store", store())
    (folder / "log").unlink()
    (folder / "log").symlink_to("/dev/zero")
    with fuzz.patience(60), pytest.raises(CorruptionError, match="is not a regular file"):
        kvlib.open(folder)


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../log", "a/b", "/log", "log\0", "\0", "a\\b", "..\\log"]
)
def test_a_name_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    """A disk takes plain file names only: nothing outside its directory can be named."""
    (tmp_path / "log").write_bytes(b"outside")
    disk = DirectoryDisk(fill(tmp_path / "store", {"log": b"inside"}))
    with disk.lock():
        for action in (
            lambda: disk.path(name),
            lambda: disk.read(name),
            lambda: disk.write(name, b"!"),
            lambda: disk.append(name, b"!"),
            lambda: disk.sync(name),
            lambda: disk.rename("log", name),
            lambda: disk.rename(name, "log"),
            lambda: disk.delete(name),
        ):
            with pytest.raises(ValueError, match="is not a plain file name"):
                action()
    assert (tmp_path / "log").read_bytes() == b"outside"
    assert contents(tmp_path / "store") == {"log": b"inside"}


@posix
def test_names_that_are_not_of_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lookalikes are left alone, and shown so that no terminal is confused."""
    folder = fill(tmp_path / "store", store(M2))
    strange = [
        "..segment",
        "LOG",
        "log ",
        "log\n",
        FIRST + "\n",
        FIRST.upper(),
        FIRST + "~",
        "0" + FIRST,
        "\u0660" * 16 + FIRST[16:],
        "\x1b[31mred",
    ]
    for name in [*map(os.fsencode, strange), b"\xff\xfe"]:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"mine")
    with kvlib.open(folder) as opened:
        opened.compact()
        assert dict(opened) == ITEMS | {"a": "1"}
    assert [*contents(folder).values()].count(b"mine") == len(strange) + 1
    for command in ("check", "dump"):
        assert main([command, str(folder)]) == 0
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "not kvlib's" in shown


def test_a_path_with_a_nul(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no such place."""
    with pytest.raises(ValueError, match="null"):
        kvlib.open("a\0b")
    for command in ("check", "dump", "compact"):
        assert main([command, "a\0b"]) == 2
        assert "a\\x00b" in capsys.readouterr().err


# --- nothing executes -----------------------------------------------------------------------------

WATCH = """
import contextlib, io, sys, tempfile, warnings
import filelock, hexdump
import kvlib
from tools import fuzz
from kvlib.__main__ import main

# Once before anybody watches: what is imported late, or compiled once for all, is no part of this.
seed, number = map(int, sys.argv[1:])
made = list(fuzz.inputs(seed, 0, number))
with contextlib.suppress(kvlib.KvlibError), tempfile.TemporaryDirectory() as place:
    kvlib.open(place + "/store").close()
    with contextlib.redirect_stdout(io.StringIO()):
        main(["dump", place + "/store"])
    kvlib.open(place + "/store", read_only=True)
FORBIDDEN = ("exec", "compile", "import", "pickle.find_class", "marshal.", "code.", "ctypes.",
             "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.fork",
             "subprocess.", "pty.", "socket.", "urllib.", "webbrowser.")
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(FORBIDDEN) else None)
try:
    eval("1")
finally:
    assert "compile" in seen and "exec" in seen, seen
seen.clear()
fed = 0
for name, data in made:
    fuzz.feed(name, data)
    fed += 1
    if seen:
        print(name, data.hex(), seen)
        break
print("fed", fed)
"""


def test_reading_executes_nothing() -> None:
    """While hostile files are opened, checked and drawn, nothing is imported, compiled, executed,
    unpickled or started.
    """
    assert run_python(WATCH, "77", "3000") == "fed 3000"


def test_records_that_are_code_stay_records(tmp_path: Path) -> None:
    """A pickle that would run a command, and a line of Python, come back as the bytes they are."""
    mark = tmp_path / "executed"
    attack = f"cposix\nsystem\n(S'touch {mark}'\ntR.".encode()
    line = f"__import__('os').system('touch {mark}')"
    with kvlib.open(tmp_path / "store") as opened:
        opened[attack] = line
        opened[line] = attack
        opened.compact()
        opened[b"again"] = attack
    with kvlib.open(tmp_path / "store") as opened:
        assert dict(opened) == {attack: line, line: attack, b"again": attack}
    for command in ("check", "dump"):
        assert main([command, str(tmp_path / "store")]) == 0
    assert not mark.exists()


EXECUTES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "code",
    "codeop",
    "runpy",
    "ctypes",
}


def test_no_module_can_execute_what_it_reads() -> None:
    """No pickle, marshal or shelve is imported anywhere in kvlib, and nothing is evaluated.

    But for the lessons and the classroom, which run what a learner writes, and read no store by it.
    """
    folder = Path(kvlib.__file__).parent
    running = [*(folder / "lessons").rglob("*.py"), *(folder / "classroom").rglob("*.py")]
    for path in sorted({*folder.rglob("*.py")} - {*running}):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = set()
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").partition(".")[0]}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                names = {node.func.id} & {"eval", "exec", "compile", "__import__"}
            elif isinstance(node, ast.Attribute):
                names = {node.attr} & {"system", "popen", "literal_eval", "import_module"}
            where = f"{path.relative_to(folder)}:{getattr(node, 'lineno', 0)}"
            assert not names & (EXECUTES | {"eval", "exec", "compile", "__import__", "system"}), (
                where
            )


# --- a sample of make fuzz ------------------------------------------------------------------------

KEPT = sorted(CORPUS.glob("*.hex"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_inputs(path: Path) -> None:
    """What led somewhere once is tried each time: a result or a KvlibError."""
    assert fuzz.feed(*fuzz.read_input(path)) in ("read", "refused", "newer")


def test_kept_inputs_are_small() -> None:
    """A few dozen, for all targets, in less than 64 KiB."""
    assert 24 <= len(KEPT) <= 400
    assert sum(path.stat().st_size for path in KEPT) < 64 * 1024
    assert {fuzz.read_input(path)[0] for path in KEPT} >= {*fuzz.GUIDABLE}


@pytest.mark.parametrize("batch", range(10))
def test_spoilt_inputs(batch: int) -> None:
    """A result or a KvlibError, for two thousand inputs; and both for each target."""
    tally, failure = fuzz.run_batch(2_026, batch, fuzz.BATCH)
    assert failure is None, f"{failure.target}: {failure.data.hex()}\n{failure.report}"
    assert tally.total() == fuzz.BATCH


@pytest.mark.parametrize("name", fuzz.GUIDABLE)
@given(data=st.binary(max_size=120))
@settings(max_examples=100)
def test_any_bytes(name: str, data: bytes) -> None:
    """A result or a KvlibError for bytes that nobody wrote, too."""
    assert fuzz.feed(name, data) in ("read", "refused", "newer")


def test_spoilt_inputs_reach_every_refusal() -> None:
    """Each line of the decoders that raises a CorruptionError does so for some spoilt input; but
    the end of the search, which takes a long one, and what the fast reading keeps to itself.
    """
    reached = set()
    for batch in range(4):
        for name, data in fuzz.inputs(2_026, batch, fuzz.BATCH):
            try:
                fuzz.TARGETS[name].feed(data)
            except KvlibError as error:
                reached |= raised_at(error)
    missed = []
    for module in (encoding, frames, log, segments, snapshot, recovery):
        source = Path(str(module.__file__))
        for node in ast.walk(ast.parse(source.read_bytes())):
            text = ast.unparse(node)
            refuses = "CorruptionError(" in text or ".corruption(" in text
            if isinstance(node, ast.Raise) and refuses:
                span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                if not any((str(source), line) in reached for line in span):
                    missed.append(f"{source.name}:{node.lineno}: {text}")
    elsewhere = ("TOO_MUCH_WORK}')", "(None, 0, 'no field header')")
    assert [line for line in missed if not line.endswith(elsewhere)] == []


def raised_at(error: BaseException) -> set[tuple[str, int]]:
    """The lines at which an error was raised, and those that it was raised from."""
    lines = set()
    chain: BaseException | None = error
    while chain is not None:
        trace = chain.__traceback__
        while trace is not None:
            lines.add((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        chain = chain.__context__
    return lines


# --- the fuzzer itself ----------------------------------------------------------------------------


def test_a_batch_is_the_same_each_time() -> None:
    """A seed and a number give the inputs; another seed or number gives others."""
    first = list(fuzz.inputs(1, 2, 50))
    assert first == list(fuzz.inputs(1, 2, 50))
    assert first != list(fuzz.inputs(1, 3, 50))
    assert first != list(fuzz.inputs(2, 2, 50))


@given(st.dictionaries(st.text("abc./\0é", max_size=9), st.binary(max_size=9)))
def test_files_become_one_input(files: dict[str, bytes]) -> None:
    """And come out of it; any other bytes are some files, too."""
    assert fuzz.unpack_files(fuzz.pack_files(files)) == files
    assert isinstance(fuzz.unpack_files(repr(files).encode()), dict)


def test_mended_files_are_whole() -> None:
    """Checksums that are wrong in all places become right; what is right stays as it is."""
    files = store(M2, C3)
    assert fuzz.mend_files(files) == files
    wrong = {name: data[:8] + b"\0\0\0\0" + data[12:] for name, data in files.items()}
    wrong["log"] = wrong["log"].replace(M2, bytes(4) + M2[4:])
    assert fuzz.mend_files(wrong) == files


def test_a_failure_is_shown_with_its_bytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first input for which something else than a KvlibError comes ends the run."""

    def feed_broken(data: bytes) -> None:
        if len(data) % 7 == 3:
            raise IndexError("not for users")

    broken = fuzz.TARGETS["field"]._replace(feed=feed_broken)
    monkeypatch.setitem(fuzz.TARGETS, "field", broken)
    monkeypatch.setattr(fuzz, "BUILD", tmp_path)
    tally, failure = fuzz.run_batch(1, 0, 1_000)
    assert failure is not None
    assert 0 < tally.total() < 1_000
    assert (failure.target, len(failure.data) % 7) == ("field", 3)
    fuzz.explain(failure)
    out = capsys.readouterr().out
    assert "IndexError: not for users" in out
    assert failure.data.hex(" ", -32).replace(" ", "\n") in out
    (kept,) = (tmp_path / "failures").iterdir()
    assert f"--replay {os.path.relpath(kept)}" in out
    assert fuzz.read_input(kept) == ("field", failure.data)
    with pytest.raises(IndexError):
        fuzz.main(["--replay", str(kept)])


@pytest.mark.skipif(os.name == "nt", reason="no alarm there")
def test_an_input_that_takes_for_ever_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an answer that is waited for."""

    def feed_endless(data: bytes) -> None:
        while True:
            pass

    endless = fuzz.TARGETS["field"]._replace(feed=feed_endless)
    monkeypatch.setitem(fuzz.TARGETS, "field", endless)
    monkeypatch.setattr(fuzz, "PATIENCE", 1)
    _, failure = fuzz.run_batch(1, 0, 100)
    assert failure is not None
    assert "TimeoutError: no answer in 1 seconds" in failure.report


def test_an_answer_that_is_wrong_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that loses a byte and raises nothing does not get through."""
    real = encoding.decode_snapshot
    monkeypatch.setattr(kvlib, "decode_snapshot", lambda data: {**real(data), "more": ""})
    _, failure = fuzz.run_batch(1, 0, 1_000)
    assert failure is not None
    assert failure.target == "snapshot"
    assert "AssertionError" in failure.report


def test_the_command_feeds_as_many_inputs_as_it_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It prints how many there were, for each target and in all; the same in each number of
    processes.
    """
    printed = []
    for processes in ("1", "2"):
        options = ["--inputs", "2500", "--no-guided", "--processes", processes]
        assert fuzz.main(options) == 0
        out = capsys.readouterr().out
        assert out.endswith("2,500 inputs in all, 0 failures\n")
        printed.append(out.partition(" inputs in ")[0])
    assert printed[0] == printed[1]
    assert printed[0].splitlines()[-2].split()[:3] == ["in", "all", "2,500"]


def test_few_inputs_lead_where_many_do() -> None:
    """What is kept are those that lead further than the others together."""
    many = [(name, data) for name, data in fuzz.inputs(3, 0, 200) if name != "commands"]
    few = list(fuzz.distil(many))
    assert {name for name, _ in few} == {name for name, _ in many}
    assert len(few) < len(many) / 2
    assert {arc for one in few for arc in fuzz.arcs(*one)} == {
        arc for one in many for arc in fuzz.arcs(*one)
    }
