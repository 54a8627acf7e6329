"""The Merkle tree of RFC 6962: roots as the ledger grows, and proofs about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

EMPTY_ROOT = hashlib.sha256(b"").digest()
WIDTH = 32


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The root of a growing tree in O(log n) memory: one hash per complete subtree."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self.hashes: list[bytes] = []
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        self.hashes.append(leaf)
        complete = self.size
        while complete & 1:
            right = self.hashes.pop()
            self.hashes[-1] = node_hash(self.hashes[-1], right)
            complete >>= 1
        self.size += 1

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self) -> CompactRange:
        twin = CompactRange()
        twin.size, twin.hashes = self.size, list(self.hashes)
        return twin


class Tree:
    """All complete subtrees of a fixed set of leaves (64 bytes per leaf), for proofs."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = bytearray().join(leaves)
        self.size = len(level) // WIDTH
        self._levels = [level]
        while len(level) >= 2 * WIDTH:
            pairs = len(level) // (2 * WIDTH)
            level = bytearray().join(
                hashlib.sha256(b"\x01" + level[2 * WIDTH * i : 2 * WIDTH * (i + 1)]).digest()
                for i in range(pairs)
            )
            self._levels.append(level)

    def root(self, size: int | None = None) -> bytes:
        """The root when the tree had ``size`` leaves."""
        size = self._checked(size)
        return self._subtree(0, size) if size else EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        return bytes(self._levels[0][index * WIDTH : (index + 1) * WIDTH])

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of leaf ``index`` in the tree of ``size`` leaves (RFC 6962, 2.1.1)."""
        size = self._checked(size)
        if not 0 <= index < size:
            raise ValueError(f"leaf {index} is not in a tree of {size}")
        return self._path(index, 0, size)

    def consistency(self, earlier: int, size: int | None = None) -> list[bytes]:
        """The proof that the tree of ``earlier`` leaves is a prefix of it (RFC 6962, 2.1.2)."""
        size = self._checked(size)
        if not 0 < earlier <= size:
            raise ValueError(f"a tree of {earlier} is not a prefix of a tree of {size}")
        return self._subproof(earlier, 0, size, True)

    def _checked(self, size: int | None) -> int:
        size = self.size if size is None else size
        if not 0 <= size <= self.size:
            raise ValueError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _subtree(self, start: int, size: int) -> bytes:
        level = size.bit_length() - 1
        if size == 1 << level:
            place = (start >> level) * WIDTH
            return bytes(self._levels[level][place : place + WIDTH])
        split = _split(size)
        return node_hash(self._subtree(start, split), self._subtree(start + split, size - split))

    def _path(self, index: int, start: int, size: int) -> list[bytes]:
        if size == 1:
            return []
        split = _split(size)
        if index < split:
            return [*self._path(index, start, split), self._subtree(start + split, size - split)]
        return [*self._path(index - split, start + split, size - split), self._subtree(start, split)]

    def _subproof(self, earlier: int, start: int, size: int, is_whole: bool) -> list[bytes]:
        if earlier == size:
            return [] if is_whole else [self._subtree(start, size)]
        split = _split(size)
        if earlier <= split:
            return [
                *self._subproof(earlier, start, split, is_whole),
                self._subtree(start + split, size - split),
            ]
        return [
            *self._subproof(earlier - split, start + split, size - split, False),
            self._subtree(start, split),
        ]


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)
