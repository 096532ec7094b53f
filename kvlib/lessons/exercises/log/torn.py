"""03-torn: what comes back from a log that was cut."""

import re
from typing import Any, Final

from kvlib.lessons import solutions
from kvlib.lessons.exercise import Case, Exercise, Mistake
from kvlib.views.plain import Foreign, written


def _as_texts(found: Any) -> dict[str, str]:
    """A dict with its keys and values as texts; an empty one if it is no dict."""
    if type(found) is not dict:
        return {}
    return {_as_text(key): _as_text(value) for key, value in found.items()}


def _as_text(value: Any) -> str:
    if type(value) is bytes:
        return value.decode(errors="replace")
    return value if type(value) is str else written(value)


def _speaks_of_refusing(found: Any) -> bool:
    """Whether it is an error, or a text about one."""
    if type(found) is str:
        words = "refus|reject|error|exception|raise|corrupt|damage|invalid|fail"
        return re.search(words, found.lower()) is not None
    return type(found) is Foreign and found.is_a(BaseException)


EXERCISE: Final = Exercise(
    name="03-torn",
    kind="predict",
    objective="say what comes back from a log that was cut",
    task=(
        "A new store's log is a head of 49 bytes. Then come `put tea 3` (a frame of 32 bytes), "
        "`put pie 2` (32), `put tea 4` (32) and `delete tea` (26). The power goes while the last "
        "frame is written, and the log has 170 bytes. Which dict comes back? Keys and prices are "
        'texts, such as `{"tea": "3"}`.'
    ),
    stub="prediction = ...",
    names=("prediction",),
    solution=(solutions.torn,),
    cases=(Case(),),
    mistakes=(
        Mistake(
            "refused",
            "Recovery doesn't refuse this: a torn tail is what a crash leaves, and no damage. "
            "Write down the dict that it gives.",
            _speaks_of_refusing,
        ),
        Mistake(
            {"pie": "2"},
            "That would take all of the last frame. Add up the sizes: has all of it arrived?",
            lambda found: _as_texts(found) == {"pie": "2"},
        ),
        Mistake(
            {"tea": "3", "pie": "2"},
            "There are two prices for tea, and a log is replayed from the front. Which frames are "
            "whole, and which of the two comes last?",
            lambda found: _as_texts(found) == {"tea": "3", "pie": "2"},
        ),
        Mistake(
            {"tea": "", "pie": "2"},
            "Half a deletion is no empty price. What does a frame do that is not whole?",
            lambda found: _as_texts(found).get("tea") in ("", "None"),
        ),
        Mistake(
            {},
            "One torn frame doesn't spoil those before it. Where does each frame end, and which "
            "ends are at 170 or before?",
            lambda found: type(found) is dict and not found,
        ),
        Mistake(
            {"tea": "4"},
            "Each frame is one change, and the others stay. What happened to the pie?",
            lambda found: type(found) is dict and "pie" not in _as_texts(found),
        ),
        Mistake(
            {"tea": 4, "pie": 2},
            "These are the records. But keys and prices went in as texts, and come back as what "
            "they were.",
            lambda found: _as_texts(found) == solutions.torn(),
        ),
    ),
    hints=(
        "A frame is whole, or it is not there. So first: at which offset does each frame end?",
        "49, 81, 113 ... go on. Which of these ends are at 170 or before?",
        "Replay the whole frames, in order, on an empty dict. The last one isn't whole.",
    ),
    why="The deletion ends at 171. With one byte missing it has never happened.",
    points=1,
    minutes=2,
)
