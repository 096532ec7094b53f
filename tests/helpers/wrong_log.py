"""Wrong answers to notebook 3's exercises in different styles; see right_answers.py."""

import struct
import zlib
from typing import Any

import kvlib
from helpers.right_log import (
    Diary,
    Operations,
    Records,
    Till,
    append_to_whole_frames,
    assert_right,
    log_by_class,
    run_on,
    whole,
)
from kvlib.lessons import power_cut
from kvlib.log import decode_mutations


class MergingTill(Till):
    def restore(self) -> None:
        for key, value in kvlib.decode_snapshot(self.file or bytes(4)).items():
            self.memory[key] = value


class ForgetfulTill(Till):
    def shutdown(self) -> None:
        if self.memory:
            super().shutdown()


class ListTill(Till):
    records: tuple[Any, ...] = ()

    def shutdown(self) -> None:
        self.records = tuple(self.memory.items())
        self.memory = {}

    def restore(self) -> None:
        self.memory = dict(self.records)


def their_merging_run(operations: Operations) -> list[Any]:
    """Keep what was set after the shutdown."""
    return run_on(MergingTill(), operations)


def their_forgetful_run(operations: Operations) -> list[Any]:
    """Write nothing if memory is empty."""
    return run_on(ForgetfulTill(), operations)


def their_list_run(operations: Operations) -> list[Any]:
    """Keep pairs instead of bytes."""
    return run_on(ListTill(), operations)


def their_strict_replay(data: bytes, items: Records) -> Records:
    """Pop keys that must be there."""
    state, offset = dict(items), 0
    while offset < len(data):
        frame = kvlib.unseal(data, offset)
        for key, value in decode_mutations(frame.payload):
            state.pop(key) if value is None else state.update({key: value})
        offset = frame.end
    return state


def their_truthy_replay(data: bytes, items: Records) -> Records:
    """Delete a key when its value is false."""
    offset = 0
    state: Records = {**items}
    while offset < len(data):
        frame = kvlib.unseal(data, offset)
        for key, value in decode_mutations(frame.payload):
            if not value:
                state = {one: state[one] for one in state if one != key}
                continue
            state[key] = value
        offset = frame.end
    return state


def their_replay_of_known_keys(data: bytes, items: Records) -> Records:
    """Go through the dict instead of the log."""
    state, mutations = dict(items), list[Any]()
    while data:
        frame = kvlib.unseal(data)
        mutations += decode_mutations(frame.payload)
        data = data[frame.end :]
    for key in items:
        for _, value in (one for one in mutations if one[0] == key):
            state.pop(key, None)
            state.update({} if value is None else {key: value})
    return state


def their_append(log: bytes, payload: bytes) -> bytes:
    """Append at the end of the file."""
    return log + append_to_whole_frames(log, payload)[_good(log) :]


def _good(log: bytes) -> int:
    at = 0
    while found := whole(log, at):
        at = found[2]
    return at


def their_overwriting_append(log: bytes, payload: bytes) -> bytes:
    """Overwrite the torn tail in place."""
    file = bytearray(log)
    frame = append_to_whole_frames(log, payload)[_good(log) :]
    file[_good(log) : _good(log) + len(frame)] = frame
    return bytes(file)


def their_short_recovery(log: bytes) -> Records:
    """Read up to the first bad frame."""
    items: Records = {}
    at, expected = 0, 1
    while found := whole(log, at):
        number, payload, at = found
        assert_right(number == expected)
        items |= dict(decode_mutations(payload))
        expected += 1
    return {key: value for key, value in items.items() if value is not None}


def their_strict_recovery(log: bytes) -> Records:
    """Refuse every bad frame."""
    items = their_short_recovery(log)
    assert_right(_good(log) == len(log))
    return items


def their_recovery_of_anything(log: bytes) -> Records:
    """Apply whole frames wherever they are."""
    items: Records = {}
    at = 0
    while at < len(log):
        found = whole(log, at)
        if found:
            items |= dict(decode_mutations(found[1]))
        at = found[2] if found else at + 1
    return {key: value for key, value in items.items() if value is not None}


def their_checksum_of_the_payload(log: bytes) -> Records:
    """Compute the checksum of the payload alone, as many formats do."""
    items: Records = {}
    at = 0
    while at + 17 <= len(log):
        crc, length, _, _ = struct.unpack_from(">IIQc", log, at)
        payload = log[at + 17 : at + 17 + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return items
        items |= dict(decode_mutations(payload)) if payload else {}
        at += 17 + length
    return items


class LateDiary(Diary):
    def __init__(self, threshold: int, log: bytes, snapshot: bytes) -> None:
        super().__init__(threshold + 1, log, snapshot)


def their_late_log(compact_threshold: int, operations: Operations) -> list[Any]:
    """Compact one record too late."""
    return log_by_class(compact_threshold, operations, LateDiary)


def their_counting_log(compact_threshold: int, operations: Operations) -> list[Any]:
    """Start the count of snapshots at 0 after each restart."""
    results: list[Any] = []
    before, seen = 0, 0
    for number, (name, *_) in enumerate(operations):
        answers = log_by_class(compact_threshold, [*operations[: number + 1], ("status",)])
        total = answers[-1][2]
        before = total if name == "restart" else before
        if name in ("get", "status"):
            answer = answers[seen]
            results.append((*answer[:2], answer[2] - before) if name == "status" else answer)
            seen += 1
    return results


def their_log_of_tuples(compact_threshold: int, operations: Operations) -> list[Any]:
    """Keep tuples instead of bytes."""
    base: Records = {}
    log: list[Any] = []
    memory: Records = {}
    answers: list[Any] = []
    count = 0
    for name, *arguments in operations:
        if name == "get":
            answers.append(memory.get(arguments[0]))
        elif name == "status":
            answers.append((len(memory), len(log), count))
        else:
            done = [(name, *arguments)] if name != "restart" else log
            memory = memory if name != "restart" else dict(base)
            for kind, key, *value in done:
                memory.pop(key, None)
                memory.update({key: value[0]} if kind == "put" else {})
            log = [*log, *done] if name != "restart" else log
            if len(log) >= compact_threshold:
                base, log, count = dict(memory), [], count + 1
    return answers


# Each with its mistake: the function's name, the wrong value, or the sentence itself.
VARIANTS: list[tuple[str, Any, Any]] = [
    ("03-run-shutdown", their_merging_run, "shutdown_merges"),
    ("03-run-shutdown", their_forgetful_run, "shutdown_collects"),
    ("03-run-shutdown", their_list_run, "shutdown_keeps_a_copy"),
    ("03-torn", "It is refused.", "refused"),
    ("03-torn", "CorruptionError", "refused"),
    ("03-torn", kvlib.CorruptionError, "refused"),
    ("03-torn", kvlib.CorruptionError(None, 145, "torn"), "refused"),
    ("03-torn", {"tea": None, "pie": "2"}, {"tea": "", "pie": "2"}),
    ("03-torn", {"tea": 3, "pie": 2}, {"tea": "3", "pie": "2"}),
    ("03-torn", {"tea": "3"}, {"tea": "4"}),
    ("03-torn", {b"tea": b"4", b"pie": b"2"}, {"tea": 4, "pie": 2}),
    ("03-torn", {"tea": b"4", "pie": b"2"}, {"tea": 4, "pie": 2}),
    ("03-torn", {b"pie": b"2"}, {"pie": "2"}),
    ("03-replay", their_strict_replay, "replay_insists_on_keys"),
    ("03-replay", their_truthy_replay, "replay_deletes_if_empty"),
    ("03-replay", their_replay_of_known_keys, "replay_adds_no_key"),
    ("03-publish-order", [8, 4, 2, 6, 1, 3, 7, 5], power_cut.SENTENCES["unsynced name"]),
    ("03-publish-order", [1, 2, 3, 4, 5, 6, 7, 8], power_cut.SENTENCES["missing file"]),
    ("03-publish-order", (2, 6, 8, 5, 4, 3, 1, 7), power_cut.SENTENCES["early deletion"]),
    ("03-bug-hunt", their_append, "append_behind_the_tail"),
    ("03-bug-hunt", their_overwriting_append, "append_over_the_tail"),
    ("03-recover", their_short_recovery, "recover_forgives"),
    ("03-recover", their_strict_recovery, "recover_refuses_when_torn"),
    ("03-recover", their_recovery_of_anything, "recover_goes_on"),
    ("03-recover", their_checksum_of_the_payload, "recover_checks_the_payload"),
    ("03-run-log", their_late_log, "log_compacts_late"),
    ("03-run-log", their_counting_log, "log_forgets_its_snapshots"),
    ("03-run-log", their_log_of_tuples, "log_of_objects"),
]
