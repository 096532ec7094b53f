"""A salvage's result is shown as text."""

from helpers.damaged import CLOSE, FRAMES, NAMES, a_store, saved, without
from helpers.vocabulary import HEAD_END
from kvlib.salvage import Finding, Salvage, report


def test_the_report_lists_losses_and_flaws_that_cost_nothing() -> None:
    """A lost segment cuts a record and hides later segments; a torn tail is no loss. The report
    has each finding's file, offset, size and reason, in 80 columns.
    """
    files = a_store(FRAMES[0], b"noise", *FRAMES[2:], CLOSE[:-1])
    result, _ = saved(without(files, NAMES[1]))
    assert "\n".join(report(result, "new")) == (
        "new: 4 records, not everything was saved\n"
        "left out:\n"
        "  0000000000000003.00000001.segment, offset 0, 0 bytes\n"
        "    segment 1 of 3 is missing; 1 record of 4 before it\n"
        "  0000000000000003.00000000.segment, offset 53, 12 bytes\n"
        "    a record that ends in the lost part\n"
        "  0000000000000003.00000002.segment, offset 0, 40 bytes\n"
        "    1 segment from here on: it is unknown where a record begins after the hole\n"
        f"  log, offset {HEAD_END + 36}, 5 bytes\n"
        "    length 1707368261, but only 137 bytes are left; 1 sequence number is\n"
        "    missing, 5: everything from 6 on was applied after a hole\n"
        "wrong, but no loss:\n"
        f"  log, offset {HEAD_END + 174}, 16 bytes\n"
        "    a torn tail, which recovery drops too"
    )


def test_the_report_says_if_everything_or_nothing_was_saved() -> None:
    """Its first line is different if there is no new store."""
    assert list(report(Salvage(1, (), ()), "new")) == ["new: 1 record, everything was saved"]
    nothing = Salvage(0, (Finding("log", 0, 0, "it is missing"),), ())
    assert next(report(nothing, "new")) == "nothing could be saved; there is no store at new"


def test_the_report_is_ascii() -> None:
    """A link's target may have characters that confuse a terminal."""
    odd = Salvage(1, (), (Finding("log", 0, 0, "\u202eé"),))
    assert list(report(odd, "new"))[-1] == r"    \u202e\xe9"


def test_a_finding_reads_as_one_line() -> None:
    """The line has the file, offset, size and reason."""
    assert str(Finding("log", 9, 1, "why")) == "log, offset 9, 1 byte: why"
