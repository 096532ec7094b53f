"""The envelope: golden bytes, every bit, every cut, and what no writer writes."""

from typing import Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kvlib
from helpers.vocabulary import PREAMBLE, every_cut, every_flip, frame
from kvlib import CorruptionError, VersionError
from kvlib.errors import TornError
from kvlib.frame import check_preamble

KINDS = (b"H", b"S", b"C", b"M", b"m")
TOP = 2**63


def test_a_frame_is_crc_length_sequence_kind_payload() -> None:
    """A frame written out by hand is what seal makes and what unseal takes."""
    checked = b"\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x01\x02Mabc"
    data = crc32(checked).to_bytes(4, "big") + checked
    assert data[:4] == b"\x43\xf6\xbf\x6e"
    assert kvlib.seal(b"M", 258, b"abc") == data
    assert kvlib.unseal(data) == (0, 20, b"M", 258, b"abc")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sequence", [0, 1, 2**32, TOP - 1, TOP])
@pytest.mark.parametrize("payload", [b"", b"\0", b"payload" * 40])
def test_every_kind_and_sequence_comes_back(kind: bytes, sequence: int, payload: bytes) -> None:
    """A frame has 17 bytes more than its payload, and all of its fields come back."""
    data = kvlib.seal(kind, sequence, payload, 77)
    assert data == frame(kind, sequence, payload, 77)
    assert kvlib.unseal(data, 0, 77) == (0, 17 + len(payload), kind, sequence, payload)


@given(
    st.sampled_from(KINDS),
    st.integers(0, TOP),
    st.binary(max_size=50),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=20),
    st.binary(max_size=20),
)
def test_a_frame_is_found_at_its_offset(
    kind: bytes, sequence: int, payload: bytes, salt: int, before: bytes, after: bytes
) -> None:
    """Start and end are offsets in the whole data, whatever surrounds the frame."""
    data = before + kvlib.seal(kind, sequence, payload, salt) + after
    unsealed = kvlib.unseal(data, len(before), salt)
    assert unsealed == (len(before), len(data) - len(after), kind, sequence, payload)


@pytest.mark.parametrize("salt", [0, 0x01020304])
def test_every_flipped_bit_and_every_cut_is_refused(salt: int) -> None:
    """The checksum catches any flip, even in the length, and no prefix of a frame is a frame."""
    sealed = kvlib.seal(b"M", 5, b"some payload", salt)
    for spoilt in (*every_flip(sealed), *every_cut(sealed)):
        with pytest.raises(TornError):
            kvlib.unseal(spoilt, 0, salt)
    for flipped in every_flip(sealed):
        with pytest.raises(TornError):
            kvlib.unseal(flipped + b"\0" * 300, 0, salt)


ABC = kvlib.seal(b"M", 1, b"abc", 1)
TORN: dict[str, tuple[bytes, int, str]] = {
    **{f"{left} bytes of a header": (b"\1" * left, 2, "header") for left in (0, 1, 16)},
    "a length past the end": (ABC[:-1], 6, "length 3"),
    "a huge length": (ABC[:4] + b"\xff" * 4 + ABC[8:], 6, "length 4294967295"),
    "the salt of another log": (frame(b"M", 1, b"abc", 2), 2, "checksum"),
    "no salt": (frame(b"M", 1, b"abc", 0), 2, "checksum"),
    **{f"{size} zeros": (bytes(size), 2, "header") for size in (1, 16)},
    **{f"{size} zeros": (bytes(size), 2, "checksum") for size in (17, 18, 100, 5000)},
}


@pytest.mark.parametrize("case", TORN)
def test_a_torn_frame_is_located(case: str) -> None:
    """A frame that a crash may leave is a TornError at the first wrong field."""
    data, offset, word = TORN[case]
    with pytest.raises(TornError, match=word) as caught:
        kvlib.unseal(b"xy" + data, 2, 1)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("kind", "sequence", "offset", "word"),
    [
        *((bytes([kind]), 1, 18, "kind") for kind in b"\1hscNLX\x80\xff"),
        (b"M", TOP + 1, 10, "sequence"),
        (b"M", 2**64 - 1, 10, "sequence"),
    ],
)
def test_a_whole_frame_that_no_writer_writes_is_damage(
    kind: bytes, sequence: int, offset: int, word: str
) -> None:
    """A flaw below a right checksum is damage, because no crash leaves one."""
    with pytest.raises(CorruptionError, match=word) as caught:
        kvlib.unseal(b"xy" + frame(kind, sequence, b"abc"), 2)
    assert not isinstance(caught.value, TornError)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("kind", "sequence", "word"),
    [
        *((kind, 1, "kind") for kind in (b"", b"X", b"h", b"\0", b"MM", "M", None, 77)),
        *((b"M", sequence, "sequence") for sequence in (-1, TOP + 1, 2**64)),
    ],
)
def test_seal_checks_its_arguments(kind: Any, sequence: int, word: str) -> None:
    """Seal refuses any but the five kinds, and sequences outside 0 to 2**63."""
    with pytest.raises(ValueError, match=word):
        kvlib.seal(kind, sequence, b"")


def test_a_payload_of_4_gib_is_not_sealed() -> None:
    """A payload of 4 GiB is refused before any byte is copied."""

    class Huge(bytes):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(ValueError, match="4294967296"):
        kvlib.seal(b"M", 1, Huge())


def test_the_preamble_of_this_version_passes() -> None:
    """The magic and version 1 pass, whatever follows."""
    assert PREAMBLE == b"kvlib\x00\x00\x01"
    check_preamble(PREAMBLE)
    check_preamble(PREAMBLE + b"anything")


@pytest.mark.parametrize("version", [2, 3, 256, 65535])
def test_a_newer_preamble_is_not_damage(version: int) -> None:
    """A newer version is a VersionError, whatever follows."""
    with pytest.raises(VersionError, match=f"version {version}") as caught:
        check_preamble(b"kvlib\0" + version.to_bytes(2, "big") + b"\xff")
    assert not isinstance(caught.value, CorruptionError)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        *((cut, 0 if len(cut) < 6 else 6) for cut in every_cut(PREAMBLE)),
        *((b"Kvlib\0\0\1", 0), (b"kvlib\1\0\1", 0), (b"\0" * 8, 0), (b"kvlib\0\0\0", 6)),
    ],
)
def test_another_preamble_is_damage(data: bytes, offset: int) -> None:
    """The magic is checked before the version, and version 0 was never written."""
    with pytest.raises(CorruptionError) as caught:
        check_preamble(data)
    assert caught.value.offset == offset
