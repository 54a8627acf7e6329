"""What a model card has to say, and at which risk tier; pure."""

from __future__ import annotations

from dataclasses import dataclass

HIGH, MEDIUM, LOW = "high", "medium", "low"
EVERY = frozenset({HIGH, MEDIUM, LOW})
SERIOUS = frozenset({HIGH, MEDIUM})
ONLY_HIGH = frozenset({HIGH})
NEVER: frozenset[str] = frozenset()
# Fewer characters say nothing that a reader could act on.
SHORTEST_ANSWER = 20
LONGEST_ANSWER = 20_000


@dataclass(frozen=True)
class Section:
    """One question of the card; ``tiers`` are those that must answer it."""

    key: str
    title: str
    question: str
    tiers: frozenset[str]


SECTIONS = (
    Section(
        "purpose", "Purpose", "What does it predict, for which decision, and how is the answer used?", EVERY
    ),
    Section("users", "Intended users", "Who asks it, who acts on the answer, and who is affected?", SERIOUS),
    Section(
        "out_of_scope", "Not meant for", "For which questions, places or times must it not be used?", SERIOUS
    ),
    Section(
        "data", "Data", "Where do the data come from, what do they stand for, and what do they lack?", EVERY
    ),
    Section(
        "evaluation",
        "How it was judged",
        "On which rows, against what, and how far do the figures carry?",
        SERIOUS,
    ),
    Section("limits", "Known limits", "When is it wrong, and how would anybody notice?", EVERY),
    Section(
        "fairness",
        "People and groups",
        "Which groups does it treat differently, and how was that looked at?",
        ONLY_HIGH,
    ),
    Section("risks", "Risks", "What harm could a wrong answer do, and what is done against it?", ONLY_HIGH),
    Section(
        "oversight",
        "Human oversight",
        "Who can overrule or stop it, and how do they learn that they should?",
        ONLY_HIGH,
    ),
    Section(
        "upkeep", "Watching and renewing", "Which signals are watched, and when is it trained again?", SERIOUS
    ),
    Section("more", "Further notes", "Anything else a reader needs: papers, licences, thanks.", NEVER),
)
BY_KEY = {section.key: section for section in SECTIONS}
KEYS = tuple(BY_KEY)


def required_at(tier: str) -> list[Section]:
    return [section for section in SECTIONS if tier in section.tiers]


def is_answered(text: str) -> bool:
    """Whether a section says something; white space and headings alone do not."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return len(" ".join(" ".join(lines).split())) >= SHORTEST_ANSWER
