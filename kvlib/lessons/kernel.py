"""Running a notebook in a kernel of its own."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from nbclient import NotebookClient

ATTEMPTS: Final = 3


class Client(NotebookClient):
    """nbclient's, but for a kernel that dies before it was ready: then it starts another.

    A kernel is told its ports by who looked that they are free, and takes them a second later. In
    between another program may have taken one, and it dies: of 600 that started three at a time,
    two did. JupyterLab starts another then, and so does this.
    """

    @asynccontextmanager
    async def async_setup_kernel(self, **options: Any) -> AsyncGenerator[None]:
        """Start it; RuntimeError if the third has died as well."""
        left = ATTEMPTS
        async with AsyncExitStack() as kernel:
            while True:
                try:
                    await kernel.enter_async_context(super().async_setup_kernel(**options))
                    break
                except RuntimeError:
                    left -= 1
                    if not left:
                        raise
            yield
