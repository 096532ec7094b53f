"""A key-value store, small enough to read in an evening, that keeps the promises of larger ones.

Read it in this order: encoding, segments, frame and log (pure functions over bytes), then disk,
directory, snapshot, recovery, writer, store, commit and durable.
"""

import warnings

from kvlib import judge
from kvlib.directory import DirectoryDisk
from kvlib.disk import Disk, MemoryDisk
from kvlib.durable import DurableStore, Status, open
from kvlib.encoding import decode_field, decode_snapshot, encode_field, encode_snapshot
from kvlib.errors import (
    CorruptionError,
    KvlibError,
    LockedError,
    MissingError,
    VersionError,
    WriteRefusedError,
)
from kvlib.frame import seal, unseal
from kvlib.recovery import Recovery
from kvlib.segments import join, split
from kvlib.store import Store

# "a" and b"a" are two keys with the same hash, so a dict that holds both compares them. python -b
# warns of that, and python -bb raises an error.
warnings.filterwarnings("ignore", category=BytesWarning, module=r"kvlib\.")

__version__ = "0.1.0"
__all__ = [
    "CorruptionError",
    "DirectoryDisk",
    "Disk",
    "DurableStore",
    "KvlibError",
    "LockedError",
    "MemoryDisk",
    "MissingError",
    "Recovery",
    "Status",
    "Store",
    "VersionError",
    "WriteRefusedError",
    "decode_field",
    "decode_snapshot",
    "encode_field",
    "encode_snapshot",
    "join",
    "judge",
    "open",
    "seal",
    "split",
    "unseal",
]
