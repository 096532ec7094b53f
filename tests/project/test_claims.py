"""Whatever the pages say about a real system has a row in docs/claims.md, with its source.

A row's claim names its systems. Its places are cells of the notebooks, by id; headings of the
pages, as `README.md: The store`; and files. Each of them names one of those systems.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import pytest

from helpers.paths import PACKAGE, ROOT, SOURCES, text_of
from kvlib.lessons.glossary import NOTEBOOKS as SERIES
from tools.notebooks import read_source

pytestmark = pytest.mark.untraced

CLAIMS: Final = "docs/claims.md"
PAGES: Final = ["README.md", "docs/engine.md", "docs/teaching.md"]
HEADER: Final = "| claim | where | source | version |"

# How the pages name a system.
STORES: Final = {
    "Bitcask": r"\bBitcask\b",
    "etcd": r"\betcd\b",
    "Kafka": r"\bKafka\b",
    "LevelDB": r"\bLevelDB\b",
    "LMDB": r"\bLMDB\b",
    "MySQL": r"\b(MySQL|InnoDB)\b",
    "PostgreSQL": r"\bPostgre(s|SQL)\b",
    "py-caskdb": r"(?i)\bcaskdb\b",
    "Redis": r"\bRedis\b",
    "RocksDB": r"\bRocksDB\b",
    "SQLite": r"\bSQLite\b",
}
FORMATS: Final = {
    "BitTorrent": r"\bBitTorrent\b",
    "gzip": r"\bgzip\b",
    "IPv4": r"\bIPv4\b",
    "JSON": r"\bJSON\b|\bjson\.\w|`json`",
    "MessagePack": r"\b(MessagePack|msgpack)\b",
    "PNG": r"\bPNG\b",
    "Protocol Buffers": r"(?i)\b(protocol buffers?|protobuf)\b",
    "UTF-8": r"\bUTF-8\b",
    "ZIP": r"\bZIP\b",
}
MEDIA: Final = {
    "Amazon S3": r"\bS3\b",
    "ext4": r"\bext[34]\b",
    "FAT32": r"\bFAT(32)?\b",
    "macOS": r"\bmacOS\b|\bF_FULLFSYNC\b",
    "XFS": r"\bXFS\b",
}
# These are also named where nothing is claimed about them.
OTHERS: Final = {
    "cookies": r"(?i)\bcookies?\b",
    "CRC-32": r"\bCRC\b|\bCRC-32\b|\bcrc\b",
    "CSV": r"\bCSV\b",
    "file managers": r"(?i)\bfile managers?\b",
    "fsync": r"\bfsync",
    "kill": r"\bkill",
    "Linux": r"\bLinux\b",
    "pickle": r"\bpickle\b",
    "POSIX": r"\bPOSIX\b",
    "Python": r"\bPython\b",
    "rename": r"\brename|\bos\.replace\b",
    "shelve": r"\bshelve\b",
    "Unicode": r"\bUnicode\b",
    "web addresses": r"\bURLs?\b|\bWeb address|\bweb address",
    "Windows": r"\bWindows\b",
    "`len`": r"`len\b",
    "`ls`": r"`ls\b",
    "`os.fsync`": r"\bos\.fsync\b",
    "`os.write`": r"\bos\.write\b",
    "`sorted`": r"`sorted\b",
    "`struct`": r"`struct\b",
}
SYSTEMS: Final = STORES | FORMATS | MEDIA
MS: Final = re.M | re.S
REGISTRIES: Final = r"pypi\.org|npmjs\.com|crates\.io|docs\.rs|anaconda\.org|pkg\.go\.dev|rubygems"


@dataclass(frozen=True)
class Row:
    """A row of docs/claims.md: its claim, its places, its source and its version or date."""

    claim: str
    places: tuple[str, ...]
    source: str
    version: str


def rows() -> list[Row]:
    """Return all rows of all tables in docs/claims.md."""
    found = []
    for line in text_of(CLAIMS).splitlines():
        if line.startswith("|") and line != HEADER and not line.startswith("|---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 4, f"four columns, and no bar in a text: {line}"
            claim, where, source, version = cells
            found.append(Row(claim, tuple(re.findall(r"`([^`]+)`", where)), source, version))
    return found


def named(text: str, systems: dict[str, str] = SYSTEMS | OTHERS) -> set[str]:
    """Return which of the systems a text names."""
    text = re.sub(r"(?<!\w)_|_(?!\w)", "", text)  # emphasis, as in **_UTF-8_**
    return {name for name, pattern in systems.items() if re.search(pattern, text)}


def sections(page: str) -> Iterator[tuple[str, str]]:
    """Yield each heading of a page, and the text between it and the next.

    Without code, without the tables of the guide that quote exercises, and without lines that lead
    to the claims.
    """
    text = re.sub(r"^( *)```.*?^\1```$|^<!-- made: .*?^<!-- end -->", "", text_of(page), flags=MS)
    text = re.sub(r"^ {4}.*|.*\bdocs/claims\.md\b.*", "", text, flags=re.M)
    for part in re.split(r"^(?=#+ )", text, flags=re.M):
        heading, _, body = part.partition("\n")
        yield heading.lstrip("# "), f"{heading}\n{body}"


@cache
def places() -> dict[str, str]:
    """Return each text that may make a claim, by its place."""
    found = {}
    for name in SERIES.values():
        for cell in read_source(SOURCES / f"{name}.md").cells:
            if cell.cell_type == "markdown":
                found[cell.id] = cell.source
    for page in filter(lambda page: (ROOT / page).exists(), PAGES):
        for heading, text in sections(page):
            place = f"{page}: {heading}"
            found[place] = found.get(place, "") + text
    for path in PACKAGE.rglob("*.py"):
        found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return found


def test_each_mention_of_a_system_has_a_row() -> None:
    """Text cells and pages may name any of the systems; modules of kvlib, the stores."""
    covered = {(place, name) for row in rows() for place in row.places for name in named(row.claim)}
    missing = []
    for place, text in places().items():
        looked_for = STORES if place.endswith(".py") else SYSTEMS
        missing += [(place, name) for name in named(text, looked_for)]
    missing = sorted(set(missing) - covered)
    assert not missing, "\n".join(f"{place} names {name}" for place, name in missing)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.claim[:40])
def test_a_row_is_complete(row: Row) -> None:
    """It names a system, and places that name it too; a source; a version or a date."""
    systems = named(row.claim)
    assert systems, "the claim names no system"
    assert row.places, "no place"
    for place in row.places:
        assert place in places(), f"there is no {place}"
        assert named(places()[place]) & systems, f"{place} names none of {sorted(systems)}"
    assert re.search(r"\]\(https?://|`[^`]+`", row.source), "a link, or a file in the repository"
    assert not re.search(REGISTRIES, row.source)
    assert re.search(r"\d", row.version), "a version or a date"


def test_no_claim_is_there_twice() -> None:
    """A claim in two rows would be mended in one of them."""
    claims = [row.claim for row in rows()]
    assert sorted(claims) == sorted(set(claims))


@pytest.mark.parametrize(
    ("text", "systems"),
    [
        ("SQLite and Redis have a log.", {"SQLite", "Redis"}),
        ("An IPv4 packet that is too large", {"IPv4"}),
        ("An upload to Amazon S3 is limited.", {"Amazon S3"}),
        ("A `rename` on macOS is whole.", {"macOS", "rename"}),
        ("A redistribution of PNGs, in 4 windows", set()),
        ("**_UTF-8_** is an encoding.", {"UTF-8"}),
    ],
)
def test_names_are_found(text: str, systems: set[str]) -> None:
    """A name is a whole word, spelled as its makers do."""
    assert named(text) == systems
