"""The four interview problems, as functions over a list of operations.

An operation is a tuple that starts with its name: ("put", "a", "1"). Each function returns the
results of the reading operations, in order. A bad operation raises TypeError or ValueError, with
its index and the expected form, after the operations before it have been carried out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kvlib.disk import MemoryDisk
from kvlib.durable import DurableStore, open
from kvlib.encoding import MAX_LENGTH, Item, decode_snapshot, encode_field, encode_snapshot
from kvlib.errors import check_int
from kvlib.segments import check_size, join, split
from kvlib.store import Store

Operation = tuple[Any, ...]
Handlers = dict[str, tuple[str, Callable[..., Any]]]  # name: (parameters, what to call)
READING = ("get", "segment_count", "status")


def _check_label(label: object) -> None:
    if type(label) is not str:
        raise TypeError(f"a path must be a str, not {type(label).__name__}")


CHECKS = {"key": encode_field, "value": encode_field, "path": _check_label}


def _run(operations: Iterable[Operation], handlers: Handlers) -> list[Any]:
    results = []
    for index, operation in enumerate(operations):
        try:
            result = _carry_out(operation, handlers)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"operation {index}: {error}") from error
        if operation[0] in READING:
            results.append(result)
    return results


def _carry_out(operation: Operation, handlers: Handlers) -> object:
    if not isinstance(operation, tuple) or not operation:
        raise TypeError(f"expected a tuple such as ('get', 'a'), not {operation!r:.60}")
    name, *arguments = operation
    if not isinstance(name, str) or name not in handlers:
        raise ValueError(f"unknown operation {name!r:.60}, expected one of {', '.join(handlers)}")
    parameters = handlers[name][0].split()
    if len(arguments) != len(parameters):
        signature = f"{name}({', '.join(parameters)})"
        raise ValueError(f"expected {signature}, got {len(arguments)} arguments")
    for parameter, argument in zip(parameters, arguments, strict=True):
        if parameter in CHECKS:
            CHECKS[parameter](argument)
    return handlers[name][1](*arguments)


def _lookup(saved: dict[str, Any], label: str) -> Any:
    if label not in saved:
        raise ValueError(f"nothing has been serialized at {label!r}")
    return saved[label]


def run_snapshots(operations: Iterable[Operation]) -> list[Item | None]:
    """Solve problem 1: put(key, value), get(key), delete(key), serialize(path), deserialize(path).

    >>> run_snapshots([("put", "a", "1"), ("serialize", "p"), ("delete", "a"), ("get", "a"),
    ...                ("deserialize", "p"), ("get", "a")])
    [None, '1']
    """
    items: dict[Item, Item] = {}
    streams: dict[str, bytes] = {}

    def serialize(path: str) -> None:
        streams[path] = encode_snapshot(items)

    def deserialize(path: str) -> None:
        stored = decode_snapshot(_lookup(streams, path))
        items.clear()
        items.update(stored)

    return _run(
        operations,
        {
            "put": ("key value", items.__setitem__),
            "get": ("key", items.get),
            "delete": ("key", lambda key: items.pop(key, None)),
            "serialize": ("path", serialize),
            "deserialize": ("path", deserialize),
        },
    )


def run_segments(max_segment_size: int, operations: Iterable[Operation]) -> list[Item | int | None]:
    """Solve problem 2: the same over segments of at most `max_segment_size` bytes, 9 or more.

    segment_count(path) returns the number of segments. reorder(path, order) permutes the stored
    segments: new[i] = old[order[i]].

    >>> run_segments(13, [("put", b"k", b"abcdefghij"), ("serialize", "p"), ("segment_count", "p"),
    ...     ("reorder", "p", [4, 3, 2, 1, 0]), ("deserialize", "p"), ("get", b"k")])
    [5, b'abcdefghij']
    """
    check_size(max_segment_size)
    items: dict[Item, Item] = {}
    places: dict[str, list[bytes]] = {}

    def serialize(path: str) -> None:
        places[path] = split(encode_snapshot(items), max_segment_size)

    def reorder(path: str, order: Sequence[int]) -> None:
        old = _lookup(places, path)
        if not isinstance(order, (list, tuple, range)) or any(type(at) is not int for at in order):
            raise TypeError(f"an order must be a list of int, not {order!r:.60}")
        if sorted(order) != list(range(len(old))):
            raise ValueError(f"{order!r:.60} is not a permutation of 0 to {len(old) - 1}")
        places[path] = [old[at] for at in order]

    def deserialize(path: str) -> None:
        stored = decode_snapshot(join(_lookup(places, path)))
        items.clear()
        items.update(stored)

    return _run(
        operations,
        {
            "put": ("key value", items.__setitem__),
            "get": ("key", items.get),
            "delete": ("key", lambda key: items.pop(key, None)),
            "serialize": ("path", serialize),
            "segment_count": ("path", lambda path: len(_lookup(places, path))),
            "reorder": ("path order", reorder),
            "deserialize": ("path", deserialize),
        },
    )


def run_log(
    compact_threshold: int, operations: Iterable[Operation]
) -> list[Item | tuple[int, int, int] | None]:
    """Solve problem 3: put(key, value), delete(key), get(key), restart(), status(), durably.

    After a mutation that makes the log `compact_threshold` records long or longer, a snapshot is
    written and the log is cleared. status() returns (live keys, pending records, snapshots so far).

    >>> run_log(2, [("put", "x", "1"), ("status",), ("delete", "y"), ("restart",), ("status",)])
    [(1, 1, 0), (1, 0, 1)]
    """
    check_int("compact_threshold", compact_threshold, 1, MAX_LENGTH)
    disk = MemoryDisk()

    def start() -> DurableStore:
        return open(disk, policy=lambda status: status.pending >= compact_threshold)

    store = start()

    def restart() -> None:
        nonlocal store
        store.close()
        store = start()

    def status() -> tuple[int, int, int]:
        now = store.status()
        return now.keys, now.pending, now.compactions

    return _run(
        operations,
        {
            "put": ("key value", lambda key, value: store.put(key, value)),
            "delete": ("key", lambda key: store.delete(key)),
            "get": ("key", lambda key: store.get(key)),
            "restart": ("", restart),
            "status": ("", status),
        },
    )


def run_shutdown(operations: Iterable[Operation]) -> list[Item | None]:
    """Solve problem 4: set(key, value), get(key), shutdown(), restore().

    shutdown() writes everything as bytes and clears memory. restore() brings back what the last
    shutdown wrote, or nothing if there was none.

    >>> run_shutdown([("set", "a", "1"), ("shutdown",), ("get", "a"), ("restore",), ("get", "a")])
    [None, '1']
    """
    store = Store()
    return _run(
        operations,
        {
            "set": ("key value", store.set),
            "get": ("key", store.get),
            "shutdown": ("", store.shutdown),
            "restore": ("", store.restore),
        },
    )
