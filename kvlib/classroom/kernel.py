"""Running code in kernels of its own: a notebook for its outputs, or a learner's without them."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from queue import Empty
from typing import Any, Final, NamedTuple, NoReturn

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

ATTEMPTS: Final = 3
READY: Final = 60.0  # seconds that a kernel may take to start
TURN: Final = 0.2  # seconds between two looks at whether a kernel still lives
AGAIN: Final = 1.0  # seconds from one interrupt to the next
ANSWER: Final = 64 * 2**20  # bytes, with an exception's text; a larger one never comes
# Of the variables that change what Python does, those that say where things are. Others would
# change marks: PYTHONOPTIMIZE leaves out the asserts of hidden tests.
PLACES: Final = {"PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONUSERBASE"}


class KernelError(Exception):
    """No kernel can be started."""


class DiedError(Exception):
    """A kernel has ended by itself."""


class LateError(Exception):
    """A kernel's time is over, and it can't be interrupted."""


class Reply(NamedTuple):
    """What became of a piece of code: an exception's name and text, or "", and if it was late."""

    error: str = ""
    message: str = ""
    late: bool = False


def environment(folder: str) -> dict[str, str]:
    """Return the variables for a kernel: IPython's start-up files are looked for in `folder`."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") or name in PLACES
    }
    return {**own, "IPYTHONDIR": folder}


class Kernel:
    """A kernel that runs code and whose output is never read, however much there is of it."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def run(self, source: str, seconds: float, until: float, *, quiet: bool = False) -> Reply:
        """Run a piece of code, and interrupt it when its time is over, as often as it takes.

        Args:
            source: the code.
            seconds: that it may take.
            until: the time by time.monotonic at which this ends even if it goes on.
            quiet: leave no trace of it in the kernel's history.

        Raises:
            DiedError: the kernel has ended.
            LateError: it could not be interrupted.
        """
        asked = self._client.execute(
            source, silent=quiet, store_history=not quiet, allow_stdin=False, stop_on_error=False
        )
        limit, late = min(time.monotonic() + seconds, until), False
        while True:
            try:
                reply: Mapping[str, Any] = self._client.get_shell_msg(timeout=TURN)
            except Empty:
                reply = {}
                if not self._manager.is_alive():
                    raise DiedError from None
            if reply.get("parent_header", {}).get("msg_id") == asked:
                content = reply["content"]
                return Reply(content.get("ename", ""), content.get("evalue", ""), late)
            if (now := time.monotonic()) > until:
                raise LateError
            if now > limit:
                self._manager.interrupt_kernel()
                limit, late = now + AGAIN, True


@contextmanager
def kernel(folder: str, private: str) -> Iterator[Kernel]:
    """Start a kernel, and kill it afterwards with all processes of its group.

    Args:
        folder: where its code works.
        private: a folder for what only Jupyter needs.

    Raises:
        KernelError: none of three was ready.
    """
    with ExitStack() as started:
        for number in range(ATTEMPTS):
            try:
                one = _started(folder, private, number)
                client, manager = started.enter_context(one)
                break
            except Exception as error:  # of what a machine may lack there is no list
                reason = f"{type(error).__name__}: {error}"
        else:
            raise KernelError(f"no kernel for the notebooks can be started: {reason}")
        yield Kernel(manager, client)


@contextmanager
def _started(
    folder: str, private: str, number: int
) -> Iterator[tuple[BlockingKernelClient, KernelManager]]:
    place = str(Path(private) / f"kernel-{number}.json")
    manager = KernelManager(kernel_name="python3", connection_file=place)
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
        client.context.setsockopt(zmq.MAXMSGSIZE, ANSWER)
        stack.callback(client.stop_channels)
        client.start_channels(stdin=False, hb=False)
        client.wait_for_ready(timeout=READY)
        client.iopub_channel.stop()  # nobody listens: what a cell prints goes nowhere
        yield client, manager


class Client(NotebookClient):
    """nbclient's, but for two things.

    For a kernel that dies before it was ready it starts another. A kernel is told its ports by who
    looked that they are free, and takes them a second later. In between another program may have
    taken one, and it dies: of 600 that started three at a time, two did. JupyterLab starts another
    then, and so does this.

    And Ctrl-C is Python's own: nbclient would end the kernel, and call that the notebook's fault.
    """

    @asynccontextmanager
    async def async_setup_kernel(self, **options: Any) -> AsyncGenerator[None]:
        """Start it; RuntimeError if the third has died as well."""
        left = ATTEMPTS
        loop = asyncio.get_running_loop()
        vars(loop)["add_signal_handler"] = _refuse
        async with AsyncExitStack() as kernel:
            while True:
                try:
                    await kernel.enter_async_context(super().async_setup_kernel(**options))
                    break
                except RuntimeError:
                    left -= 1
                    if not left:
                        raise
                finally:
                    vars(loop).pop("add_signal_handler", None)
            yield


def _refuse(*_: object) -> NoReturn:
    raise NotImplementedError  # as on Windows, which nbclient knows
