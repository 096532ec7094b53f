"""`kvlib compact`, `backup` and `salvage` write a snapshot, a copy and a new store."""

from pathlib import Path

import kvlib
from helpers.commands import Run, flip
from helpers.stores import content, files_in
from helpers.vocabulary import HEAD_END
from kvlib.frame import PREAMBLE, seal
from kvlib.segments import split


def test_compact_publishes_a_snapshot(run: Run, store: Path) -> None:
    """It leaves an empty log, keeps every record, and reports the sizes."""
    before = sum(map(len, files_in(store).values()))
    status, out, err = run("compact", store)
    assert (status, err) == (0, "")
    now = sum(map(len, files_in(store).values()))
    assert out == f"store: 2 records\n  {before:>15,} bytes before\n  {now:>15,} bytes now\n"
    with kvlib.open(store, read_only=True) as opened:
        assert dict(opened) == {"café": b"1", "key": "value"}
        assert opened.status().pending == 0


def test_compact_finishes_no_unfinished_creation(run: Run, store: Path) -> None:
    """Without a log, segments of generation 1 are not a store yet; others are damage."""
    (store / "log").unlink()
    status, _, err = run("compact", store)
    assert status == 1
    assert "the log is missing" in err
    for segment in store.glob("*.segment"):
        segment.unlink()
    (store / f"{1:016x}.{0:08x}.segment").write_bytes(PREAMBLE + seal(b"S", 1, split(b"", 9)[0]))
    status, _, err = run("compact", store)
    assert status == 2
    assert "no store at" in err
    assert not (store / "log").exists()


def test_compact_does_not_wait_for_another_writer(run: Run, store: Path) -> None:
    """If the store is locked, compact fails at once."""
    with kvlib.open(store):
        status, out, err = run("compact", store)
    assert (status, out) == (2, "")
    assert err == "kvlib: store is open for writing already, in this or another process\n"


def test_backup_copies_a_store_in_use(run: Run, store: Path) -> None:
    """The writer isn't disturbed, and each backup replaces the one before."""
    with kvlib.open(store) as writer:
        for number in range(3):
            writer["number"] = f"{number}"
            out = f"copy: a copy with {len(writer)} records\n"
            assert run("backup", store, "copy") == (0, out, "")
            with kvlib.open("copy") as copy:
                assert copy == writer


def test_salvage_saves_a_whole_store(run: Run, store: Path) -> None:
    """The exit status is 0, and the old store stays as it was."""
    before = files_in(store)
    out = "store2: 2 records, everything was saved\n"
    assert run("salvage", store, "store2") == (0, out, "")  # beside the old store, not in it
    assert files_in(store) == before
    assert content("store2") == {"café": b"1", "key": "value"}


def test_salvage_lists_what_it_left_out(run: Run, store: Path) -> None:
    """The exit status is 1, and the old store stays as it was."""
    flip(store / "log", 60)
    before = files_in(store)
    status, out, err = run("salvage", store, "new")
    assert (status, err) == (1, "")
    assert out.startswith(
        f"new: 1 record, not everything was saved\nleft out:\n  log, offset {HEAD_END}, 36 bytes\n"
    )
    assert max(map(len, out.split("\n"))) <= 80
    assert files_in(store) == before
    assert content("new") == {"café": b"1"}


def test_salvage_of_nothing_makes_no_store(run: Run, store: Path) -> None:
    """The exit status is 1, and no directory is made."""
    for path in store.iterdir():
        path.write_bytes(b"")
    status, out, _ = run("salvage", store, "new")
    assert (status, out.split("\n")[0]) == (1, "nothing could be saved; there is no store at new")
    assert not Path("new").exists()


def test_salvage_needs_none_of_kvlibs_file_names(run: Run, store: Path) -> None:
    """A store whose files all have other names is one to salvage, but not to check."""
    for number, file in enumerate(sorted(store.iterdir())):
        file.rename(store / f"file {number}")
    assert run("check", store)[0] == 2
    _, out, _ = run("salvage", store, "new")
    assert "file 0" in out
    assert "café" in content("new")
