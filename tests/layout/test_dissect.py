"""The picture does not lie: its laws, against the engine itself, for whole and for spoilt bytes."""

import random
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.vocabulary import AWKWARD, every_flip
from kvlib import (
    CorruptionError,
    DirectoryDisk,
    MemoryDisk,
    encoding,
    frame,
    log,
    recovery,
    segments,
    snapshot,
)
from kvlib.crash import CrashDisk
from kvlib.errors import FormatError, TornError
from kvlib.layout.dissect import (
    FORMATS,
    Layout,
    Region,
    dissect,
    dissect_directory,
    guess,
    walk,
    walk_directory,
)

Answer = tuple[list[object], FormatError | None]  # keys and values up to the error, and the error
ROUNDS = 10_000  # spoilt inputs of each format
STORES = 500  # spoilt stores


# ------------------------------------------------------------------- what the engine says of bytes


def collect(values: Iterator[object], found: list[object], base: int = 0) -> FormatError | None:
    """Add what the engine yields to `found`; its error, seen from `base`."""
    try:
        found.extend(values)
    except FormatError as error:
        return error.within(None, base)
    return None


def pairs(engine: Iterator[encoding.Record | log.Step]) -> Iterator[object]:
    """Keys and values one after the other."""
    for pair in engine:
        yield pair.key
        if pair.value is not None:
            yield pair.value


def answer_fields(data: bytes) -> Answer:
    """The values of fields in a row."""

    def decode() -> Iterator[object]:
        at = 0
        while at < len(data) or not at:
            value, at = encoding.decode_field(data, at)
            yield value

    found: list[object] = []
    return found, collect(decode(), found)


def answer_records(data: bytes) -> Answer:
    """The same, of which each second one is a value."""
    found, flaw = answer_fields(data)
    if flaw is None and len(found) % 2:
        with pytest.raises(CorruptionError) as caught:
            encoding.decode_field(data, len(data))
        flaw = caught.value
    return found, flaw


def answer_snapshot(data: bytes) -> Answer:
    """The records of a stream."""
    found: list[object] = []
    return found, collect(pairs(encoding.decode_records(data)), found)


def answer_mutations(data: bytes) -> Answer:
    """What a payload puts and deletes."""
    found: list[object] = []
    return found, collect(pairs(log.decode_steps(data)), found)


def answer_segment(data: bytes) -> Answer:
    """A bare segment is right if its header is; the only one of a snapshot is the whole stream."""
    try:
        _, total = segments.decode_header(data)
    except CorruptionError as error:
        return [], error
    found, flaw = answer_snapshot(data[segments.HEADER.size :])
    return (found if total == 1 and flaw is None else []), None


def answer_frames(data: bytes) -> Answer:
    """Frames without a salt, whatever their order."""
    found: list[object] = []
    at = 0
    while at < len(data) or not at:
        try:
            whole = frame.unseal(data, at)
        except CorruptionError as error:
            return found, error
        if whole.kind in (b"M", b"m"):
            flaw = collect(pairs(log.decode_steps(whole.payload)), found, at + frame.HEADER.size)
            if flaw:
                return found, flaw
        at = whole.end
    return found, None


def answer_log(data: bytes) -> Answer:
    """As recovery reads a log: also by `replay`, which must fail alike."""
    found: list[object] = []
    try:
        head, start = snapshot.decode_head(data)
    except FormatError as error:  # of a head, being torn is damage
        return found, CorruptionError(None, error.offset, error.reason)
    flaw: FormatError | None = None
    at, sequence, salt = start, head.generation, head.salt
    try:
        for whole in log.scan(data, at, sequence, salt):
            at, base = whole.end, whole.start + frame.HEADER.size
            if whole.kind != b"C":
                flaw = collect(pairs(log.decode_steps(whole.payload)), found, base)
                if flaw:
                    break
    except CorruptionError as damage:
        flaw = damage
    if flaw is None and at < len(data):
        with pytest.raises(TornError) as caught:
            frame.unseal(data, at, salt)
        flaw = TornError(None, at, caught.value.reason)
    try:
        tail = log.replay(data, start, sequence, salt, {})
        assert flaw is None or isinstance(flaw, TornError)
        assert tail.end == at
    except CorruptionError as damage:
        assert flaw is not None
        assert (damage.offset, damage.reason) == (flaw.offset, flaw.reason)
    return found, flaw


def answer_sealed(data: bytes) -> Answer:
    """As a store loads its one segment, by a head that expects what this segment claims."""
    generation, index, total = 1, 0, 1
    header_flaw: CorruptionError | None = None
    with suppress(CorruptionError):
        _, _, _, generation, payload = frame.unseal(data, len(frame.PREAMBLE))
        try:
            index, total = segments.decode_header(payload)
        except CorruptionError as error:
            header_flaw = error
    disk = MemoryDisk()
    disk.write(snapshot.segment_name(generation, index), data)
    head = snapshot.Head(generation, segments=total)
    try:
        bare = snapshot.load_segment(disk, head, index)
    except FormatError as error:
        if header_flaw and error.reason.startswith("not segment"):
            return [], header_flaw.within(None, snapshot.OVERHEAD)
        return [], error
    found, flaw = answer_snapshot(bare)
    return (found if total == 1 and flaw is None else []), None


ANSWERS: dict[str, Callable[[bytes], Answer]] = {
    "field": answer_fields,
    "record": answer_records,
    "mutations": answer_mutations,
    "snapshot": answer_snapshot,
    "segment": answer_segment,
    "frame": answer_frames,
    "log": answer_log,
    "sealed": answer_sealed,
    "unknown": lambda data: ([], CorruptionError(None, 0, "")),
}


# ------------------------------------------------------------------------------------- the laws


def check_tree(region: Region) -> None:
    """Children stand side by side, and fill their parent."""
    at = region.start
    for child in region.children:
        assert child.start == at <= child.end
        check_tree(child)
        at = child.end
    if region.children:
        assert region.kind == "group"
        assert at == region.end


def check_laws(data: bytes, name: str) -> Layout:
    """All laws, for one input and one format."""
    found = dissect(data, format=name)
    leaves = list(found.root.leaves())
    assert (found.root.start, found.root.end) == (0, len(data))
    check_tree(found.root)
    assert b"".join(data[leaf.start : leaf.end] for leaf in leaves) == data
    assert len({leaf.name for leaf in leaves}) == len(leaves)
    values, error = ANSWERS[name](data)
    check_values(leaves, values)
    check_flaw(found, leaves, error, name)
    check_governed(data, leaves)
    return found


def check_values(leaves: list[Region], values: list[object]) -> None:
    """The same keys and values, of the same types, in the same order."""
    shown = [leaf.value for leaf in leaves if leaf.kind in ("key", "value") and leaf.status == "ok"]
    assert shown[: len(values)] == values
    assert [*map(type, shown[: len(values)])] == [*map(type, values)]
    assert len(shown) <= len(values) + 1  # a key whose value the engine could not read


def check_flaw(found: Layout, leaves: list[Region], error: FormatError | None, name: str) -> None:
    """The engine's own error, and the leaf at its offset marked; none marked without an error."""
    if error is None:
        assert (found.stopped_at, found.reason) == (None, None)
        assert {leaf.status for leaf in leaves} <= {"ok"}
        return
    assert found.stopped_at == error.offset
    if name == "unknown":
        assert {leaf.status for leaf in leaves} <= {"unread"}
        return
    assert found.reason == error.reason
    mark = "torn" if name == "log" and isinstance(error, TornError) else "bad"
    marked = next(leaf for leaf in leaves if leaf.status == mark)
    assert marked.start <= error.offset < max(marked.end, marked.start + 1)
    assert found.root.status == mark
    before = leaves[: leaves.index(marked)]
    assert {leaf.status for leaf in before} <= {"ok", "unread"}


def check_governed(data: bytes, leaves: list[Region]) -> None:
    """What a length or a checksum governs is as long, or gives that checksum."""
    salt = next((leaf.value for leaf in leaves if leaf.name == "head.salt"), 0)
    assert isinstance(salt, int)
    for leaf in leaves:
        if leaf.governs and leaf.kind == "length":
            assert leaf.governs[1] - leaf.governs[0] == leaf.value
        elif leaf.governs and leaf.kind == "checksum":
            seed = salt if leaf.name.startswith("frame[") else 0
            assert crc32(data[slice(*leaf.governs)], seed) == leaf.value


# ------------------------------------------------------------------------------------ the inputs


def items(chance: random.Random) -> dict[encoding.Item, encoding.Item]:
    """A few awkward records."""
    return {chance.choice(AWKWARD): chance.choice(AWKWARD) for _ in range(chance.randrange(4))}


def steps(chance: random.Random) -> bytes:
    """A few mutations."""
    return b"".join(
        log.encode_put(key, value) if chance.random() < 0.7 else log.encode_delete(key)
        for key, value in [*items(chance).items(), ("café", b"1")]
    )


def frames(chance: random.Random, sequence: int = 0, salt: int = 0) -> bytes:
    """A few frames; some hold a payload that is spoilt, and sealed all the same."""
    made = b""
    for _ in range(chance.randrange(4)):
        sequence += chance.random() < 0.97
        kind = chance.choice([b"M", b"M", b"M", b"m", b"m", b"C", b"S", b"H"])
        payload = b"" if kind == b"C" and chance.random() < 0.9 else steps(chance)
        payload = spoil(payload, chance) if chance.random() < 0.1 else payload
        made += frame.seal(kind, sequence, payload, salt)
        if chance.random() < 0.05:
            made += forge(chance.choice([b"?", b"M"]), chance.choice([1, 2**63 + 1]), payload, salt)
    return made


def forge(kind: bytes, sequence: int, payload: bytes, salt: int) -> bytes:
    """A frame that the engine refuses to write, with the checksum that it should have."""
    checked = frame.CHECKED.pack(len(payload), sequence, kind) + payload
    return crc32(checked, salt).to_bytes(4, "big") + checked


def a_log(chance: random.Random) -> bytes:
    """A head and a few frames."""
    head = snapshot.Head(chance.randrange(5), chance.randrange(2**32), 0, 1, 4, 0)
    return snapshot.encode_head(head) + frames(chance, head.generation, head.salt)


def a_segment(chance: random.Random) -> bytes:
    """One bare segment of a snapshot."""
    stream = encoding.encode_snapshot(items(chance))
    return chance.choice(segments.split(stream, chance.choice([9, 20, 1000])))


def a_sealed_segment(chance: random.Random) -> bytes:
    """One of its files; what is in the envelope may be spoilt."""
    bare = a_segment(chance)
    bare = spoil(bare, chance) if chance.random() < 0.2 else bare
    return frame.PREAMBLE + frame.seal(b"S", chance.choice([1, 2, 2**63]), bare)


def two_fields(chance: random.Random) -> bytes:
    """A record without a count."""
    return encoding.encode_field(chance.choice(AWKWARD)) + encoding.encode_field("café")


MAKERS: dict[str, Callable[[random.Random], bytes]] = {
    "field": lambda chance: encoding.encode_field(chance.choice(AWKWARD)),
    "record": two_fields,
    "mutations": steps,
    "snapshot": lambda chance: encoding.encode_snapshot(items(chance)),
    "segment": a_segment,
    "frame": lambda chance: frames(chance) or frame.seal(b"C", 1, b""),
    "log": a_log,
    "sealed": a_sealed_segment,
}


def spoil(data: bytes, chance: random.Random) -> bytes:
    """One accident, or none: bits, bytes, a cut, zeros, a piece gone, doubled or from elsewhere."""
    at, end = sorted(chance.choices(range(len(data) + 1), k=2))
    return chance.choice([
        data,
        data[:at],
        data[:at] + data[end:],
        data[:end] + data[at:],
        data[:at] + bytes(end - at) + data[end:],
        data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:],
        data + chance.randbytes(chance.randrange(1, 30)),
        data[:at] + bytes([chance.choice(b"bsPDMmCH\0\1\xff")]) + data[at + 1 :],
        data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :],
    ])  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.untraced
def test_the_laws_hold_for_spoilt_bytes(name: str) -> None:
    """Whole, cut, flipped, doubled, mixed: the layout tells what the engine tells."""
    chance = random.Random(name)
    statuses = set()
    for _ in range(ROUNDS):
        data = MAKERS[name](chance)
        if chance.random() < 0.9:
            data = spoil(data, chance)
        statuses.add(check_laws(data, name).root.status)
    assert {"ok", "bad"} <= statuses
    assert ("torn" in statuses) == (name == "log")


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.binary(max_size=90))
@settings(max_examples=60)
def test_the_laws_hold_for_any_bytes(name: str, data: bytes) -> None:
    """Bytes that nobody wrote have a layout too, in each format and in the guessed one."""
    check_laws(data, name)
    check_laws(data, guess(data))


# ------------------------------------------------------------------------------- single layouts


def leaves(data: bytes, name: str | None = None) -> dict[str, object]:
    """The value of each leaf, by its name."""
    return {leaf.name: leaf.value for leaf in dissect(data, format=name).root.leaves()}


def test_one_record_by_hand() -> None:
    """Every piece of a record, worked out by hand."""
    data = b"\0\0\0\1s\0\0\0\5caf\xc3\xa9b\0\0\0\0"
    found = dissect(data, source="by hand")
    assert (found.source, found.data, found.stopped_at, found.reason) == (
        "by hand",
        data,
        None,
        None,
    )
    assert [(r.start, r.end, r.kind, r.name, r.value, r.governs) for r in found.root.leaves()] == [
        (0, 4, "header", "count", 1, (4, 19)),
        (4, 5, "tag", "record[0].key.tag", b"s", None),
        (5, 9, "length", "record[0].key.length", 5, (9, 14)),
        (9, 14, "key", "record[0].key.data", "café", None),
        (14, 15, "tag", "record[0].value.tag", b"b", None),
        (15, 19, "length", "record[0].value.length", 0, (19, 19)),
        (19, 19, "value", "record[0].value.data", b"", None),
    ]
    (_, record) = found.root.children
    assert [child.name for child in record.children] == ["record[0].key", "record[0].value"]


def test_a_log_shows_its_head_and_its_frames() -> None:
    """Head, header and mutations have the values that the engine wrote there."""
    head = snapshot.Head(7, 0xAABBCCDD, 3, 1, 4, 5)
    data = snapshot.encode_head(head)
    data += frame.seal(b"m", 8, log.encode_put("k", b"v") + log.encode_delete("k"), head.salt)
    data += frame.seal(b"C", 9, b"", head.salt)
    found = leaves(data)
    assert snapshot.Head(*(found[f"head.{name}"] for name in (
        "sequence", "salt", "compactions", "segments", "stream_length", "stream_crc",
    ))) == head  # type: ignore[arg-type]  # fmt: skip
    assert (found["frame[0].kind"], found["frame[1].kind"]) == (b"m", b"C")
    assert (found["frame[0].sequence"], found["frame[1].sequence"]) == (8, 9)
    operations = [found[f"frame[0].mutation[{number}].operation"] for number in range(2)]
    assert operations == [b"P", b"D"]
    tree = dissect(data).root
    assert [child.name for child in tree.children] == ["preamble", "head", "frame[0]", "frame[1]"]
    assert [child.name for child in tree.children[2].children[4:]] == [
        "frame[0].mutation[0]", "frame[0].mutation[1]",
    ]  # fmt: skip


def test_a_newer_file_is_not_called_damaged() -> None:
    """The version is where reading stopped; the reason says that the file is newer."""
    found = dissect(frame.MAGIC + b"\0\2" + b"what nobody knows yet")
    assert found.stopped_at == len(frame.MAGIC)
    assert "newer" in str(found.reason)
    statuses = [(leaf.name, leaf.status) for leaf in found.root.leaves()]
    assert statuses == [("preamble.magic", "ok"), ("preamble.version", "bad"), ("rest", "unread")]


RECORD = encoding.encode_field("k") + encoding.encode_field(b"v")
GUESSES: list[tuple[bytes, str]] = [
    (b"", "unknown"),
    (b"kvl", "log"),
    (snapshot.encode_head(snapshot.Head(1, 2, 0, 1, 4, 0)), "log"),
    (frame.PREAMBLE + frame.seal(b"S", 1, segments.split(b"", 9)[0]), "sealed"),
    (frame.seal(b"M", 1, log.encode_delete("k")), "frame"),
    (encoding.encode_field("k"), "field"),
    (encoding.encode_field("k")[:-1], "field"),
    (RECORD, "record"),
    (log.encode_delete("k"), "mutations"),
    (log.encode_put("k", b"v")[:-1], "mutations"),
    (encoding.encode_snapshot({}), "snapshot"),
    (encoding.encode_snapshot({"a": b"1"}), "snapshot"),
    (encoding.encode_snapshot({"a": b"1"})[:-1], "snapshot"),
    (segments.split(encoding.encode_snapshot({"a": "b"}), 9)[3], "segment"),
    (b"# A text of somebody else", "unknown"),
    (b"\xff" * 20, "unknown"),
]


@pytest.mark.parametrize(("data", "name"), GUESSES)
def test_the_format_is_guessed(data: bytes, name: str) -> None:
    """What the engine writes is recognised, also when its end is missing."""
    assert guess(data) == name
    assert dissect(data) == dissect(data, format=name)


def test_an_unknown_format_is_a_mistake_of_the_caller() -> None:
    """The error lists the formats that there are."""
    with pytest.raises(ValueError, match="'tar' is not one of field, record, "):
        dissect(b"", format="tar")


def test_a_long_log_is_walked_in_little_memory() -> None:
    """Regions are made when they are asked for, also those of one long frame."""
    payload = b"".join(log.encode_put(f"key {number}", b"value") for number in range(5_000))
    head = snapshot.Head(1, 2, 0, 1, 4, 0)
    data = snapshot.encode_head(head) + frame.seal(b"M", 2, payload, head.salt)
    tracemalloc.start()
    assert sum(1 for _ in walk(data, "log")) == 5_003
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * len(data)


# ---------------------------------------------------------------------------------- directories


def closed_store(size: int = 2**20) -> MemoryDisk:
    """A store with a snapshot in segments of `size`, and a log."""
    disk = MemoryDisk()
    with kvlib.open(disk, max_segment_size=size) as store:
        store.update({"café": b"coffee", "": "", b"b": "x" * 9})
        store.compact()
        store.update({"new": b"1", b"b": "2"})
        store.delete("")
    return disk


def by_name(disk: MemoryDisk) -> dict[str, Layout]:
    """The layouts of a store's files, each of which keeps the laws of shape."""
    found = {file.source: file for file in dissect_directory(disk)}
    for file in found.values():
        check_tree(file.root)
        assert b"".join(file.data[r.start : r.end] for r in file.root.leaves()) == file.data
    return found


@pytest.mark.parametrize("size", [*range(9, 40), 2**20])
def test_every_byte_of_a_store_has_a_label(size: int) -> None:
    """No file has a gap; what continues in the next segment has its value where it ends."""
    disk = closed_store(size)
    found = by_name(disk)
    assert [*found] == disk.names()
    everything = [leaf for file in found.values() for leaf in file.root.leaves()]
    assert not [leaf for leaf in everything if leaf.kind == "gap" or leaf.status != "ok"]
    log_at = len(everything) - sum(1 for _ in found["log"].root.leaves())
    shown = [
        leaf.value
        for leaf in everything[:log_at]
        if leaf.kind in ("key", "value") and leaf.value is not None
    ]
    assert shown == ["café", b"coffee", "", "", b"b", "x" * 9]
    for file in found.values():
        assert (file.stopped_at, file.reason) == (None, None)


def test_every_byte_has_a_label_at_every_moment() -> None:
    """Whenever a crash may come: all kinds of frames, batches, segments not yet published."""
    kinds: set[object] = set()

    def look() -> None:
        for file in dissect_directory(disk):
            for leaf in file.root.leaves():
                assert leaf.status == "ok"
                assert leaf.kind != "gap" or leaf.name == "piece"  # of a snapshot not published
                kinds.update([leaf.value] if leaf.name.endswith(".kind") else [])

    disk = CrashDisk(on_event=look)
    for sync in (1, 3):
        with kvlib.open(disk, max_segment_size=60, sync=sync, threshold=15) as store:
            for number, (key, value) in enumerate(product(AWKWARD, AWKWARD[:2])):
                store[key] = value * number
            with store.batch():
                store.delete("café")
                store.update({"a": b"1", b"a": "2"})
            assert store.status().compactions > 0
    assert kinds == {b"H", b"S", b"M", b"m", b"C"}


def test_no_file_of_a_store_is_left_out(tmp_path: Path) -> None:
    """Only the lock has no layout, and it has no bytes."""
    with kvlib.open(tmp_path / "store", max_segment_size=20) as store:
        store["café"] = "2,50 €"
        store.compact()
        (tmp_path / "store" / "log.new").write_bytes(b"kvlib\0\0\1")
    disk = DirectoryDisk(tmp_path / "store")
    found = [file.source for file in dissect_directory(disk)]
    assert set(disk.names()) - {*found} == {"lock"}
    assert {"log", "log.new"} < {*found}
    assert disk.read("lock") == b""


def test_the_laws_hold_for_spoilt_stores() -> None:
    """One file spoilt or gone: damage is shown in one place, and it is where recovery stops."""
    whole, chance = closed_store(20), random.Random("stores")
    files = {name: whole.read(name) for name in whole.names()}
    refused = 0
    for _ in range(STORES):
        disk = MemoryDisk()
        victim = chance.choice(["log", *files])
        for name, data in files.items():
            disk.write(name, spoil(data, chance) if name == victim else data)
        if chance.random() < 0.1:
            disk.delete(victim)
        bad = [file for file in by_name(disk).values() if file.root.status == "bad"]
        try:
            recovery.recover_without_lock(disk)
        except FormatError as error:
            (file,) = [file for file in bad if file.source == error.path]
            assert (file.stopped_at, file.reason) == (error.offset, error.reason)
            refused += 1
        else:
            assert not bad
    assert STORES / 3 < refused < STORES


def test_pieces_may_be_left_unread() -> None:
    """Whoever looks at the last segment only sees it as everybody does."""
    disk = closed_store(20)
    walked = [(name, pieces) for name, _, pieces in walk_directory(disk)]
    name, pieces = walked[-2]
    assert [*pieces] == [*by_name(disk)[name].root.children]


@pytest.mark.parametrize("size", [20, 2**20])
def test_a_flipped_bit_shows_where_recovery_stops(size: int) -> None:
    """File, offset and reason are those of recovery; whatever it forgives is no damage."""
    whole = closed_store(size)
    chance = random.Random(size)
    for name in whole.names():
        whole_file = whole.read(name)
        for data in chance.sample([*every_flip(whole_file)], 60):
            whole.write(name, data)
            found = by_name(whole)
            bad = {file.source: file for file in found.values() if file.root.status == "bad"}
            try:
                recovery.recover_without_lock(whole)
            except FormatError as error:
                file = bad[str(error.path)]
                assert (file.stopped_at, file.reason) == (error.offset, error.reason)
                assert len(bad) == 1
            else:
                assert not bad
        whole.write(name, whole_file)


def spoilt_store(spoiler: Callable[[MemoryDisk, list[str]], None]) -> tuple[Layout, FormatError]:
    """The layout of the file in which recovery stops, and its error."""
    disk = closed_store(20)
    spoiler(disk, [name for name in disk.names() if name != "log"])
    with pytest.raises(FormatError) as caught:
        recovery.recover_without_lock(disk)
    return by_name(disk)[str(caught.value.path)], caught.value


def test_a_missing_segment_has_a_layout() -> None:
    """It is empty, and its reason says that it is missing."""
    file, error = spoilt_store(lambda disk, names: disk.delete(names[1]))
    assert (file.data, file.stopped_at, file.reason) == (b"", 0, error.reason)
    assert "missing" in str(file.reason)
    assert file.root.status == "bad"


def test_a_segment_in_the_wrong_place_is_marked() -> None:
    """Alone it is whole; the store shows that it is not the one that its name says."""
    file, error = spoilt_store(lambda disk, names: disk.write(names[1], disk.read(names[2])))
    assert (file.stopped_at, file.reason) == (error.offset, error.reason)
    assert [leaf.name for leaf in file.root.leaves() if leaf.status == "bad"] == ["segment.index"]


def test_a_segment_of_another_generation_is_marked() -> None:
    """Its sequence is where the engine sees it."""

    def spoiler(disk: MemoryDisk, names: list[str]) -> None:
        payload = frame.unseal(disk.read(names[0]), len(frame.PREAMBLE)).payload
        disk.write(names[0], frame.PREAMBLE + frame.seal(b"S", 99, payload))

    file, error = spoilt_store(spoiler)
    assert (file.stopped_at, file.reason) == (error.offset, error.reason)
    assert [leaf.name for leaf in file.root.leaves() if leaf.status == "bad"] == ["frame.sequence"]


def test_a_segment_that_contradicts_itself_is_marked() -> None:
    """Alone it says what is wrong; in a store the words are the store's."""

    def spoiler(disk: MemoryDisk, names: list[str]) -> None:
        sealed = frame.unseal(disk.read(names[0]), len(frame.PREAMBLE))
        payload = b"\0\0\0\7\0\0\0\1" + sealed.payload[8:]
        disk.write(names[0], frame.PREAMBLE + frame.seal(b"S", sealed.sequence, payload))

    file, error = spoilt_store(spoiler)
    assert (file.stopped_at, file.reason) == (error.offset, error.reason)
    assert dissect(file.data).stopped_at == error.offset
    assert [leaf.name for leaf in file.root.leaves() if leaf.status == "bad"] == ["segment.index"]


def test_segments_of_another_snapshot_are_marked_in_the_head() -> None:
    """All whole and in their places: only the checksum in the head tells."""

    def spoiler(disk: MemoryDisk, names: list[str]) -> None:
        data = disk.read(names[0])
        whole = frame.unseal(data, len(frame.PREAMBLE))
        payload = whole.payload[:-1] + b"?"
        disk.write(names[0], frame.PREAMBLE + frame.seal(b"S", whole.sequence, payload))

    file, error = spoilt_store(spoiler)
    assert file.source == "log"
    assert (file.stopped_at, file.reason) == (error.offset, error.reason)
    bad = [leaf.name for leaf in file.root.leaves() if leaf.status == "bad"]
    assert bad == ["head.stream_length"]


def test_a_stream_that_only_a_forger_writes_is_in_no_file() -> None:
    """Its error has an offset in the stream, so that every file is drawn as it is."""
    disk = closed_store(20)
    disk_head, _ = snapshot.decode_head(disk.read("log"))
    stream = b"\0\0\0\1" + encoding.encode_field("k")
    for index, bare in enumerate(segments.split(stream, 12)):
        name = snapshot.segment_name(disk_head.generation, index)
        disk.write(name, frame.PREAMBLE + frame.seal(b"S", disk_head.generation, bare))
    head = replace(
        disk_head, segments=index + 1, stream_length=len(stream), stream_crc=crc32(stream)
    )
    disk.write("log", snapshot.encode_head(head))
    assert {file.root.status for file in by_name(disk).values()} == {"ok"}


def test_a_directory_without_a_log_is_drawn() -> None:
    """Its segments are shown one by one."""
    disk = closed_store(20)
    disk.delete("log")
    found = by_name(disk)
    assert {file.root.status for file in found.values()} <= {"ok", "bad"}
    assert "log" in found


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    """A link, a pipe or a directory in the place of a file is a flaw of that file."""
    with kvlib.open(tmp_path / "store"):
        pass
    (tmp_path / "store" / "log.new").mkdir()
    (tmp_path / "store" / "somebody's").mkdir()
    found = {file.source: file for file in dissect_directory(DirectoryDisk(tmp_path / "store"))}
    assert "lock" not in found
    assert "somebody's" not in found
    assert (found["log.new"].stopped_at, found["log.new"].data) == (0, b"")
    assert "not a regular file" in str(found["log.new"].reason)


def test_a_file_that_cannot_be_read_is_shown_as_such() -> None:
    """Another process may delete a file between listing and reading."""

    class Racing(MemoryDisk):
        def read(self, name: str) -> bytes:
            if name == "log.new":
                raise FileNotFoundError(2, "No such file or directory")
            return super().read(name)

    disk = Racing()
    disk.write("log.new", b"")
    found = {file.source: file.reason for file in dissect_directory(disk)}
    assert found["log.new"] == "can't be read: No such file or directory"
