"""01-length: how many bytes a field has."""

from typing import Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake

EXERCISE: Final = Exercise(
    name="01-length",
    kind="predict",
    objective="tell from a text how many bytes its field has",
    task='How many bytes long is the field of the text `"déjà vu"`: tag, length and data together?',
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.length,),
    cases=(Case(),),
    mistakes=(
        Mistake(7, "That is the number of characters. A field holds bytes, and not only the data."),
        Mistake(9, "That is the data alone. What stands before it in a field?"),
        Mistake(12, "That counts characters. `é` and `à` are one character each: how many bytes?"),
        Mistake(13, "One byte is missing. How does the reader know whether it is a text or bytes?"),
        Mistake(
            10, "A length that takes one byte ends at 255. How many bytes does a field's take?"
        ),
        Mistake(19, "Not every character takes two bytes in UTF-8. Which of these do?"),
        Mistake(15, "One too many. A field has no mark at its end: its length says where that is."),
    ),
    hints=(
        "A field is tag, length, data. How many bytes do the first two take, whatever the text?",
        "The letters of plain English and the space take one byte each in UTF-8, `é` and `à` two.",
        'Let Python count: `len("déjà vu".encode())` is the data; the rest is always the same.',
    ),
    why="Five bytes for tag and length, and nine for seven characters: two of them take two.",
    points=1,
    minutes=1,
)
