"""Types for the parts of hexdump 3.3 that kvlib uses; the package itself has none."""

from typing import Literal, overload

@overload
def hexdump(data: bytes, result: Literal["return"]) -> str: ...
@overload
def hexdump(data: bytes, result: Literal["print"] = "print") -> None: ...
