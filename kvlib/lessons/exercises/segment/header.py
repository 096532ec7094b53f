"""02-header: write a header that says which piece this is, out of how many.

One line is missing: it returns the header of the piece `pieces[index]`. A header is the index (four
bytes, big-endian, counted from 0) followed by the total (four bytes, big-endian, the number of
pieces).

Hint: A header is two numbers in a row, and `+` joins bytes. One of the numbers is `index`.

Hint: The other number is the same for every piece. It says how many pieces there are, so it is the
length of a list.

Hint: `number.to_bytes(size, order)` turns a number into bytes. Which size and which order do you
need?

Why: Each segment knows its position and how many segments there are, so any one of them tells you
what to wait for.
"""

from typing import Final

from kvlib.lessons.coding import Coding
from kvlib.lessons.exercise import Case, texts
from kvlib.lessons.exercises.segment.pieces import spell_headers


def add_headers(pieces: list[bytes]) -> list[bytes]:
    """Write the index, counted from 0, and how many pieces there are."""

    def header(index: int) -> bytes:
        return index.to_bytes(4, "big") + len(pieces).to_bytes(4, "big")

    return [header(index) + piece for index, piece in enumerate(pieces)]


EXERCISE: Final = Coding(
    **texts(__name__),
    minutes=3,
    points=2,
    functions=(add_headers,),
    given_code="""\
def add_headers(pieces):
    def header(index):
        raise NotImplementedError  # YOUR CODE HERE

    return [header(index) + piece for index, piece in enumerate(pieces)]""",
    cases=(
        Case(([b""],), "an empty piece, the only one"),
        Case(([b"a"],), "one piece"),
        Case(([b"a", b"b"],), "two pieces"),
        Case(([b"abc", b"d"],), "a last piece that is shorter"),
        Case(([b"ab", b"cd", b"ef"],), "three pieces"),
        Case(([b""] * 257,), "an index and a total that need their second byte"),
    ),
    own=("split",),
    formats=("segment",),
    spell=(spell_headers,),
)
