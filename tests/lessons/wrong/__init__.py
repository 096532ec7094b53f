"""Tables of wrong answers: what people write, and the phrase that the check must say."""

from typing import Final

from lessons.wrong import encode, log, log_runs, segment, segment_runs
from lessons.wrong.rows import Row

_MODULES: Final = (encode, segment, segment_runs, log, log_runs)
WRONG: Final = {name: rows for module in _MODULES for name, rows in module.WRONG.items()}
# Rows whose cause the check doesn't name yet, with the phrase that it should say.
GAPS: Final[dict[str, tuple[Row, ...]]] = {
    name: tuple(rows) for module in _MODULES for name, rows in module.GAPS.items()
}
