"""What is asked in a learner's kernel when a folder is graded; so it needs nothing but checks."""

from collections.abc import Callable

from kvlib.lessons.checking import check  # before any learner's code can put another in its place


def tell(nonce: str, name: str, answer: Callable[[], object]) -> None:
    """Print what our check finds; nobody else can know the nonce that the line begins with."""
    try:
        state: str = check(name, answer()).state
    except NameError as error:
        state = f"{error}"
    print(f"\n{nonce}{state}")
