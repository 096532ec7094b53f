"""03-torn: say which records come back from a torn log.

A new store's log begins with a head of 49 bytes. Then come `put tea 3` (a frame of 32 bytes), `put
pie 2` (32), `put tea 4` (32) and `delete tea` (26). The power fails while the last frame is being
written, and the log has 170 bytes. Which dict comes back? Keys and prices are text, as in `{"tea":
"3"}`.

Hint: A frame counts only if it is whole. So first work out the offset at which each frame ends.

Hint: 49, 81, 113 ... keep adding. Which of these ends are at 170 or before?

Hint: Start with an empty dict and replay the whole frames in order. The last frame isn't whole.

Why: The deletion ends at 171. One byte of it is missing, so it never happened.
"""

import re
from typing import Any, Final

from kvlib.lessons.exercise import texts
from kvlib.lessons.prediction import Prediction
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


def torn() -> dict[str, str]:
    """Count a change if its frame is whole; half a deletion deletes nothing."""
    puts = [(49 + 32, "tea", "3"), (49 + 64, "pie", "2"), (49 + 96, "tea", "4")]
    return {key: price for end, key, price in puts if end <= 170}  # the deletion ends at 171


EXERCISE: Final = Prediction(
    **texts(__name__),
    minutes=2,
    points=1,
    answer=torn,
    signs=(
        (
            _speaks_of_refusing,
            "Recovery doesn't refuse this log: a crash leaves a torn tail, and that isn't damage. "
            "Write down the dict that comes back.",
        ),
        (
            lambda found: _as_texts(found) == {"pie": "2"},
            "That dict needs the whole last frame. Add up the sizes: did all of it arrive?",
        ),
        (
            lambda found: _as_texts(found) == {"tea": "3", "pie": "2"},
            "The log holds two prices for tea, and it is replayed from the front. Which frames "
            "are whole, and which price comes last?",
        ),
        (
            lambda found: _as_texts(found).get("tea") in ("", "None"),
            "Half a deletion doesn't leave an empty price. What does a frame do if it isn't whole?",
        ),
        (
            lambda found: type(found) is dict and not found,
            "One torn frame doesn't spoil the frames before it. Where does each frame end, and "
            "which of them end at 170 or before?",
        ),
        (
            lambda found: type(found) is dict and "pie" not in _as_texts(found),
            "Each frame changes one key and leaves the others alone. What happened to the pie?",
        ),
        (
            lambda found: _as_texts(found) == torn(),
            "You have the right records. But keys and prices went in as text, so they come back "
            "as text.",
        ),
    ),
)
