"""So many at once, together and for each account."""

from __future__ import annotations

from collections import Counter


class Places:
    """Counts what is held; whoever got a place gives it back."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.most, self.most_of_one = most, most_of_one
        self.held: Counter[str] = Counter()

    def take(self, who: str) -> bool:
        """Whether there was a place left."""
        if self.held.total() >= self.most or self.held[who] >= self.most_of_one:
            return False
        self.held[who] += 1
        return True

    def give_back(self, who: str) -> None:
        self.held[who] -= 1
        self.held += Counter()  # forgets who holds none
