"""Quorum: different people, each for one role."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Set

Person = Hashable


def missing(quorum: Mapping[str, int], people: Mapping[Person, Set[str]]) -> dict[str, int]:
    """How many people each role still lacks, assigning every person to one role at most.

    Maximum bipartite matching (augmenting paths): somebody in two roles fills whichever leaves
    the fewest gaps, and never both.
    """
    seats = [(role, number) for role, count in quorum.items() for number in range(count)]
    taken: dict[Person, tuple[str, int]] = {}

    def seat(place: tuple[str, int], tried: set[Person]) -> bool:
        for person, roles in people.items():
            if place[0] not in roles or person in tried:
                continue
            tried.add(person)
            if person not in taken or seat(taken[person], tried):
                taken[person] = place
                return True
        return False

    lacking: dict[str, int] = {}
    for place in seats:
        if not seat(place, set()):
            lacking[place[0]] = lacking.get(place[0], 0) + 1
    return lacking
