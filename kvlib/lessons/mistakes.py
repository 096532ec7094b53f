"""Wrong answers that people give, as functions. Each is wrong in one way, and comes to an end.

They are named after what went wrong. Nothing here is used by kvlib.
"""

import pickle
from collections.abc import Callable
from typing import Any

Item = str | bytes
Records = dict[Any, Any]
Operations = list[tuple[Any, ...]]
Encode = Callable[[Records], Any]
Decode = Callable[[Any], Records]


def _data(value: Item) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _tag(value: Item) -> bytes:
    return b"s" if isinstance(value, str) else b"b"


def _u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


# -------------------------------------------------------------------------------- 01-encode-field


def field_counts_characters(value: Item) -> bytes:
    """Measures the text, and not its bytes."""
    return _tag(value) + _u32(len(value)) + _data(value)


def field_is_little_endian(value: Item) -> bytes:
    """Writes the byte first that is worth least."""
    return _tag(value) + len(_data(value)).to_bytes(4, "little") + _data(value)


def field_counts_its_head(value: Item) -> bytes:
    """Counts tag and length too."""
    return _tag(value) + _u32(5 + len(_data(value))) + _data(value)


def field_has_no_tag(value: Item) -> bytes:
    """Does not say what the data is."""
    return _u32(len(_data(value))) + _data(value)


def field_is_always_text(value: Item) -> bytes:
    """Says of bytes that they are a text."""
    return b"s" + _u32(len(_data(value))) + _data(value)


def field_has_a_short_length(value: Item) -> bytes:
    """Writes the length in one byte; a ValueError from 256 on."""
    return _tag(value) + bytes([len(_data(value))]) + _data(value)


def field_writes_length_as_text(value: Item) -> bytes:
    """Writes the digits of the length."""
    return _tag(value) + f"{len(_data(value)):04}".encode() + _data(value)


def field_has_its_length_first(value: Item) -> bytes:
    """Puts the length before the tag."""
    return _u32(len(_data(value))) + _tag(value) + _data(value)


def field_has_no_data(value: Item) -> bytes:
    """Forgets the data."""
    return _tag(value) + _u32(len(_data(value)))


def field_as_hex(value: Item) -> str:
    """Gives what shows the bytes."""
    return (_tag(value) + _u32(len(_data(value))) + _data(value)).hex()


# ----------------------------------------------------------------------------------- 01-delimiter


def with_delimiters(records: Records) -> bytes:
    """Ends keys and values with one character each."""
    return b"".join(_data(key) + b"=" + _data(value) + b";" for key, value in records.items())


def with_long_delimiters(records: Records) -> bytes:
    """Ends them with two, as if that were safer."""
    return b"".join(_data(key) + b"->" + _data(value) + b"||" for key, value in records.items())


def with_escaped_delimiters_only(records: Records) -> bytes:
    """Escapes the delimiters, and not the escape."""

    def escaped(item: Item) -> bytes:
        return _data(item).replace(b"=", b"\\=").replace(b";", b"\\;")

    return b"".join(escaped(key) + b"=" + escaped(value) + b";" for key, value in records.items())


def with_decimal_lengths(records: Records) -> bytes:
    """Writes lengths as digits, and nothing that ends them."""
    items = [_data(item) for record in records.items() for item in record]
    return b"".join(str(len(item)).encode() + item for item in items)


def with_lengths_modulo_256(records: Records) -> bytes:
    """Writes the last byte of the length only."""
    items = [_data(item) for record in records.items() for item in record]
    return b"".join(bytes([len(item) % 256]) + item for item in items)


def with_lengths_of_one_byte(records: Records) -> bytes:
    """Writes lengths that end at 255; a ValueError from 256 on."""
    items = [_data(item) for record in records.items() for item in record]
    return b"".join(bytes([len(item)]) + item for item in items)


def with_ascii_only(records: Records) -> bytes:
    """Writes a question mark for what is not ASCII."""
    return repr(records).encode("ascii", "replace")


def without_types(records: Records) -> bytes:
    """Writes lengths, and not what the data is."""
    items = [_data(item) for record in records.items() for item in record]
    return b"".join(_u32(len(item)) + item for item in items)


def with_text_only(records: Records) -> bytes:
    """Takes texts only; an AttributeError for bytes."""
    items = [item for record in records.items() for item in record]
    return b"".join(_u32(len(item.encode())) + item.encode() for item in items)


# ------------------------------------------------------------------------------------ 01-snapshot


def _stream(
    records: Records,
    field: Callable[[Item], bytes] = lambda value: (
        _tag(value) + _u32(len(_data(value))) + _data(value)
    ),
    count: Callable[[Records], bytes] = lambda records: _u32(len(records)),
) -> bytes:
    return count(records) + b"".join(field(key) + field(value) for key, value in records.items())


def snapshot_without_count(records: Records) -> bytes:
    """Writes the records alone."""
    return _stream(records, count=lambda records: b"")


def snapshot_counts_fields(records: Records) -> bytes:
    """Counts keys and values."""
    return _stream(records, count=lambda records: _u32(2 * len(records)))


def snapshot_counts_bytes(records: Records) -> bytes:
    """Counts the bytes behind the count."""
    return _stream(records, count=lambda records: _u32(len(_stream(records)) - 4))


def snapshot_counts_characters(records: Records) -> bytes:
    """Measures texts, and not their bytes."""
    return _stream(records, field_counts_characters)


def snapshot_is_little_endian(records: Records) -> bytes:
    """Writes numbers the other way round."""
    return _stream(
        records, field_is_little_endian, lambda records: len(records).to_bytes(4, "little")
    )


def snapshot_is_always_text(records: Records) -> bytes:
    """Says of bytes that they are a text."""
    return _stream(records, field_is_always_text)


def snapshot_without_empty_values(records: Records) -> bytes:
    """Takes an empty value for none."""
    return _stream({key: value for key, value in records.items() if value})


def snapshot_with_delimiters(records: Records) -> bytes:
    """Goes back to delimiters."""
    return with_delimiters(records)


def snapshot_by_pickle(records: Records) -> bytes:
    """Lets Python write the bytes."""
    return pickle.dumps(records)


def snapshot_by_repr(records: Records) -> bytes:
    """Writes what Python would show."""
    return repr(records).encode()


def _read(
    data: bytes, strict: bool = True, text: bool = False, order: Any = "big", fields: int = -1
) -> tuple[list[Item], int]:
    """A reader with what each of the mistakes below leaves out."""
    offset, items = 4, list[Item]()
    if fields < 0:
        fields = 2 * int.from_bytes(data[:4], order)
    for _ in range(fields):
        head = data[offset : offset + 5]
        length = int.from_bytes(head[1:], order)
        if strict and (len(head) < 5 or offset + 5 + length > len(data)):
            raise ValueError("more is promised than is left")
        if head[:1] not in (b"s", b"b"):
            raise ValueError("no tag")
        raw = data[offset + 5 : offset + 5 + length]
        items.append(raw.decode() if text or head[:1] == b"s" else raw)
        offset += 5 + length
    return items, offset


def _records(items: list[Item], strict: bool = True) -> Records:
    records = dict(zip(items[::2], items[1::2], strict=True))
    if strict and 2 * len(records) < len(items):
        raise ValueError("a key is doubled")
    return records


def decode_slices_unchecked(data: bytes) -> Records:
    """Trusts the lengths, and slices past the end."""
    items, offset = _read(data, strict=False)
    if offset < len(data) or len(data) < 4:
        raise ValueError("the data goes on, or has no count")
    return _records(items)


def decode_ignores_the_rest(data: bytes) -> Records:
    """Stops after the last record, whatever follows."""
    if len(data) < 4:
        raise ValueError("no count")
    return _records(_read(data)[0])


def decode_ignores_the_count(data: bytes) -> Records:
    """Reads on to the end of the data."""
    if len(data) < 4:
        raise ValueError("no count")
    count = 0
    while True:  # as many fields as make up the data
        items, offset = _read(data, fields=count)
        if offset == len(data):
            return _records(items)
        count += 1


def decode_lets_the_last_win(data: bytes) -> Records:
    """Lets a doubled key overwrite the first."""
    items, offset = _read(data)
    if offset != len(data):
        raise ValueError("the data goes on, or has no count")
    return _records(items, strict=False)


def decode_makes_all_text(data: bytes) -> Records:
    """Does not look at the tag."""
    items, offset = _read(data, text=True)
    if offset != len(data):
        raise ValueError("the data goes on, or has no count")
    return _records(items)


def decode_is_little_endian(data: bytes) -> Records:
    """Reads numbers the other way round."""
    items, offset = _read(data, order="little")
    if offset != len(data):
        raise ValueError("the data goes on, or has no count")
    return _records(items)


# ------------------------------------------------------------------------------- 01-run-snapshots


def _run(
    operations: Operations,
    encode: Callable[[Records], Any],
    decode: Callable[[Any], Records],
    replace: bool = True,
) -> list[Any]:
    state: Records = {}
    saved: dict[str, Any] = {}
    results = []
    for name, *arguments in operations:
        if name == "put":
            state[arguments[0]] = arguments[1]
        elif name == "get":
            results.append(state.get(arguments[0]))
        elif name == "delete":
            state.pop(arguments[0], None)
        elif name == "serialize":
            saved[arguments[0]] = encode(state)
        elif replace:
            state = decode(saved[arguments[0]])
        else:
            state.update(decode(saved[arguments[0]]))
    return results


def _decoded(data: bytes) -> Records:
    return _records(_read(data)[0])


def run_updates_the_state(operations: Operations) -> list[Any]:
    """Leaves in the state what was put after the snapshot."""
    return _run(operations, _stream, _decoded, replace=False)


def run_keeps_the_dict_itself(operations: Operations) -> list[Any]:
    """Keeps the state, which goes on changing."""
    return _run(operations, lambda state: state, lambda saved: saved)


def run_keeps_a_copy(operations: Operations) -> list[Any]:
    """Keeps a dict, and no bytes."""
    return _run(operations, dict, dict)


def run_pickles(operations: Operations) -> list[Any]:
    """Lets Python write the bytes."""
    return _run(operations, pickle.dumps, pickle.loads)


def run_evals(operations: Operations) -> list[Any]:
    """Lets Python run the bytes."""
    return _run(operations, lambda state: repr(state).encode(), lambda data: eval(data))


def run_delimits(operations: Operations) -> list[Any]:
    """Goes back to delimiters."""

    def decode(data: bytes) -> Records:
        pairs = (line.split("=") for line in data.decode().split(";")[:-1])
        return {key: value for key, value, *_ in pairs}

    return _run(operations, with_delimiters, decode)


def run_forgets_types(operations: Operations) -> list[Any]:
    """Brings everything back as a text."""

    def decode(data: bytes) -> Records:
        return {_text(key): _text(value) for key, value in _decoded(data).items()}

    return _run(operations, _stream, decode)


def _text(item: Item) -> Item:
    return item.decode(errors="replace") if isinstance(item, bytes) else item


def run_counts_characters(operations: Operations) -> list[Any]:
    """Measures texts, and not their bytes."""
    return _run(operations, snapshot_counts_characters, _decoded)


def run_loses_empty_values(operations: Operations) -> list[Any]:
    """Takes an empty value for none."""
    return _run(operations, snapshot_without_empty_values, _decoded)


def run_insists_on_keys(operations: Operations) -> list[Any]:
    """Raises a KeyError for a key that isn't there."""
    state: Records = {}
    for name, *arguments in operations:
        if name == "put":
            state[arguments[0]] = arguments[1]
        elif name in ("get", "delete"):
            state[arguments[0]]
    return _run(operations, _stream, _decoded)
