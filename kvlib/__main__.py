"""The command line, `kvlib` or `python -m kvlib`: whatever happens, a line and an exit status."""

import sys
from collections.abc import Sequence

from kvlib.cli import streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status. Only damaged bytes make it 1."""
    streams.open_closed()
    try:
        from kvlib.cli import (
            commands,  # within the try: an import can be interrupted, or lack memory
        )

        status = commands.run_command(argv)
        streams.flush()
        return status
    except streams.OutputError as error:
        streams.complain(f"kvlib: the standard output can't be written: {error}")
    except KeyboardInterrupt:
        return streams.INTERRUPTED
    except MemoryError:
        streams.complain("kvlib: there is not enough memory for that")
    except Exception as error:
        text = f"{error}".replace("\n", " ")
        streams.complain(f"kvlib: a mistake of its own, {type(error).__name__}: {text}")
    finally:
        streams.give_up()
    return streams.FAILED


if __name__ == "__main__":
    sys.exit(main())
