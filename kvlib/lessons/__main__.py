"""The old name of the teacher's commands, for one version: use `python -m kvlib.classroom`."""

import sys

from kvlib.classroom.__main__ import main

if __name__ == "__main__":
    print("python -m kvlib.lessons is now python -m kvlib.classroom", file=sys.stderr)
    sys.exit(main())
