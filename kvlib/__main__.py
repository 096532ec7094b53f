"""The command line, `kvlib` or `python -m kvlib`: any failure is one line and an exit status."""

import sys
from collections.abc import Sequence

from kvlib.cli import streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, which is 1 only for damaged bytes."""
    streams.open_closed()
    try:
        # Imported inside the try, because an import can be interrupted or run out of memory.
        from kvlib.cli import commands

        status = commands.run_command(argv)
        streams.flush()
        return status
    except streams.OutputError as error:
        streams.complain(f"kvlib: standard output can't be written: {error}")
    except KeyboardInterrupt:
        return streams.INTERRUPTED
    except MemoryError:
        streams.complain("kvlib: there is not enough memory for this")
    except Exception as error:
        text = f"{error}".replace("\n", " ")
        streams.complain(f"kvlib: a bug in kvlib, {type(error).__name__}: {text}")
    finally:
        streams.give_up()
    return streams.FAILED


if __name__ == "__main__":
    sys.exit(main())
