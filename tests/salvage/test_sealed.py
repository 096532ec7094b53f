"""Whole heads and segments are found in any file, but a value's bytes are never trusted."""

from collections.abc import Iterator

import pytest

import kvlib.salvage.sealed
from helpers.damaged import (
    CLOSE,
    FRAMES,
    GENERATION,
    NAMES,
    OLD,
    SALT,
    Files,
    a_store,
    before_segment,
    count_work,
    lures,
    replayed,
    saved,
    without,
)
from helpers.stores import Items
from helpers.vocabulary import HEAD_END, frame, put, store_files
from kvlib.salvage import Finding

STORE = a_store()
LOG = STORE["log"]
FAR = b"x" * 5000


def renamed(**names: str) -> dict[str, bytes]:
    """Return the store's files under new names: `log` is the log's, `s0` that of segment 0."""
    known = {"log": "log", **{f"s{index}": name for index, name in enumerate(NAMES)}}
    new = {known[short]: name for short, name in names.items()}
    return {new.get(name, name): data for name, data in STORE.items()}


def rearrangements() -> Iterator[tuple[str, Files]]:
    """Yield stores that can't be opened as they were, although they have all their frames."""
    split = HEAD_END + len(FRAMES[0])
    early, late = LOG[:split], LOG[split:]
    segment = STORE[NAMES[1]]
    stranger = a_store(items={**OLD, b"beta": b"\7\7"})[NAMES[1]]
    yield "a segment renamed", renamed(s1="FOO")
    yield "all segments renamed", renamed(s0="a", s1="log.1", s2="log.bak")
    yield "two segments swapped", renamed(s0=NAMES[1], s1=NAMES[0])
    yield "a segment in capitals", renamed(s1=NAMES[1].upper())
    yield "a segment whole in a copy only", {**STORE, NAMES[1]: b"", "copy": segment}
    segments = b"".join(STORE[name] for name in NAMES)
    yield "all segments in one file", {"log": LOG, "all": segments}
    yield "a segment after the log", {**without(STORE, NAMES[1]), "log": LOG + segment}
    yield "a segment without a preamble", {**STORE, NAMES[1]: segment[8:]}
    yield "another store's segment too", {**renamed(s1="FOO"), "BAR": stranger}
    yield (
        "another store's segment instead",
        {**STORE, NAMES[1]: stranger, "FOO": FAR + segment + FAR},
    )
    yield "the log renamed", renamed(log="FOO")
    yield "the log as log.new", renamed(log="log.new")
    yield "the log as log.new, and an empty one", {**renamed(log="log.new"), "log": b""}
    yield "the head whole in a copy only", {**STORE, "log": bytes(HEAD_END), "log.old": LOG}
    yield "the log cut, but not a copy", {**STORE, "log": LOG[:70], "log.bak": LOG}
    yield "the log cut between frames", {**STORE, "log": early, "log.bak": LOG}
    yield "the log in two files", {**STORE, "log": early, "rest": late}
    yield "the log in two files, far inside", {**STORE, "log": early, "rest": FAR + late + FAR}
    damaged = early[:-1] + b"?" + late
    yield "a frame whole in a copy only", {**STORE, "log": damaged, "FOO": LOG[:-40]}
    yield (
        "frames out of order",
        a_store(*FRAMES[2:4], FRAMES[0], FRAMES[5], FRAMES[4], FRAMES[1]),
    )
    for junk in (b"\n", b"\xef\xbb\xbf", b"\0" * 16):
        for name, data in STORE.items():
            yield f"{junk!r} before {name}", {**STORE, name: junk + data}
            if name != "log":
                yield f"{junk!r} after {name}", {**STORE, name: data + junk}


@pytest.mark.parametrize(
    "files", [pytest.param(files, id=name) for name, files in rearrangements()]
)
def test_everything_that_a_checksum_proves_is_saved(files: Files) -> None:
    """It may be at any offset of any file; whatever is unusual is listed with its place."""
    result, items = saved(files)
    assert items == replayed(OLD)
    findings = (*result.notes, *result.left_out)
    assert findings
    for finding in findings:
        size = len(files.get(finding.file, b""))
        assert 0 <= finding.offset <= size >= finding.size >= 0


def test_unused_bytes_are_listed() -> None:
    """Each gap around a segment has its file, offset and size, as does the segment's place."""
    data = STORE[NAMES[1]]
    files = {**without(STORE, NAMES[1]), "FOO": b"\n\n" + data + b"tail"}
    result, _ = saved({**files, NAMES[0]: STORE[NAMES[0]] + b"\r\n"})
    assert result.complete
    words = "outside of any whole frame, so not used"
    assert result.notes == (
        Finding("FOO", 10, len(data) - 8, "segment 1 of 3 of generation 3, found here"),
        Finding(NAMES[0], len(STORE[NAMES[0]]), 2, words),
        Finding("FOO", 0, 2, words),
        Finding("FOO", 2 + len(data), 4, words),
    )


def test_a_segment_that_no_head_proves_must_be_at_its_files_start() -> None:
    """If the stream's checksum can't be computed, a segment far inside a file may be a value's."""
    files = without(STORE, *NAMES[1:])
    for before, expected in (100, before_segment(1)), (10, before_segment(2)):
        assert saved({**files, "FOO": b"x" * before + STORE[NAMES[1]]})[1] == replayed(expected)


def test_whole_frames_that_may_be_a_values_are_listed() -> None:
    """Frames far inside a file are left out if there is no head to prove them."""
    (sealed,) = without(store_files(OLD), "log").values()
    result, _ = saved({"log": b"", "FOO": b"x" * 100 + sealed + sealed})
    assert not result.stored
    reason = "2 whole frames of a snapshot, perhaps part of a value: no head names this snapshot"
    assert result.left_out[-1] == Finding("FOO", 108, 2 * (len(sealed) - 8), reason)


@pytest.mark.untraced
@pytest.mark.parametrize("generation", [1, GENERATION, GENERATION + 1])
@pytest.mark.parametrize("where", ["snapshot", "log", "both"])
def test_a_store_inside_a_value_stays_a_value(where: str, generation: int) -> None:
    """Damage in any byte may expose another store's files, but never adds its records to ours."""
    sealed = [frame(b"M", generation + at, put("evil", str(at)), SALT + 1) for at in range(1, 4)]
    evil: Items = {"evil": "0", "alpha": "evil"}
    inner = b"".join(store_files(evil, *sealed, generation=generation, salt=SALT + 1).values())
    items: Items = {"value": inner} if where != "log" else {"x": "y"}
    frames = [frame(b"M", GENERATION + 1, put("value", inner), SALT)] if where != "snapshot" else []
    files = store_files(items, *frames, generation=GENERATION, salt=SALT)
    log = files["log"]
    heads = [log, b"", log[:9] + bytes(HEAD_END - 9) + log[HEAD_END:]]
    for name in files:
        for head in heads if name != "log" else heads[:1]:
            data = {**files, "log": head}[name]
            for at in range(0, len(data), 5):
                for spoilt in (
                    data[:at] + b"\xa5" + data[at + 1 :],
                    data[:at],
                    bytes(at) + data[at:],
                ):
                    _, found = saved({**files, "log": head, name: spoilt})
                    assert not {"evil", "alpha"} & found.keys()


def test_many_segments_in_one_file_take_linear_work() -> None:
    """20,000 of them, with a byte before each, take seconds; a quadratic search takes minutes."""
    items: Items = {"a": "x" * 80_000}
    files = a_store(CLOSE, items=items, size=12)
    data = b"!".join(files[name] for name in sorted(without(files, "log")))
    result, found = saved({"log": files["log"], "FOO": data})
    assert found == items
    assert len(result.notes) > 40_000


def test_a_file_made_to_search_forever_costs_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """After too many wrong checksums, the rest of the file is not searched, and this is noted."""
    work = count_work(monkeypatch, kvlib.salvage.sealed)
    files = {**STORE, NAMES[1]: b"", "lures": lures([b""] * 10_000, 1, b"S")}
    result, items = saved(files)
    assert items == replayed(before_segment(1))
    assert sum(work) <= 66 * len(files["lures"])
    assert result.notes[-1].reason.endswith("searching forever")
