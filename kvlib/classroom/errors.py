"""The errors that end one of the teacher's commands with a message."""

from typing import Any


class ClassroomError(Exception):
    """A command can't do its work with these files, or on this machine."""


class CellError(ClassroomError):
    """A notebook failed in the cell `cell`. It is None if not even the first one began."""

    def __init__(self, message: str, cell: Any = None) -> None:
        super().__init__(message)
        self.cell = cell


class KernelError(ClassroomError):
    """A kernel can't be started."""
