"""Talking to other Python processes, line by line."""

import subprocess

from helpers.vocabulary import python_command

Process = subprocess.Popen[str]


def start(code: str, *arguments: str) -> Process:
    """Start another process that runs `code`, with pipes to talk to it."""
    command, environment = python_command(code, *arguments)
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)


def tell(process: Process, line: object) -> None:
    """Send a line to the process."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def answer(process: Process) -> str:
    """Return the next line from the process, "" if it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: Process, question: object = "") -> str:
    """Send a line to the process, and return its answer."""
    tell(process, question)
    return answer(process)


def end(process: Process) -> None:
    """Close the pipes to the process, and kill it if it doesn't end."""
    with process:
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
