"""A sample of `make fuzz`, what reading may execute (nothing), and the fuzzer's own promises."""

import ast
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kvlib
from helpers.paths import CORPUS, PACKAGE
from helpers.vocabulary import frame, put, run_python, store_files
from kvlib import KvlibError, encoding, log, recovery, segments, snapshot
from kvlib import frame as frames
from kvlib.__main__ import main
from tools.fuzz import __main__ as command
from tools.fuzz import feeding, guided
from tools.fuzz.inputs import mend_files
from tools.fuzz.targets import TARGETS

KEPT = sorted(CORPUS.glob("*.hex"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_inputs(path: Path) -> None:
    """Every input of the corpus is read or refused."""
    assert feeding.feed(*feeding.read_input(path)) in ("read", "refused", "newer")


def test_kept_inputs_are_few() -> None:
    """The corpus covers all targets in less than 64 KiB."""
    assert 24 <= len(KEPT) <= 400
    assert sum(path.stat().st_size for path in KEPT) < 64 * 1024
    assert {feeding.read_input(path)[0] for path in KEPT} >= {*guided.GUIDABLE}


@pytest.mark.parametrize("batch", range(5))
def test_spoilt_inputs(batch: int) -> None:
    """Two thousand spoilt inputs are read or refused."""
    tally, failure = feeding.run_batch(2_026, batch, feeding.BATCH)
    assert failure is None, f"{failure.target}: {failure.data.hex()}\n{failure.report}"
    assert tally.total() == feeding.BATCH


@pytest.mark.parametrize("name", guided.GUIDABLE)
@given(data=st.binary(max_size=120))
@settings(max_examples=50)
def test_any_bytes(name: str, data: bytes) -> None:
    """Random bytes are read or refused."""
    assert feeding.feed(name, data) in ("read", "refused", "newer")


def raised_at(error: BaseException) -> set[tuple[str, int]]:
    """Return the lines at which an error and the errors before it were raised."""
    lines = set()
    chain: BaseException | None = error
    while chain is not None:
        trace = chain.__traceback__
        while trace is not None:
            lines.add((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
            trace = trace.tb_next
        chain = chain.__context__
    return lines


def test_spoilt_inputs_reach_every_refusal() -> None:
    """Every line of the decoders that raises a CorruptionError does so for some spoilt input.

    Except for the end of the search, which takes a longer input, and for what the fast path of a
    decoder raises for the slow one.
    """
    reached = set()
    for batch in range(4):
        for name, data in feeding.inputs(2_026, batch, feeding.BATCH):
            try:
                TARGETS[name].feed(data)
            except KvlibError as error:
                reached |= raised_at(error)
    missed = []
    for module in (encoding, frames, log, segments, snapshot, recovery):
        source = Path(str(module.__file__))
        for node in ast.walk(ast.parse(source.read_bytes())):
            text = ast.unparse(node)
            refuses = "CorruptionError(" in text or ".corruption(" in text
            if isinstance(node, ast.Raise) and refuses:
                span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                if not any((str(source), line) in reached for line in span):
                    missed.append(f"{source.name}:{node.lineno}: {text}")
    elsewhere = "TOO_MUCH_WORK", "no field header"
    assert [line for line in missed if not any(words in line for words in elsewhere)] == []


# --- nothing executes -----------------------------------------------------------------------------

WATCH = """
import contextlib, io, sys, tempfile, warnings
import filelock, hexdump
import kvlib
from tools.fuzz import feeding
from kvlib.__main__ import main

# Late imports and code that is compiled once come before the watch begins.
seed, number = map(int, sys.argv[1:])
made = list(feeding.inputs(seed, 0, number))
with contextlib.suppress(kvlib.KvlibError), tempfile.TemporaryDirectory() as place:
    kvlib.open(place + "/store").close()
    with contextlib.redirect_stdout(io.StringIO()):
        main(["dump", place + "/store"])
    kvlib.open(place + "/store", read_only=True)
FORBIDDEN = ("exec", "compile", "import", "pickle.find_class", "marshal.", "code.", "ctypes.",
             "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.fork",
             "subprocess.", "pty.", "socket.", "urllib.", "webbrowser.")
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(FORBIDDEN) else None)
try:
    eval("1")
finally:
    assert "compile" in seen and "exec" in seen, seen
seen.clear()
fed = 0
for name, data in made:
    feeding.feed(name, data)
    fed += 1
    if seen:
        print(name, data.hex(), seen)
        break
print("fed", fed)
"""


def test_reading_executes_nothing() -> None:
    """Reading hostile files imports, compiles, executes, unpickles and starts nothing."""
    assert run_python(WATCH, "77", "3000") == "fed 3000"


def test_records_that_are_code_stay_records(tmp_path: Path) -> None:
    """A pickle that would run a command, and a line of Python, come back as they were."""
    mark = tmp_path / "executed"
    attack = f"cposix\nsystem\n(S'touch {mark}'\ntR.".encode()
    line = f"__import__('os').system('touch {mark}')"
    with kvlib.open(tmp_path / "store") as opened:
        opened[attack] = line
        opened[line] = attack
        opened.compact()
        opened[b"again"] = attack
    with kvlib.open(tmp_path / "store") as opened:
        assert dict(opened) == {attack: line, line: attack, b"again": attack}
    for name in ("check", "dump"):
        assert main([name, str(tmp_path / "store")]) == 0
    assert not mark.exists()


MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "code",
    "codeop",
    "runpy",
    "ctypes",
}
CALLS = {"eval", "exec", "compile", "__import__"}


def names_in(node: ast.AST) -> set[str]:
    """Return what a piece of code imports, calls, or looks up."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return {node.func.id} & CALLS
    return {node.attr} & {"system"} if isinstance(node, ast.Attribute) else set()


def test_no_module_can_execute_what_it_reads() -> None:
    """Nothing in kvlib unpickles or evaluates, except the lessons, which run exercises."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] not in ("lessons", "classroom"):
            for node in ast.walk(ast.parse(path.read_bytes())):
                found = names_in(node) & (MODULES | CALLS | {"system"})
                assert not found, f"{path}:{getattr(node, 'lineno', 0)}: {found}"


# --- the fuzzer itself ----------------------------------------------------------------------------


def test_mended_files_are_whole() -> None:
    """Wrong checksums anywhere become right, and right ones stay."""
    m2 = frame(b"M", 2, put("a", "1"), 9)
    files = store_files({"k": "v"}, m2, frame(b"C", 3, b"", 9), salt=9)
    assert mend_files(files) == files
    wrong = {name: data[:8] + b"\0\0\0\0" + data[12:] for name, data in files.items()}
    wrong["log"] = wrong["log"].replace(m2, bytes(4) + m2[4:])
    assert mend_files(wrong) == files


def break_field(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """Let the target for fields do something else for some inputs: "raise" or "hang"."""

    def feed(data: bytes) -> None:
        if len(data) % 7 == 3:
            while action == "hang":
                pass
            raise IndexError("not for users")

    monkeypatch.setitem(TARGETS, "field", TARGETS["field"]._replace(feed=feed))


def test_a_failure_is_kept_and_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error other than a KvlibError ends the run, and its input can be replayed."""
    break_field(monkeypatch, "raise")
    monkeypatch.setattr(feeding, "BUILD", tmp_path)
    tally, failure = feeding.run_batch(1, 0, 1_000)
    assert failure is not None
    assert 0 < tally.total() < 1_000
    feeding.explain(failure)
    out = capsys.readouterr().out
    assert "IndexError: not for users" in out
    assert feeding.hex_lines(failure.data) in out
    (kept,) = (tmp_path / "failures").iterdir()
    assert f"--replay {os.path.relpath(kept)}" in out
    assert feeding.read_input(kept) == ("field", failure.data)
    with pytest.raises(IndexError):
        command.main(["--replay", str(kept)])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no alarms")
def test_an_input_that_takes_forever_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzzer doesn't wait for an answer longer than its patience lasts."""
    break_field(monkeypatch, "hang")
    monkeypatch.setattr(feeding, "PATIENCE", 0.1)
    _, failure = feeding.run_batch(1, 0, 1_000)
    assert failure is not None
    assert "TimeoutError: no answer in 0.1 seconds" in failure.report


def test_a_wrong_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that changes data and raises nothing doesn't get through."""
    real = encoding.decode_snapshot
    monkeypatch.setattr(kvlib, "decode_snapshot", lambda data: {**real(data), "more": ""})
    _, failure = feeding.run_batch(1, 0, 1_000)
    assert failure is not None
    assert failure.target == "snapshot"
    assert "AssertionError" in failure.report


def test_the_command_counts_its_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints counts by target and in all, the same for the same seed."""
    assert command.main(["--inputs", "2500", "--no-guided"]) == 0
    out = capsys.readouterr().out
    assert out.endswith("2,500 inputs in all, 0 failures\n")
    tally = feeding.run_batch(1, 0, 2_000)[0] + feeding.run_batch(1, 1, 500)[0]
    assert out.splitlines()[:-3] == [*feeding.table(tally)]


@pytest.mark.untraced
def test_few_inputs_reach_what_many_do() -> None:
    """Distilling keeps the inputs that reach further than the others together."""
    many = [(name, data) for name, data in feeding.inputs(3, 0, 150) if name != "commands"]
    few = list(guided.distil(many))
    assert {name for name, _ in few} == {name for name, _ in many}
    assert len(few) < len(many) / 2
    assert set().union(*(guided.arcs(*kept) for kept in few)) == set().union(
        *(guided.arcs(*found) for found in many)
    )
