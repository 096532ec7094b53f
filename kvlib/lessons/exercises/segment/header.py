"""02-header: which piece this is, and out of how many."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.collected import mistakes_in
from kvlib.lessons.exercises.fields import u32
from kvlib.lessons.exercises.segment.pieces import Segments, headed
from kvlib.segments import split


@mistake("Your first index is 1. Where does the format start counting?")
def header_counts_from_1(pieces: list[bytes]) -> Segments:
    """Count from 1."""
    return headed(pieces, lambda index, total: u32(index + 1) + u32(total))


@mistake(
    "Your total is one too small: it is the last index. How many pieces are there if the last "
    "index is 2?"
)
def header_totals_the_last_index(pieces: list[bytes]) -> Segments:
    """Use the last index as the total."""
    return headed(pieces, lambda index, total: u32(index) + u32(total - 1))


@mistake(
    "Your numbers are little-endian: the most significant byte comes last. Which order does the "
    "format ask for?"
)
def header_is_little_endian(pieces: list[bytes]) -> Segments:
    """Write the least significant byte first."""
    return headed(
        pieces, lambda index, total: index.to_bytes(4, "little") + total.to_bytes(4, "little")
    )


@mistake("Both numbers are here, but in the wrong order. Which one comes first?")
def header_has_the_total_first(pieces: list[bytes]) -> Segments:
    """Write the total before the index."""
    return headed(pieces, lambda index, total: u32(total) + u32(index))


@mistake(
    "Your piece comes right after the index. How would a reader notice that the last segment is "
    "lost?"
)
def header_without_total(pieces: list[bytes]) -> Segments:
    """Write only the index."""
    return headed(pieces, lambda index, total: u32(index))


@mistake("Your total counts the bytes of the stream. What should it count?")
def header_totals_the_bytes(pieces: list[bytes]) -> Segments:
    """Count bytes instead of pieces."""
    stream = b"".join(pieces)
    return headed(pieces, lambda index, total: u32(index) + u32(len(stream)))


@mistake(
    "Your second number is the length of this piece, as in a field. What does a total count, so "
    "that it is the same in every segment?"
)
def header_has_the_length_of_the_piece(pieces: list[bytes]) -> Segments:
    """Write a length, as a field does."""
    return headed(pieces, lambda index, total: u32(index) + u32(len(pieces[index])))


@mistake(
    "Your numbers take two bytes each, so they can't go past 65,535. How many bytes does the "
    "format give them?"
)
def header_in_two_bytes(pieces: list[bytes]) -> Segments:
    """Use two bytes per number."""
    return headed(pieces, lambda index, total: (index << 16 | total).to_bytes(4, "big"))


@mistake(
    "Your numbers take one byte each, so they can't go past 255. How many bytes does the format "
    "give them?"
)
def header_in_one_byte(pieces: list[bytes]) -> Segments:
    """Use one byte per number, and raise a ValueError from 256 on."""
    return headed(pieces, lambda index, total: bytes([index, total]))


@mistake("Your numbers take eight bytes each. How many does the format give them?")
def header_in_eight_bytes(pieces: list[bytes]) -> Segments:
    """Use eight bytes per number."""
    return headed(pieces, lambda index, total: index.to_bytes(8, "big") + total.to_bytes(8, "big"))


@mistake(
    "`bytes(2)` gives you two zero bytes, not one byte with the value 2. Which method of int "
    "turns a number into bytes?"
)
def header_in_zeros(pieces: list[bytes]) -> Segments:
    """Call `bytes` with the number, which gives that many zeros."""
    return headed(pieces, lambda index, total: bytes(index) + bytes(total))


@mistake("The piece is there twice, because the last line of the cell already adds it.")
def header_holds_the_piece(pieces: list[bytes]) -> Segments:
    """Add the piece, which the line below adds again."""
    return headed(pieces, lambda index, total: u32(index) + u32(total) + pieces[index])


@mistake(
    "A header must be bytes, and yours isn't. Do you turn the numbers into bytes, and do you "
    "`return` them?"
)
def header_is_no_bytes(pieces: list[bytes]) -> Segments:
    """Return a text or None, which raises a TypeError."""
    raise TypeError("not bytes")


@mistake(
    "Your numbers are written as digits: the digit `0` is the byte 30. Which method of int turns "
    "a number into bytes?"
)
def header_as_digits(pieces: list[bytes]) -> Segments:
    """Write the digits of the numbers."""
    return headed(pieces, lambda index, total: f"{index:04}{total:04}".encode())


EXERCISE: Final = Exercise(
    name="02-header",
    kind="function",
    objective="write a header that says which piece this is, and of how many",
    task=(
        "One line is missing: it returns the header of the piece `pieces[index]`. A header is the "
        "index (four bytes, big-endian, counted from 0) followed by the total (four bytes, "
        "big-endian, the number of pieces)."
    ),
    stub="""\
def add_headers(pieces):
    def header(index):
        raise NotImplementedError  # YOUR CODE HERE

    return [header(index) + piece for index, piece in enumerate(pieces)]""",
    names=("add_headers",),
    solution=(solutions.add_headers,),
    cases=(
        Case(([b""],), "an empty piece, the only one"),
        Case(([b"a"],), "one piece"),
        Case(([b"a", b"b"],), "two pieces"),
        Case(([b"abc", b"d"],), "a last piece that is shorter"),
        Case(([b"ab", b"cd", b"ef"],), "three pieces"),
        Case(([b""] * 257,), "an index and a total that need their second byte"),
    ),
    mistakes=mistakes_in(globals()),
    hints=(
        "A header is two numbers in a row, and `+` joins bytes. One of the numbers is `index`.",
        "The other number is the same for every piece. It says how many pieces there are, so it "
        "is the length of a list.",
        "`number.to_bytes(size, order)` turns a number into bytes. Which size and which order do "
        "you need?",
    ),
    why=(
        "Each segment knows its position and how many segments there are, so any one of them "
        "tells you what to wait for."
    ),
    points=2,
    minutes=3,
    own={"split": split},
    format=("segment",),
)
