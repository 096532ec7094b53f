"""The tests have teeth: they notice if any barrier or check is left out of a copy of kvlib."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.paths import PACKAGE, ROOT, TESTS

pytestmark = pytest.mark.untraced

# Things to leave out: (module, code, its replacement, the catcher that notices).
MISSING = {
    "the fsync of a segment": (
        "snapshot",
        "            disk.sync(name)\n",
        "",
        "cuts",
    ),
    "the fsync of log.new": ("snapshot", "        disk.sync(NEW_LOG)\n", "", "cuts"),
    "the fsync of the directory before the rename": (
        "snapshot",
        "        disk.sync_directory()\n    except OSError:",
        "    except OSError:",
        "cuts",
    ),
    "the fsync of the directory after the rename": (
        "snapshot",
        "    disk.rename(NEW_LOG, LOG)\n    disk.sync_directory()\n",
        "    disk.rename(NEW_LOG, LOG)\n",
        "cuts",
    ),
    "the order: delete last": (
        "writer",
        "        snapshot.commit(self._disk)\n",
        "        snapshot.delete_others(self._disk, generation)\n"
        "        snapshot.commit(self._disk)\n",
        "cuts",
    ),
    "the fsync of an append": (
        "writer",
        "                self._disk.sync(LOG)\n                self.unsynced = 0\n",
        "                self.unsynced = 0\n",
        "cuts",
    ),
    "the fsync before a close frame": (
        "writer",
        "        self.sync()\n        if self.sequence",
        "        if self.sequence",
        "cuts",
    ),
    "the fsync of a close frame that was found": (
        "writer",
        "                self._sync_close()  # the close frame may be in the page cache only\n",
        "                pass\n",
        "deaths",
    ),
    "a fresh snapshot after a doubtful tail": (
        "writer",
        "if self._closed and not state.recovered.dropped_bytes:",
        "if True:",
        "deaths",
    ),
    "the fsync of the directory before that": (
        "writer",
        "                self._disk.sync_directory()\n                self.publish",
        "                self.publish",
        "deaths",
    ),
    "the m of a frame that promises nothing": (
        "writer",
        "UNSYNCED_MUTATIONS if self.unsynced else MUTATIONS",
        "MUTATIONS",
        "cuts",
    ),
    "the M of a frame that promises": (
        "writer",
        "UNSYNCED_MUTATIONS if self.unsynced else MUTATIONS",
        "UNSYNCED_MUTATIONS",
        "flips",
    ),
    "the mark of a failed append": (
        "writer",
        '            self.failed = f"an append failed ({error})"\n            raise\n',
        "            self.failed = None\n            raise\n",
        "failing",
    ),
    "memory last": (
        "writer",
        '        self.failed = "an append did not finish"\n',
        '        self.failed = "an append did not finish"\n        log.apply(mutations, items)\n',
        "failing",
    ),
    "spoiling a close frame whose fsync failed": (
        "writer",
        '                self._disk.append(LOG, b"\\0")\n',
        "                pass\n",
        "failing",
    ),
    "the search after a bad frame": (
        "log",
        "            _reject_damage(data, offset, sequence + 1, salt, flaw)\n",
        "",
        "flips",
    ),
    "the sequence of a frame": (
        "log",
        "if frame.sequence != sequence + 1:",
        "if False:",
        "hostile",
    ),
    "the kinds inside a log": (
        "log",
        "if frame.kind not in LOG_KINDS:",
        "if False:",
        "hostile",
    ),
    "an empty close": ("log", "if frame.kind == CLOSE and frame.payload:", "if False:", "hostile"),
    "the salt": ("snapshot", 'int.from_bytes(disk.entropy(4), "big")', "0", "hostile"),
    "the crc of a frame": ("frame", "    if crc != actual or", "    if False or", "flips"),
    "the magic": ("frame", "    if magic != MAGIC:", "    if False:", "hostile"),
    "the crc of the stream": (
        "snapshot",
        "    if (length, crc) != (head.stream_length, head.stream_crc):",
        "    if False:",
        "hostile",
    ),
    "the end of a segment's file": (
        "snapshot",
        "    if frame.end != len(data):",
        "    if False:",
        "hostile",
    ),
    "a length that runs past the end": (
        "encoding",
        "    if length > left:",
        "    if False:",
        "hostile",
    ),
}

# Left out, these change no answer, because another check notices the same files. They stay because
# they say which file is wrong and where.
REDUNDANT = {
    "the kinds of frames": (
        "frame",
        "    if kind not in KINDS:\n        raise frame",
        "    if False:\n        raise frame",
    ),
    "the generation in a segment": (
        "snapshot",
        "        if frame.sequence != head.generation:",
        "        if False:",
    ),
    "index and total in a segment": (
        "snapshot",
        "        if frame.payload[: segments.HEADER.size] "
        "!= segments.HEADER.pack(index, head.segments):",
        "        if False:",
    ),
}


def mutant(folder: Path, module: str, code: str, instead: str) -> Path:
    """Copy kvlib with one thing replaced, and return the folder of the copy."""
    shutil.copytree(PACKAGE, folder / "kvlib", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "kvlib" / f"{module}.py"
    source = path.read_text(encoding="utf-8")
    assert source.count(code) == 1, f"{module} has {code!r} {source.count(code)} times"
    path.write_text(source.replace(code, instead), encoding="utf-8")
    return folder


def catch(folder: Path, *catchers: str) -> tuple[int, str]:
    """Run catchers on the kvlib in a folder, and return their status and output."""
    done = subprocess.run(
        [sys.executable, "-m", "helpers.teeth", *catchers],
        cwd=folder,  # the first place where -m looks
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(TESTS)])},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_anything_left_out_is_noticed(tmp_path: Path) -> None:
    """The named catcher notices a wrong answer; it doesn't just crash."""

    def missed(item: tuple[int, str]) -> str:
        number, name = item
        module, code, instead, catcher = MISSING[name]
        status, output = catch(mutant(tmp_path / str(number), module, code, instead), catcher)
        caught = status == 1 and output.startswith(f"{catcher}: ")
        return "" if caught else f"{name}: {status} {output[-300:]}"

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = [line for line in pool.map(missed, enumerate(MISSING)) if line]
    assert found == []


@pytest.mark.parametrize("name", REDUNDANT)
def test_redundant_checks_are_listed_as_such(name: str, tmp_path: Path) -> None:
    """A check that something comes to depend on belongs in the list above."""
    assert catch(mutant(tmp_path, *REDUNDANT[name]), "flips", "hostile") == (0, "")


def test_nothing_is_noticed_where_nothing_is_missing() -> None:
    """The catchers that need no long sweep don't complain about kvlib itself."""
    assert catch(ROOT, "flips", "hostile") == (0, "")
