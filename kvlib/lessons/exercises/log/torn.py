"""03-torn: which records come back from a torn log."""

import re
from typing import Any, Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake
from kvlib.views.plain import Foreign, written


def _as_texts(found: Any) -> dict[str, str]:
    """Return a dict with its keys and values as text, or an empty dict for anything else."""
    if type(found) is not dict:
        return {}
    return {_as_text(key): _as_text(value) for key, value in found.items()}


def _as_text(value: Any) -> str:
    if type(value) is bytes:
        return value.decode(errors="replace")
    return value if type(value) is str else written(value)


def _speaks_of_refusing(found: Any) -> bool:
    """Return whether the answer is an error, or a text about one."""
    if type(found) is str:
        words = "refus|reject|error|exception|raise|corrupt|damage|invalid|fail"
        return re.search(words, found.lower()) is not None
    return type(found) is Foreign and found.is_a(BaseException)


EXERCISE: Final = Exercise(
    name="03-torn",
    kind="predict",
    objective="say what comes back from a log that was cut",
    task=(
        "A new store's log begins with a head of 49 bytes. Then come `put tea 3` (a frame of 32 "
        "bytes), `put pie 2` (32), `put tea 4` (32) and `delete tea` (26). The power fails while "
        "the last frame is being written, and the log has 170 bytes. Which dict comes back? Keys "
        'and prices are text, as in `{"tea": "3"}`.'
    ),
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.torn,),
    cases=(Case(),),
    mistakes=(
        Mistake(
            "refused",
            "Recovery doesn't refuse this log: a crash leaves a torn tail, and that isn't damage. "
            "Write down the dict that comes back.",
            _speaks_of_refusing,
        ),
        Mistake(
            {"pie": "2"},
            "That dict needs the whole last frame. Add up the sizes: did all of it arrive?",
            lambda found: _as_texts(found) == {"pie": "2"},
        ),
        Mistake(
            {"tea": "3", "pie": "2"},
            "The log holds two prices for tea, and it is replayed from the front. Which frames "
            "are whole, and which price comes last?",
            lambda found: _as_texts(found) == {"tea": "3", "pie": "2"},
        ),
        Mistake(
            {"tea": "", "pie": "2"},
            "Half a deletion doesn't leave an empty price. What does a frame do if it isn't whole?",
            lambda found: _as_texts(found).get("tea") in ("", "None"),
        ),
        Mistake(
            {},
            "One torn frame doesn't spoil the frames before it. Where does each frame end, and "
            "which of them end at 170 or before?",
            lambda found: type(found) is dict and not found,
        ),
        Mistake(
            {"tea": "4"},
            "Each frame changes one key and leaves the others alone. What happened to the pie?",
            lambda found: type(found) is dict and "pie" not in _as_texts(found),
        ),
        Mistake(
            {"tea": 4, "pie": 2},
            "You have the right records. But keys and prices went in as text, so they come back "
            "as text.",
            lambda found: _as_texts(found) == solutions.torn(),
        ),
    ),
    hints=(
        "A frame counts only if it is whole. So first work out the offset at which each frame "
        "ends.",
        "49, 81, 113 ... keep adding. Which of these ends are at 170 or before?",
        "Start with an empty dict and replay the whole frames in order. The last frame isn't "
        "whole.",
    ),
    why="The deletion ends at 171. One byte of it is missing, so it never happened.",
    points=1,
    minutes=2,
)
