"""Run code in separate kernels: a notebook for its outputs, or a learner's without them."""

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
READY: Final = 60.0  # seconds for a kernel to start
TURN: Final = 0.2  # seconds between two checks that a kernel is alive
AGAIN: Final = 1.0  # seconds between two interrupts
ANSWER: Final = 64 * 2**20  # bytes of a reply; a larger one never arrives
# Python's environment variables that only name places. Others could change the marks:
# PYTHONOPTIMIZE removes the asserts of hidden tests, for instance.
PLACES: Final = {"PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONUSERBASE"}


class KernelError(Exception):
    """A kernel can't be started."""


class DiedError(Exception):
    """A kernel has died."""


class LateError(Exception):
    """A kernel's time is up, and it can't be interrupted."""


class Reply(NamedTuple):
    """The result of running code: its exception's name and text, or "", and if it was late."""

    error: str = ""
    message: str = ""
    late: bool = False


def environment(folder: str) -> dict[str, str]:
    """Return a kernel's environment, in which IPython looks for start-up files in `folder`."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") or name in PLACES
    }
    return {**own, "IPYTHONDIR": folder}


class Kernel:
    """A kernel whose output is never read, however large it is."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager, self._client = manager, client

    def run(self, source: str, seconds: float, until: float, *, quiet: bool = False) -> Reply:
        """Run code, and interrupt it when its time is up, as often as needed.

        Args:
            source: the code.
            seconds: the time limit.
            until: when to return in any case, as a time of time.monotonic.
            quiet: whether to keep the code out of the kernel's history.

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
    """Start a kernel; at the end, kill it and all processes in its group.

    Args:
        folder: the kernel's working directory.
        private: a folder for Jupyter's own files.

    Raises:
        KernelError: three attempts have failed.
    """
    with ExitStack() as started:
        for number in range(ATTEMPTS):
            try:
                one = _started(folder, private, number)
                client, manager = started.enter_context(one)
                break
            except Exception as error:  # there is no list of what a machine may lack
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
        client.iopub_channel.stop()  # without a listener, printed output is dropped
        yield client, manager


class Client(NotebookClient):
    """nbclient's client with two differences.

    If a kernel dies before it is ready, another one is started. A kernel is given ports that were
    free, and takes them a second later. If another program has taken one meanwhile, the kernel
    dies: 2 of 600 did that were started three at a time. JupyterLab starts another one as well.

    And Ctrl-C raises KeyboardInterrupt here. nbclient would end the kernel and blame the notebook.
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
    raise NotImplementedError  # like Windows, which nbclient handles
