"""A store, operation by operation: memory, the disk, and what a crash would leave.

The store is a real one, on a disk that knows which bytes and names an fsync has made safe. After
each operation, recovery reads a copy of just those.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, Literal, TypedDict, Unpack

from kvlib.crash import CrashDisk, Image, boot
from kvlib.durable import DurableStore, Status
from kvlib.encoding import Item
from kvlib.layout.dissect import Layout, dissect_directory
from kvlib.layout.text import COLUMNS, fit
from kvlib.plural import count
from kvlib.recovery import State, recover_without_lock
from kvlib.snapshot import LOG, SEGMENT_NAME
from kvlib.views import arguments, columns, records
from kvlib.views.timeline import Moment, ReaderOutcome, Scene, Timeline

StepOperation = tuple[Any, ...]
StepNote = tuple[str, str]

MOST: Final = 64  # operations
MOST_BYTES: Final = 1024  # of each file
SEGMENTS: Final = 2  # files of a snapshot to show
RECORDS: Final = 16  # lines of memory
LABEL: Final = 24  # columns
EXPECTED: Final = "takes a list of operations such as ('put', 'k', 'v'), for a new store in memory"
STATE: Final = 48


class Options(TypedDict, total=False):
    """The options of `kvlib.open` for a new store in memory."""

    sync: Literal["always", "never"] | int
    max_segment_size: int
    threshold: int
    policy: Callable[[Status], bool] | None


def steps(operations: Iterable[StepOperation], **options: Unpack[Options]) -> Timeline:
    """Carry out `operations` on a new store in memory, one by one.

    At each moment the power is cut on a copy, which loses everything that no fsync has made safe. A
    recovery is right if it has the same records as memory, or as the store had when it was closed.

    Args:
        operations: tuples, at most 64: ("put", key, value), ("delete", key), ("get", key),
            ("compact",), ("close",), ("restart",), which closes and reopens the store, or
            ("crash",), which opens the store that a power cut has left.
        options: options of kvlib.open: sync, threshold, policy, max_segment_size.

    Raises:
        TypeError, ValueError: for an unknown operation, one that the store refuses, or one that
            lets a file grow above 1,024 bytes, with its index; for an unknown option.
    """
    _check_options(options)
    listed = _listed(operations)
    stage = _Stage(options)
    moments = [stage.opened("open")]
    for number, operation in enumerate(listed):
        try:
            moments.append(stage.play(operation))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"operation {number}: {error}") from error
    caption = (
        f"A store and {count(len(listed), 'operation')}. At each step a copy of the disk loses"
    )
    caption += " power. What no fsync has made safe is gone, and recovery reads the rest."
    drawn = partial(columns.draw, steps=tuple(stage.steps))
    return Timeline(caption, "operation", ("recovery",), tuple(moments), min(1, len(listed)), drawn)


def _check_options(options: Options) -> None:
    for name in options.keys() - Options.__annotations__.keys():
        known = ", ".join(Options.__annotations__)
        raise TypeError(f"steps has no option {name!r}, only {known}")
    if (policy := options.get("policy")) is not None:
        arguments.check_function("policy", policy, "status")


def _listed(operations: Iterable[StepOperation]) -> list[StepOperation]:
    arguments.check_kind("steps", operations, Iterable, EXPECTED)
    if isinstance(operations, (str, bytes, bytearray, Mapping)):  # these are iterable too
        arguments.check_kind("steps", operations, (), EXPECTED)
    listed = list(islice(operations, MOST + 1))
    if len(listed) > MOST:
        raise ValueError(f"more than {MOST} operations, which is all there is room for: take fewer")
    return listed


class _Stage:
    """A store and its disk, and their state at the last look."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._crashes = 0
        self._disk = CrashDisk()
        self._store = DurableStore(self._disk, **options)
        self._closed = False
        self._files: Image = {}
        self._shown: dict[Item, Item] = {}  # memory, empty while the store is closed
        self._held: dict[Item, Item] = {}  # the store's records, as of its close if it is closed
        self.steps: list[columns.Step] = []

    def play(self, operation: StepOperation) -> Moment:
        """Carry out an operation, and look at the result."""
        name, *arguments = self._check(operation)
        answer = self._allowed()[name][1](*arguments)
        label = " ".join([name, *(fit(repr(key), LABEL) for key in arguments[:1])])
        if name in ("restart", "crash"):
            return self.opened(label)
        notes = [("answer", fit(repr(answer), COLUMNS))] if name == "get" else []
        return self._look(label, notes)

    def opened(self, label: str) -> Moment:
        """Look at a store that has just been opened."""
        found = self._store.recovered
        text = f"{count(found.replayed, 'mutation')} replayed, "
        text += f"{count(found.dropped_bytes, 'byte')} dropped"
        return self._look(label, [("recovered", text)])

    def _allowed(self) -> dict[str, tuple[str, Callable[..., object]]]:
        store = self._store
        return {
            "put": ("key, value", store.put),
            "delete": ("key", store.delete),
            "get": ("key", store.get),
            "compact": ("", store.compact),
            "close": ("", self._close),
            "restart": ("", self._restart),
            "crash": ("", self._crash),
        }

    def _check(self, operation: StepOperation) -> StepOperation:
        allowed = self._allowed()
        if not isinstance(operation, tuple) or not operation:
            raise TypeError(f"expected a tuple such as ('get', 'a'), not {operation!r:.60}")
        name = operation[0]
        if not isinstance(name, str) or name not in allowed:
            raise ValueError(f"expected one of {', '.join(allowed)}, not {name!r:.60}")
        parameters, _ = allowed[name]
        if len(operation) - 1 != len(parameters.split()):
            raise ValueError(f"expected {name}({parameters}), got {len(operation) - 1} arguments")
        return operation

    def _close(self) -> None:
        self._store.close()
        self._closed = True

    def _restart(self) -> None:
        self._store.close()
        self._reopen()

    def _crash(self) -> None:
        self._crashes += 1
        self._disk = CrashDisk(_safe(self._disk), seed=self._crashes)
        self._reopen()

    def _reopen(self) -> None:
        self._store = DurableStore(self._disk, **self._options)
        self._closed = False

    def _look(self, label: str, notes: list[StepNote]) -> Moment:
        memory = {} if self._closed else dict(self._store)
        self._held = self._held if self._closed else memory
        files = {layout.source: layout for layout in dissect_directory(self._disk)}
        shown = sorted(files, key=_by_generation)
        scenes = tuple(self._scene(files[name]) for name in shown)
        pictures = scenes[: 1 + SEGMENTS]
        _check_size(pictures)
        notes += [("memory", self._memory(memory)), ("status", self._status())]
        if (segments := len(shown) - 1) > SEGMENTS:
            notes.append(("snapshot", f"{segments} segment files, the first {SEGMENTS} are shown"))
        notes += _new_bytes(pictures)
        safe = _safe(self._disk)
        state = recover_without_lock(boot(safe))
        self.steps.append(
            columns.Step(
                self._shown,
                None if self._closed else memory,
                self._held,
                state.items,
                len(safe[LOG]),
                scenes,
            )
        )
        self._shown, self._files = memory, {name: files[name].data for name in files}
        return Moment(label, (_outcome(state, self._held),), pictures, tuple(notes))

    def _scene(self, layout: Layout) -> Scene:
        size, before = len(layout.data), self._files.get(layout.source, b"")
        start = len(before) if layout.data.startswith(before) else 0
        marks = ((start, size),) if start < size else ()
        return Scene(layout, marks)

    def _memory(self, memory: dict[Item, Item]) -> str:
        if self._closed:
            return "(the store is closed)"
        lines = [
            fit(f"{mark} {key!r}: {value!r}", COLUMNS)
            for mark, key, value in records.compared(self._shown, memory)
        ]
        if len(lines) > RECORDS:
            kept = [line for line in lines if line[0] != " "][:RECORDS]
            lines = [*kept, f"({len(lines) - len(kept)} more)"]
        return "\n".join(lines) or "(empty)"

    def _status(self) -> str:
        if self._closed:
            return "closed"
        status = self._store.status()
        figures = [count(status.keys, "key"), f"{status.pending} pending"]
        figures += [count(status.compactions, "compaction"), f"generation {status.generation}"]
        return ", ".join([*figures, f"a log of {count(status.log_bytes, 'byte')}"])


def _check_size(pictures: Iterable[Scene]) -> None:
    for layout in (picture.layout for picture in pictures):
        if (size := len(layout.data)) > MOST_BYTES:
            reason = f"{layout.source} has {size:,} bytes then, at most {MOST_BYTES:,} are shown"
            raise ValueError(f"{reason}: take fewer or shorter records, or a lower threshold")


def _by_generation(name: str) -> tuple[bool, int, str]:
    """Return a sort key: the log first, then the newest segments, then leftovers."""
    match = SEGMENT_NAME.fullmatch(name)
    return name != LOG, -int(match[1], 16) if match else 1, name


def _safe(disk: CrashDisk) -> Image:
    """Return the first crash image: just the synced bytes and names."""
    return next(disk.images())


def _outcome(state: State, held: dict[Item, Item]) -> ReaderOutcome:
    words = _words(state)
    if state.items == held:
        return ReaderOutcome("right", words)
    return ReaderOutcome("wrong", f"wrong, not all was fsynced: {words}")


def _words(state: State) -> str:
    replayed = count(state.recovered.replayed, "mutation")
    return f"generation {state.head.generation}, {replayed}: {fit(repr(state.items), STATE)}"


def _new_bytes(pictures: Iterable[Scene]) -> list[StepNote]:
    places = [
        f"{picture.layout.source}: {count(end - start, 'byte')} from offset {start}"
        for picture in pictures
        for start, end in picture.marks
    ]
    return [("new bytes", "\n".join(places))] if places else []
