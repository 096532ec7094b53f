"""02-header: which piece this is, and of how many."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, mistake
from kvlib.lessons.exercises.fields import u32
from kvlib.lessons.exercises.segment.pieces import Segments, headed
from kvlib.segments import split


@mistake("The first index is 1. What does the format say it counts from?")
def header_counts_from_1(pieces: list[bytes]) -> Segments:
    """Calls the first one 1."""
    return headed(pieces, lambda index, total: u32(index + 1) + u32(total))


@mistake(
    "The total is one too small: that is the last index. How many are there, if the last is "
    "index 2?"
)
def header_totals_the_last_index(pieces: list[bytes]) -> Segments:
    """Takes the last index for the total."""
    return headed(pieces, lambda index, total: u32(index) + u32(total - 1))


@mistake(
    "The numbers are little-endian: the byte that is worth most stands last. Which order does the "
    "format say?"
)
def header_is_little_endian(pieces: list[bytes]) -> Segments:
    """Writes the byte first that is worth least."""
    return headed(
        pieces, lambda index, total: index.to_bytes(4, "little") + total.to_bytes(4, "little")
    )


@mistake("Both numbers are there, and their order is not right: which one comes first?")
def header_has_the_total_first(pieces: list[bytes]) -> Segments:
    """Writes total, index."""
    return headed(pieces, lambda index, total: u32(total) + u32(index))


@mistake(
    "The piece begins at once behind the index. How would a reader notice that the last "
    "segment is lost?"
)
def header_without_total(pieces: list[bytes]) -> Segments:
    """Writes the index alone."""
    return headed(pieces, lambda index, total: u32(index))


@mistake("The total counts the bytes of the stream. Of what should it be the number?")
def header_totals_the_bytes(pieces: list[bytes]) -> Segments:
    """Counts bytes instead of pieces."""
    stream = b"".join(pieces)
    return headed(pieces, lambda index, total: u32(index) + u32(len(stream)))


@mistake(
    "The second number is the length of this piece, as in a field. A total is the same in "
    "all segments: the number of what?"
)
def header_has_the_length_of_the_piece(pieces: list[bytes]) -> Segments:
    """Writes a length, as a field does."""
    return headed(pieces, lambda index, total: u32(index) + u32(len(pieces[index])))


@mistake("Each number takes two bytes, which end at 65,535. How many does the format give them?")
def header_in_two_bytes(pieces: list[bytes]) -> Segments:
    """Gives each number two bytes."""
    return headed(pieces, lambda index, total: (index << 16 | total).to_bytes(4, "big"))


@mistake("Each number takes one byte, which ends at 255. How many does the format give them?")
def header_in_one_byte(pieces: list[bytes]) -> Segments:
    """Gives each number one byte; a ValueError from 256 on."""
    return headed(pieces, lambda index, total: bytes([index, total]))


@mistake("Each number takes eight bytes. How many does the format give them?")
def header_in_eight_bytes(pieces: list[bytes]) -> Segments:
    """Gives each number eight bytes."""
    return headed(pieces, lambda index, total: index.to_bytes(8, "big") + total.to_bytes(8, "big"))


@mistake(
    "`bytes(2)` is two bytes of 0, and not a byte of 2. Which method of int makes bytes of "
    "a number?"
)
def header_in_zeros(pieces: list[bytes]) -> Segments:
    """Takes a number of bytes for the byte of a number."""
    return headed(pieces, lambda index, total: bytes(index) + bytes(total))


@mistake("The piece stands there twice: the last line of the cell adds it already.")
def header_holds_the_piece(pieces: list[bytes]) -> Segments:
    """Adds the piece, which the line below adds again."""
    return headed(pieces, lambda index, total: u32(index) + u32(total) + pieces[index])


@mistake(
    "A header must be bytes, and yours isn't: does it become bytes, and is there a "
    "`return` before it?"
)
def header_is_no_bytes(pieces: list[bytes]) -> Segments:
    """Returns a text, or nothing: a TypeError."""
    raise TypeError("no bytes")


@mistake(
    "The numbers are written as digits, `0` being the byte 30. Which method of int makes "
    "bytes of a number?"
)
def header_as_digits(pieces: list[bytes]) -> Segments:
    """Writes the digits of the numbers."""
    return headed(pieces, lambda index, total: f"{index:04}{total:04}".encode())


EXERCISE: Final = Exercise(
    name="02-header",
    kind="function",
    objective="write a header that says which piece this is, and of how many",
    task=(
        "One line is missing: it returns the header of the piece `pieces[index]`. A header is the "
        "index (four bytes, big-endian, counted from 0) and the total (four bytes, big-endian, "
        "the number of pieces)."
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
    mistakes=(
        header_counts_from_1,
        header_totals_the_last_index,
        header_is_little_endian,
        header_has_the_total_first,
        header_without_total,
        header_totals_the_bytes,
        header_has_the_length_of_the_piece,
        header_in_two_bytes,
        header_in_one_byte,
        header_in_eight_bytes,
        header_in_zeros,
        header_holds_the_piece,
        header_is_no_bytes,
        header_as_digits,
    ),
    hints=(
        "Two numbers, one behind the other: `+` joins bytes. One of them is `index`.",
        "The other is the same for each piece: how many there are, so the length of a list.",
        "A number becomes bytes by `number.to_bytes(size, order)`. Which size, which order?",
    ),
    why="Each segment knows its place and how many there are, so any one tells what to wait for.",
    points=2,
    minutes=3,
    own={"split": split},
    format=("segment",),
)
