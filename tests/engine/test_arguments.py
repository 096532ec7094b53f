"""Callers' mistakes: odd arguments to the decoders, to `seal` and to the stores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kvlib
from helpers.vocabulary import (
    head_payload,
)
from kvlib import (
    DirectoryDisk,
    MemoryDisk,
    Store,
)
from kvlib.encoding import Item
from kvlib.log import decode_mutations, decode_steps, scan
from kvlib.segments import decode_header
from kvlib.snapshot import decode_head

DECODERS: dict[str, tuple[Callable[..., Any], bytes]] = {
    "decode_field": (kvlib.decode_field, kvlib.encode_field("abc")),
    "unseal": (kvlib.unseal, kvlib.seal(b"S", 1, b"abc")),
    "scan": (lambda data, offset: list(scan(data, offset, 0, 0)), kvlib.seal(b"M", 1, b"abc")),
}


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_takes_no_offset_before_the_data(name: str) -> None:
    """A negative offset is a ValueError, and anything but an int a TypeError."""
    decode, data = DECODERS[name]
    decode(data, 0)
    for offset in range(-2 * len(data), 0):
        with pytest.raises(ValueError, match=f"offset is {offset}"):
            decode(data, offset)
    for wrong in (None, "0", 0.0, True):
        with pytest.raises(TypeError, match="offset must be an int"):
            decode(data, wrong)


@pytest.mark.parametrize("name", DECODERS)
def test_an_offset_within_or_past_the_data_is_decoded_or_an_error(name: str) -> None:
    """A decoder reads from the offset or raises CorruptionError, even past the end."""
    decode, data = DECODERS[name]
    padded = b"\xee" * 5 + data
    for offset in range(len(padded) + 20):
        try:
            found = repr(decode(padded, offset))
        except kvlib.CorruptionError as error:
            assert error.offset >= offset
        else:
            assert offset == 5 or (name == "scan" and found == "[]")


BYTES: dict[str, tuple[Callable[[Any], Any], bytes]] = {
    "decode_field": (kvlib.decode_field, kvlib.encode_field(b"abc")),
    "decode_snapshot": (kvlib.decode_snapshot, kvlib.encode_snapshot({b"a": b"1", "b": "2"})),
    "unseal": (kvlib.unseal, kvlib.seal(b"S", 1, b"abc")),
    "split": (lambda stream: kvlib.split(stream, 20), b"stream"),
    "join": (lambda segment: kvlib.join([segment]), kvlib.split(b"stream", 20)[0]),
    "decode_header": (decode_header, kvlib.split(b"stream", 20)[0]),
    "decode_steps": (lambda data: list(decode_steps(data)), b"D" + kvlib.encode_field(b"a")),
    "decode_mutations": (decode_mutations, b"D" + kvlib.encode_field(b"a")),
    "decode_head": (decode_head, b"kvlib\0\0\1" + kvlib.seal(b"H", 1, head_payload(b""))),
}


@pytest.mark.parametrize("name", BYTES)
def test_any_kind_of_bytes_is_decoded_and_nothing_else(name: str) -> None:
    """Every bytes-like object gives the same result, and any other type is a TypeError."""
    decode, data = BYTES[name]
    wanted = decode(data)
    for kind in (bytearray, memoryview):
        assert repr(decode(kind(data))) == repr(wanted)
    not_bytes: list[Any] = ["text", None, 7, [1, 2, 3], {}]
    for wrong in not_bytes:
        with pytest.raises(TypeError):
            decode(wrong)


@pytest.mark.parametrize(
    ("kind", "sequence", "salt", "error"),
    [
        (b"S", -1, 0, ValueError),
        (b"S", 2**63 + 1, 0, ValueError),
        (b"S", True, 0, TypeError),
        (b"S", 1.0, 0, TypeError),
        (b"S", 1, -1, ValueError),
        (b"S", 1, 2**32, ValueError),
        (b"S", 1, None, TypeError),
        (b"?", 1, 0, ValueError),
    ],
)
def test_what_does_not_fit_a_frame_is_the_callers_mistake(
    kind: bytes, sequence: Any, salt: Any, error: type[Exception]
) -> None:
    """A kind, sequence or salt that does not fit its field is refused."""
    with pytest.raises(error):
        kvlib.seal(kind, sequence, b"x", salt)
    if salt != 0:
        with pytest.raises(error):
            kvlib.unseal(kvlib.seal(b"S", 1, b"x"), 0, salt)


def test_a_mapping_with_a_wrong_len_is_encoded_right() -> None:
    """The count in a snapshot is that of the records, whatever `len` says."""

    class Odd(dict[Item, Item]):
        def __len__(self) -> int:
            return 7

    assert kvlib.decode_snapshot(kvlib.encode_snapshot(Odd(a="1"))) == {"a": "1"}


@pytest.mark.parametrize(
    ("name", "wrong", "kind"),
    [
        ("sync", "Always", ValueError),
        ("sync", "", ValueError),
        ("sync", 0, ValueError),
        ("sync", -1, ValueError),
        ("sync", True, TypeError),
        ("sync", None, TypeError),
        ("sync", 1.5, TypeError),
        ("threshold", 0, ValueError),
        ("threshold", -5, ValueError),
        ("threshold", True, TypeError),
        ("threshold", "1", TypeError),
        ("threshold", None, TypeError),
        ("policy", 5, TypeError),
        ("policy", True, TypeError),
        ("max_segment_size", 8, ValueError),
        ("max_segment_size", 2**32, ValueError),
        ("max_segment_size", True, TypeError),
        ("max_segment_size", "9", TypeError),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_made(
    name: str, wrong: Any, kind: type[Exception], tmp_path: Path
) -> None:
    """A bad parameter is named in the error, and no directory is made."""
    parameters = {name: wrong}
    with pytest.raises(kind, match=name):
        kvlib.open(tmp_path / "d", **parameters)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("size", [8, 0, -1])
def test_a_bad_segment_size_publishes_nothing(size: int) -> None:
    """A bad segment size is refused before any file is written."""
    disk = MemoryDisk()
    with pytest.raises(ValueError, match="max_segment_size"):
        kvlib.Store().serialize(disk, max_segment_size=size)
    with pytest.raises(ValueError, match="max_segment_size"):
        kvlib.open(disk, max_segment_size=size)
    assert disk.names() == []


def test_a_place_is_a_path_or_a_disk() -> None:
    """Anything that is neither a path nor a Disk is a TypeError."""
    not_places: list[Any] = [None, 1, b"path", ["path"], {}]
    for wrong in not_places:
        with pytest.raises(TypeError, match="path or a Disk"):
            kvlib.open(wrong)


@pytest.mark.parametrize(
    "use",
    [
        kvlib.open,
        DirectoryDisk,
        Store,
        lambda place: kvlib.open(place, read_only=True),
        lambda place: Store().serialize(place),
        lambda place: Store().deserialize(place),
        lambda place: kvlib.open(MemoryDisk()).backup(place),
    ],
)
def test_an_empty_path_is_no_place(
    use: Callable[[Any], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty path is refused: it is a forgotten variable, not the working directory."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"empty.*'\.'"):
        use("")
    assert list(tmp_path.iterdir()) == []
