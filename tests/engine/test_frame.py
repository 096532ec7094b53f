"""The envelope: golden bytes, every bit, every cut, and what no writer says."""

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
    unsealed = kvlib.unseal(data, 0, 77)
    assert (unsealed.kind, unsealed.sequence, unsealed.payload) == (kind, sequence, payload)
    assert (unsealed.start, unsealed.end) == (0, 17 + len(payload))


@given(
    st.sampled_from(KINDS),
    st.integers(0, TOP),
    st.binary(max_size=50),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=20),
    st.binary(max_size=20),
)
def test_a_frame_is_found_at_its_offset(
    kind: bytes, sequence: int, payload: bytes, salt: int, before: bytes, behind: bytes
) -> None:
    """Start and end are offsets in the whole data, whatever stands around the frame."""
    data = before + kvlib.seal(kind, sequence, payload, salt) + behind
    unsealed = kvlib.unseal(data, len(before), salt)
    assert unsealed == (len(before), len(data) - len(behind), kind, sequence, payload)


@pytest.mark.parametrize("salt", [0, 0x01020304])
def test_every_flipped_bit_is_refused(salt: int) -> None:
    """No bit of a frame can turn over unseen, those of its length included."""
    for spoilt in every_flip(kvlib.seal(b"M", 5, b"some payload", salt)):
        with pytest.raises(TornError):
            kvlib.unseal(spoilt, 0, salt)
        with pytest.raises(TornError):
            kvlib.unseal(spoilt + b"\0" * 300, 0, salt)


def test_every_cut_is_refused() -> None:
    """No prefix of a frame is a frame."""
    for prefix in every_cut(kvlib.seal(b"S", 5, b"some payload")):
        with pytest.raises(TornError):
            kvlib.unseal(prefix)


@pytest.mark.parametrize("left", [0, 1, 16])
def test_a_cut_header_is_named(left: int) -> None:
    """Fewer bytes than a header are no frame, at the offset where it should begin."""
    with pytest.raises(TornError, match="header") as caught:
        kvlib.unseal(b"xy" + b"\1" * left, 2)
    assert caught.value.offset == 2


def test_a_length_past_the_end_is_named_at_the_length() -> None:
    """The length field is the wrong one, four bytes into the frame."""
    data = kvlib.seal(b"M", 1, b"abc")
    with pytest.raises(TornError, match=r"length 3\b.*\b2 bytes") as caught:
        kvlib.unseal(b"xy" + data[:-1], 2)
    assert caught.value.offset == 6


def test_a_huge_length_is_refused() -> None:
    """Four thousand million bytes that are not there are not looked for."""
    with pytest.raises(TornError, match="length 4294967295"):
        kvlib.unseal(b"crc!" + b"\xff" * 4 + b"\0" * 8 + b"M" + b"abc")


def test_the_wrong_salt_is_refused() -> None:
    """A frame of another log is no frame of this one."""
    data = kvlib.seal(b"M", 1, b"abc", 1)
    for salt in (0, 2, 2**32 - 1):
        with pytest.raises(TornError, match="checksum"):
            kvlib.unseal(data, 0, salt)


@pytest.mark.parametrize("length", [0, 1, 16, 17, 18, 100, 5000])
def test_zeros_are_no_frame(length: int) -> None:
    """A tail that the file system zeroed is torn, never a frame nor damage."""
    with pytest.raises(TornError):
        kvlib.unseal(b"\0" * length)


@pytest.mark.parametrize("kind", [b"\1", b"h", b"s", b"c", b"N", b"L", b"X", b"\x80", b"\xff"])
def test_an_unknown_kind_in_a_whole_frame_is_corruption(kind: bytes) -> None:
    """A frame whose checksum holds was written so: its kind is wrong, not its end torn."""
    with pytest.raises(CorruptionError, match="kind") as caught:
        kvlib.unseal(b"xy" + frame(kind, 1, b"abc"), 2)
    assert not isinstance(caught.value, TornError)
    assert caught.value.offset == 18


@pytest.mark.parametrize("sequence", [TOP + 1, 2**64 - 1])
def test_a_sequence_above_the_top_is_corruption(sequence: int) -> None:
    """No store counts beyond 2**63, so a whole frame that does is made up."""
    with pytest.raises(CorruptionError, match="sequence") as caught:
        kvlib.unseal(b"xy" + frame(b"M", sequence, b"abc"), 2)
    assert not isinstance(caught.value, TornError)
    assert caught.value.offset == 10


@given(st.binary(max_size=60), st.integers(0, 60))
def test_hostile_bytes_are_refused(data: bytes, offset: int) -> None:
    """Bytes from nowhere are a CorruptionError at an offset within them."""
    with pytest.raises(CorruptionError) as caught:
        kvlib.unseal(data, min(offset, len(data)))
    assert 0 <= caught.value.offset <= len(data)


@pytest.mark.parametrize("kind", [b"", b"X", b"h", b"\0", b"MM", "M", None, 77])
def test_an_unknown_kind_is_not_sealed(kind: Any) -> None:
    """The caller's mistake: there are five kinds."""
    with pytest.raises(ValueError, match="kind"):
        kvlib.seal(kind, 1, b"")


@pytest.mark.parametrize("sequence", [-1, TOP + 1, 2**64])
def test_a_sequence_that_does_not_fit_is_not_sealed(sequence: int) -> None:
    """Sequences go from 0 to 2**63."""
    with pytest.raises(ValueError, match="sequence"):
        kvlib.seal(b"M", sequence, b"")


def test_a_payload_that_does_not_fit_is_not_sealed() -> None:
    """A length has 32 bits; the size is looked at before any byte is copied."""

    class Huge(bytes):
        def __len__(self) -> int:
            return 2**32

    with pytest.raises(ValueError, match="4294967296 bytes"):
        kvlib.seal(b"M", 1, Huge())


def test_the_preamble_of_this_version_passes() -> None:
    """Magic and version 1, whatever follows."""
    assert PREAMBLE == b"kvlib\x00\x00\x01"
    check_preamble(PREAMBLE)
    check_preamble(PREAMBLE + b"anything")


def test_every_cut_of_the_preamble_is_corruption() -> None:
    """Fewer than eight bytes are no beginning of a file."""
    for prefix in every_cut(PREAMBLE):
        with pytest.raises(CorruptionError) as caught:
            check_preamble(prefix)
        assert caught.value.offset == (0 if len(prefix) < 6 else 6)


@pytest.mark.parametrize("version", [2, 3, 256, 65535])
def test_newer_is_not_damaged(version: int) -> None:
    """A later version of the format is said to be just that, whatever follows."""
    with pytest.raises(VersionError, match=f"version {version}") as caught:
        check_preamble(b"kvlib\0" + version.to_bytes(2, "big") + b"\xff")
    assert not isinstance(caught.value, CorruptionError)


@pytest.mark.parametrize(
    ("data", "offset"),
    [(b"Kvlib\0\0\1", 0), (b"kvlib\1\0\1", 0), (b"\0" * 8, 0), (b"kvlib\0\0\0", 6)],
)
def test_another_magic_or_no_version_is_corruption(data: bytes, offset: int) -> None:
    """The magic is checked before the version, and version 0 never was."""
    with pytest.raises(CorruptionError) as caught:
        check_preamble(data)
    assert caught.value.offset == offset
