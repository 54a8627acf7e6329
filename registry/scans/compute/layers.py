"""What is inside a file, layer by layer, told by first bytes and never by name; standard library alone."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

DEEPEST = 5
MOST_ENTRIES = 5000
MOST_BYTES = 512 << 20
HEAD = 512
PACKED = {"zip", "gzip", "zlib", "bzip2", "xz", "lzma"}
CLOSED = {"7z", "rar", "zstd", "lz4", "tar"}
STARTS = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x93NUMPY", "numpy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\x5d\x00\x00", "lzma"),
    (b"\x7fELF", "machine code"),
    (b"MZ", "machine code"),
)


class Unreadable(Exception):
    """A layer that cannot be opened, or would be larger than anybody could scan."""


@dataclass(frozen=True)
class Layer:
    """One thing inside a file: ``name`` leads to it, ``data`` are its bytes."""

    name: str
    kind: str
    data: bytes


class Budget:
    """How much one file may unpack to, over all its layers."""

    def __init__(self) -> None:
        self.bytes, self.entries = MOST_BYTES, MOST_ENTRIES

    def take(self, size: int) -> None:
        self.bytes -= size
        self.entries -= 1
        self.hold(0)

    def hold(self, entries: int) -> None:
        """Unreadable when so many more would be too many: found before the first of them is opened."""
        if self.bytes < 0 or self.entries < entries:
            raise Unreadable(f"it unpacks to more than {MOST_BYTES >> 20} MiB or {MOST_ENTRIES} entries")


def kind_of(head: bytes) -> str:
    """The kind of some bytes by how they begin; ``other`` when nothing is known of it."""
    if not head:
        return "empty"
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return "pickle"
    for start, kind in STARTS:
        if head.startswith(start):
            return kind
    if len(head) > 1 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib"
    return "tar" if head[257:262] == b"ustar" else "other"


def innermost(path: Path, name: str) -> Iterator[Layer]:
    """Everything in the file that is no container of other things; Unreadable when one stays shut."""
    budget = Budget()
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Unreadable(f"it is larger than {MOST_BYTES >> 20} MiB")
    budget.take(size)
    yield from _opened(name, path.read_bytes(), budget, 0)


def _opened(name: str, data: bytes, budget: Budget, depth: int) -> Iterator[Layer]:
    kind = kind_of(data[:HEAD])
    # A zip may begin with anything at all: readers look for its directory at the end.
    if kind not in PACKED and zipfile.is_zipfile(BytesIO(data)):
        yield Layer(name, kind, data)
        kind = "zip"
    if kind in CLOSED:
        raise Unreadable(f"{name} is packed as {kind}, which is not opened here")
    if kind not in PACKED:
        yield Layer(name, kind, data)
        return
    if depth == DEEPEST:
        raise Unreadable(f"{name} is packed more than {DEEPEST} times")
    for inner, content in _unpacked(name, kind, data, budget):
        yield from _opened(inner, content, budget, depth + 1)


def _unpacked(name: str, kind: str, data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    try:
        if kind == "zip":
            yield from _entries(name, data, budget)
        else:
            yield f"{name} > {kind}", _inflated(kind, data, budget)
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise Unreadable(f"{name}: {kind} cannot be opened ({str(error)[:100]})") from error
    except (zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{name}: {kind} is damaged ({str(error)[:100]})") from error


def _entries(name: str, data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
        budget.hold(len(entries))
        for entry in entries:
            if entry.is_dir():
                continue
            with archive.open(entry) as content:
                inner = content.read(budget.bytes + 1)
            budget.take(len(inner))
            yield f"{name} > {entry.filename}", inner


def _inflated(kind: str, data: bytes, budget: Budget) -> bytes:
    if kind == "zlib":
        opener = zlib.decompressobj()
        inner = opener.decompress(data, budget.bytes + 1)
    else:
        openers = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open, "lzma": lzma.open}
        with openers[kind](BytesIO(data)) as content:
            inner = content.read(budget.bytes + 1)
    budget.take(len(inner))
    return inner
