"""Start kernels: `kernel` runs a learner's code without its output, `Client` a notebook with it."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final, NamedTuple, NoReturn

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from kvlib.classroom.errors import KernelError

ATTEMPTS: Final = 3
READY: Final = 60.0  # seconds for a kernel to start
POLL: Final = 0.2  # seconds between two checks that a kernel is alive
INTERRUPT: Final = 1.0  # seconds between two interrupts
LARGEST_REPLY: Final = 64 * 2**20  # bytes; a larger one never arrives
# Only these of Python's environment variables are passed on. Others could change the marks:
# PYTHONOPTIMIZE removes the asserts of hidden tests, for instance.
PASSED_ON: Final = {"PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONUSERBASE"}


class DiedError(Exception):
    """A kernel has died."""


class LateError(Exception):
    """A kernel is still running code when its time is up."""


class Reply(NamedTuple):
    """The result of running code.

    Attributes:
        error: the name of the exception that it raised, or "".
        message: the exception's text, or "".
        late: whether it was interrupted because its time was up.
    """

    error: str = ""
    message: str = ""
    late: bool = False


def environment(folder: str) -> dict[str, str]:
    """Return a kernel's environment variables. IPython looks for start-up files in `folder`."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") or name in PASSED_ON
    }
    return {**inherited, "IPYTHONDIR": folder}


@contextmanager
def temporary_folder() -> Iterator[str]:
    """Make a temporary folder, and delete as much of it as a learner's code lets us delete."""
    folder = tempfile.mkdtemp(prefix="kvlib-")
    try:
        yield folder
    finally:
        with suppress(Exception):
            shutil.rmtree(folder, ignore_errors=True)


class Kernel:
    """A kernel whose output is never read, however large it is."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def run(self, source: str, seconds: float, until: float, *, quiet: bool = False) -> Reply:
        """Run code. When its time is up, interrupt it until it stops.

        Args:
            source: the code.
            seconds: the time limit.
            until: when to give up, as a value of time.monotonic().
            quiet: whether to keep the code out of the kernel's history.

        Raises:
            DiedError: the kernel has ended.
            LateError: the code was still running at `until`.
        """
        request = self._client.execute(
            source, silent=quiet, store_history=not quiet, allow_stdin=False, stop_on_error=False
        )
        limit, late = min(time.monotonic() + seconds, until), False
        while True:
            try:
                reply: Mapping[str, Any] = self._client.get_shell_msg(timeout=POLL)
            except Empty:
                reply = {}
                if not self._manager.is_alive():
                    raise DiedError from None
            if reply.get("parent_header", {}).get("msg_id") == request:
                content = reply["content"]
                return Reply(content.get("ename", ""), content.get("evalue", ""), late)
            if (now := time.monotonic()) > until:
                raise LateError
            if now > limit:
                self._manager.interrupt_kernel()
                limit, late = now + INTERRUPT, True


@contextmanager
def kernel(folder: str, private: str) -> Iterator[Kernel]:
    """Start a kernel; at the end, kill it and all processes in its group.

    Args:
        folder: the kernel's working directory.
        private: a folder for Jupyter's own files.

    Raises:
        KernelError: three attempts have failed.
    """
    with ExitStack() as stack:
        yield _first_that_starts(stack, folder, private)


def _first_that_starts(stack: ExitStack, folder: str, private: str) -> Kernel:
    for number in range(ATTEMPTS):
        try:
            return stack.enter_context(_started(folder, private, number))
        except Exception as error:  # a machine may lack anything
            reason = f"{type(error).__name__}: {error}"
    raise KernelError(f"no kernel for the notebooks can be started: {reason}")


@contextmanager
def _started(folder: str, private: str, number: int) -> Iterator[Kernel]:
    file = str(Path(private) / f"kernel-{number}.json")
    manager = KernelManager(kernel_name="python3", connection_file=file)
    with ExitStack() as stack:
        stack.callback(manager.cleanup_resources)
        manager.start_kernel(
            cwd=folder,
            env=environment(private),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        stack.callback(manager.shutdown_kernel, now=True)
        client = manager.client()
        client.context.setsockopt(zmq.MAXMSGSIZE, LARGEST_REPLY)
        stack.callback(client.stop_channels)
        client.start_channels(stdin=False, hb=False)
        client.wait_for_ready(timeout=READY)
        client.iopub_channel.stop()  # without a listener, printed output is dropped
        yield Kernel(manager, client)


class Client(NotebookClient):
    """nbclient's client with two differences.

    If a kernel dies before it is ready, another one is started, as in JupyterLab. A kernel is given
    ports that are free, but opens them a second later. If another program takes one in between, the
    kernel dies: of 600 kernels that were started three at a time, 2 did.

    Ctrl-C raises KeyboardInterrupt. nbclient would end the kernel and blame the notebook.
    """

    @asynccontextmanager
    async def async_setup_kernel(self, **options: Any) -> AsyncGenerator[None]:
        """Start the kernel. Raises RuntimeError if all attempts fail."""
        loop = asyncio.get_running_loop()
        vars(loop)["add_signal_handler"] = _refuse
        async with AsyncExitStack() as kernel:
            try:
                for left in reversed(range(ATTEMPTS)):
                    try:
                        await kernel.enter_async_context(super().async_setup_kernel(**options))
                        break
                    except RuntimeError:
                        if not left:
                            raise
            finally:
                vars(loop).pop("add_signal_handler", None)
            yield


def _refuse(*_: object) -> NoReturn:
    raise NotImplementedError  # as on Windows, which nbclient can handle
