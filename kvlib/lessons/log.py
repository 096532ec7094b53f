"""The exercises of notebook 3."""

from typing import Any, Final

import kvlib
from kvlib import log, recovery, store
from kvlib.crash import GARBAGE
from kvlib.judge import run_log, run_shutdown
from kvlib.lessons import log_mistakes, powercut, run_mistakes, solutions
from kvlib.lessons.exercise import Case, Exercise, Finding, Function, Mistake
from kvlib.lessons.guard import run
from kvlib.lessons.result import short
from kvlib.log import encode_delete, encode_put
from kvlib.views.cuts import Lost, crash

Operations = list[tuple[Any, ...]]

PICKLED: Final = (
    "That is a format of Python's own, and reading it can run whatever it says. Write a tag, a "
    "length and the data yourself."
)
EVALUATED: Final = (
    "That lets Python read the bytes as a program. Write a tag, a length and the data, and read "
    "just these."
)
FORBIDDEN: Final = dict.fromkeys(["pickle", "_pickle", "marshal"], PICKLED) | dict.fromkeys(
    ["eval", "exec", "ast"], EVALUATED
)
UNTYPED: Final = "Bytes come back as a text. What in the saved bytes says which it was?"
TEXT_ONLY: Final = (
    "Texts come back, and here are bytes: your format, like JSON, has no place for them. What "
    "could say of each piece which of the two it is?"
)
EMPTY_LOST: Final = (
    "A value that is empty is gone: `if value` takes it for none. What tells an empty value from a "
    "missing one?"
)
MISSING_KEY: Final = (
    "A key that isn't there is no error here: `get` gives None, and a deletion changes nothing. "
    "Which methods of dict do that?"
)


def _survivor(functions: tuple[Function, ...], *before: Any) -> bool:
    """Whether a value outlives memory as the object that it was: decoding makes a new one."""
    value = "".join(["two ", "words"])
    first, *rest = ("put", "a", value), ("restart",), ("get", "a")
    if not before:
        first, *rest = ("set", "a", value), ("shutdown",), ("restore",), ("get", "a")
    outcome = run(functions[0], (*before, [first, *rest]))
    return outcome.value[0] is value


# -------------------------------------------------------------------------------- 03-run-shutdown

OFF: Final = ("shutdown",)
ON: Final = ("restore",)


def _shutdown(about: str, *operations: tuple[Any, ...]) -> Case:
    return Case((list(operations),), about)


def _asked(index: int, operations: Operations) -> str:
    reading = [one for one in enumerate(operations) if one[1][0] in ("get", "status")]
    number, operation = reading[index]
    return f"operation {number}, {short(operation, 60)}"


def _large_shutdowns() -> list[Case]:
    sets = [("set", f"key {number}", b"v" * 50) for number in range(1_000)]
    gets = [("get", f"key {number % 1000}") for number in range(98_000)]
    operations = [*sets, *[OFF, ON] * 10, *gets]
    return [Case((operations,), "100,000 operations on 1,000 records")]


SHUT_DOWN: Final = (
    "The value that came back is the very object that was set: it never became bytes. What "
    "shutdown writes is one `bytes`, as a file would hold it."
)


def _never_written(functions: tuple[Function, ...]) -> Finding | None:
    if not _survivor(functions):
        return None
    asked = 'run_shutdown([("set", "a", "two words"), ("shutdown",), ("restore",), ("get", "a")])'
    return Finding(asked, "['two words'], the same object", SHUT_DOWN)


EARLY: Final = (
    "Here `restore` comes before any shutdown. What has been written by then, and what does "
    "memory become?"
)

RUN_SHUTDOWN: Final = Exercise(
    name="03-run-shutdown",
    kind="function",
    objective="bring a store back from nothing but the bytes that it wrote",
    task=(
        "Write `run_shutdown(operations)`: a list of tuples goes in, the list of what each `get` "
        "gave comes out. `set key value`, `get key` (None if it is missing), `shutdown` (all is "
        "written as one `bytes`, and memory is cleared), `restore` (memory becomes exactly what "
        "the last shutdown wrote, and empty if there was none). Keys and values are str or bytes; "
        "up to 100,000 operations. `kvlib.encode_snapshot` may write the bytes at first."
    ),
    stub="""\
def run_shutdown(operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_shutdown",),
    solution=(solutions.run_shutdown,),
    cases=(
        _shutdown("no operations, and no results"),
        _shutdown("a key that was never set", ("get", "a")),
        _shutdown("one record", ("set", "a", "1"), ("get", "a")),
        _shutdown("an empty value", ("set", "a", ""), ("get", "a")),
        _shutdown("memory after a shutdown", ("set", "a", "1"), OFF, ("get", "a")),
        _shutdown("a restore with nothing written", ON, ("get", "a")),
        _shutdown(
            "a restore with nothing written, and something in memory",
            ("set", "a", "1"),
            ON,
            ("get", "a"),
        ),
        _shutdown("one record that comes back", ("set", "a", "1"), OFF, ON, ("get", "a")),
        _shutdown("an empty value that comes back", ("set", "a", ""), OFF, ON, ("get", "a")),
        _shutdown("an empty key that comes back", ("set", "", "1"), OFF, ON, ("get", "")),
        _shutdown(
            "a record that was set after the shutdown", OFF, ("set", "a", "1"), ON, ("get", "a")
        ),
        _shutdown(
            "a second shutdown, with nothing in memory",
            ("set", "a", "1"),
            OFF,
            OFF,
            ON,
            ("get", "a"),
        ),
        _shutdown("two restores of one shutdown", ("set", "a", "1"), OFF, ON, ON, ("get", "a")),
        _shutdown("a character of two bytes", ("set", "é", "x"), OFF, ON, ("get", "é")),
        _shutdown("delimiters in a value", ("set", "a", "=;"), OFF, ON, ("get", "a")),
        _shutdown("bytes", ("set", b"1", b"x"), OFF, ON, ("get", b"1")),
        _shutdown(
            "a text and bytes that look alike",
            ("set", "1", "x"),
            ("set", b"1", b"y"),
            OFF,
            ON,
            ("get", "1"),
            ("get", b"1"),
        ),
        _shutdown("bytes that are no text", ("set", "a", b"\xff\0"), OFF, ON, ("get", "a")),
        _shutdown(
            "all the delimiters that one thinks of",
            ("set", "a|b:c\0", "v1|v2:ok\n\\"),
            OFF,
            ON,
            ("get", "a|b:c\0"),
        ),
        _shutdown("a value of 300 bytes", ("set", "a", "x" * 300), OFF, ON, ("get", "a")),
    ),
    item=_asked,
    large=_large_shutdowns,
    probe=_never_written,
    forbidden=FORBIDDEN,
    mistakes=(
        Mistake(
            run_mistakes.shutdown_merges,
            "After `restore` there is more than was written: what was set since then stays. "
            "What of memory must be left?",
        ),
        Mistake(
            run_mistakes.shutdown_keeps_memory,
            "After `shutdown` a `get` still finds the record. Which step of a shutdown is missing?",
        ),
        Mistake(
            run_mistakes.shutdown_clears_what_it_wrote,
            "What was written is the dict itself, and clearing memory clears it too. What would a "
            "file hold?",
        ),
        Mistake(run_mistakes.shutdown_keeps_a_copy, SHUT_DOWN),
        Mistake(
            run_mistakes.shutdown_collects,
            "A record comes back that the last shutdown didn't write: it is of an earlier one. "
            "What does a shutdown of empty memory write?",
        ),
        Mistake(
            run_mistakes.shutdown_insists_on_keys,
            "A key that isn't there is no error here: `get` gives None. Which method of dict does "
            "that?",
        ),
        Mistake(run_mistakes.shutdown_expects_one, EARLY),
        Mistake(run_mistakes.shutdown_decodes_nothing, EARLY),
        Mistake(
            run_mistakes.shutdown_ignores_early_restores,
            "With nothing written, `restore` leaves memory as it is. What does the task say that "
            "it becomes?",
        ),
        Mistake(
            run_mistakes.shutdown_restores_once,
            "The second `restore` finds nothing: reading has used up what was written. Does a file "
            "get empty by being read?",
        ),
        Mistake(run_mistakes.shutdown_loses_empty_values, EMPTY_LOST),
        Mistake(run_mistakes.shutdown_forgets_types, UNTYPED),
        Mistake(
            run_mistakes.shutdown_shows_bytes,
            "`str` of bytes is a text that shows them, with a `b` and quotes. How can bytes stay "
            "bytes?",
        ),
        Mistake(
            run_mistakes.shutdown_delimits,
            "The data holds a character that your format uses as a mark. How could the reader "
            "know where a value ends without searching in it?",
        ),
        Mistake(run_mistakes.shutdown_by_json, TEXT_ONLY),
        Mistake(run_mistakes.shutdown_pickles, PICKLED),
        Mistake(run_mistakes.shutdown_evals, EVALUATED),
    ),
    hints=(
        '`memory = {}`, `written = b""`, and one loop with an `if` for each operation. What does '
        "each of them do to these two?",
        "Make the bytes of a dict, and a dict of the bytes, in two functions of their own: that is "
        "notebook 1. Then shutdown and restore take two lines each.",
        "`restore` begins with an empty dict, whatever was in memory, and the bytes at the start "
        "are those of no records.",
    ),
    why="Only bytes outlive the program; and whatever came after the last shutdown is gone.",
    points=4,
    minutes=15,
    own={
        "judge.run_shutdown": run_shutdown,
        "Store.shutdown": store.Store.shutdown,
        "Store.restore": store.Store.restore,
        "Store.serialize": store.Store.serialize,
        "DurableStore.put": store.DurableStore.put,
    },
)

# ---------------------------------------------------------------------------------------- 03-torn


def _as_texts(found: Any) -> dict[str, str]:
    """A dict with its values as they would be written; an empty one if it is no dict."""
    return {str(key): str(value) for key, value in found.items()} if type(found) is dict else {}


TORN: Final = Exercise(
    name="03-torn",
    kind="predict",
    objective="say what comes back from a log that was cut",
    task=(
        "A new store's log is a head of 49 bytes. Then come `put tea 3` (a frame of 32 bytes), "
        "`put pie 2` (32), `put tea 4` (32) and `delete tea` (26). The power goes while the last "
        "frame is written, and the log has 170 bytes. Which dict comes back? Keys and prices are "
        'texts, such as `{"tea": "3"}`.'
    ),
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.torn,),
    cases=(Case(),),
    mistakes=(
        Mistake(
            "refused",
            "Recovery doesn't refuse this: a torn tail is what a crash leaves, and no damage. "
            "Write down the dict that it gives.",
            lambda found: type(found) is not dict,
        ),
        Mistake(
            {"pie": "2"},
            "That would take all of the last frame. Add up the sizes: has all of it arrived?",
            lambda found: _as_texts(found) == {"pie": "2"},
        ),
        Mistake(
            {"tea": "3", "pie": "2"},
            "There are two prices for tea, and a log is replayed from the front. Which frames are "
            "whole, and which of the two comes last?",
            lambda found: _as_texts(found) == {"tea": "3", "pie": "2"},
        ),
        Mistake(
            {"tea": "", "pie": "2"},
            "Half a deletion is no empty price. What does a frame do that is not whole?",
            lambda found: _as_texts(found).get("tea") in ("", "None"),
        ),
        Mistake(
            {},
            "One torn frame doesn't spoil those before it. Where does each frame end, and which "
            "ends are at 170 or before?",
            lambda found: found == {},
        ),
        Mistake(
            {"tea": "4"},
            "Each frame is one change, and the others stay. What happened to the pie?",
            lambda found: "pie" not in _as_texts(found),
        ),
        Mistake(
            {"tea": 4, "pie": 2},
            "These are the records. But the prices went in as texts, and come back as what they "
            "were.",
            lambda found: _as_texts(found) == solutions.torn(),
        ),
    ),
    hints=(
        "A frame is whole, or it is not there. So first: at which offset does each frame end?",
        "49, 81, 113 ... go on. Which of these ends are at 170 or before?",
        "Replay the whole frames, in order, on an empty dict. The last one isn't whole.",
    ),
    why="The deletion ends at 171. With one byte missing it has never happened.",
    points=1,
    minutes=2,
)

# -------------------------------------------------------------------------------------- 03-replay


def _log(*payloads: bytes) -> bytes:
    """Frames around the payloads, numbered from 1."""
    frames = (kvlib.seal(b"M", number, payload) for number, payload in enumerate(payloads, 1))
    return b"".join(frames)


PUT: Final = encode_put("a", "1")
DELETE: Final = encode_delete("a")

REPLAY: Final = Exercise(
    name="03-replay",
    kind="function",
    objective="replay a log so that doing it twice is doing it once",
    task=(
        "What one mutation does to `items` is missing. Each is a key and its new value; the value "
        "is None if the key is deleted. `items` may have these changes already: replaying them "
        "once more changes nothing."
    ),
    stub="""\
import kvlib
from kvlib.log import decode_mutations


def replay(data, items):
    items, offset = dict(items), 0
    while offset < len(data):
        frame = kvlib.unseal(data, offset)
        for key, value in decode_mutations(frame.payload):
            raise NotImplementedError  # YOUR CODE HERE
        offset = frame.end
    return items""",
    names=("replay",),
    solution=(solutions.replay,),
    cases=(
        Case((_log(PUT), {}), "one put"),
        Case((_log(encode_put("a", "")), {}), "a put of an empty text"),
        Case((_log(encode_put("a", b"")), {}), "a put of no bytes"),
        Case((_log(encode_put(b"a", "1")), {"a": "0"}), "a key of bytes, beside a text"),
        Case((_log(DELETE), {"a": "1"}), "one deletion"),
        Case((_log(DELETE), {}), "a deletion that was made before"),
        Case((_log(PUT), {"a": "1"}), "a put that was made before"),
        Case((_log(PUT), {"a": "0"}), "a put over an older value"),
        Case((_log(DELETE), {"a": "1", "b": "2"}), "a deletion, with another key beside it"),
        Case((_log(DELETE, PUT), {}), "a put behind a deletion"),
        Case((_log(PUT, encode_put("a", "2"), DELETE), {}), "two puts and a deletion"),
        Case((_log(PUT + DELETE + encode_put("b", "2")), {}), "three mutations in one frame"),
    ),
    given=("frame",),
    mistakes=(
        Mistake(
            log_mistakes.replay_puts_none,
            "The deleted key is still there, and has None as its value. What should be left of it?",
        ),
        Mistake(
            log_mistakes.replay_insists_on_keys,
            "The key isn't there any more: this deletion has been made before, and a log may be "
            "replayed twice. How does a dict remove a key that may be missing?",
        ),
        Mistake(
            log_mistakes.replay_ignores_deletions,
            "The deletion is passed over, so the key comes back to life. What does a value of None "
            "mean here?",
        ),
        Mistake(
            log_mistakes.replay_deletes_if_empty,
            "A value that is empty is taken for a deletion: `if value` says no to both. How do you "
            "ask for None alone?",
        ),
        Mistake(
            log_mistakes.replay_lets_the_first_win,
            "The value that was there first stays. Which of two puts is the newer one?",
        ),
        Mistake(
            log_mistakes.replay_adds_up,
            "The value is added to the one that is there, so replaying twice gives another state. "
            "A mutation says what the value is.",
        ),
        Mistake(
            log_mistakes.replay_deletes_everything,
            "One key is deleted, and all are gone. Which one does the mutation name?",
        ),
        Mistake(
            log_mistakes.replay_stops_at_a_deletion,
            "It stops at the first deletion, and leaves out what stands behind it. Where does the "
            "log end?",
        ),
    ),
    hints=(
        "There are two kinds of mutation: `if value is None` tells them apart.",
        "A put is one assignment, whatever was there before.",
        "`dict.pop` takes a second argument: what to give if the key is missing. Then it is no "
        "error.",
    ),
    why="A mutation says what is, not what to do: so the last word on each key is always the same.",
    points=2,
    minutes=3,
    own={"log.replay": log.replay, "log.apply": log.apply},
)

# ------------------------------------------------------------------------------- 03-publish-order

PUBLISH_ORDER: Final = Exercise(
    name="03-publish-order",
    kind="order",
    objective="publish a snapshot so that no power cut falls into a gap",
    task=(
        "`log` names `1.segment`. These steps publish a new snapshot, `2.segment`; they are "
        "shuffled. `sync` makes the bytes of a file durable, `sync_directory` the names of all. "
        "Write down an order of their numbers in which the power may go after any step. There is "
        "more than one."
    ),
    stub="order = ...",
    names=("order",),
    solution=(solutions.publish,),
    head="def publish(disk, records, head):",
    lines=(
        'disk.rename("log.new", "log")',
        'disk.write("2.segment", records)',
        "disk.sync_directory()",
        'disk.sync("log.new")',
        'disk.delete("1.segment")',
        'disk.sync("2.segment")',
        "disk.sync_directory()",
        'disk.write("log.new", head)',
    ),
    order=(2, 6, 8, 4, 3, 1, 7, 5),
    cases=(Case((powercut.paper(), powercut.RECORDS, powercut.HEAD), "the steps, one by one"),),
    probe=powercut.cut_at_every_step,
    mistakes=(
        Mistake([2, 6, 8, 4, 1, 3, 7, 5], powercut.SENTENCES["unsynced name"]),
        Mistake([2, 6, 8, 4, 3, 7, 1, 5], powercut.SENTENCES["unsynced rename"]),
        Mistake([2, 6, 8, 4, 3, 1, 5, 7], powercut.SENTENCES["unsynced rename"]),
        Mistake([5, 2, 6, 8, 4, 3, 1, 7], powercut.SENTENCES["early deletion"]),
        Mistake([2, 8, 4, 3, 1, 6, 7, 5], powercut.SENTENCES["unsynced segment"]),
        Mistake([2, 6, 8, 3, 1, 4, 7, 5], powercut.SENTENCES["unsynced head"]),
        Mistake([8, 4, 3, 1, 2, 6, 7, 5], powercut.SENTENCES["unwritten segment"]),
        Mistake([6, 2, 8, 4, 3, 1, 7, 5], powercut.SENTENCES["missing file"]),
    ),
    hints=(
        "Which one step makes the new snapshot count? Put it down, and ask of each other step "
        "whether it belongs before it or after.",
        "Before it: all that the new head needs, bytes and names. After it: what throws the old "
        "one away.",
        "The folder is fsynced twice: once so that the new files keep their names, once so that "
        "the rename is kept before anything is deleted.",
    ),
    why=(
        "New files first, their bytes and then their names; one commit point; deletion last. "
        "Any order in which each cut leaves a whole snapshot is right."
    ),
    points=2,
    minutes=3,
)

# ------------------------------------------------------------------------------------ 03-bug-hunt

FIRST: Final = _log(PUT)
SECOND: Final = _log(PUT, DELETE)

BUG_HUNT: Final = Exercise(
    name="03-bug-hunt",
    kind="function",
    objective="append to a log so that nothing is lost behind a torn tail",
    task=(
        "`append(log, payload)` gives the bytes of the log with one frame more, numbered from 1. "
        "Its tests passed for years. Then a store was opened after a crash and went on "
        "writing, and all that it wrote from then on was lost at the next restart. Take the "
        "`raise` away, and mend it. (The bytes given are whole frames, and perhaps a torn tail.)"
    ),
    stub="""\
import kvlib


def append(log, payload):
    raise NotImplementedError  # YOUR CODE HERE
    # Take the line above away: below is the code with the bug.
    offset, sequence = 0, 0
    while offset < len(log):
        try:
            frame = kvlib.unseal(log, offset)
        except kvlib.CorruptionError:
            break
        offset, sequence = frame.end, frame.sequence
    return log + kvlib.seal(b"M", sequence + 1, payload)""",
    names=("append",),
    solution=(solutions.append,),
    cases=(
        Case((b"", PUT), "the first frame of a log"),
        Case((FIRST, DELETE), "a second frame, which needs the next number"),
        Case((SECOND, PUT), "a third frame, which needs the next number"),
        Case((FIRST[:1], PUT), "a log that has nothing but the first byte of a frame"),
        Case((FIRST[:-1], PUT), "a frame whose last byte is missing"),
        Case((FIRST[:17], DELETE), "a header without its payload"),
        Case((FIRST + SECOND[len(FIRST) :][:1], DELETE), "one byte of a second frame"),
        Case((SECOND[:-1], DELETE), "a second frame whose last byte is missing"),
        Case((FIRST + bytes(24), DELETE), "zeros where the second frame should be"),
        Case((FIRST + bytes(40), DELETE), "a torn tail that is longer than the new frame"),
    ),
    format=("frame",),
    given=("frame",),
    mistakes=(
        Mistake(
            log_mistakes.append_behind_the_tail,
            "The new frame stands behind a torn one, where no reader will find it. Where does the "
            "last whole frame end?",
        ),
        Mistake(
            log_mistakes.append_over_the_tail,
            "The new frame is written over the torn one, and what that had more is still there. "
            "What may stand behind the last frame?",
        ),
        Mistake(
            log_mistakes.append_after_zeros,
            "The torn bytes became zeros, and zeros are no frame either: a reader stops there. "
            "What may stand between two frames?",
        ),
        Mistake(
            log_mistakes.append_counts_the_tail,
            "A number is left out, as if the torn frame had one. What will a reader think who "
            "looks for gaps?",
        ),
        Mistake(
            log_mistakes.append_repeats_the_number,
            "The new frame has the number of the one before it. Which number comes next?",
        ),
        Mistake(
            log_mistakes.append_always_numbers_one,
            "The new frame has the number 1, whatever was there. How does it get the number of the "
            "frame before it?",
        ),
        Mistake(
            log_mistakes.append_without_a_promise,
            "The frame is of kind `m`: it doesn't promise that those before it are safe. Which "
            "kind did the code use?",
        ),
        Mistake(
            log_mistakes.append_starts_again,
            "The torn tail is gone, and all whole frames with it. Which bytes of the log are good?",
        ),
        Mistake(
            log_mistakes.append_refuses_a_tail,
            "A torn tail is what a crash leaves, and here it is an error. What should come before "
            "the new frame instead?",
        ),
        Mistake(
            log_mistakes.append_gives_the_frame,
            "That is the new frame alone. Where are those that were in the log?",
        ),
        Mistake(
            log_mistakes.append_only_drops,
            "The torn tail is gone, but nothing was appended. What was the function called for?",
        ),
    ),
    hints=(
        'Call it with a log that is one byte, `b"?"`, and read what it gives as a reader would: '
        "from the front.",
        "When the loop ends, `offset` says up to where the log is whole. Is that used?",
        "All that stands behind the last whole frame was never acknowledged: it may go, and it "
        "has to.",
    ),
    why=(
        "What stands behind a torn tail is lost. kvlib goes further: after a crash it writes a "
        "fresh snapshot and starts a new log, so the old one is never touched."
    ),
    points=2,
    minutes=6,
    own={"DurableStore.put": store.DurableStore.put},
)

# ------------------------------------------------------------------------------------- 03-recover

LOG: Final = _log(PUT, encode_put("b", ""), DELETE)
ENDS: Final = (len(FIRST), len(_log(PUT, encode_put("b", ""))), len(LOG))
WAYS: Final[tuple[Lost, ...]] = ("missing", "zeros", "garbage")
SEE: Final = "`views.crash(log, recover=recover)` shows each cut"


def _flipped(at: int, bit: int = 1) -> bytes:
    return LOG[:at] + bytes([LOG[at] ^ bit]) + LOG[at + 1 :]


def _filled(end: int, filling: bytes) -> bytes:
    return LOG[:end] + filling[end : len(LOG)]


def _large_logs() -> list[Case]:
    puts = [encode_put(f"key {number % 500}", f"{number}") for number in range(3_000)]
    return [Case((_log(*puts)[:-5],), "a log of 3,000 frames, the last of them torn")]


def _refused(log: bytes, about: str) -> Case:
    return Case((log,), about, refused=True)


def _cut_everywhere(functions: tuple[Function, ...]) -> Finding | None:
    """The first byte at which the crash explorer finds something wrong, or a refusal."""

    def recover(log: bytes) -> object:
        outcome = run(functions[0], (log,))
        if outcome.kind != "gave":
            raised = outcome.kind == "raised"
            raise ValueError(type(outcome.value).__name__ if raised else "no end")
        return outcome.value

    for lost in WAYS:
        for moment in crash(LOG, recover, lost=lost).moments:
            outcome = moment.outcomes[0]
            if outcome.verdict != "right":
                asked = f"recover(log), {moment.label} bytes have arrived, the others: {lost}"
                return Finding(asked, outcome.words, EVERYWHERE)
    return None


UNCHECKED: Final = (
    "Lengths and numbers can't tell that the bytes of a frame never came: zeros or garbage stand "
    "in their place. Which field of the header tells?"
)
EVERYWHERE: Final = (
    "Most cuts are right, and this one isn't. `views.crash(log, recover=recover)` shows each cut: "
    "what is special here?"
)

RECOVER: Final = Exercise(
    name="03-recover",
    kind="function",
    objective="recover from any crash, and refuse what no crash can have done",
    task=(
        "Write `recover(log)`: the bytes of frames go in, numbered from 1, the dict that they add "
        "up to comes out. The log may end anywhere, or in zeros or garbage: such a torn tail is "
        "dropped. Raise a ValueError if a whole frame with a higher number stands behind a bad "
        "one, if a number is missing or doubled, or if a whole frame makes no sense. "
        "`kvlib.unseal(log, offset)` gives the frame that is there whole (`end`, `sequence`, "
        "`payload`), or raises a `kvlib.CorruptionError`."
    ),
    stub="""\
import kvlib
from kvlib.log import decode_mutations, encode_delete, encode_put

log = kvlib.seal(b"M", 1, encode_put("a", "1"))  # one to try it with
log += kvlib.seal(b"M", 2, encode_put("b", ""))
log += kvlib.seal(b"M", 3, encode_delete("a"))


def recover(log):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("recover",),
    solution=(solutions.recover,),
    cases=(
        Case((b"",), "a log without frames"),
        Case((FIRST,), "one put"),
        Case((_log(encode_put("", "")),), "an empty key and an empty value"),
        Case((_log(DELETE),), "the deletion of what isn't there, which leaves nothing"),
        Case((LOG[: ENDS[1]],), "two puts"),
        Case((LOG,), "two puts and a deletion"),
        Case((_log(PUT, encode_put("a", "2")),), "a key that was put twice"),
        Case((_log(PUT + encode_put("b", b"\xff")),), "two mutations in one frame"),
        *(
            Case((LOG[:end],), f"a cut: {end} of the log's {len(LOG)} bytes have arrived")
            for end in (1, 16, 17, 18, ENDS[0] - 1, ENDS[0] + 1, ENDS[1] - 1, len(LOG) - 1)
        ),
        *(
            Case((_filled(end, bytes(len(LOG))),), f"zeros from offset {end} on")
            for end in (0, 4, ENDS[0], ENDS[1], ENDS[1] + 8, len(LOG) - 1)
        ),
        *(
            Case((_filled(end, GARBAGE),), f"garbage from offset {end} on")
            for end in (0, 8, ENDS[0] + 17, ENDS[1], len(LOG) - 2)
        ),
        Case((_flipped(len(LOG) - 1),), "a bit of the last frame that has flipped"),
        Case(
            (FIRST + bytes(24) + FIRST,),
            "an older frame behind a torn tail: the medium held it before",
        ),
        _refused(_flipped(0), "a bit that has flipped in the first checksum"),
        _refused(_flipped(ENDS[0] - 1), "a bit that has flipped in the first value"),
        _refused(_flipped(4), "a bit that has flipped in the first length"),
        _refused(_flipped(ENDS[0] + 7), "a bit that has flipped in the second length"),
        _refused(bytes(ENDS[0]) + LOG[ENDS[0] :], "zeros in place of the first frame"),
        _refused(LOG[:10] + LOG[ENDS[0] :], "a frame that was cut, and others behind it"),
        _refused(LOG[ENDS[0] :], "a log that begins with its second frame"),
        _refused(FIRST + LOG[ENDS[1] :], "a log without its second frame"),
        _refused(FIRST + FIRST, "a frame that is there twice"),
        _refused(_log(b"X"), "a whole frame with a mutation that is none"),
        _refused(_log(b""), "a whole frame without a mutation"),
    ),
    given=("frame",),
    large=_large_logs,
    probe=_cut_everywhere,
    mistakes=(
        Mistake(
            log_mistakes.recover_raises_when_torn,
            f"A torn tail is what a crash leaves, and here it raises. {SEE}.",
        ),
        Mistake(
            log_mistakes.recover_refuses_when_torn,
            f"A torn tail is what a crash leaves, and it is no error. {SEE}.",
        ),
        Mistake(
            log_mistakes.recover_unpacks_unchecked,
            f"Not even the header of the frame is all there. {SEE}.",
        ),
        Mistake(
            log_mistakes.recover_gives_up,
            f"One torn frame, and the whole frames before it are forgotten. {SEE}.",
        ),
        Mistake(
            log_mistakes.recover_drops_one_too_many,
            f"The last whole frame is dropped together with the torn one. {SEE}.",
        ),
        Mistake(
            log_mistakes.recover_takes_what_is_there,
            f"Half a frame came back as a record: a slice takes what is there. {SEE}.",
        ),
        Mistake(log_mistakes.recover_without_checksums, UNCHECKED),
        Mistake(log_mistakes.recover_by_numbers, UNCHECKED),
        Mistake(
            log_mistakes.recover_checks_the_payload,
            "Not one frame passes your checksum. It covers more than the payload: which bytes "
            "stand between the two?",
        ),
        Mistake(
            log_mistakes.recover_forgives,
            "Frames were dropped that had been acknowledged: whole ones stand behind the bad one, "
            "so it was no crash. How can you find them?",
        ),
        Mistake(
            log_mistakes.recover_goes_on,
            "It jumped over a bad frame and went on, so the state is one that never was. What has "
            "to happen if a whole frame stands behind a bad one?",
        ),
        Mistake(
            log_mistakes.recover_trusts_a_bad_length,
            "The damaged length leads past the frames that follow, so they look as if they had "
            "never been. Where else could a whole frame begin?",
        ),
        Mistake(
            log_mistakes.recover_refuses_wrong_checksums,
            "A wrong checksum at the end is no proof of damage: after a crash a file may have its "
            "length before its bytes. What would be a proof?",
        ),
        Mistake(
            log_mistakes.recover_refuses_older_frames,
            "A whole frame behind a torn one is no proof of damage if it is an older one, which "
            "the medium held before. Which numbers can only have come later?",
        ),
        Mistake(
            log_mistakes.recover_ignores_the_sequence,
            "Each frame is whole, and yet the log isn't: look at their numbers. Which one should "
            "come next?",
        ),
        Mistake(
            log_mistakes.recover_puts_none,
            "The deleted key is still there, and has None as its value. What should be left of it?",
        ),
        Mistake(
            log_mistakes.recover_insists_on_keys,
            "A deletion of what isn't there raises. How does a dict remove a key that may be "
            "missing?",
        ),
        Mistake(
            log_mistakes.recover_ignores_deletions,
            "The deletion is passed over. What does a value of None mean?",
        ),
        Mistake(log_mistakes.recover_deletes_if_empty, EMPTY_LOST),
    ),
    hints=(
        "Write it for whole logs first: `unseal`, apply, go on at `frame.end`. Then look at "
        "`views.crash(log, recover=recover)`: what should happen at the first `x`?",
        "A bad frame ends the loop. Before that, ask: is there a place behind it at which `unseal` "
        "finds a whole frame?",
        "The bad frame's length can't be trusted, so try every offset behind it. A whole frame "
        "there with a higher number than the bad one's is the proof of damage.",
    ),
    why=(
        "Dropped is what no later frame vouches for; all else is refused. So recovery gives what "
        "once was, or says that it can't."
    ),
    points=6,
    minutes=20,
    own={"log.replay": log.replay, "log.scan": log.scan, "recovery.recover": recovery.recover},
)

# ------------------------------------------------------------------------------------- 03-run-log

RESTART: Final = ("restart",)
STATUS: Final = ("status",)


def _with_log(about: str, threshold: int, *operations: tuple[Any, ...]) -> Case:
    return Case((threshold, list(operations)), about)


def _asked_of_log(index: int, compact_threshold: int, operations: Operations) -> str:
    return _asked(index, operations)


def _large_log() -> list[Case]:
    puts = [("put", f"key {number % 700}", b"v" * 50) for number in range(10_000)]
    gets = [("get", f"key {number % 900}") for number in range(89_000)]
    operations = [*puts, *[RESTART, STATUS] * 10, *gets]
    return [Case((1_000, operations), "100,000 operations, and a threshold of 1,000")]


LOGGED: Final = (
    "The value that came back is the very object that was put: it never became bytes. Keep the "
    "log and the snapshot as `bytes`, as files would hold them."
)


def _never_logged(functions: tuple[Function, ...]) -> Finding | None:
    for threshold in (9, 1):  # once it comes back from the log, once from a snapshot
        if _survivor(functions, threshold):
            operations = '[("put", "a", "two words"), ("restart",), ("get", "a")]'
            asked = f"run_log({threshold}, {operations})"
            return Finding(asked, "['two words'], the same object", LOGGED)
    return None


RUN_LOG: Final = Exercise(
    name="03-run-log",
    kind="function",
    objective="keep a store safe by a log, and the log short by snapshots",
    task=(
        "Write `run_log(compact_threshold, operations)`: the list of what each `get` and `status` "
        "gave comes out. `put key value` and `delete key` (which may be missing) change memory and "
        "append one record to the log; if it then holds `compact_threshold` records or more, a "
        "snapshot is written and the log cleared. `restart` throws memory away, loads the snapshot "
        "and replays the log. `get key` gives None if it is missing; `status` gives `(live keys, "
        "records in the log, snapshots so far)`. Snapshot and log are bytes; up to 100,000 "
        "operations. kvlib's `encode_snapshot` and `kvlib.log.encode_put` may write them at first."
    ),
    stub="""\
def run_log(compact_threshold, operations):
    raise NotImplementedError  # YOUR CODE HERE""",
    names=("run_log",),
    solution=(solutions.run_log,),
    cases=(
        _with_log("no operations, and no results", 2),
        _with_log("a key that was never put", 2, ("get", "a")),
        _with_log("a new store", 2, STATUS),
        _with_log("one record", 2, ("put", "a", "1"), ("get", "a")),
        _with_log("the status after a put", 2, ("put", "a", "1"), STATUS),
        _with_log("the deletion of what isn't there", 2, ("delete", "a"), STATUS),
        _with_log("a log as long as the threshold", 1, ("put", "a", "1"), STATUS),
        _with_log(
            "a log that gets as long as the threshold",
            2,
            ("put", "a", "1"),
            ("put", "b", "2"),
            STATUS,
        ),
        _with_log("a key that is put twice", 3, ("put", "a", "1"), ("put", "a", "2"), STATUS),
        _with_log("a put and a deletion", 3, ("put", "a", "1"), ("delete", "a"), STATUS),
        _with_log("a new store, restarted", 2, RESTART, STATUS),
        _with_log("a restart", 2, ("put", "a", "1"), RESTART, ("get", "a")),
        _with_log("the status after a restart", 2, ("put", "a", "1"), RESTART, STATUS),
        _with_log("an empty value", 2, ("put", "a", ""), RESTART, ("get", "a")),
        _with_log(
            "a key that was put twice, restarted",
            3,
            ("put", "a", "1"),
            ("put", "a", "2"),
            RESTART,
            ("get", "a"),
        ),
        _with_log(
            "a deletion, restarted", 3, ("put", "a", "1"), ("delete", "a"), RESTART, ("get", "a")
        ),
        _with_log("a snapshot, restarted", 1, ("put", "a", "1"), RESTART, ("get", "a")),
        _with_log("an empty value in a snapshot", 1, ("put", "a", ""), RESTART, ("get", "a")),
        _with_log("a count of snapshots, restarted", 1, ("put", "a", "1"), RESTART, STATUS),
        _with_log(
            "a snapshot and a log",
            2,
            ("put", "a", "1"),
            ("put", "b", "2"),
            ("put", "a", "3"),
            RESTART,
            ("get", "a"),
            ("get", "b"),
            STATUS,
        ),
        _with_log(
            "a deletion of what is in the snapshot",
            2,
            ("put", "a", "1"),
            ("put", "b", "2"),
            ("delete", "a"),
            RESTART,
            ("get", "a"),
            STATUS,
        ),
        _with_log(
            "two snapshots, and a key of the first",
            1,
            ("put", "a", "1"),
            ("put", "b", "2"),
            RESTART,
            ("get", "a"),
        ),
        _with_log(
            "two snapshots, and a key of the second",
            1,
            ("put", "a", "1"),
            ("put", "b", "2"),
            RESTART,
            ("get", "b"),
        ),
        _with_log(
            "two snapshots, and a deletion between them",
            1,
            ("put", "a", "1"),
            ("delete", "a"),
            RESTART,
            ("get", "a"),
        ),
        _with_log(
            "a log that goes on after a restart",
            2,
            ("put", "a", "1"),
            RESTART,
            ("put", "b", "2"),
            STATUS,
            RESTART,
            ("get", "a"),
        ),
        _with_log(
            "two restarts in a row", 3, ("put", "a", "1"), RESTART, RESTART, ("get", "a"), STATUS
        ),
        _with_log("bytes", 2, ("put", b"1", b"x"), RESTART, ("get", b"1"), ("get", "1")),
        _with_log(
            "delimiters", 2, ("put", "P|\n", "=;D\0"), RESTART, ("get", "P|\n"), ("get", "P")
        ),
        _with_log("bytes that are no text", 1, ("put", "é", b"\xff\0"), RESTART, ("get", "é")),
    ),
    item=_asked_of_log,
    large=_large_log,
    probe=_never_logged,
    forbidden=FORBIDDEN,
    mistakes=(
        Mistake(
            run_mistakes.log_compacts_late,
            "The log holds as many records as the threshold, and there is no snapshot yet. Is it "
            "*more than*, or *as many or more*?",
        ),
        Mistake(
            run_mistakes.log_stays_full,
            "A snapshot was written, and the log still has its records. What has become of them?",
        ),
        Mistake(
            run_mistakes.log_forgets_its_snapshots,
            "The number of snapshots begins again after a restart: it was in memory only. Where "
            "could it be kept, so that a restart finds it?",
        ),
        Mistake(
            run_mistakes.log_is_emptied_by_a_restart,
            "After a restart the log is empty: reading it has used it up. When may it be cleared?",
        ),
        Mistake(
            run_mistakes.log_without_its_snapshot,
            "After a restart only what is in the log is back. What has to be loaded before it?",
        ),
        Mistake(
            run_mistakes.log_is_not_replayed,
            "After a restart only what is in the snapshot is back. What came after it?",
        ),
        Mistake(
            run_mistakes.log_spares_deletions,
            "A deletion left no record in the log, because the key wasn't there. What does the "
            "task say of that?",
        ),
        Mistake(
            run_mistakes.log_saves_at_a_restart,
            "A restart has written a snapshot. It is a crash, and nobody saves anything in one: "
            "what is there to read?",
        ),
        Mistake(
            run_mistakes.log_revives,
            "A key is back that was deleted. What does a record of a deletion do in a replay?",
        ),
        Mistake(run_mistakes.log_loses_empty_values, EMPTY_LOST),
        Mistake(
            run_mistakes.log_counts_keys,
            "The number of records in the log is wrong: a key that was changed twice counts once. "
            "What does the log do at each change?",
        ),
        Mistake(run_mistakes.log_insists_on_keys, MISSING_KEY),
        Mistake(run_mistakes.log_insists_on_deletions, MISSING_KEY),
        Mistake(
            run_mistakes.log_counts_deleted_keys,
            "A deleted key counts as live: it is still in memory, with None as its value. What "
            "should be left of it?",
        ),
        Mistake(
            run_mistakes.log_lists_its_status,
            "The numbers may be right, but a status is a tuple and this is a list: which brackets "
            "does the task write?",
        ),
        Mistake(
            run_mistakes.log_is_replayed_backwards,
            "An older state of a key is back. In which order are the log's records replayed?",
        ),
        Mistake(
            run_mistakes.log_snapshots_itself,
            "The second snapshot has only what was in the log by then, and a key of the first is "
            "gone. What is a snapshot of?",
        ),
        Mistake(
            run_mistakes.log_keeps_the_first_snapshot,
            "The log was cleared for a second snapshot, and what that should hold is gone. Which "
            "snapshot does a restart load?",
        ),
        Mistake(
            run_mistakes.log_merges_partly,
            "A key is back that was deleted before the last snapshot: the log was merged into the "
            "snapshot before, and its deletions were not.",
        ),
        Mistake(run_mistakes.log_of_objects, LOGGED),
        Mistake(run_mistakes.log_of_json, TEXT_ONLY),
        Mistake(run_mistakes.log_of_pickles, PICKLED),
        Mistake(run_mistakes.log_of_literals, EVALUATED),
    ),
    hints=(
        "What outlives a restart is `snapshot` and `log`, both bytes; `memory` is made of them. "
        "Where is the number of snapshots, then?",
        "A record of the log is a letter, the key field, and for a put the value field. One "
        "function reads all of them into a dict, and counts them.",
        "A snapshot can be a number and then puts: the function that replays the log reads these "
        "too.",
    ),
    why=(
        "Each change costs its own size, and a restart needs the snapshot and the log alone: "
        "memory is only a copy of these."
    ),
    points=8,
    minutes=30,
    own={
        "judge.run_log": run_log,
        "DurableStore.put": store.DurableStore.put,
        "Store.serialize": store.Store.serialize,
    },
)

EXERCISES: Final = (
    RUN_SHUTDOWN,
    TORN,
    REPLAY,
    PUBLISH_ORDER,
    BUG_HUNT,
    RECOVER,
    RUN_LOG,
)
